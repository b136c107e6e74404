//! How the collector is.

use axum::Json;
use axum::extract::{Extension, State};

use crate::server::auth::Access;
use crate::server::model::Health;
use crate::server::state::App;

/// How the collector is
///
/// Never needs a token; without one that is needed, only version and need are told.
#[utoipa::path(
    get,
    path = "/api/v1/health",
    tag = "meta",
    responses((status = 200, description = "It answers", body = Health))
)]
pub async fn health(State(app): State<App>, Extension(access): Extension<Access>) -> Json<Health> {
    let open = Health {
        status: "ok".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        auth_required: app.auth().is_some(),
        ..Health::default()
    };
    if !access.is_granted() {
        return Json(open);
    }
    Json(Health {
        schema: Some(bwmon_core::report::SCHEMA),
        hosts: Some(app.live().len()),
        server_time: Some(app.now()),
        database_bytes: Some(app.store().reader().size_bytes()),
        counters: Some(app.counters().read(app.live())),
        ..open
    })
}
