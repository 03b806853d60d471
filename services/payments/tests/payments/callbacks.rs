//! Every way in which a callback of any provider can be wrong: a plain answer, and nothing has changed.

use payments::QrBank;
use serde_json::{Value, json};
use testkit::TestDatabase;

use crate::world::{GWALLET_SECRET, World};

/// One payment that waits, and the callback that its provider would send.
struct Waiting {
    world: World,
    who: auth::Principal,
    bill: String,
    payment: Value,
    provider: &'static str,
    good: Value,
}

impl Waiting {
    async fn at(provider: &'static str) -> Self {
        let qr_bank = if provider == "kbank" { QrBank::Kbank } else { QrBank::Scb };
        let world = World::open_with(TestDatabase::sqlite(), qr_bank).await;
        let who = world.citizen();
        let (bill, _) = world.bill(&who).await;
        let method = if provider == "gwallet" { "G_WALLET" } else { "PROMPTPAY_QR" };
        let payment = world.started(&who, &bill, method).await;
        let order = world.bank_books().await["transactions"][0].clone();
        let good = match provider {
            "scb" => json!({
                "transactionId": "t-1", "amount": "505.00", "currencyCode": "764",
                "transactionDateandTime": "2026-11-23T10:00:05.000+07:00", "billPaymentRef1": order["reference1"],
            }),
            "kbank" => json!({
                "partnerTxnUid": order["reference1"], "partnerId": "PTR0000001", "statusCode": "00",
                "errorCode": null, "errorDesc": null, "merchantId": "KB000000000001", "txnAmount": "505.00",
                "txnCurrencyCode": "THB", "txnNo": "t-1", "loyaltyId": null, "additionalInfo": null,
            }),
            _ => json!({
                "type": "order.paid", "timestamp": "2026-11-23T03:00:05Z",
                "data": {
                    "txn_ref_id": payment["walletReference"], "reference": order["reference1"],
                    "amount": "505.00", "currency": "THB", "status": "PAID",
                    "paid_at": "2026-11-23T03:00:05Z", "wallet_reference": "w",
                },
            }),
        };
        Self { world, who, bill, payment, provider, good }
    }

    async fn all() -> Vec<Self> {
        vec![Self::at("scb").await, Self::at("kbank").await, Self::at("gwallet").await]
    }

    /// Sends a body as the provider would: signed where it signs.
    async fn send(&self, body: &str) -> u16 {
        let secret = (self.provider == "gwallet").then_some(GWALLET_SECRET);
        let request = match secret {
            Some(secret) => self.world.signed_gwallet(body, secret),
            None => self.world.callback(self.provider).body(body.to_owned()),
        };
        request.send().await.unwrap().status().as_u16()
    }

    async fn is_unchanged(&self, after: &str) {
        self.world.pass(6).await;
        let now = self.world.payment(&self.who, &self.payment).await;
        let shown = (&now["status"], &now["settlements"]);
        assert_eq!(shown, (&json!("PENDING"), &json!([])), "{} after {after}", self.provider);
        assert_eq!(self.world.bill_now(&self.who, &self.bill).await["status"], "OPEN");
    }

    /// The fields that are read, and where.
    fn fields(&self) -> Vec<String> {
        let names: &[&str] = match self.provider {
            "scb" => {
                &["/transactionId", "/amount", "/currencyCode", "/transactionDateandTime", "/billPaymentRef1"]
            }
            "kbank" => &[
                "/partnerTxnUid",
                "/partnerId",
                "/statusCode",
                "/merchantId",
                "/txnAmount",
                "/txnCurrencyCode",
                "/txnNo",
            ],
            _ => &["/type", "/data", "/data/txn_ref_id", "/data/reference", "/data/amount", "/data/paid_at"],
        };
        names.iter().map(|name| (*name).to_owned()).collect()
    }
}

fn without(body: &Value, pointer: &str) -> Value {
    let mut body = body.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    body.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
    body
}

fn with(body: &Value, pointer: &str, value: Value) -> Value {
    let mut body = body.clone();
    *body.pointer_mut(pointer).unwrap() = value;
    body
}

#[tokio::test]
async fn a_missing_field_or_one_of_another_type_is_malformed() {
    for waiting in Waiting::all().await {
        for field in waiting.fields() {
            let body = without(&waiting.good, &field).to_string();
            assert_eq!(waiting.send(&body).await, 400, "{}: without {field}", waiting.provider);
            for value in [json!(null), json!([]), json!({}), json!(true), json!("")] {
                // An empty reference is readable, and nobody's.
                let nobodys = value == ""
                    && ["/billPaymentRef1", "/partnerTxnUid", "/data/txn_ref_id", "/data/reference"]
                        .contains(&field.as_str());
                let body = with(&waiting.good, &field, value.clone()).to_string();
                let status = waiting.send(&body).await;
                assert_eq!(
                    status,
                    if nobodys { 200 } else { 400 },
                    "{}: {field} is {value}",
                    waiting.provider
                );
            }
        }
        waiting.is_unchanged("odd fields").await;
    }
}

#[tokio::test]
async fn an_amount_that_is_none_and_another_currency_are_malformed() {
    for waiting in Waiting::all().await {
        let (amount, currency) = match waiting.provider {
            "scb" => ("/amount", "/currencyCode"),
            "kbank" => ("/txnAmount", "/txnCurrencyCode"),
            _ => ("/data/amount", "/data/currency"),
        };
        for odd in
            ["0.00", "-505.00", "5e2", "๕๐๕.๐๐", "505.001", "505,00", "99999999999999.00", "NaN", " 505.00"]
        {
            let body = with(&waiting.good, amount, json!(odd)).to_string();
            assert_eq!(waiting.send(&body).await, 400, "{}: {odd}", waiting.provider);
        }
        for odd in ["USD", "840", "thb", "บาท"] {
            let body = with(&waiting.good, currency, json!(odd)).to_string();
            assert_eq!(waiting.send(&body).await, 400, "{}: {odd}", waiting.provider);
        }
        waiting.is_unchanged("odd amounts").await;
    }
}

