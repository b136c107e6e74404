//! Sessions for browsers.

use std::time::Instant;

use axum::extract::{Extension, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::server::auth::{Access, COOKIE_NAME, LoginError};
use crate::server::extract::Json;
use crate::server::guard::{self, Peer};
use crate::server::model::SessionRequest;
use crate::server::problem::{ApiError, ApiResult, Problem};
use crate::server::state::App;

/// Open a session
///
/// For browsers: the answer sets a cookie that stands for the token. Where no token is needed
/// nothing is set.
#[utoipa::path(
    post,
    path = "/api/v1/session",
    tag = "session",
    request_body(content = SessionRequest, content_type = "application/json"),
    responses(
        (status = 204, description = "The session is open, its cookie set"),
        (status = 401, description = "The token is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many wrong tokens from this address", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Why not", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn open(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    Json(request): Json<SessionRequest>,
) -> ApiResult<Response> {
    let Some(cookie) = log_in(&app, peer, &request.token)? else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response())
}

/// Close the session
#[utoipa::path(
    delete,
    path = "/api/v1/session",
    tag = "session",
    responses(
        (status = 204, description = "There is no session any more, and the cookie is cleared"),
        (status = "default", description = "Why not", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn close(State(app): State<App>, headers: HeaderMap) -> Response {
    if let Some(auth) = app.auth() {
        auth.log_out(&headers);
    }
    let cleared = format!("{COOKIE_NAME}=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0");
    (StatusCode::NO_CONTENT, [(SET_COOKIE, cleared)]).into_response()
}

/// The cookie of a new session; absent where no token is needed.
///
/// # Errors
/// 401 for a wrong token, 429 after too many.
pub fn log_in(app: &App, peer: Peer, token: &str) -> ApiResult<Option<HeaderValue>> {
    let Some(auth) = app.auth() else {
        return Ok(None);
    };
    let id = auth
        .log_in(token, peer.0.ip(), Instant::now())
        .map_err(|error| match error {
            LoginError::Wrong => guard::unauthorised(Access::Wrong),
            LoginError::TooMany => guard::too_many_tries(),
            LoginError::NoRandomness => {
                ApiError::busy("the system has no random numbers for a session yet", 5)
            }
        })?;
    let cookie = format!("{COOKIE_NAME}={id}; HttpOnly; SameSite=Strict; Path=/; Max-Age=2592000");
    HeaderValue::try_from(cookie)
        .map(Some)
        .map_err(|error| ApiError::internal("the session's cookie cannot be written", &error))
}
