//! The routes, one file per subject.

pub mod events;
pub mod health;
pub mod hosts;
pub mod ingest;
pub mod page;
pub mod plain;
pub mod session;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::state::App;

/// Every route of the API, with its description.
pub fn api() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(super::openapi::frame())
        .routes(routes!(health::health))
        .routes(routes!(hosts::hosts))
        .routes(routes!(hosts::host))
        .routes(routes!(hosts::series))
        .routes(routes!(hosts::traffic))
        .routes(routes!(events::events))
        .routes(routes!(ingest::ingest))
        .routes(routes!(session::open, session::close))
        .routes(routes!(super::openapi::document))
}