#[tokio::test]
async fn what_is_no_json_or_too_large_is_refused_whatever_it_calls_itself() {
    for waiting in Waiting::all().await {
        let deep = "[".repeat(10_000);
        for body in ["", "{", "[]", "null", "\"ก\"", "\u{0}", "{}", "<xml/>", deep.as_str()] {
            assert_eq!(waiting.send(body).await, 400, "{}: {:.10}", waiting.provider, body);
        }
        let large = format!("{}{}", waiting.good, " ".repeat(64 * 1024));
        assert_eq!(waiting.send(&large).await, 413);
        let form = waiting.world.callback(waiting.provider);
        let form = form.header("content-type", "application/x-www-form-urlencoded").body("amount=505.00");
        assert!(form.send().await.unwrap().status().is_client_error());
        let bytes = waiting.world.callback(waiting.provider).body(vec![0xff, 0xfe, 0x00]);
        assert!(bytes.send().await.unwrap().status().is_client_error());
        for method in [reqwest::Method::GET, reqwest::Method::PUT] {
            let url = format!("{}/callbacks/payments/{}", waiting.world.url, waiting.provider);
            assert_eq!(waiting.world.http.request(method, url).send().await.unwrap().status(), 405);
        }
        waiting.is_unchanged("no JSON").await;
    }
}

#[tokio::test]
async fn an_unsigned_word_alone_moves_nothing_however_good_it_looks() {
    for provider in ["scb", "kbank"] {
        let waiting = Waiting::at(provider).await;
        for _ in 0..3 {
            assert_eq!(waiting.send(&waiting.good.to_string()).await, 200);
        }
        waiting.is_unchanged("a forgery").await;
    }
    let waiting = Waiting::at("kbank").await;
    let failed = with(&waiting.good, "/statusCode", json!("10")).to_string();
    assert_eq!(waiting.send(&failed).await, 200, "a failure is taken note of");
    for (field, value) in [("/partnerId", "PTR9"), ("/merchantId", "KB9"), ("/statusCode", "99")] {
        let body = with(&waiting.good, field, json!(value)).to_string();
        assert_eq!(waiting.send(&body).await, 400, "{field}");
    }
    waiting.is_unchanged("somebody else's").await;
}

#[tokio::test]
async fn a_wallet_s_word_needs_its_signature_of_this_body_in_these_minutes() {
    let waiting = Waiting::at("gwallet").await;
    let (world, good) = (&waiting.world, waiting.good.to_string());
    assert_eq!(world.notify_gwallet(&good, None).await, 401);
    assert_eq!(world.notify_gwallet(&good, Some(b"another secret of enough bytes")).await, 401);
    let signed = world.signed_gwallet(&good, GWALLET_SECRET);
    let other = waiting.good.to_string().replace("505.00", "1.00");
    assert_eq!(signed.body(other).send().await.unwrap().status(), 401, "another body");
    for (name, value) in [
        ("webhook-id", "other"),
        ("webhook-timestamp", "0"),
        ("webhook-timestamp", "soon"),
        ("webhook-signature", "v1,"),
        ("webhook-signature", "v2,AAAA"),
        ("webhook-signature", "v1a,AAAA"),
    ] {
        // The first of two headers counts, and the one that signs comes second.
        let mut request = world.signed_gwallet(&good, GWALLET_SECRET).build().unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
        assert_eq!(world.http.execute(request).await.unwrap().status(), 401, "{name}: {value}");
    }
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        let mut request = world.signed_gwallet(&good, GWALLET_SECRET).build().unwrap();
        request.headers_mut().remove(name);
        assert_eq!(world.http.execute(request).await.unwrap().status(), 401, "without {name}");
    }
    let old = world.signed_gwallet(&good, GWALLET_SECRET);
    waiting.is_unchanged("bad signatures").await;
    world.clock.advance(chrono::Duration::seconds(301));
    assert_eq!(old.send().await.unwrap().status(), 401, "five minutes are over");
    waiting.is_unchanged("an old one").await;
}

#[tokio::test]
async fn a_good_word_that_is_replayed_or_names_another_payment_counts_nothing_twice() {
    let waiting = Waiting::at("gwallet").await;
    let (world, who) = (&waiting.world, &waiting.who);
    world.pass(1).await;
    let (bill, _) = world.bill(who).await;
    let second = world.started(who, &bill, "G_WALLET").await;
    let reference = world.bank_books().await["transactions"][0]["reference1"].clone();
    // The first order's number with the second's reference: signed, and still not believed.
    let crossed = with(&waiting.good, "/data/reference", reference).to_string();
    assert_eq!(waiting.send(&crossed).await, 200);
    waiting.is_unchanged("a crossed word").await;
    let now = world.payment(who, &second).await;
    assert_eq!((&now["status"], &now["settlements"]), (&json!("PENDING"), &json!([])));
    let signed = world.signed_gwallet(&waiting.good.to_string(), GWALLET_SECRET);
    for _ in 0..3 {
        assert_eq!(signed.try_clone().unwrap().send().await.unwrap().status(), 200);
    }
    let settled = world.payment(who, &waiting.payment).await;
    assert_eq!(settled["settlements"].as_array().unwrap().len(), 1);
    assert_eq!(world.bill_now(who, &waiting.bill).await["refunds"], json!([]));
}
