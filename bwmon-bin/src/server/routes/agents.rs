//! Where agents get their identity, and ask whether it still holds.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Extension, State};
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use bwmon_core::report::{AgentId, SCHEMA};

use crate::common::enrolment::{ENROL_AGAIN, Enrolment, EnrolmentRequest, KnownAgent};
use crate::common::peers::PeerList;
use crate::server::auth::Stranger;
use crate::server::extract::Json;
use crate::server::guard::Peer;
use crate::server::legacy::identity;
use crate::server::problem::{ApiError, ApiResult, Problem};
use crate::server::registry::EnrolError;
use crate::server::state::App;

/// Enrol an agent
///
/// For the agent that was given a token of `bwmon-collector enrol-token`. It draws its credential
/// itself, stores it, and sends the SHA-256 of it; the same request once more gives the same answer
/// and spends nothing. Needs nothing but the token.
#[utoipa::path(
    post,
    path = "/api/v1/enrol",
    tag = "agents",
    security(()),
    request_body(content = EnrolmentRequest, content_type = "application/json"),
    responses(
        (status = 200, description = "The agent is enrolled", body = Enrolment),
        (status = 403, description = "The token is wrong, spent or expired; which of them is not told", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many wrong tokens from this address", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Busy, or as many agents are known as are kept; try again after the seconds in `Retry-After`", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Why not", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn enrol(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    Json(request): Json<EnrolmentRequest>,
) -> ApiResult<axum::Json<Enrolment>> {
    let ip = peer.0.ip();
    let agents = app.agents();
    if agents.is_shut_out(ip, Instant::now()) {
        return Err(too_many_tries());
    }
    let place = agents
        .place()
        .ok_or_else(|| ApiError::busy("other agents are enrolling; try again", 1))?;
    let fresh = draw_agent_id()?;
    let (registry, name) = (Arc::clone(agents), request.kept_name());
    let enrolled = tokio::task::spawn_blocking(move || {
        let enrolled = registry.enrol(&request, fresh);
        drop(place);
        enrolled
    });
    let enrolled = enrolled
        .await
        .map_err(|error| ApiError::internal("enrolling failed", &error))?;
    match enrolled {
        Ok(agent) => {
            tracing::info!(%agent, name, "an agent is enrolled from {ip}");
            Ok(axum::Json(Enrolment { agent }))
        }
        Err(error) => {
            if matches!(error, EnrolError::Refused) {
                agents.count_refusal(ip, Instant::now());
            }
            app.log_mistake(|| format!("an enrolment from {ip} fails: {error}"));
            Err(not_enrolled(&error))
        }
    }
}

/// Whom the credential of this request stands for
///
/// For agents: tells whether a report would be taken, and stores nothing.
#[utoipa::path(
    get,
    path = "/api/v1/agent",
    tag = "agents",
    security(("agent" = [])),
    responses(
        (status = 200, description = "The agent that asks", body = KnownAgent),
        (status = 401, description = "No agent has this credential", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The agent was revoked", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Why not", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn agent(
    State(app): State<App>,
    headers: HeaderMap,
) -> ApiResult<axum::Json<KnownAgent>> {
    Ok(axum::Json(KnownAgent {
        agent: sender(&app, &headers)?,
        schema: SCHEMA,
        server_time: app.now(),
    }))
}

/// Hosts that the agent of this request is to ping
///
/// For agents: at most 32 of the other agents' hosts. Where there are more they take turns, a minute each.
#[utoipa::path(
    get,
    path = "/api/v1/agent/peers",
    tag = "agents",
    security(("agent" = [])),
    responses(
        (status = 200, description = "Whom to ping now", body = PeerList),
        (status = 401, description = "No agent has this credential", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The agent was revoked", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Why not", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn peers(State(app): State<App>, headers: HeaderMap) -> ApiResult<axum::Json<PeerList>> {
    let agent = sender(&app, &headers)?;
    Ok(axum::Json(app.peers(agent)))
}

/// The agent that sent a request, by its credential.
///
/// # Errors
/// 401 where no agent has it, 403 where the agent was revoked; both say how to enrol again.
pub fn sender(app: &App, headers: &HeaderMap) -> ApiResult<AgentId> {
    app.agents().identify(headers).map_err(|stranger| {
        let (status, what) = match stranger {
            Stranger::Nobody => (
                StatusCode::UNAUTHORIZED,
                "only agents come in here, each with a credential of its own (`Authorization: \
                 Bearer <64 hexadecimal digits>`)",
            ),
            Stranger::Unknown => (
                StatusCode::UNAUTHORIZED,
                "this collector knows no agent with this credential",
            ),
            Stranger::Revoked => (StatusCode::FORBIDDEN, "this agent was revoked"),
        };
        let error = ApiError::new(status, format!("{what}; {ENROL_AGAIN}"));
        match status {
            StatusCode::UNAUTHORIZED => {
                error.with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
            }
            _ => error,
        }
    })
}

/// One that is not among those of hosts without a credential.
fn draw_agent_id() -> ApiResult<AgentId> {
    let mut bytes = [0; 16];
    loop {
        getrandom::fill(&mut bytes)
            .map_err(|_| ApiError::busy("the system has no random numbers for an agent yet", 5))?;
        let drawn = AgentId(u128::from_be_bytes(bytes));
        if !identity::is_legacy(drawn) {
            return Ok(drawn);
        }
    }
}

fn not_enrolled(error: &EnrolError) -> ApiError {
    match error {
        EnrolError::Refused => ApiError::new(
            StatusCode::FORBIDDEN,
            format!(
                "{error}; `bwmon-collector enrol-token` on the collector's host prints a new one"
            ),
        ),
        EnrolError::Full { .. } => ApiError::busy(
            format!("{error}; `bwmon-collector agents revoke` makes room"),
            300,
        ),
        EnrolError::Registry(error) => ApiError::internal("the registry of agents fails", error),
    }
}

fn too_many_tries() -> ApiError {
    ApiError::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too many wrong enrolment tokens from this address; wait a minute",
    )
    .retry_after(60)
}
