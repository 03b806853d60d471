//! What citizens and officers do while the process dies under them.

use serde_json::{Value, json};

use super::actor::Actor;
use super::world::World;
use crate::filing::{MAP, food_premises_answers, key, offering};

/// The ways that money takes; each ends where it must, whatever dies on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Journey {
    /// Approved, then paid by Thai QR; the bank confirms twice.
    ByQr,
    /// Approved, then paid by wallet: a signed notification.
    ByWallet,
    /// Approved, then paid in the bank's app, of which the bank says nothing.
    Silent,
    /// Paid two ways at once: one settles, the other goes back.
    Twice,
    /// Paid at submission, then rejected: the fee goes back.
    PaidBack,
}

impl Journey {
    pub const ALL: [Self; 5] = [Self::ByQr, Self::ByWallet, Self::Silent, Self::Twice, Self::PaidBack];

    /// Where its application must stand in the end.
    pub fn status(self) -> &'static str {
        match self {
            Self::PaidBack => "REJECTED",
            _ => "PAID",
        }
    }

    /// What the state keeps of it in the end, in satang.
    pub fn kept_satang(self) -> i64 {
        match self {
            Self::PaidBack => 0,
            _ => 100_000,
        }
    }

    /// Somchai goes all the way, and gives the application.
    pub async fn go(self, world: &World) -> Value {
        self.go_as(world, "somchai").await
    }

    /// A persona goes all the way; the one that pays at submission takes a company.
    pub async fn go_as(self, world: &World, persona: &'static str) -> Value {
        let citizen = Actor::citizen(world, persona);
        match self {
            Self::PaidBack => paid_back(world, &citizen).await,
            _ => approved_and_paid(self, world, &citizen).await,
        }
    }
}

async fn approved_and_paid(journey: Journey, world: &World, citizen: &Actor<'_>) -> Value {
    let application = submitted(world, citizen, "LAO-01", food_premises_answers()).await;
    let officer = Actor::officer(world, "officer-nonthaburi");
    let id = json!({ "applicationId": application });
    call(world, &officer, "TakeApplication", id, "ApplicationTaken").await;
    let approval = json!({ "applicationId": application, "reason": "ครบถ้วน" });
    call(world, &officer, "ApproveApplication", approval, "ApplicationApproved").await;
    let bill = bill(world, citizen, &application).await;
    match journey {
        Journey::ByQr => pay(world, citizen, &bill, "PROMPTPAY_QR", "duplicate").await,
        Journey::ByWallet => pay(world, citizen, &bill, "G_WALLET", "").await,
        Journey::Silent => {
            let payment = started(world, citizen, &bill, "MOBILE_BANKING").await;
            assert!(send(world, &payment, "missing").await);
            let check = json!({ "paymentId": payment["id"] });
            call(world, citizen, "CheckPayment", check, "PaymentChecked").await;
        }
        _ => {
            let by_qr = started(world, citizen, &bill, "PROMPTPAY_QR").await;
            let by_wallet = started(world, citizen, &bill, "G_WALLET").await;
            // The bank takes the first and says nothing of it, so that nothing stops the second.
            assert!(send(world, &by_qr, "missing").await);
            // Unless a timer found the money in this very moment and withdrew the second.
            send(world, &by_wallet, "").await;
        }
    }
    application
}

async fn paid_back(world: &World, citizen: &Actor<'_>) -> Value {
    let answers = json!({
        "trade_name": "ครัวอุดม", "business_kind": "restaurant", "started_on": "2026-11-01", "capital_baht": 100_000,
        "premises_address": "99/1 ถนนทดสอบ ตำบลสวนใหญ่", "phone": "0812345678",
    });
    let application = submitted(world, citizen, "DBD-01", answers).await;
    let bill = bill(world, citizen, &application).await;
    pay(world, citizen, &bill, "PROMPTPAY_QR", "").await;
    at(world, citizen, &application, "UNDER_REVIEW").await;
    let officer = Actor::officer(world, "officer-dbd");
    let id = json!({ "applicationId": application });
    call(world, &officer, "TakeApplication", id, "ApplicationTaken").await;
    let rejection = json!({ "applicationId": application, "reason": "ไม่ครบ" });
    call(world, &officer, "RejectApplication", rejection, "ApplicationRejected").await;
    application
}

