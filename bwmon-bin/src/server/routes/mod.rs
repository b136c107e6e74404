//! The routes, one file per subject.

pub mod agents;
pub mod events;
pub mod health;
pub mod hosts;
pub mod ingest;
pub mod legacy;
pub mod metrics;
pub mod page;
pub mod plain;
pub mod session;

use axum::Router;
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::http::Request;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use hyper::body::Incoming;
use tower::ServiceExt;
use tower_http::compression::CompressionLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::guard::Peer;
use super::state::App;
use super::{guard, openapi};

/// Largest body of anything but deliveries, in bytes.
const SMALL_BODY: usize = 16 * 1024;

/// Every route of the API, with its description. Besides those that are open, and those of agents,
/// which look at the agent's credential, every one needs the access of people.
pub fn api() -> OpenApiRouter<App> {
    let guarded = OpenApiRouter::default()
        .routes(routes!(hosts::hosts))
        .routes(routes!(hosts::host))
        .routes(routes!(hosts::series))
        .routes(routes!(hosts::traffic))
        .routes(routes!(events::events))
        .routes(routes!(openapi::document))
        .routes(routes!(metrics::metrics))
        .route_layer(from_fn(guard::require_access));
    OpenApiRouter::with_openapi(openapi::frame())
        .routes(routes!(health::health))
        .routes(routes!(session::open, session::close))
        .routes(routes!(agents::enrol))
        .routes(routes!(agents::agent))
        .routes(routes!(agents::peers))
        .routes(routes!(ingest::ingest))
        .merge(guarded)
}

/// Answers every request: deliveries by the shortest way, as they are nearly all of them, and the others by
/// the router, which has the same checks and adds the same headers.
#[derive(Debug, Clone)]
pub struct Front {
    /// Absent where no agent with a credential delivers.
    deliveries: Option<App>,
    router: Router,
}

impl Front {
    /// Everything that is served, but for agents of the original program.
    pub fn new(app: App) -> Self {
        Self {
            router: router(app.clone()),
            deliveries: Some(app),
        }
    }

    /// What agents of the original program ask for, and nothing else.
    pub fn legacy(app: App) -> Self {
        Self {
            router: legacy::router(app),
            deliveries: None,
        }
    }

    /// The answer to a request that came `from` there.
    pub async fn answer(&self, from: Peer, mut request: Request<Incoming>) -> Response {
        let deliveries = self.deliveries.as_ref();
        let Some(app) = deliveries.filter(|_| ingest::is_delivery(&request)) else {
            request.extensions_mut().insert(from);
            let answer = self.router.clone().oneshot(request.map(Body::new)).await;
            return answer.unwrap_or_else(|never| match never {});
        };
        let mut answer = match guard::judge(app, request.method(), request.headers()) {
            Ok(_) => ingest::receive(app, Some(from), request).await,
            Err(error) => error.into_response(),
        };
        guard::dress(app, &mut answer);
        answer
    }
}

fn router(app: App) -> Router {
    let (api, _) = api().split_for_parts();
    api.route("/plain", get(plain::plain).post(plain::log_in))
        .route("/plain.css", get(plain::style))
        .route("/data", post(legacy::elsewhere))
        .route("/api/get_peer_ips", get(legacy::elsewhere))
        .fallback(page::page)
        .method_not_allowed_fallback(page::method_not_allowed)
        .layer(CompressionLayer::new())
        .layer(DefaultBodyLimit::max(SMALL_BODY))
        .layer(from_fn_with_state(app.clone(), guard::admit))
        .layer(from_fn_with_state(app.clone(), guard::add_headers))
        .with_state(app)
}
