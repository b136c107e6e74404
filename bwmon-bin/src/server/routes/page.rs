//! The page, and what is not there.

use axum::extract::{Extension, Request, State};
use axum::http::{Method, StatusCode};
use axum::response::Response;

use super::plain;
use crate::server::auth::Access;
use crate::server::problem::{ApiError, ApiResult};
use crate::server::state::App;

/// Anything that no other route takes: a file of the page, else the page itself.
///
/// # Errors
/// 404 for unknown API paths and missing files, 405 for anything but reading.
pub async fn page(
    State(app): State<App>,
    Extension(access): Extension<Access>,
    request: Request,
) -> ApiResult<Response> {
    let path = request.uri().path();
    if path == "/api" || path.starts_with("/api/") {
        return Err(ApiError::new(
            StatusCode::NOT_FOUND,
            "the API has no such path; /api/v1/openapi.json lists what there is",
        ));
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(wrong_method());
    }
    if let Some(response) = app.page().respond(path, request.headers()) {
        return Ok(response);
    }
    if path == "/" {
        return Ok(plain::render(&app, access));
    }
    Err(ApiError::new(
        StatusCode::NOT_FOUND,
        "there is nothing at this path; / shows the hosts",
    ))
}

/// 405 for a path that is there, but not for this method.
pub async fn method_not_allowed() -> ApiError {
    wrong_method()
}

fn wrong_method() -> ApiError {
    ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "this path does not take this method; /api/v1/openapi.json lists what there is",
    )
}
