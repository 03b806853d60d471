//! A subgraph behind HTTP, at one or more addresses: JSON requests, each signed anew; events over SSE or
//! multipart.
//!
//! A request goes to an address that is ready (`addresses`, `look`) and does not fail (`breaker`), over a
//! connection that is there already (`connections`). What may be asked twice is asked again elsewhere
//! (`failure`), but not too often (`budget`).

mod addresses;
mod breaker;
mod budget;
mod connections;
mod failure;
mod frames;
mod look;
mod meters;
mod parse;
mod reading;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use http_body_util::Full;
use tokio::time::Instant;

use self::addresses::{Pass, Places, Tried};
use self::budget::Budget;
use self::failure::{Again, Failure};
use self::meters::Meters;
use crate::document::OperationKind;
use crate::subgraph::{Answer, RequestContext, Subgraph, SubgraphError, SubgraphRequest};
use crate::value::{Value, write_json, write_text};

pub use self::addresses::Address;
pub use self::connections::Connections;

/// Makes the headers that tell a subgraph who asks, from the context and the body they are to vouch for.
/// It is called anew for each time a request is sent.
pub type Sign = Arc<dyn Fn(&RequestContext, &[u8]) -> HeaderMap + Send + Sync>;

/// The largest answer that is read, or one event of a subscription.
const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;
/// The deepest answer that is read. What it holds can stand deeper in the client's answer and in a request to
/// another subgraph, and many readers stop at 128 levels.
const ANSWER_DEPTH_MAX: usize = 80;
/// How often one request is sent at most.
const SENT_MAX: usize = 3;
/// Kept back of the time there is, so that what is late is our word and not a cut line.
const MARGIN: Duration = Duration::from_millis(10);

/// How a subgraph is treated.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// The header that tells the subgraph how many milliseconds are left.
    pub deadline_header: Option<HeaderName>,
    /// Silence on a stream of events after which the subgraph counts as gone.
    pub silence_max_ms: u64,
    /// How often an address is asked whether it is ready.
    pub look_every_ms: u64,
    /// How long an address that fails is left alone at first; twice as long each time after, up to 10 s.
    pub breaker_open_ms: u64,
}

impl Default for HttpSettings {
    fn default() -> Self {
        HttpSettings {
            deadline_header: None,
            silence_max_ms: 60_000,
            look_every_ms: 1_000,
            breaker_open_ms: 500,
        }
    }
}

pub struct Http {
    name: String,
    connections: Connections,
    places: Places,
    sign: Sign,
    settings: HttpSettings,
    budget: Mutex<Budget>,
    /// Made with the first request: what counts is there by then.
    meters: OnceLock<Meters>,
}

/// One question on its way.
struct Asked<'a> {
    body: Bytes,
    accept: &'static str,
    context: &'a RequestContext,
    events: bool,
    /// Whether it does no harm when it is heard twice.
    repeatable: bool,
    limit: Instant,
}

/// What came of it.
enum Got {
    Answer(Answer),
    Events(BoxStream<'static, Result<Answer, SubgraphError>>),
}

impl Http {
    /// `name` is what metrics and logs call the subgraph. Addresses beyond the 64th are passed over.
    pub fn new(
        name: &str,
        connections: Connections,
        addresses: Vec<Address>,
        sign: Sign,
        settings: HttpSettings,
    ) -> Self {
        let open_first = Duration::from_millis(settings.breaker_open_ms);
        let places = Places::new(name, addresses, open_first);
        look::begin(&places, &connections, Duration::from_millis(settings.look_every_ms));
        Http {
            name: name.to_owned(),
            connections,
            places,
            sign,
            settings,
            budget: Mutex::new(Budget::new(Instant::now())),
            meters: OnceLock::new(),
        }
    }

    async fn ask(&self, asked: &Asked<'_>) -> Result<Got, SubgraphError> {
        let begun = Instant::now();
        self.budget.lock().unwrap_or_else(PoisonError::into_inner).earn();
        let got = self.ask_in_turn(asked).await;
        self.meters().asked(got.as_ref().err(), begun.elapsed());
        got.map_err(SubgraphError::from)
    }

    /// Asks one address after the other, until there is an answer or no use in going on.
    async fn ask_in_turn(&self, asked: &Asked<'_>) -> Result<Got, Failure> {
        // Nothing is sent once the time is over, and a timer may be a little late.
        if Instant::now() >= asked.limit {
            return Err(Failure::Timeout);
        }
        let mut tried = Tried::default();
        let mut last = None;
        for _ in 0..SENT_MAX {
            let Some(pass) = self.choose(tried, last.as_ref()) else { break };
            tried.add(&pass);
            let failure = match self.send(pass, asked).await {
                Ok(got) => return Ok(got),
                Err(failure) => failure,
            };
            let again = self.may_again(&failure, asked);
            last = Some(failure);
            if !again {
                break;
            }
        }
        Err(last.unwrap_or(Failure::Closed))
    }

