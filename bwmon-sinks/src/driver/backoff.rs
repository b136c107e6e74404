//! How long to wait before a batch is sent again.

use std::time::Duration;

use bwmon_core::sink::{SinkError, SinkErrorKind};

use super::config::DriverConfig;

/// How long to wait before the next try. Full jitter: a random moment within a bound that doubles. Only
/// a commit resets it, because a destination that accepts connections and then fails is still down.
///
/// [`Driver`](super::Driver) has one for its sink. It is public for programs that play many agents
/// without a driver each.
#[derive(Debug)]
pub struct Backoff {
    failures: u32,
    is_established: bool,
    random: fastrand::Rng,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new()
    }
}

impl Backoff {
    /// One that has seen nothing yet.
    pub fn new() -> Self {
        Self {
            failures: 0,
            is_established: false,
            random: fastrand::Rng::new(),
        }
    }

    /// A batch was taken.
    pub const fn committed(&mut self) {
        self.failures = 0;
        self.is_established = true;
    }

    /// The wait after `error`.
    pub fn wait(&mut self, error: &SinkError, config: &DriverConfig) -> Duration {
        let was_established = std::mem::take(&mut self.is_established);
        if let Some(delay) = error.delay() {
            return self.within_a_fifth(delay);
        }
        if matches!(
            error.kind(),
            SinkErrorKind::Unauthorised | SinkErrorKind::Incompatible
        ) {
            return self.within_a_fifth(config.hold);
        }
        if was_established {
            return config.reconnect_spread.mul_f64(self.random.f64());
        }
        let doubled = 2_u32.saturating_pow(self.failures);
        let bound = config.backoff_first.saturating_mul(doubled);
        self.failures = self.failures.saturating_add(1);
        bound.min(config.backoff_cap).mul_f64(self.random.f64())
    }

    fn within_a_fifth(&mut self, delay: Duration) -> Duration {
        delay.mul_f64(0.8 + 0.4 * self.random.f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn longest(mut wait: impl FnMut() -> Duration) -> Duration {
        (0..2_000).map(|_| wait()).max().unwrap()
    }

    #[test]
    fn the_bound_doubles_up_to_the_cap_and_only_a_commit_resets_it() {
        let config = DriverConfig::default();
        let error = SinkError::new(SinkErrorKind::Unavailable, "down");
        let bound_after = |failures| {
            longest(|| {
                let mut backoff = Backoff::new();
                backoff.failures = failures;
                backoff.wait(&error, &config)
            })
        };
        for (failures, bound) in [(0, 1), (1, 2), (3, 8), (9, 300), (4_000_000, 300)] {
            let longest = bound_after(failures);
            assert!(longest <= SECOND * bound, "{failures}: {longest:?}");
            assert!(longest > SECOND * bound * 9 / 10, "{failures}: {longest:?}");
        }
        let mut backoff = Backoff::new();
        for _ in 0..20 {
            backoff.wait(&error, &config);
        }
        assert_eq!(backoff.failures, 20);
        backoff.committed();
        assert!(backoff.wait(&error, &config) <= config.reconnect_spread);
        assert!(backoff.wait(&error, &config) <= config.backoff_first);
    }

    #[test]
    fn the_destinations_own_word_comes_first_give_or_take_a_fifth() {
        let config = DriverConfig::default();
        let error = SinkError::new(SinkErrorKind::Busy, "busy").retry_after(SECOND * 10);
        let mut backoff = Backoff::new();
        for _ in 0..500 {
            let wait = backoff.wait(&error, &config);
            assert!((SECOND * 8..=SECOND * 12).contains(&wait), "{wait:?}");
        }
    }

    #[test]
    fn what_an_operator_must_mend_is_tried_slowly() {
        let config = DriverConfig::default();
        for kind in [SinkErrorKind::Unauthorised, SinkErrorKind::Incompatible] {
            let wait = Backoff::new().wait(&SinkError::new(kind, "no"), &config);
            assert!((SECOND * 240..=SECOND * 360).contains(&wait), "{wait:?}");
        }
    }
}
