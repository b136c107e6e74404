//! What each request passes before any route: whose name it was sent to, who sent it, and whether a
//! web page of somebody else is behind it. And the headers that each answer carries.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use axum::extract::{Extension, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, HOST, HeaderName, HeaderValue, ORIGIN,
    REFERRER_POLICY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::auth::Access;
use super::problem::{ApiError, ApiResult};
use super::state::App;
use crate::common::loopback;

/// What scripts, styles and frames a page of ours may use: its own, and nothing inline.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; \
frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// Sent with each answer. The referrer policy is not `no-referrer`, under which browsers send
/// `Origin: null` with our own form.
const HEADERS: [(HeaderName, &str); 4] = [
    (CONTENT_SECURITY_POLICY, CONTENT_POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "same-origin"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// Sent in addition where browsers trust the origin: they ignore it, and complain, over plain HTTP
/// from anywhere but loopback.
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// Who is at the other end of the connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Marks the answer to a request that showed a wrong token where one is needed.
#[derive(Debug, Clone, Copy)]
struct WrongToken;

/// Adds the security headers, and keeps answers out of caches unless a route says otherwise.
pub async fn add_headers(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    dress(&app, &mut response);
    response
}

/// Adds the security headers to an answer.
pub fn dress(app: &App, response: &mut Response) {
    let headers = response.headers_mut();
    headers.reserve(HEADERS.len() + 2);
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if app.is_loopback_only() {
        headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    }
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}

/// Checks the name that the request was sent to, finds out who sent it, and keeps requests out that
/// a web page of somebody else makes a browser send.
///
/// # Errors
/// 421 for a foreign host name, 403 for a foreign origin.
pub async fn admit(
    State(app): State<App>,
    mut request: Request,
    next: Next,
) -> ApiResult<Response> {
    let access = judge(&app, request.method(), request.headers())?;
    let peer = request
        .extensions()
        .get::<Peer>()
        .map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.0.ip());
    request.extensions_mut().insert(access);
    let answer = next.run(request).await;
    // Not where the credential of an agent was sent: that is no token, and may be right.
    if answer.extensions().get::<WrongToken>().is_some() {
        app.log_mistake(|| format!("a wrong token from {peer}"));
    }
    Ok(answer)
}

/// What `admit` checks: who sends a request with these headers.
///
/// # Errors
/// 421 for a foreign host name, 403 for a foreign origin.
pub fn judge(app: &App, method: &Method, headers: &HeaderMap) -> ApiResult<Access> {
    if app.is_loopback_only() && !loopback::is_named(headers) {
        return Err(ApiError::new(
            StatusCode::MISDIRECTED_REQUEST,
            "this collector answers to localhost, 127.0.0.1 and [::1] only; to reach it under \
             another name, let it listen there with a token (--listen, --token-file)",
        ));
    }
    let access = app
        .auth()
        .map_or(Access::Open, |auth| auth.judge(headers, Instant::now()));
    check_origin(method, headers, access)?;
    Ok(access)
}

/// Lets only those through who may see data.
///
/// # Errors
/// 401 that says how to show the token.
pub async fn require_access(
    Extension(access): Extension<Access>,
    request: Request,
    next: Next,
) -> Response {
    if access.is_granted() {
        return next.run(request).await;
    }
    let mut answer = unauthorised(access).into_response();
    if access == Access::Wrong {
        answer.extensions_mut().insert(WrongToken);
    }
    answer
}

/// 401 that says how to show the token.
pub fn unauthorised(access: Access) -> ApiError {
    let detail = match access {
        Access::Wrong => "the token is wrong; the collector's token file has the right one",
        _ => {
            "a token is needed: send `Authorization: Bearer <token>`, or open a session with \
              POST /api/v1/session"
        }
    };
    ApiError::new(StatusCode::UNAUTHORIZED, detail)
        .with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}

/// 429 after too many wrong tokens.
pub fn too_many_tries() -> ApiError {
    ApiError::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too many wrong tokens from this address; wait a minute",
    )
    .retry_after(60)
}

/// A request that changes something must come from our own page, if it comes from a page at all. A
/// session's cookie is sent by browsers only, which name the origin; without one it is refused.
fn check_origin(method: &Method, headers: &HeaderMap, access: Access) -> ApiResult<()> {
    if method.is_safe() {
        return Ok(());
    }
    let foreign = || {
        ApiError::new(
            StatusCode::FORBIDDEN,
            "the request comes from a page of another origin",
        )
    };
    match headers.get(ORIGIN) {
        Some(origin) => is_same_origin(origin, headers.get(HOST))
            .then_some(())
            .ok_or_else(foreign),
        None if access == Access::Session && headers.contains_key(COOKIE) => Err(foreign()),
        None => Ok(()),
    }
}

fn is_same_origin(origin: &HeaderValue, host: Option<&HeaderValue>) -> bool {
    let authority = origin
        .to_str()
        .ok()
        .and_then(|origin| origin.split_once("://"))
        .map(|(_, authority)| authority);
    let host = host.and_then(|host| host.to_str().ok());
    authority
        .zip(host)
        .is_some_and(|(authority, host)| authority.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_local(host: &str) -> bool {
        loopback::is_named(&HeaderMap::from_iter([(HOST, host.parse().unwrap())]))
    }

    #[test]
    fn only_names_of_this_machine_are_local() {
        for local in [
            "localhost",
            "LOCALHOST:8000",
            "127.0.0.1:8000",
            "127.0.0.5",
            "[::1]:9",
        ] {
            assert!(is_local(local), "{local}");
        }
        for foreign in [
            "evil.example:8000",
            "localhost.evil.example",
            "192.0.2.1:8000",
            "127.0.0.1.evil.example",
            "",
            "a b",
        ] {
            assert!(!is_local(foreign), "{foreign}");
        }
    }

    #[test]
    fn changes_come_from_our_own_pages() {
        let check = |pairs: &[(HeaderName, &str)], access| {
            let headers = pairs
                .iter()
                .map(|(name, value)| (name.clone(), value.parse().unwrap()))
                .collect();
            check_origin(&Method::POST, &headers, access).is_ok()
        };
        let host = (HOST, "localhost:8000");
        let own = (ORIGIN, "http://localhost:8000");
        let cookie = (COOKIE, "bwmon_session=x");
        assert!(check(std::slice::from_ref(&host), Access::Token));
        assert!(check(
            &[host.clone(), own.clone(), cookie.clone()],
            Access::Session
        ));
        assert!(!check(&[host.clone(), cookie.clone()], Access::Session));
        for origin in ["http://evil.example", "null", "http://localhost:8001"] {
            assert!(
                !check(&[host.clone(), (ORIGIN, origin)], Access::Open),
                "{origin}"
            );
        }
    }
}
