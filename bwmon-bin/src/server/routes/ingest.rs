//! Where agents deliver.

use std::fmt::Display;

use axum::body::{Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{self, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use bwmon_core::report::{Document, Receipt};

use crate::server::guard::Peer;
use crate::server::ingest::{self, ACCEPT_POST, Delivery, Encoding, Format, IngestError, Parsed};
use crate::server::problem::{ApiError, ApiResult, Problem};
use crate::server::routes::agents::sender;
use crate::server::state::App;

/// Where deliveries are sent.
const PATH: &str = "/api/v1/ingest";
/// Longest plain document that is read where the request is served, in bytes: handing it to another thread
/// would take longer.
const QUICK_BYTES: usize = 16 * 1024;

/// Store records of one agent
///
/// Whose they are is told by the credential that the request shows, and by nothing in the body.
/// Answers after the commit. The body may be compressed (`Content-Encoding: gzip` or `zstd`), with
/// at most 1 MiB as sent and 8 MiB after decompression. The document is JSON, or protobuf as
/// `docs/wire.md` describes it; the receipt is protobuf where `Accept` names that type.
#[utoipa::path(
    post,
    path = "/api/v1/ingest",
    tag = "ingest",
    security(("agent" = [])),
    request_body(content(
        (Document = "application/json"),
        (String = "application/vnd.bwmon.batch+protobuf; v=1"),
    )),
    responses(
        (status = 200, description = "What became of each record; stored ones are durable", content(
            (Receipt = "application/json"),
            (String = "application/vnd.bwmon.batch+protobuf; v=1"),
        )),
        (status = 400, description = "The body cannot be read; `field` names the place", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No agent has this credential: it must enrol again, and holds its data", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The agent was revoked: it must enrol again, and holds its data", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Too large, before or after decompression", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Another schema, content type or content encoding; an agent holds its data", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Busy; send again after the seconds in `Retry-After`", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Why not", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn ingest(State(app): State<App>, request: Request) -> Response {
    let from = request.extensions().get::<Peer>().copied();
    receive(&app, from, request).await
}

/// Whether a request is a delivery.
pub fn is_delivery<B>(request: &http::Request<B>) -> bool {
    request.method() == Method::POST && request.uri().path() == PATH
}

/// Answers a delivery that came `from` there.
pub async fn receive<B>(app: &App, from: Option<Peer>, request: http::Request<B>) -> Response
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Display,
{
    let format = Format::accepted(request.headers());
    let taken = take(app, request).await;
    let answer = taken.and_then(|receipt| format.receipt(&receipt));
    match answer {
        Ok((kind, body)) => ([(CONTENT_TYPE, kind), ACCEPT_POST], body).into_response(),
        Err(error) => {
            app.counters().delivery_failed(error.status());
            app.log_mistake(|| {
                let from = from.map_or("an unknown address".to_owned(), |peer| peer.0.to_string());
                format!("a delivery from {from} is turned away: {error}")
            });
            ([ACCEPT_POST], error).into_response()
        }
    }
}

async fn take<B>(app: &App, request: http::Request<B>) -> ApiResult<Receipt>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Display,
{
    let (parts, body) = request.into_parts();
    let agent = sender(app, &parts.headers)?;
    let format = Format::of(&parts.headers)?;
    let encoding = Encoding::of(&parts.headers)?;
    let (bytes, mut share) = ingest::read(&parts.headers, body, app.memory_budget()).await?;
    let is_quick = encoding == Encoding::Identity && bytes.len() <= QUICK_BYTES;
    let parse = move || -> ApiResult<_> {
        let document = encoding.decode(bytes)?;
        share.grow(document.len())?;
        let parsed = format.parse(&document)?;
        share.grow(parsed.memory_bytes)?;
        Ok((parsed, share))
    };
    let parsed = if is_quick {
        parse()?
    } else {
        tokio::task::spawn_blocking(parse)
            .await
            .map_err(|error| ApiError::internal("reading the document failed", &error))??
    };
    let (
        Parsed {
            records,
            unknown_fields,
            memory_bytes: _,
        },
        share,
    ) = parsed;
    app.counters().unknown_fields(unknown_fields);
    let delivery = Delivery {
        agent,
        records,
        share,
    };
    app.inbox().deliver(delivery).await.map_err(problem)
}

fn problem(error: IngestError) -> ApiError {
    match error {
        IngestError::Later { detail, after } => {
            ApiError::busy(detail, after.map_or(1, |after| after.as_secs().max(1)))
        }
        IngestError::Never { detail } => ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, detail),
    }
}
