//! One test's world: the service, its relay, the sandbox's bank, and a switch that silences the bank.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_graphql::{Request, Variables};
use auth::Principal;
use axum::extract::{Request as HttpRequest, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::{Router, http::StatusCode};
use base64::Engine as _;
use clock::Clock;
use graphql::{ApplicationId, BillId};
use hmac::{Hmac, KeyInit, Mac};
use outbox::{Consumer, Message, Received, Relay};
use payments::model::Account;
use payments::{Config, QrBank, Service};
use serde_json::{Value, json};
use testkit::TestDatabase;
use uuid::Uuid;

pub const AGENCY: &str = "BMA";
const PAYMENT: &str = "fragment P on Payment { id method status amount { amount } expiresAt qrPayload deepLink \
    walletReference settlements { classification amount { amount } returned { amount } } }";

/// What the outside does with our calls.
#[derive(Clone, Copy, PartialEq)]
#[repr(u8)]
pub enum Outside {
    Answers = 0,
    /// It does not even read them.
    Silent = 1,
    /// It does what they say, and the answer is lost.
    LosesAnswers = 2,
    /// It says at once that it is out of order.
    Down = 3,
}

pub struct World {
    pub service: Service,
    pub clock: Clock,
    pub http: reqwest::Client,
    pub url: String,
    /// Messages for other services, as they would see them.
    pub published: Arc<Mutex<Vec<(String, Value)>>>,
    relay: Relay,
    outside: Arc<AtomicU8>,
    _place: TestDatabase,
}

struct Recorder(Arc<Mutex<Vec<(String, Value)>>>);

#[async_trait::async_trait]
impl Consumer for Recorder {
    fn name(&self) -> &'static str {
        "recorder"
    }

    fn topics(&self) -> &'static [&'static str] {
        &["payments.bill_issued", "payments.bill_settled", "payments.refunded"]
    }

    async fn receive(&self, message: &Received) -> Result<(), outbox::Error> {
        self.0.lock().unwrap().push((message.topic.clone(), message.payload.clone()));
        Ok(())
    }
}

impl World {
    pub async fn open(place: TestDatabase) -> Self {
        Self::open_with(place, QrBank::Scb).await
    }

    pub async fn open_with(place: TestDatabase, qr_bank: QrBank) -> Self {
        let clock = testkit::clock();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let bank = sandbox::Config {
            public_url: url.clone(),
            confirmation_gap_ms: 50,
            confirmation_late_ms: 200,
            ..sandbox::Config::default()
        };
        let bank = sandbox::Sandbox::open(&place.target, clock.clone(), bank).await.unwrap();
        let config = Config { provider_timeout_ms: 1_000, qr_bank, ..Config::sandbox(&url) };
        let service = Service::open(&place.target, clock.clone(), config).await.unwrap();
        let outside = Arc::new(AtomicU8::new(0));
        let apis = bank.routes().layer(from_fn_with_state(outside.clone(), disturb));
        let routes = Router::new().nest("/sandbox", apis).merge(service.routes());
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        let published = Arc::new(Mutex::new(Vec::new()));
        let mut consumers = service.consumers();
        consumers.push(Arc::new(Recorder(published.clone())));
        let relay =
            Relay::new(service.database().clone(), clock.clone(), service.outbox().clone(), consumers);
        let http = chassis::http_client(Duration::from_secs(5));
        Self { service, clock, http, url, published, relay, outside, _place: place }
    }

    /// Its databases, for another world on them.
    pub fn into_place(self) -> TestDatabase {
        self._place
    }

