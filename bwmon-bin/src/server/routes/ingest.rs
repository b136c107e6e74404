//! Where agents deliver.

use std::fmt::Display;

use axum::body::{Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{self, HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use bwmon_core::report::{Document, Receipt, Sent};

use crate::server::guard::Peer;
use crate::server::ingest::{
    self, ACCEPT_POST, Delivery, Encoding, Format, IngestError, MemoryBudget, Parsed,
};
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
    params(
        ("bwmon-sent" = Option<String>, Header, description = "What the agent's clocks say when it sends, so that \
            times are put right where its wall clock is wrong (docs/wire.md)",
            example = "at_us=1795000000000000, since_boot_us=86400000000, boot_id=\"0f9d3c1e-0000-4000-8000-000000000001\""),
    ),
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

/// How much more memory than its text a document in JSON may take: an empty string is three bytes of it,
/// and 24 when it was read.
const JSON_GROWTH: usize = 8;

async fn take<B>(app: &App, request: http::Request<B>) -> ApiResult<Receipt>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Display,
{
    let (parts, body) = request.into_parts();
    let agent = sender(app, &parts.headers)?;
    let format = Format::of(&parts.headers)?;
    let encoding = Encoding::of(&parts.headers)?;
    let (sent, received) = (sent(&parts.headers)?, app.now());
    let (bytes, mut share) = ingest::read(&parts.headers, body, app.memory_budget()).await?;
    let is_quick = encoding == Encoding::Identity && bytes.len() <= QUICK_BYTES;
    let parse = move || -> ApiResult<_> {
        let document = encoding.decode(bytes)?;
        share.grow(document.len())?;
        if format == Format::Json {
            share.grow(document.len().saturating_mul(JSON_GROWTH))?;
        }
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
            mut records,
            unknown_fields,
            memory_bytes: _,
        },
        share,
    ) = parsed;
    app.counters().unknown_fields(unknown_fields);
    let clocks = app.live().clocks();
    let moved = clocks.correct(agent, sent.as_ref(), received, &mut records);
    app.counters().moved(moved);
    let delivery = Delivery {
        agent,
        records,
        share,
    };
    let receipt = app.inbox().deliver(delivery).await;
    let mut receipt = receipt.map_err(problem)?;
    let credit = credit(app);
    receipt.credit = Some(receipt.credit.map_or(credit, |told| told.min(credit)));
    Ok(receipt)
}

/// How many records of a backlog the sender is invited to bring at once. What is live comes without an
/// invitation.
fn credit(app: &App) -> u32 {
    let (waiting, places) = app.inbox().waiting();
    let of_queue = credit_of(waiting, places);
    of_queue.min(credit_of(app.memory_budget().used(), MemoryBudget::BYTES))
}

/// The fewer, the less room there is before the store.
fn credit_of(used: usize, all: usize) -> u32 {
    /// As many as an agent sends at once.
    const MOST: usize = 64;
    let credit = MOST * all.saturating_sub(used) / all.max(1);
    u32::try_from(credit).unwrap_or(u32::MAX)
}

/// What the agent's clocks said when it sent; absent from those that have none, and from people.
fn sent(headers: &HeaderMap) -> ApiResult<Option<Sent>> {
    let Some(value) = headers.get(Sent::HEADER) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default();
    let sent = text.parse().map_err(|error| {
        let header = Sent::HEADER;
        ApiError::bad_request(format!("the header {header} cannot be read: {error}"))
    })?;
    Ok(Some(sent))
}

fn problem(error: IngestError) -> ApiError {
    match error {
        IngestError::Later { detail, after } => {
            ApiError::busy(detail, after.map_or(1, |after| after.as_secs().max(1)))
        }
        IngestError::Never { detail } => ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, detail),
    }
}

#[cfg(test)]
mod tests {
    use super::credit_of;

    #[test]
    fn the_credit_shrinks_with_the_room() {
        let credits = [0, 1, 128, 252, 253, 256, 300].map(|used| credit_of(used, 256));
        assert_eq!(credits, [64, 63, 32, 1, 0, 0, 0]);
    }
}
