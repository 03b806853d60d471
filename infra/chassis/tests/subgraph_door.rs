//! A subgraph's door: what it takes, what it refuses, and that what it refuses does not run.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_graphql::{Context, EmptyMutation, Object, Schema, Subscription};
use auth::{PRINCIPAL_HEADER, Principal, PrincipalSigner};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode};
use cache::Seen;
use chassis::subgraph_door;
use clock::Clock;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use uuid::Uuid;

const ASK: &str = r#"{"query":"{ subject }"}"#;
const LISTEN: &str = r#"{"query":"subscription { counts }"}"#;

struct Query;

#[Object]
impl Query {
    async fn subject(&self, ctx: &Context<'_>) -> String {
        ctx.data_unchecked::<Arc<AtomicUsize>>().fetch_add(1, Ordering::Relaxed);
        auth::principal(ctx).subject()
    }

    async fn endless(&self) -> bool {
        std::future::pending().await
    }
}

struct Events;

#[Subscription]
impl Events {
    async fn counts(&self) -> impl futures::Stream<Item = i32> {
        use futures::StreamExt;
        futures::stream::iter([1, 2]).chain(futures::stream::pending())
    }
}

struct World {
    door: Router,
    /// The same subgraph in another process.
    other_door: Router,
    signer: PrincipalSigner,
    clock: Clock,
    stop: CancellationToken,
    ran: Arc<AtomicUsize>,
}

impl World {
    fn new() -> Self {
        let (signer, clock) = (PrincipalSigner::new(b"a secret"), clock());
        let (stop, ran) = (CancellationToken::new(), Arc::<AtomicUsize>::default());
        let schema = Schema::build(Query, EmptyMutation, Events).data(Arc::clone(&ran)).finish();
        let seen = Seen::new(None);
        let door = |schema| {
            let (signer, clock, stop) = (signer.clone(), clock.clone(), stop.clone());
            subgraph_door::routes(schema, "payments", signer, clock, seen.clone(), stop)
        };
        let (door, other_door) = (door(schema.clone()), door(schema));
        Self { door, other_door, signer, clock, stop, ran }
    }

    fn sign(&self, audience: &str, body: &str) -> String {
        let (now, nonce) = (self.clock.now(), self.clock.uuid());
        self.signer.sign(&Principal::Nobody, audience, body.as_bytes(), now, nonce).expect("it can be signed")
    }

    async fn send(&self, header: Option<&str>, body: &str, accept: &str) -> Response<Body> {
        let mut request = Request::post("/").header("accept", accept);
        if let Some(header) = header {
            request = request.header(PRINCIPAL_HEADER, header);
        }
        let request = request.body(Body::from(body.to_owned())).expect("a request");
        self.door.clone().oneshot(request).await.expect("a router always answers")
    }

    async fn status(&self, header: Option<&str>, body: &str) -> StatusCode {
        self.send(header, body, "application/json").await.status()
    }
}

fn clock() -> Clock {
    Clock::at("2026-11-23T03:00:00Z".parse().expect("a constant time"))
}