    /// On both engines.
    pub async fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for place in testkit::Engines::all().await {
            all.push(Self::open(place).await);
        }
        all
    }

    /// On both engines, and with the other bank's QR codes.
    pub async fn each_bank() -> Vec<Self> {
        let mut all = Self::all().await;
        all.push(Self::open_with(TestDatabase::sqlite(), QrBank::Kbank).await);
        all
    }

    pub fn citizen(&self) -> Principal {
        testkit::citizen(Clock::system().uuid(), &[], self.clock.now())
    }

    /// Asks; any error fails the test.
    pub async fn ask(&self, who: &Principal, document: &str, variables: Value) -> Value {
        let answer = self.ask_raw(who, document, variables).await;
        assert!(answer["errors"].is_null(), "{answer}");
        answer["data"].clone()
    }

    pub async fn ask_raw(&self, who: &Principal, document: &str, variables: Value) -> Value {
        let request = Request::new(document).variables(Variables::from_json(variables)).data(who.clone());
        serde_json::to_value(self.service.schema().execute(request).await).unwrap()
    }

    /// Puts a message of another service into the outbox, and delivers.
    pub async fn publish(&self, topic: &'static str, payload: Value) {
        let mut tx = self.service.database().begin().await.unwrap();
        self.service.outbox().publish(&mut tx, Message::new(topic, payload)).await.unwrap();
        tx.commit().await.unwrap();
        self.drain().await;
    }

    /// Delivers all that is due, and all that this makes due.
    pub async fn drain(&self) {
        while self.relay.deliver_due().await.unwrap() > 0 {}
    }

    pub async fn pass(&self, seconds: i64) {
        self.clock.advance(chrono::Duration::seconds(seconds));
        self.drain().await;
    }

    /// A bill of 505.00 baht for the caller, and its application.
    pub async fn bill(&self, who: &Principal) -> (String, Uuid) {
        let application_id = Clock::system().uuid();
        self.publish("applications.fee_fell_due", fee(who, application_id)).await;
        (self.bill_of(who, application_id).await.expect("the bill is issued"), application_id)
    }

    pub async fn bill_of(&self, who: &Principal, application_id: Uuid) -> Option<String> {
        let entity = json!([{ "__typename": "Application", "id": ApplicationId::from(application_id) }]);
        let document =
            "query($of: [_Any!]!) { _entities(representations: $of) { ... on Application { bill { id } } } }";
        let found = self.ask(who, document, json!({ "of": entity })).await;
        found["_entities"][0]["bill"]["id"].as_str().map(str::to_owned)
    }

    pub async fn start(&self, who: &Principal, bill: &str, method: &str, key: &str) -> Value {
        let document = format!(
            "{PAYMENT} mutation($input: StartPaymentInput!) {{ startPayment(input: $input) {{ __typename \
             ... on PaymentStarted {{ payment {{ ...P }} }} ... on BillNotPayable {{ billStatus }} \
             ... on Problem {{ code }} }} }}"
        );
        let input = json!({ "idempotencyKey": key, "billId": bill, "method": method });
        self.ask(who, &document, json!({ "input": input })).await["startPayment"].clone()
    }

    /// Starts a payment that can be paid at once.
    pub async fn started(&self, who: &Principal, bill: &str, method: &str) -> Value {
        let key = Clock::system().uuid().to_string();
        let payment = self.start(who, bill, method, &key).await["payment"].clone();
        assert_eq!(payment["status"], "PENDING", "{payment}");
        payment
    }

    pub async fn check(&self, who: &Principal, payment: &Value) -> Value {
        let document = format!(
            "{PAYMENT} mutation($input: CheckPaymentInput!) {{ checkPayment(input: $input) {{ __typename \
             ... on PaymentChecked {{ payment {{ ...P }} }} }} }}"
        );
        let input = json!({ "idempotencyKey": Clock::system().uuid(), "paymentId": payment["id"] });
        self.ask(who, &document, json!({ "input": input })).await["checkPayment"].clone()
    }

    pub async fn payment(&self, who: &Principal, payment: &Value) -> Value {
        let document = format!("{PAYMENT} query($id: ID!) {{ payment(id: $id) {{ ...P }} }}");
        self.ask(who, &document, json!({ "id": payment["id"] })).await["payment"].clone()
    }

    pub async fn bill_now(&self, who: &Principal, bill: &str) -> Value {
        let document = "query($id: ID!) { bill(id: $id) { status settledAt receipt { number amount { amount } } \
            payments { method status } refunds { reason status amount { amount } } \
            items { description { th } amount { amount } } payee { code } } }";
        self.ask(who, document, json!({ "id": bill })).await["bill"].clone()
    }

    /// Pays as a payer would: scans the code or follows the link.
    pub async fn pay(&self, payment: &Value, behave: &str) {
        assert_eq!(self.pay_status(payment, behave).await, StatusCode::OK);
    }

    /// Tries to.
    pub async fn pay_status(&self, payment: &Value, behave: &str) -> StatusCode {
        let page = match payment["qrPayload"].as_str() {
            Some(payload) => {
                let scan = format!("{}/sandbox/bank/scan", self.url);
                let found = self.http.get(scan).query(&[("payload", payload)]).send().await.unwrap();
                let to = found.headers()["location"].to_str().unwrap().to_owned();
                if to.starts_with("http") { to } else { format!("{}{to}", self.url) }
            }
            None => payment["deepLink"].as_str().unwrap().to_owned(),
        };
        let form = [("action", "pay"), ("behave", behave)];
        self.http.post(page).form(&form).send().await.unwrap().status()
    }

    /// Changes what only the database could.
    pub async fn database_says(&self, sql: &str) {
        self.service.database().execute(sql, Vec::new()).await.unwrap();
    }

    /// Waits for what the sandbox does in its own time.
    pub async fn until_settled(&self, who: &Principal, bill: &str) -> Value {
        for _ in 0..200 {
            self.drain().await;
            let now = self.bill_now(who, bill).await;
            if now["status"] == "SETTLED" {
                return now;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("the bill was not settled: {}", self.bill_now(who, bill).await);
    }

    /// An officer of the agency, by a number.
    pub fn officer(&self, number: u128) -> Principal {
        testkit::officer(Uuid::from_u128(number), AGENCY, self.clock.now())
    }

    /// Proposes or decides something by hand; gives the payload.
    pub async fn by_hand(&self, who: &Principal, operation: &str, input: Value) -> Value {
        let kind = format!("{}{}Input", operation[..1].to_uppercase(), &operation[1..]);
        let document = format!(
            "mutation($input: {kind}!) {{ {operation}(input: $input) {{ __typename ... on Problem {{ message }} \
             ... on ProposalRecorded {{ proposal {{ id action status reference proposedBy decidedBy }} }} }} }}"
        );
        self.ask(who, &document, json!({ "input": input })).await[operation].clone()
    }

    /// The findings that an officer sees, newest first.
    pub async fn findings(&self, who: &Principal) -> Value {
        let document = "{ findings { nodes { id kind status day provider subject ours { amount } \
            theirs { amount } bill { id } resolution } } }";
        self.ask(who, document, json!({})).await["findings"]["nodes"].clone()
    }

    pub fn outside(&self, outside: Outside) {
        self.outside.store(outside as u8, Ordering::SeqCst);
    }

    pub async fn bank_books(&self) -> Value {
        self.http.get(format!("{}/sandbox/bank/books", self.url)).send().await.unwrap().json().await.unwrap()
    }

    /// Our books equal the bank's, and sum to zero. What is still owed back is returned, in satang.
    pub async fn assert_books_agree(&self) -> i64 {
        let books = self.bank_books().await;
        let totals = &books["totals"];
        let at_bank = totals["paid_satang"].as_i64().unwrap() - totals["refunded_satang"].as_i64().unwrap();
        let balance = async |account: Account| {
            payments::store::ledger::balance(self.service.database(), &account).await.unwrap()
        };
        let scb = balance(Account::Clearing { provider: "scb".into() }).await;
        let kbank = balance(Account::Clearing { provider: "kbank".into() }).await;
        let gwallet = balance(Account::Clearing { provider: "gwallet".into() }).await;
        let by_hand = balance(Account::ByHand { agency_code: AGENCY.into() }).await;
        let payable = balance(Account::Payable { agency_code: AGENCY.into() }).await;
        let refundable = balance(Account::Refundable).await;
        let held = scb + kbank + gwallet;
        assert_eq!(held, at_bank, "{books}");
        assert_eq!(held + payable + refundable + by_hand, 0, "the books sum to zero");
        -refundable
    }

    /// Posts a wallet notification, signed with the given secret.
    pub async fn notify_gwallet(&self, body: &str, secret: Option<&[u8]>) -> StatusCode {
        let request = match secret {
            Some(secret) => self.signed_gwallet(body, secret),
            None => self.callback("gwallet").body(body.to_owned()),
        };
        request.send().await.unwrap().status()
    }

    /// A wallet notification, signed now and sent whenever.
    pub fn signed_gwallet(&self, body: &str, secret: &[u8]) -> reqwest::RequestBuilder {
        let (id, timestamp) = (Clock::system().uuid().to_string(), self.clock.now().timestamp());
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret).unwrap();
        mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
        let tag = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
        self.callback("gwallet")
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", format!("v1,{tag}"))
            .body(body.to_owned())
    }

    pub fn callback(&self, provider: &str) -> reqwest::RequestBuilder {
        self.http.post(format!("{}/callbacks/payments/{provider}", self.url))
    }

    /// Somebody at the bank pays back some of the newest payment.
    pub async fn refund_at_bank(&self, refund_id: &str, amount: &str) {
        let bank = format!("{}/sandbox/bank", self.url);
        let keys =
            json!({ "applicationKey": "sandbox-bank-key", "applicationSecret": "sandbox-bank-secret" });
        let token = self.http.post(format!("{bank}/v1/oauth/token")).json(&keys).send().await.unwrap();
        let token: Value = token.json().await.unwrap();
        let transfer = self.bank_books().await["transactions"][0]["bank_transaction_id"].clone();
        let refund = json!({ "refundId": refund_id, "transactionId": transfer, "amount": amount });
        let token = token["data"]["accessToken"].as_str().unwrap();
        let made = self.http.post(format!("{bank}/v1/payment/refund")).bearer_auth(token).json(&refund);
        assert_eq!(made.send().await.unwrap().status(), 200);
    }
}

