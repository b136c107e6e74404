//! Server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event as Message, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use bwmon_core::report::AgentId;
use serde::Deserialize;
use tokio::sync::{broadcast, mpsc};
use tokio_stream::wrappers::ReceiverStream;

use crate::server::counters::{Gauge, Open};
use crate::server::extract::Parameters;
use crate::server::live::{Event, EventKind, Live};
use crate::server::problem::{ApiError, ApiResult, Problem};
use crate::server::state::App;
use crate::server::stop::Stopping;

/// Messages that wait for a slow client; beyond, it gets everything anew instead.
const QUEUE: usize = 16;
/// How long a browser waits before it connects again.
const RETRY: Duration = Duration::from_secs(2);
/// How often an idle stream says that it lives.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Which events to send.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventParameters {
    /// Host whose details are sent too, 32 hexadecimal digits.
    #[param(value_type = Option<String>)]
    host: Option<AgentId>,
}

/// Live events
///
/// `event: host` with a HostSummary after reports of each host, at most once a second, and when a
/// host becomes stale. With `host`, also `event: detail` with its HostDetail, at once and after each
/// of its reports. A client that connects again (`Last-Event-ID`), or is too slow, gets every
/// host's summary anew.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    tag = "hosts",
    params(EventParameters),
    responses(
        (status = 200, description = "Events until either side ends them", body = String, content_type = "text/event-stream"),
        (status = 404, description = "No such host", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Too many streams are open", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Why not", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn events(
    State(app): State<App>,
    Parameters(parameters): Parameters<EventParameters>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let host = parameters.host;
    if host.is_some_and(|id| app.live().course(id).is_none()) {
        return Err(ApiError::unknown_host());
    }
    let place = Arc::clone(app.streams())
        .try_acquire_owned()
        .map_err(|_| ApiError::busy("too many event streams are open", 5))?;
    let gauge = Gauge::enter(app.counters(), Open::EventStream);
    let (messages, stream) = mpsc::channel(QUEUE);
    let feed = Feed {
        events: app.live().subscribe(),
        live: Arc::clone(app.live()),
        host,
        messages,
        sent: 0,
    };
    let is_return = headers.contains_key("last-event-id");
    let stopping = app.stopping();
    tokio::spawn(async move {
        feed.run(is_return, stopping).await;
        drop((place, gauge));
    });
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE).text("keep-alive");
    Ok(Sse::new(ReceiverStream::new(stream))
        .keep_alive(keep_alive)
        .into_response())
}

/// One client's stream.
struct Feed {
    events: broadcast::Receiver<Event>,
    live: Arc<Live>,
    host: Option<AgentId>,
    messages: mpsc::Sender<Result<Message, Infallible>>,
    sent: u64,
}

/// The client is gone.
struct Gone;

impl Feed {
    async fn run(mut self, is_return: bool, mut stopping: Stopping) {
        let messages = self.messages.clone();
        tokio::select! {
            _ = self.feed(is_return) => {}
            () = messages.closed() => {}
            () = stopping.wait() => {}
        }
    }

    async fn feed(&mut self, is_return: bool) -> Result<(), Gone> {
        self.send(Message::default().retry(RETRY).comment("bwmon"))
            .await?;
        if is_return {
            self.everything().await?;
        } else {
            self.detail().await?;
        }
        loop {
            match self.events.recv().await {
                Ok(event) => self.pass_on(event).await?,
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    self.events = self.events.resubscribe();
                    self.everything().await?;
                }
                Err(broadcast::error::RecvError::Closed) => return Ok(()),
            }
        }
    }

    async fn pass_on(&mut self, event: Event) -> Result<(), Gone> {
        match event.kind {
            EventKind::Summary(json) => self.say("host", &json).await,
            EventKind::Reported if self.host == Some(event.agent) => self.detail().await,
            EventKind::Reported => Ok(()),
        }
    }

    async fn everything(&mut self) -> Result<(), Gone> {
        for json in self.live.snapshot() {
            self.say("host", &json).await?;
        }
        self.detail().await
    }

    async fn detail(&mut self) -> Result<(), Gone> {
        match self.host.and_then(|host| self.live.detail_json(host)) {
            Some(json) => self.say("detail", &json).await,
            None => Ok(()),
        }
    }

    async fn say(&mut self, name: &str, json: &str) -> Result<(), Gone> {
        self.sent += 1;
        let message = Message::default()
            .id(self.sent.to_string())
            .event(name)
            .data(json);
        self.send(message).await
    }

    async fn send(&self, message: Message) -> Result<(), Gone> {
        self.messages.send(Ok(message)).await.map_err(|_| Gone)
    }
}
