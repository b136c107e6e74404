//! Who is let in: people by one shared token, and agents by a credential of their own.
//!
//! People's programs send the token with each request. People themselves give it once, and get a
//! cookie that holds a random session id; the token itself is in no cookie and no page. The token
//! does not open what agents do, and a credential nothing else.

mod agents;
mod failures;
mod sessions;
mod token;

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, COOKIE};

pub use agents::{Agents, Stranger};
use failures::Failures;
use sessions::Sessions;
pub use token::{Token, TokenError};

/// Name of the session cookie.
pub const COOKIE_NAME: &str = "bwmon_session";

/// Whether the sender of a request may see and send data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// No token is needed.
    Open,
    /// The token was sent.
    Token,
    /// A session's cookie was sent.
    Session,
    /// Nothing was sent.
    Missing,
    /// Something was sent, and it is wrong.
    Wrong,
}

impl Access {
    /// Whether it lets through.
    pub const fn is_granted(self) -> bool {
        matches!(self, Self::Open | Self::Token | Self::Session)
    }
}

/// Why a session was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginError {
    /// The token is wrong.
    Wrong,
    /// Too many wrong ones came from this address of late.
    TooMany,
    /// The system gave no random numbers.
    NoRandomness,
}

/// The shared token and the sessions that it opened.
#[derive(Debug)]
pub struct Auth {
    token: Token,
    sessions: Mutex<Sessions>,
    failures: Mutex<Failures>,
}

impl Auth {
    /// Asks for this token.
    pub fn new(token: Token) -> Self {
        Self {
            token,
            sessions: Mutex::default(),
            failures: Mutex::default(),
        }
    }

    /// Judges a request by its headers. A wrong token is only that, however often it comes: its
    /// sender is told what to mend, and a neighbour at the same address is not locked out.
    pub fn judge(&self, headers: &HeaderMap, now: Instant) -> Access {
        let bearer = bearer(headers);
        if bearer.is_some_and(|sent| self.token.matches(sent)) {
            return Access::Token;
        }
        let cookie = session_cookie(headers);
        if cookie.is_some_and(|id| lock(&self.sessions).is_valid(id, now)) {
            return Access::Session;
        }
        match bearer {
            Some(_) => Access::Wrong,
            None => Access::Missing,
        }
    }

    /// Opens a session for who knows the token, and gives its id.
    ///
    /// # Errors
    /// When the token is wrong; people who type it are told so a few times a minute, and then to
    /// wait. The right one always helps: it has too many characters to be guessed.
    pub fn log_in(&self, token: &str, peer: IpAddr, now: Instant) -> Result<String, LoginError> {
        if !self.token.matches(token) {
            let is_too_often = lock(&self.failures).count(peer, now);
            return Err(if is_too_often {
                LoginError::TooMany
            } else {
                LoginError::Wrong
            });
        }
        lock(&self.sessions)
            .open(now)
            .map_err(|_| LoginError::NoRandomness)
    }

    /// Ends the session of a request, if it has one.
    pub fn log_out(&self, headers: &HeaderMap) {
        if let Some(id) = session_cookie(headers) {
            lock(&self.sessions).close(id);
        }
    }
}

/// A panic elsewhere leaves these tables whole: each change is a single call.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim_matches(' '))
}

fn session_cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE_NAME)
        .map(|(_, id)| id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const TOKEN: &str = "correct horse battery staple";

    fn auth() -> Auth {
        Auth::new(Token::parse(TOKEN).unwrap())
    }

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(
            axum::http::HeaderName::from_static(name),
            value.parse().unwrap(),
        )])
    }

    #[test]
    fn the_token_passes_and_nothing_else_does() {
        let (auth, now) = (auth(), Instant::now());
        let judge = |headers: &HeaderMap| auth.judge(headers, now);
        let good = headers("authorization", &format!("Bearer {TOKEN}"));
        assert_eq!(judge(&good), Access::Token);
        assert_eq!(
            judge(&headers("authorization", &format!("bearer {TOKEN}"))),
            Access::Token
        );
        assert_eq!(judge(&HeaderMap::new()), Access::Missing);
        assert_eq!(
            judge(&headers("authorization", "Basic Zm9vOmJhcg==")),
            Access::Missing
        );
        assert_eq!(
            judge(&headers("authorization", "Bearer nope")),
            Access::Wrong
        );
        assert_eq!(judge(&headers("authorization", "Bearer ")), Access::Wrong);
        assert_eq!(
            judge(&headers("cookie", "bwmon_session=nope")),
            Access::Missing
        );
    }

    #[test]
    fn a_session_lives_until_it_is_closed() {
        let (auth, now, peer) = (auth(), Instant::now(), IpAddr::from([192, 0, 2, 1]));
        let id = auth.log_in(TOKEN, peer, now).unwrap();
        let cookie = headers("cookie", &format!("theme=dark; bwmon_session={id}"));
        assert_eq!(auth.judge(&cookie, now), Access::Session);
        auth.log_out(&cookie);
        assert_eq!(auth.judge(&cookie, now), Access::Missing);
    }

    #[test]
    fn wrong_guesses_are_slowed_down_and_the_right_token_always_helps() {
        let (auth, now, peer) = (auth(), Instant::now(), IpAddr::from([192, 0, 2, 1]));
        let wrong = (0..100)
            .filter(|_| auth.log_in("guess", peer, now) == Err(LoginError::Wrong))
            .count();
        assert_eq!(wrong, failures::PER_MINUTE as usize);
        assert_eq!(auth.log_in("guess", peer, now), Err(LoginError::TooMany));
        assert!(auth.log_in(TOKEN, peer, now).is_ok());
        let bad = headers("authorization", "Bearer nope");
        assert_eq!(auth.judge(&bad, now), Access::Wrong);
        let elsewhere = IpAddr::from([192, 0, 2, 2]);
        assert_eq!(auth.log_in("guess", elsewhere, now), Err(LoginError::Wrong));
        let later = now + Duration::from_secs(61);
        assert_eq!(auth.log_in("guess", peer, later), Err(LoginError::Wrong));
    }

    #[test]
    fn debug_shows_no_secret() {
        let auth = auth();
        let id = auth
            .log_in(TOKEN, IpAddr::from([192, 0, 2, 1]), Instant::now())
            .unwrap();
        let text = format!("{auth:?}");
        assert!(!text.contains(TOKEN) && !text.contains(&id), "{text}");
    }
}
