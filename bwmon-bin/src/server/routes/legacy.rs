//! What agents of the original program ask for, on the listener of their own, and the answer to them on
//! the other. Answers there are as the original's: `{"status": "success"}`, `{"error": "..."}`.

use std::net::IpAddr;

use axum::extract::{Extension, Request, State};
use axum::http::header::{
    CONNECTION, CONTENT_ENCODING, HeaderName, HeaderValue, ORIGIN, RETRY_AFTER,
};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;

use crate::common::loopback;
use crate::server::extract::{field_error, is_json};
use crate::server::guard::{self, Peer};
use crate::server::ingest::{self, IngestError};
use crate::server::legacy::{Failure, Mapped, Outcome, Payload, Stored, identity, map};
use crate::server::problem::ApiError;
use crate::server::state::App;

/// Most addresses that are told. The agents ping them one after the other.
const MAX_PEERS: usize = 1_024;
/// What browsers send with each request and nobody else does.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Everything on the listener for agents of the original program.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/data", post(data))
        .route("/api/get_peer_ips", get(peer_ips))
        .fallback(nothing)
        .layer(from_fn_with_state(app.clone(), admit))
        .layer(from_fn_with_state(app.clone(), guard::add_headers))
        .with_state(app)
}

/// The answer on the listener for everybody else.
///
/// # Errors
/// 403 that says where to go, or how to let these agents in.
pub async fn elsewhere(State(app): State<App>) -> ApiError {
    app.legacy().counters().count(Outcome::Elsewhere);
    let detail = match app.legacy().address() {
        Some(address) => format!(
            "agents of the original program report to {address} of this collector; docs/legacy.md \
             says how to point one there"
        ),
        None => "agents of the original program show no credential and are not let in; enrol \
                 bwmon-agent instead, or let them in with `enabled = true` under [legacy] in the \
                 collector's configuration (docs/legacy.md says what that risks)"
            .to_owned(),
    };
    ApiError::new(StatusCode::FORBIDDEN, detail)
}

/// Lets only listed addresses through, and no page of somebody's browser.
async fn admit(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let ip = peer.0.ip().to_canonical();
    let why = if !app.legacy().lets_in(ip) {
        format!("{ip} may not report here: it is not in the list `allow` under [legacy]")
    } else if is_of_a_browser(request.headers()) {
        "this is for agents, not for browsers".to_owned()
    } else if is_of_another_name(&app, request.headers()) {
        "the request names another host than this one: give the collector's address".to_owned()
    } else {
        return next.run(request).await;
    };
    app.log_mistake(|| format!("an agent of the original program is turned away: {why}"));
    let mut answer = Refusal::new(Outcome::Address, StatusCode::FORBIDDEN, why).answer(&app);
    // A place for a connection is not for those who may not use it.
    let close = HeaderValue::from_static("close");
    answer.headers_mut().insert(CONNECTION, close);
    answer
}

fn is_of_a_browser(headers: &HeaderMap) -> bool {
    headers.contains_key(ORIGIN) || headers.contains_key(FETCH_SITE)
}

/// Whether a browser may have been led here by the name of somebody else's page, where only this machine
/// can come.
fn is_of_another_name(app: &App, headers: &HeaderMap) -> bool {
    let address = app.legacy().address();
    address.is_some_and(|address| address.ip().is_loopback()) && !loopback::is_named(headers)
}

