use std::collections::HashMap;
use std::fmt;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

/// Most sessions at once; the one that was idle longest makes room.
pub(super) const MAX: usize = 1_024;
/// A session ends when it was not used for this long.
pub(super) const IDLE: Duration = Duration::from_secs(12 * 3_600);
/// A session ends at this age.
pub(super) const ABSOLUTE: Duration = Duration::from_secs(30 * 24 * 3_600);

/// Sessions by the SHA-256 of their ids: who reads memory finds no cookie, and a look-up takes no
/// longer for an id that is nearly right.
#[derive(Default)]
pub(super) struct Sessions {
    open: HashMap<[u8; 32], Session>,
}

#[derive(Clone, Copy)]
struct Session {
    opened: Instant,
    used: Instant,
}

impl Session {
    fn is_over(self, now: Instant) -> bool {
        now.duration_since(self.used) > IDLE || now.duration_since(self.opened) > ABSOLUTE
    }
}

impl Sessions {
    /// Opens a session and gives its id, 64 hexadecimal digits.
    pub(super) fn open(&mut self, now: Instant) -> Result<String, getrandom::Error> {
        let mut random = [0_u8; 32];
        getrandom::fill(&mut random)?;
        let id = random.iter().fold(String::with_capacity(64), |id, byte| {
            id + &format!("{byte:02x}")
        });
        self.open.retain(|_, session| !session.is_over(now));
        if self.open.len() >= MAX {
            let longest_idle = self.open.iter().min_by_key(|(_, session)| session.used);
            if let Some(key) = longest_idle.map(|(key, _)| *key) {
                self.open.remove(&key);
            }
        }
        let session = Session {
            opened: now,
            used: now,
        };
        self.open.insert(key(&id), session);
        Ok(id)
    }

    /// Whether the id is of a session that is not over; counts as a use of it.
    pub(super) fn is_valid(&mut self, id: &str, now: Instant) -> bool {
        let key = key(id);
        match self.open.get_mut(&key) {
            Some(session) if !session.is_over(now) => {
                session.used = now;
                true
            }
            Some(_) => {
                self.open.remove(&key);
                false
            }
            None => false,
        }
    }

    pub(super) fn close(&mut self, id: &str) {
        self.open.remove(&key(id));
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
            .field("open", &self.open.len())
            .finish()
    }
}

fn key(id: &str) -> [u8; 32] {
    Sha256::digest(id).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_end_when_idle_and_when_old() {
        let (mut sessions, start) = (Sessions::default(), Instant::now());
        let idle = sessions.open(start).unwrap();
        assert!(!sessions.is_valid(&idle, start + IDLE + Duration::from_secs(1)));
        let busy = sessions.open(start).unwrap();
        let mut now = start;
        while now.duration_since(start) + IDLE / 2 <= ABSOLUTE {
            now += IDLE / 2;
            assert!(sessions.is_valid(&busy, now));
        }
        assert!(!sessions.is_valid(&busy, now + IDLE / 2));
    }

    #[test]
    fn the_number_of_sessions_is_bounded() {
        let (mut sessions, start) = (Sessions::default(), Instant::now());
        let first = sessions.open(start).unwrap();
        let later = start + Duration::from_secs(1);
        let second = sessions.open(later).unwrap();
        for _ in 0..MAX - 1 {
            sessions.open(later).unwrap();
        }
        assert_eq!(sessions.open.len(), MAX);
        assert!(!sessions.is_valid(&first, later));
        assert!(sessions.is_valid(&second, later));
    }
}
