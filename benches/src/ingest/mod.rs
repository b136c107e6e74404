//! What the programs that load a collector share: as much of HTTP as that takes, enrolling, and what the
//! kernel says of a process.

mod enrol;
mod http;
pub mod process;

use std::time::Instant;

pub use enrol::enrol;
pub use http::{Answer, Connection, post};

/// The value that `percent` of these are not above; 0 where there is none.
pub fn percentile(sorted: &[u32], percent: usize) -> u32 {
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or(0)
}

/// How many of these moments are in each tenth of a second, from the first to the last.
pub fn per_tenth(moments: &[Instant]) -> Vec<u32> {
    let Some((first, last)) = moments.iter().min().zip(moments.iter().max()) else {
        return Vec::new();
    };
    let tenth = |at: &Instant| {
        let tenths = at.duration_since(*first).as_millis() / 100;
        usize::try_from(tenths).unwrap_or(usize::MAX - 1)
    };
    let mut counts = vec![0; tenth(last) + 1];
    for at in moments {
        if let Some(count) = counts.get_mut(tenth(at)) {
            *count += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn percentiles_are_values_that_were_seen() {
        let values: Vec<u32> = (1..=200).collect();
        assert_eq!(percentile(&values, 50), 101);
        assert_eq!(percentile(&values, 99), 199);
        assert_eq!(percentile(&values, 100), 200);
        assert_eq!((percentile(&[7], 99), percentile(&[], 99)), (7, 0));
    }

    #[test]
    fn moments_are_counted_by_tenths_of_a_second_from_the_first_on() {
        let begun = Instant::now();
        let at = |millis| begun + Duration::from_millis(millis);
        let moments = [at(350), at(50), at(149), at(150), at(60)];
        assert_eq!(per_tenth(&moments), [3, 1, 0, 1]);
        assert_eq!(per_tenth(&[]), Vec::<u32>::new());
    }
}