#[tokio::test]
async fn a_signed_request_is_answered_once() {
    let world = World::new();
    let header = world.sign("payments", ASK);
    let answer = world.send(Some(&header), ASK, "application/json").await;
    assert_eq!(answer.status(), StatusCode::OK);
    let answer = to_bytes(answer.into_body(), 1000).await.unwrap();
    assert_eq!(answer, r#"{"data":{"subject":"nobody"}}"#);
    assert_eq!(world.status(Some(&header), ASK).await, StatusCode::UNAUTHORIZED);
    assert_eq!(world.ran.load(Ordering::Relaxed), 1);
    // The same question, signed anew.
    assert_eq!(world.status(Some(&world.sign("payments", ASK)), ASK).await, StatusCode::OK);
    assert_eq!(world.ran.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_strangers_body_is_not_waited_for() {
    let world = World::new();
    for header in ["x".to_owned(), world.sign("identity", ASK)] {
        let endless = futures::stream::pending::<Result<String, std::io::Error>>();
        let request = Request::post("/").header(PRINCIPAL_HEADER, header);
        let request = request.body(Body::from_stream(endless)).expect("a request");
        let answer = world.door.clone().oneshot(request).await.expect("a router always answers");
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn what_one_process_took_another_does_not() {
    let mut world = World::new();
    let header = world.sign("payments", ASK);
    assert_eq!(world.status(Some(&header), ASK).await, StatusCode::OK);
    world.door = world.other_door.clone();
    assert_eq!(world.status(Some(&header), ASK).await, StatusCode::UNAUTHORIZED);
    assert_eq!(world.status(Some(&world.sign("payments", ASK)), ASK).await, StatusCode::OK);
}

#[tokio::test]
async fn one_signature_sent_many_times_at_once_runs_once() {
    let world = World::new();
    let header = world.sign("payments", ASK);
    let all = futures::future::join_all((0..50).map(|_| world.status(Some(&header), ASK))).await;
    assert_eq!(all.iter().filter(|status| status.is_success()).count(), 1);
    assert_eq!(world.ran.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn what_is_not_signed_for_this_subgraph_body_and_time_runs_nothing() {
    let world = World::new();
    let good = world.sign("payments", ASK);
    let other_secret = PrincipalSigner::new(b"another secret");
    let now = world.clock.now();
    let forged = other_secret.sign(&Principal::Nobody, "payments", ASK.as_bytes(), now, Uuid::nil()).unwrap();
    let (payload, tag) = good.split_once('.').unwrap();
    let damaged = [
        String::new(),
        payload.to_owned(),
        format!("{payload}."),
        format!("{payload}.{}", &tag[1..]),
        format!("{}.{tag}", &payload[4..]),
        format!("{good}="),
        forged,
        world.sign("identity", ASK),
        world.sign("payments", LISTEN),
        "x".repeat(100_000),
    ];
    for header in &damaged {
        assert_eq!(world.status(Some(header), ASK).await, StatusCode::UNAUTHORIZED, "{header:.80}");
    }
    assert_eq!(world.status(None, ASK).await, StatusCode::UNAUTHORIZED);
    world.clock.advance(chrono::Duration::seconds(60));
    assert_eq!(world.status(Some(&good), ASK).await, StatusCode::UNAUTHORIZED, "expired");
    assert_eq!(world.ran.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_body_that_is_too_large_or_no_request_is_refused() {
    let world = World::new();
    let large = " ".repeat(5 * 1024 * 1024);
    let status = world.status(Some(&world.sign("payments", &large)), &large).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(world.status(Some(&world.sign("payments", "[")), "[").await, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_subscription_is_sent_as_events_and_says_so_when_the_process_drains() {
    let world = World::new();
    let header = world.sign("payments", LISTEN);
    let answer = world.send(Some(&header), LISTEN, "text/event-stream, application/json;q=0.5").await;
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let text = tokio::spawn(to_bytes(answer.into_body(), 10_000));
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    world.stop.cancel();
    let text = String::from_utf8(text.await.unwrap().unwrap().to_vec()).unwrap();
    let next = |count| format!("event: next\ndata: {{\"data\":{{\"counts\":{count}}}}}\n\n");
    let rest = text.strip_prefix(&format!("{}{}", next(1), next(2))).expect("both events");
    let last =
        rest.strip_prefix("event: next\ndata: ").and_then(|rest| rest.strip_suffix("event: complete\n\n"));
    let last: serde_json::Value = serde_json::from_str(last.expect("a last word")).unwrap();
    assert_eq!(last["errors"][0]["extensions"]["code"], "UNAVAILABLE", "clients subscribe again: {last}");
    assert_eq!(world.status(Some(&header), LISTEN).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn nobody_works_for_longer_than_the_gateway_waits() {
    let world = World::new();
    let send = async |body: &str, left_ms: &str| {
        let request = Request::post("/").header(PRINCIPAL_HEADER, world.sign("payments", body));
        let request = request.header(subgraph_door::DEADLINE_HEADER, left_ms);
        let request = request.body(Body::from(body.to_owned())).expect("a request");
        world.door.clone().oneshot(request).await.expect("a router always answers").status()
    };
    let endless = r#"{"query":"{ endless }"}"#;
    assert_eq!(send(endless, "20").await, StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(send(ASK, "0").await, StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(world.ran.load(Ordering::Relaxed), 0, "it was not begun");
    for left_ms in ["1000", "x", ""] {
        assert_eq!(send(ASK, left_ms).await, StatusCode::OK, "{left_ms:?}");
    }
}