pub fn bill_uuid(id: &str) -> Uuid {
    id.parse::<BillId>().unwrap().uuid()
}

/// `applications.fee_fell_due`, as applications publishes it.
pub fn fee(who: &Principal, application_id: Uuid) -> Value {
    let Principal::Citizen(citizen) = who else { panic!("a citizen owes a fee") };
    json!({
        "application_id": application_id,
        "party_id": citizen.citizen_id,
        "agency_code": AGENCY,
        "agency_name": { "th": "กรุงเทพมหานคร", "en": "Bangkok" },
        "offering_id": Uuid::nil(),
        "offering_revision": 1,
        "service_code": "food-premises",
        "service_title": { "th": "ใบอนุญาตสถานที่จำหน่ายอาหาร", "en": "Food premises licence" },
        "amount_satang": 50_500,
        "on_rejection": "refund",
        "due": "approval",
    })
}

/// The secret that the sandbox's wallet signs with.
pub const GWALLET_SECRET: &[u8] = b"sandbox-gwallet-webhook-secret";

async fn disturb(State(outside): State<Arc<AtomicU8>>, request: HttpRequest, next: Next) -> Response {
    const LONG: Duration = Duration::from_secs(30);
    // Payers use other ways than we do.
    let ours = request.headers().contains_key("authorization");
    match outside.load(Ordering::SeqCst) {
        1 if ours => {
            tokio::time::sleep(LONG).await;
            StatusCode::GATEWAY_TIMEOUT.into_response()
        }
        3 if ours => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        2 if ours => {
            let answer = next.run(request).await;
            tokio::time::sleep(LONG).await;
            answer
        }
        _ => next.run(request).await,
    }
}
