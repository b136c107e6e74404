//! The API's document, generated from the routes.

use axum::Json;
use axum::extract::State;
use utoipa::openapi::schema::{Object, Schema};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    Components, InfoBuilder, OpenApi, OpenApiBuilder, RefOr, SecurityRequirement,
};

use super::routes;
use super::state::App;

const DESCRIPTION: &str = "Who uses my bandwidth, on which host, to whom.\n\n\
Moments are whole microseconds since the Unix epoch, durations and sizes carry their unit in their \
name, rates are SI bits per second. Every field of an answer is present; null says that it was not \
measured or is not known. What is ingested is read more leniently: a field that may be null may be \
missing, lists may be missing where empty, and unknown fields are skipped and counted.";

/// The whole document.
pub fn build() -> OpenApi {
    let mut document = routes::api().into_openapi();
    if let Some(components) = &mut document.components {
        for schema in components.schemas.values_mut() {
            require_all(schema);
        }
    }
    document
}

/// The whole document as it is checked in.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn to_json() -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(&build())?;
    text.push('\n');
    Ok(text)
}

/// What the document says before any route is added.
pub fn frame() -> OpenApi {
    let info = InfoBuilder::new()
        .title("bwmon-collector")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(
            utoipa::openapi::LicenseBuilder::new()
                .name("MIT")
                .identifier(Some("MIT"))
                .build(),
        ))
        .build();
    let mut components = Components::new();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "The shared token of people and their programs. Only needed where the collector has one.",
        ))
        .build();
    let credential = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "The credential of an enrolled agent, 64 hexadecimal digits.",
        ))
        .build();
    components.add_security_scheme("agent", SecurityScheme::Http(credential));
    components.add_security_scheme("token", SecurityScheme::Http(bearer));
    components.add_security_scheme(
        "session",
        SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("bwmon_session"))),
    );
    let none: [&str; 0] = [];
    OpenApiBuilder::new()
        .info(info)
        .components(Some(components))
        .security(Some([
            SecurityRequirement::default(),
            SecurityRequirement::new("token", none),
            SecurityRequirement::new("session", none),
        ]))
        .build()
}

/// This document
#[utoipa::path(
    get,
    path = "/api/v1/openapi.json",
    tag = "meta",
    responses((status = 200, description = "The OpenAPI document", body = serde_json::Value))
)]
pub async fn document(State(app): State<App>) -> Json<OpenApi> {
    Json(app.openapi().clone())
}

/// Answers leave out no field, so each property is required; those that may be null say so.
fn require_all(schema: &mut RefOr<Schema>) {
    let RefOr::T(schema) = schema else { return };
    match schema {
        Schema::Object(object) => require_properties(object),
        Schema::OneOf(one_of) => one_of.items.iter_mut().for_each(require_all),
        Schema::AllOf(all_of) => all_of.items.iter_mut().for_each(require_all),
        Schema::AnyOf(any_of) => any_of.items.iter_mut().for_each(require_all),
        _ => {}
    }
}

fn require_properties(object: &mut Object) {
    object.required = object.properties.keys().cloned().collect();
}