    /// The address to ask next: another than before. When there is none, the same if it is a name, or if only
    /// its connection broke, as one does that was kept over its restart.
    fn choose(&self, tried: Tried, last: Option<&Failure>) -> Option<Pass> {
        let now = Instant::now();
        let not_again = match last {
            Some(Failure::Broken(_)) => Tried::default(),
            _ => self.places.but_names(tried),
        };
        self.places.choose(tried, now).or_else(|| self.places.choose(not_again, now))
    }

    fn may_again(&self, failure: &Failure, asked: &Asked<'_>) -> bool {
        let now = Instant::now();
        if now >= asked.limit {
            return false;
        }
        match failure.again(asked.repeatable) {
            Again::Never => false,
            Again::Freely => true,
            Again::WithinBudget => {
                let may = self.budget.lock().unwrap_or_else(PoisonError::into_inner).spend(now);
                self.meters().again(may);
                may
            }
        }
    }

    /// Sends it once.
    async fn send(&self, pass: Pass, asked: &Asked<'_>) -> Result<Got, Failure> {
        let left = asked.limit.saturating_duration_since(Instant::now());
        let exchange = async {
            let response = self.connections.send(self.request(&pass, asked, left)).await?;
            match asked.events {
                true => reading::events(response, Duration::from_millis(self.settings.silence_max_ms)).await,
                false => reading::whole(response).await.map(Got::Answer),
            }
        };
        let got = tokio::select! {
            // In this order: what comes too late is late.
            biased;
            () = tokio::time::sleep_until(asked.limit) => Err(Failure::Timeout),
            got = exchange => got,
            () = pass.place.silent(), if asked.repeatable && self.places.has_others() => Err(Failure::Gone),
        };
        pass.tell(got.as_ref().err(), left);
        got
    }

    fn request(&self, pass: &Pass, asked: &Asked<'_>, left: Duration) -> Request<Full<Bytes>> {
        let mut headers = (self.sign)(asked.context, &asked.body);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static(asked.accept));
        if let Some(name) = &self.settings.deadline_header
            && !asked.events
        {
            let left_ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
            headers.insert(name.clone(), HeaderValue::from(left_ms));
        }
        let mut request = Request::new(Full::new(asked.body.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = pass.place.address.url.clone();
        *request.headers_mut() = headers;
        request
    }

    fn meters(&self) -> &Meters {
        self.meters.get_or_init(|| Meters::new(&self.name))
    }
}

#[async_trait]
impl Subgraph for Http {
    async fn execute(
        &self,
        request: SubgraphRequest,
        context: &RequestContext,
    ) -> Result<Answer, SubgraphError> {
        let asked = Asked {
            repeatable: request.operation.kind != OperationKind::Mutation,
            limit: limit(&request),
            body: request_body(request),
            accept: "application/graphql-response+json, application/json;q=0.9",
            context,
            events: false,
        };
        match self.ask(&asked).await? {
            Got::Answer(answer) => Ok(answer),
            Got::Events(_) => Err(SubgraphError::Malformed("events instead of an answer".to_owned())),
        }
    }

    async fn subscribe(
        &self,
        request: SubgraphRequest,
        context: &RequestContext,
    ) -> Result<BoxStream<'static, Result<Answer, SubgraphError>>, SubgraphError> {
        let asked = Asked {
            limit: limit(&request),
            body: request_body(request),
            accept: "text/event-stream, multipart/mixed;subscriptionSpec=1.0;q=0.9, application/json;q=0.5",
            context,
            events: true,
            repeatable: true,
        };
        Ok(match self.ask(&asked).await? {
            Got::Answer(answer) => futures::stream::once(async { Ok(answer) }).boxed(),
            Got::Events(events) => events,
        })
    }

    fn closed_for(&self) -> Option<Duration> {
        self.places.closed_for(Instant::now())
    }
}

fn limit(request: &SubgraphRequest) -> Instant {
    request.limit.checked_sub(MARGIN).unwrap_or(request.limit)
}

fn request_body(request: SubgraphRequest) -> Bytes {
    let mut body = Vec::with_capacity(request.operation.text.len() + 64);
    body.extend_from_slice(b"{\"query\":");
    write_text(&mut body, &request.operation.text);
    if !request.variables.is_empty() {
        body.extend_from_slice(b",\"variables\":");
        write_json(&mut body, &Value::object(request.variables));
    }
    body.push(b'}');
    Bytes::from(body)
}