/// Stores a report.
async fn data(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Response {
    let counters = app.legacy().counters();
    match take(&app, peer.0.ip(), request).await {
        Ok(stored) => {
            counters.count(match stored {
                Stored::New => Outcome::Stored,
                Stored::Before => Outcome::Duplicate,
            });
            Json(json!({"status": "success"})).into_response()
        }
        Err(refusal) => {
            let (ip, why) = (peer.0.ip(), &refusal.why);
            app.log_mistake(|| format!("a report of an original agent at {ip} fails: {why}"));
            refusal.answer(&app)
        }
    }
}

/// Addresses of the hosts that report.
async fn peer_ips(State(app): State<App>) -> Response {
    app.legacy().counters().count(Outcome::PeersTold);
    let addresses = app.live().addresses_of_all(MAX_PEERS);
    Json(addresses).into_response()
}

async fn nothing() -> Response {
    let error = "only POST /data and GET /api/get_peer_ips are here";
    (StatusCode::NOT_FOUND, Json(json!({ "error": error }))).into_response()
}

async fn take(app: &App, peer: IpAddr, request: Request) -> Result<Stored, Refusal> {
    let (parts, body) = request.into_parts();
    if !is_json(&parts.headers) {
        return Err(Refusal::malformed("Request must be JSON"));
    }
    // The original never compresses.
    if parts.headers.contains_key(CONTENT_ENCODING) {
        let (outcome, status) = (Outcome::Malformed, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        return Err(Refusal::new(
            outcome,
            status,
            "send the report without a content encoding",
        ));
    }
    let read = ingest::read(&parts.headers, body, app.memory_budget()).await;
    let (bytes, mut share) = read.map_err(|error| Refusal::of(&error))?;
    // What it is read into takes about as much again.
    share
        .grow(bytes.len())
        .map_err(|error| Refusal::of(&error))?;
    let payload = parse(&bytes).map_err(|error| Refusal::of(&error))?;
    let report =
        map(payload, peer, app.now()).map_err(|error| Refusal::malformed(error.to_string()))?;
    check_name(app, &report.name)?;
    let (is_replaced, skipped) = (report.is_clock_replaced, report.values_skipped);
    let stored = store(app, report, share).await?;
    if stored == Stored::New {
        app.legacy().counters().mapped(is_replaced, skipped);
    }
    Ok(stored)
}

fn parse(bytes: &[u8]) -> Result<Payload, ApiError> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let payload = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| field_error(&error.path().to_string(), error.inner()))?;
    json.end().map_err(|error| field_error(".", &error))?;
    Ok(payload)
}

/// A name that an enrolled host has is that host's alone, also where this one had it before.
fn check_name(app: &App, name: &str) -> Result<(), Refusal> {
    let folded = identity::folded(name);
    if app.agents().has_name(&folded) || app.live().is_name_of_enrolled(&folded) {
        let why = format!(
            "the name {} belongs to an enrolled host; stop this agent, or rename its host",
            name.escape_debug()
        );
        return Err(Refusal::new(Outcome::Name, StatusCode::CONFLICT, why));
    }
    Ok(())
}

async fn store(app: &App, report: Mapped, share: ingest::Share) -> Result<Stored, Refusal> {
    let host = identity::agent_of(&report.name);
    let stored = app.legacy().store(app, host, report, share).await;
    stored.map_err(|failure| match failure {
        Failure::Full { hosts } => {
            let why = format!(
                "{hosts} hosts without a credential are known, and no more are taken; raise \
                 `max_hosts` under [legacy], or enrol bwmon-agent"
            );
            Refusal::new(Outcome::Full, StatusCode::SERVICE_UNAVAILABLE, why).later(60)
        }
        Failure::Store(IngestError::Never { detail }) => Refusal::malformed(detail),
        Failure::Store(IngestError::Later { detail, after }) => {
            Refusal::busy(detail).later(after.map_or(1, |after| after.as_secs().max(1)))
        }
    })
}

/// Why a request was not done, on its way to the agent.
struct Refusal {
    outcome: Outcome,
    status: StatusCode,
    why: String,
    retry_after: Option<u64>,
}

impl Refusal {
    fn new(outcome: Outcome, status: StatusCode, why: impl Into<String>) -> Self {
        Self {
            outcome,
            status,
            why: why.into(),
            retry_after: None,
        }
    }

    fn malformed(why: impl Into<String>) -> Self {
        Self::new(Outcome::Malformed, StatusCode::BAD_REQUEST, why)
    }

    fn busy(why: impl Into<String>) -> Self {
        Self::new(Outcome::TurnedAway, StatusCode::SERVICE_UNAVAILABLE, why)
    }

    /// What our own API would have answered.
    fn of(error: &ApiError) -> Self {
        let outcome = if error.status().is_server_error() {
            Outcome::TurnedAway
        } else {
            Outcome::Malformed
        };
        Self::new(outcome, error.status(), error.told())
    }

    fn later(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Counts it, and tells it.
    fn answer(self, app: &App) -> Response {
        app.legacy().counters().count(self.outcome);
        let body = Json(json!({"error": self.why}));
        let mut answer = (self.status, body).into_response();
        if let Some(seconds) = self.retry_after {
            let headers = answer.headers_mut();
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        answer
    }
}
