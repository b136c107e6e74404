//! What is known of hosts.

use axum::Json;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use bwmon_core::query::{HostDetail, SeriesSet, TrafficSum};
use bwmon_core::report::AgentId;
use bwmon_core::time::Timestamp;
use serde::Deserialize;

use crate::server::extract::{Parameters, Path};
use crate::server::model::HostList;
use crate::server::problem::{ApiError, ApiResult, Problem};
use crate::server::series::SeriesQuery;
use crate::server::state::App;

/// Hosts and their current figures
#[utoipa::path(
    get,
    path = "/api/v1/hosts",
    tag = "hosts",
    responses(
        (status = 200, description = "Every host that has reported, also those that stopped", body = HostList),
        (status = "default", description = "Why not", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn hosts(State(app): State<App>) -> ApiResult<Response> {
    // Of ten thousand hosts it takes a while.
    let listing = tokio::task::spawn_blocking(move || serde_json::to_vec(&app.live().list()));
    let failed =
        |error: &dyn std::fmt::Display| ApiError::internal("listing the hosts failed", error);
    let json = listing.await.map_err(|error| failed(&error))?;
    let json = json.map_err(|error| failed(&error))?;
    let kind = HeaderValue::from_static("application/json");
    Ok(([(CONTENT_TYPE, kind)], json).into_response())
}

/// One host in full
#[utoipa::path(
    get,
    path = "/api/v1/hosts/{id}",
    tag = "hosts",
    params(("id" = String, Path, description = "Identity of the host's agent, 32 hexadecimal digits")),
    responses(
        (status = 200, description = "Its last report, and who it talked to in the last minute", body = HostDetail),
        (status = 404, description = "No such host", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Why not", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn host(State(app): State<App>, Path(id): Path<AgentId>) -> ApiResult<Json<HostDetail>> {
    app.live()
        .detail(id)
        .map(Json)
        .ok_or_else(ApiError::unknown_host)
}

/// How long a series to give.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SeriesParameters {
    /// Seconds back from now.
    #[param(minimum = 10, maximum = 3600, default = 600)]
    seconds: Option<u32>,
}

/// A host's recent course
#[utoipa::path(
    get,
    path = "/api/v1/hosts/{id}/series",
    tag = "hosts",
    params(
        ("id" = String, Path, description = "Identity of the host's agent, 32 hexadecimal digits"),
        SeriesParameters,
    ),
    responses(
        (status = 200, description = "Processor, memory and throughput, with explicit gaps", body = SeriesSet),
        (status = 400, description = "A parameter is out of range", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such host", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Why not", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn series(
    State(app): State<App>,
    Path(id): Path<AgentId>,
    Parameters(parameters): Parameters<SeriesParameters>,
) -> ApiResult<Json<SeriesSet>> {
    let seconds = parameters.seconds.unwrap_or(600);
    if !(10..=3600).contains(&seconds) {
        return Err(ApiError::bad_request(format!(
            "seconds={seconds} is out of range, 10 to 3600 are answered"
        ))
        .at_field("seconds"));
    }
    app.series(SeriesQuery { agent: id, seconds })
        .await
        .map(Json)
}

/// Which traffic to sum.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TrafficParameters {
    /// First moment, in microseconds since the Unix epoch; an hour before `to_us` where absent.
    from_us: Option<u64>,
    /// First moment after the range, in microseconds since the Unix epoch; now where absent.
    to_us: Option<u64>,
    /// Most flows that are listed.
    #[param(minimum = 1, maximum = 10000, default = 1000)]
    limit: Option<u32>,
}

/// A host's traffic, summed over a range
#[utoipa::path(
    get,
    path = "/api/v1/hosts/{id}/traffic",
    tag = "hosts",
    params(
        ("id" = String, Path, description = "Identity of the host's agent, 32 hexadecimal digits"),
        TrafficParameters,
    ),
    responses(
        (status = 200, description = "Bytes of each interface and flow", body = TrafficSum),
        (status = 400, description = "A parameter is out of range", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such host", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Why not", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn traffic(
    State(app): State<App>,
    Path(id): Path<AgentId>,
    Parameters(parameters): Parameters<TrafficParameters>,
) -> ApiResult<Json<TrafficSum>> {
    let limit = parameters.limit.unwrap_or(1_000);
    if !(1..=10_000).contains(&limit) {
        return Err(ApiError::bad_request(format!(
            "limit={limit} is out of range, 1 to 10000 flows are listed"
        ))
        .at_field("limit"));
    }
    let to = parameters
        .to_us
        .map_or_else(|| app.now(), Timestamp::from_micros);
    let from = parameters.from_us.map_or_else(
        || to.minus(std::time::Duration::from_secs(3_600)),
        Timestamp::from_micros,
    );
    if from >= to {
        return Err(ApiError::bad_request("from_us is not before to_us").at_field("from_us"));
    }
    app.traffic(id, from, to, limit).await.map(Json)
}
