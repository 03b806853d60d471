//! What the roles answer over HTTP besides the graph, here or in another process.

use std::sync::Arc;
use std::time::Duration;

use auth::{TokenVerifier, Unidentified};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Redirect, Response};
use axum::routing::get;
use tower_http::timeout::TimeoutLayer;

use super::Ground;
use super::services::Services;
use crate::config::Role;
use crate::guards::origins::Origins;
use crate::peers::{Nudges, forward};
use crate::{graphiql, pipeline};

/// Bytes of a request to anything but `/graphql` and uploads, which have limits of their own.
const BODY_BYTES_MAX: usize = 256 * 1024;
/// A login waits for a provider and the registry, each within its own time; nobody waits longer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// The same for a file, which may come from a phone on a slow line.
const FILE_TIMEOUT: Duration = Duration::from_secs(300);

impl Services {
    /// The public paths: of the services here and, with the gateway, of those elsewhere.
    /// Pages of the origins that may ask the graph may send and read files too.
    pub fn routes(
        &self,
        ground: &Ground<'_>,
        verifier: Option<TokenVerifier>,
        origins: Option<&Arc<Origins>>,
    ) -> Router {
        let config = ground.config;
        let mut routes = Router::new();
        if let Some(identity) = &self.identity {
            routes = routes.merge(self.telling_of_ends(ground, identity.routes()));
        }
        if let Some(payments) = &self.payments {
            routes = routes.merge(payments.routes());
        }
        if let Some(sandbox) = &self.sandbox {
            let sandbox = Router::new()
                .nest("/sandbox", sandbox.routes())
                // `nest` answers /sandbox alone; people type the slash.
                .route("/sandbox/", get(|| async { Redirect::permanent("/sandbox") }));
            routes = routes.merge(telling_the_time(ground, sandbox));
        }
        if config.environment.is_sandbox() && config.runs(Role::Gateway) {
            routes = routes.merge(graphiql::routes(&config.graphiql_assets));
        }
        let mut files = Router::new();
        if let (Some(applications), Some(verifier)) = (&self.applications, verifier) {
            files = applications.routes().layer(middleware::from_fn_with_state(verifier, identify));
        }
        if config.runs(Role::Gateway) {
            for role in config.roles_elsewhere() {
                let client = chassis::stream_client(FILE_TIMEOUT);
                let forwarded = forward::routes(role, &ground.peers, client, config.proxies.clone());
                match role {
                    Role::Applications => files = files.merge(forwarded),
                    _ => routes = routes.merge(forwarded),
                }
            }
        }
        if let Some(origins) = origins {
            files = files.layer(origins.layer(&[Method::GET, Method::PUT]));
        }
        let within = |timeout| TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, timeout);
        let routes = routes.layer(DefaultBodyLimit::max(BODY_BYTES_MAX)).layer(within(REQUEST_TIMEOUT));
        routes.merge(files.layer(within(FILE_TIMEOUT)))
    }

    /// Sessions that end by a request to `routes` have ended everywhere when it is answered.
    pub fn telling_of_ends(&self, ground: &Ground<'_>, routes: Router) -> Router {
        let Some(identity) = self.identity.clone().filter(|_| ground.config.is_split()) else {
            return routes;
        };
        let count = move || identity.ended_count();
        let nudges = Nudges::new(ground.peers.clone(), &[Role::Gateway, Role::Applications], count);
        routes.layer(middleware::from_fn_with_state(nudges, Nudges::after))
    }
}

/// Where the sandbox's clock is moved, all clocks have moved when that is answered.
fn telling_the_time(ground: &Ground<'_>, routes: Router) -> Router {
    if !ground.config.is_split() {
        return routes;
    }
    let clock = ground.clock.clone();
    let count = move || clock.offset().num_microseconds().unwrap_or_default().unsigned_abs();
    let nudges = Nudges::new(ground.peers.clone(), &Role::ALL, count);
    routes.layer(middleware::from_fn_with_state(nudges, Nudges::after))
}

/// Gives the services' HTTP routes the caller. A bad token is nobody there: an upload's ticket is
/// enough without one, and what needs a caller refuses nobody.
async fn identify(State(verifier): State<TokenVerifier>, mut request: Request, next: Next) -> Response {
    let (method, path) = (request.method(), request.uri().path());
    let caller = pipeline::identify(&verifier, method, path, request.headers()).await;
    let challenge = caller.as_ref().map_or_else(|refused| refused.challenge(), |_| Unidentified::asked());
    request.extensions_mut().insert(caller.map(|caller| caller.principal).unwrap_or_default());
    let mut response = next.run(request).await;
    if response.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    response
}