/// Files an application and submits it; gives its id.
async fn submitted(world: &World, citizen: &Actor<'_>, service: &str, answers: Value) -> Value {
    let offering =
        world.insist("an offering", async || Some(offering(&world.place, service, "1201").await)).await;
    let viewer = world.insist("the viewer", async || citizen.send("Viewer", json!({})).await).await;
    // Themselves, or their company.
    let party = &viewer["viewer"]["parties"][usize::from(service == "DBD-01")]["id"];
    let input = json!({ "offeringId": offering, "partyId": party });
    let draft = call(world, citizen, "StartApplication", input, "ApplicationStarted").await;
    let draft = &draft["application"];
    let mut all = draft["answers"].clone();
    let map = all.as_object_mut().expect("answers are an object");
    map.extend(answers.as_object().expect("answers are an object").clone());
    let input = json!({ "applicationId": draft["id"], "revision": draft["revision"], "answers": all });
    let saved = call(world, citizen, "SaveApplicationDraft", input, "DraftSaved").await;
    world
        .insist("the map", async || {
            // A ticket is good once: whoever does not know whether it was used takes a new one.
            let input = json!({
                "idempotencyKey": key(), "applicationId": draft["id"], "evidenceCode": "map",
                "fileName": "map.png", "mediaType": "image/png", "sizeBytes": MAP.len(),
            });
            let started = citizen.send("StartEvidenceUpload", json!({ "input": input })).await?;
            let address = started["startEvidenceUpload"]["upload"]["url"].as_str()?.to_owned();
            let put = world.place.http.put(address).header("content-type", "image/png").body(MAP);
            put.send().await.ok()?.status().is_success().then_some(())
        })
        .await;
    let revision = &saved["application"]["revision"];
    let input = json!({ "applicationId": draft["id"], "revision": revision });
    call(world, citizen, "SubmitApplication", input, "ApplicationSubmitted").await;
    draft["id"].clone()
}

/// A mutation, again and again under one key until it is answered; it must end as `expected`.
async fn call(world: &World, who: &Actor<'_>, operation: &str, mut input: Value, expected: &str) -> Value {
    input["idempotencyKey"] = json!(key());
    let payload = world
        .insist(operation, async || {
            let data = who.send(operation, json!({ "input": input })).await?;
            let payload = data.as_object()?.values().next()?.clone();
            payload.is_object().then_some(payload)
        })
        .await;
    assert_eq!(payload["__typename"], expected, "{operation}: {payload}");
    payload
}

async fn bill(world: &World, citizen: &Actor<'_>, application: &Value) -> Value {
    world
        .insist("a bill", async || {
            let detail = citizen.send("ApplicationDetail", json!({ "id": application })).await?;
            let bill = &detail["application"]["bill"]["id"];
            bill.is_string().then(|| bill.clone())
        })
        .await
}

async fn pay(world: &World, citizen: &Actor<'_>, bill: &Value, method: &str, behave: &str) {
    let payment = started(world, citizen, bill, method).await;
    assert!(send(world, &payment, behave).await, "the bank takes no money");
}

/// Starts a payment and gives it once it can be paid.
async fn started(world: &World, citizen: &Actor<'_>, bill: &Value, method: &str) -> Value {
    let input = json!({ "idempotencyKey": key(), "billId": bill, "method": method });
    world
        .insist("a payment that can be paid", async || {
            let answer = citizen.send("StartPayment", json!({ "input": input })).await?;
            let payment = answer["startPayment"]["payment"].clone();
            // When the process died before the bank was asked, a timer asks it.
            (payment["status"] == "PENDING").then_some(payment)
        })
        .await
}

/// Pays at the bank or the wallet, which do not die; tells whether they took the money.
async fn send(world: &World, payment: &Value, behave: &str) -> bool {
    let here = |address: &str| address.replace(&world.place.url, &world.bank_url);
    let page = match payment["qrPayload"].as_str() {
        Some(payload) => {
            let scan = format!("{}/sandbox/bank/scan", world.bank_url);
            let scan = url::Url::parse_with_params(&scan, [("payload", payload)]).expect("a URL");
            let found = world.place.http.get(scan).send().await.expect("the bank answers");
            let location = found.headers()["location"].to_str().expect("an address").to_owned();
            url::Url::parse(&world.bank_url)
                .and_then(|base| base.join(&here(&location)))
                .expect("a URL")
                .to_string()
        }
        None => here(payment["deepLink"].as_str().expect("a link")),
    };
    let form = [("action", "pay"), ("behave", behave)];
    let form = if behave.is_empty() { &form[..1] } else { &form[..] };
    let paid = world.place.http.post(page).form(form).send().await.expect("the bank answers");
    paid.status().is_success()
}

/// Waits until an application stands somewhere.
async fn at(world: &World, citizen: &Actor<'_>, application: &Value, status: &str) {
    world
        .insist(status, async || {
            let detail = citizen.send("ApplicationDetail", json!({ "id": application })).await?;
            (detail["application"]["status"] == status).then_some(())
        })
        .await;
}
