//! The bank as a merchant's server and a payer meet it.

use serde_json::{Value, json};
use testkit::{Engines, TestDatabase};

use crate::world::World;

const BILLER: &str = "099400000010401";

async fn create_qr(world: &World, ref1: &str, amount: &str) -> Value {
    let asked = json!({
        "qrType": "PP", "ppType": "BILLERID", "ppId": BILLER,
        "amount": amount, "ref1": ref1, "ref2": "INV1", "ref3": "SCB",
    });
    let (status, answer) = world.bank_post("/bank/v1/payment/qrcode/create", asked).await;
    assert_eq!((status, &answer["status"]["code"]), (200, &json!(1000)), "{answer}");
    answer["data"].clone()
}

async fn create_deeplink(world: &World, ref1: &str) -> Value {
    let asked = json!({
        "transactionType": "PURCHASE", "transactionSubType": ["BP"], "sessionValidityPeriod": 900,
        "billPayment": { "paymentAmount": 505.00, "accountTo": BILLER, "ref1": ref1 },
        "merchantMetaData": { "callbackUrl": "https://app.example/paid?<x>" },
    });
    let (status, answer) = world.bank_post("/bank/v3/deeplink/transactions", asked).await;
    assert_eq!(status, 200, "{answer}");
    answer["data"].clone()
}

async fn inquire(world: &World, ref1: &str) -> Value {
    let day = world.clock.today_in_thailand();
    let path = format!(
        "/bank/v1/payment/billpayment/inquiry?eventCode=00300100&transactionDate={day}&billerId={BILLER}&reference1={ref1}"
    );
    let (status, answer) = world.bank_get(&path).await;
    assert_eq!(status, 200, "{answer}");
    answer["data"].clone()
}

fn pay_url(world: &World, id: &Value) -> String {
    world.at(&format!("/bank/pay/{}", id.as_str().unwrap()))
}

#[tokio::test]
async fn a_qr_is_made_paid_inquired_and_refunded() {
    for place in Engines::all().await {
        let world = World::open(&place.target).await;
        let qr = create_qr(&world, "PAY001", "505.00").await;
        assert_eq!(inquire(&world, "PAY001").await, json!([]));

        let page = world.client.get(pay_url(&world, &qr["qrcodeId"])).send().await.unwrap();
        assert!(page.text().await.unwrap().contains("505.00"));
        assert_eq!(world.send_form(&pay_url(&world, &qr["qrcodeId"]), "action=pay").await.status(), 200);

        let told = world.told(1).await;
        assert_eq!((told.len(), told[0].provider.as_str()), (1, "scb"));
        let confirmation: Value = serde_json::from_str(&told[0].body).unwrap();
        let paid = inquire(&world, "PAY001").await;
        assert_eq!((&paid[0]["amount"], &paid[0]["billPaymentRef2"]), (&json!("505.00"), &json!("INV1")));
        assert_eq!(confirmation["transactionId"], paid[0]["transactionId"]);
        assert_eq!(confirmation["billPaymentRef1"], "PAY001");

        let refund = |id: &str, amount: &str| json!({ "refundId": id, "transactionId": paid[0]["transactionId"], "amount": amount });
        let path = "/bank/v1/payment/refund";
        let first = world.bank_post(path, refund("R1", "500.00")).await;
        assert_eq!((first.0, &first.1["data"]["amount"]), (200, &json!("500.00")));
        assert_eq!(world.bank_post(path, refund("R1", "500.00")).await, first, "the same again");
        assert_eq!(world.bank_post(path, refund("R1", "1.00")).await.1["status"]["code"], 4102);
        assert_eq!(world.bank_post(path, refund("R2", "5.01")).await.1["status"]["code"], 4103);
        assert_eq!(world.bank_post(path, refund("R2", "5.00")).await.0, 200);
        let unknown = json!({ "refundId": "R3", "transactionId": "none", "amount": "1.00" });
        assert_eq!(world.bank_post(path, unknown).await.0, 404);

        let books = world.books().await;
        assert_eq!(
            books["totals"],
            json!({ "paid_satang": 50_500, "paid_count": 1, "refunded_satang": 50_500, "refund_count": 2 })
        );
        assert_eq!(books["transactions"][0]["refunds"][0]["refund_id"], "R1");
    }
}

#[tokio::test]
async fn a_deeplink_is_paid_once_and_tells_its_status() {
    for place in Engines::all().await {
        let world = World::open(&place.target).await;
        let link = create_deeplink(&world, "PAY002").await;
        assert_eq!(link["deeplinkUrl"], json!(pay_url(&world, &link["transactionId"])));
        let status = format!("/bank/v2/transactions/{}", link["transactionId"].as_str().unwrap());
        assert_eq!(world.bank_get(&status).await.1["data"]["statusCode"], 0);

        let page = world.send_form(link["deeplinkUrl"].as_str().unwrap(), "action=pay").await;
        let page = page.text().await.unwrap();
        assert!(page.contains("https://app.example/paid?&lt;x&gt;"), "the way back, escaped");
        let told = world.bank_get(&status).await.1["data"].clone();
        assert_eq!((&told["statusCode"], &told["paidAmount"]), (&json!(1), &json!("505.00")));
        assert_eq!(told["bankTransactionId"], inquire(&world, "PAY002").await[0]["transactionId"]);

        for again in ["action=pay", "action=decline"] {
            assert_eq!(world.send_form(link["deeplinkUrl"].as_str().unwrap(), again).await.status(), 409);
        }
        assert_eq!(world.bank_post(&format!("{status}/cancel"), json!({})).await.1["status"]["code"], 4103);
        assert_eq!(world.books().await["totals"]["paid_count"], 1);
    }
}

#[tokio::test]
async fn five_payers_at_once_pay_once() {
    for place in Engines::all().await {
        let world = World::open(&place.target).await;
        let qr = create_qr(&world, "PAY003", "1.00").await;
        let url = pay_url(&world, &qr["qrcodeId"]);
        let pay = || async { world.send_form(&url, "action=pay").await.status().as_u16() };
        let (a, b, c, d, e) = tokio::join!(pay(), pay(), pay(), pay(), pay());
        let mut statuses = [a, b, c, d, e];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409, 409, 409, 409]);
        assert_eq!(world.books().await["totals"]["paid_satang"], 100);
    }
}

#[tokio::test]
async fn the_same_order_asked_again_is_the_same_and_another_amount_is_refused() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    let first = create_qr(&world, "PAY004", "505.00").await;
    assert_eq!(create_qr(&world, "PAY004", "505").await, first);
    let asked =
        json!({ "qrType": "PP", "ppType": "BILLERID", "ppId": BILLER, "amount": "506.00", "ref1": "PAY004" });
    let (status, answer) = world.bank_post("/bank/v1/payment/qrcode/create", asked).await;
    assert_eq!((status, &answer["status"]["code"]), (409, &json!(4102)));
}

#[tokio::test]
async fn two_methods_of_one_bill_both_succeed_at_the_bank() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    let qr = create_qr(&world, "PAY005", "505.00").await;
    let link = create_deeplink(&world, "PAY005").await;
    for id in [&qr["qrcodeId"], &link["transactionId"]] {
        assert_eq!(world.send_form(&pay_url(&world, id), "action=pay").await.status(), 200);
    }
    assert_eq!(inquire(&world, "PAY005").await.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_cancelled_declined_or_expired_order_cannot_be_paid() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    let cancelled = create_qr(&world, "PAY006", "505.00").await;
    for _ in 0..2 {
        let asked = json!({ "ppId": BILLER, "ref1": "PAY006" });
        let answer = world.bank_post("/bank/v1/payment/qrcode/cancel", asked).await;
        assert_eq!((answer.0, &answer.1["data"]["status"]), (200, &json!("CANCELLED")));
    }
    let declined = create_qr(&world, "PAY007", "505.00").await;
    world.send_form(&pay_url(&world, &declined["qrcodeId"]), "action=decline").await;
    let expired = create_qr(&world, "PAY008", "505.00").await;
    let after_expiry = create_qr(&world, "PAY009", "505.00").await;
    world.clock.advance(chrono::Duration::minutes(15));
    for order in [&cancelled, &declined, &expired] {
        assert_eq!(world.send_form(&pay_url(&world, &order["qrcodeId"]), "action=pay").await.status(), 409);
    }
    let late = "action=pay&behave=after_expiry";
    assert_eq!(world.send_form(&pay_url(&world, &after_expiry["qrcodeId"]), late).await.status(), 200);
    assert_eq!(world.books().await["totals"]["paid_count"], 1);
    assert_eq!(world.told(1).await.len(), 1);
}

#[tokio::test]
async fn confirmations_are_missing_doubled_late_retried_or_of_another_amount_on_demand() {
    let place = TestDatabase::sqlite();
    for (behave, confirmations, satang) in [
        ("action=pay&behave=missing", 0, 50_500),
        ("action=pay&behave=duplicate", 2, 50_500),
        ("action=pay&behave=wrong_amount", 1, 50_400),
    ] {
        let world = World::open(&place.target).await;
        let reference = format!("B{confirmations}");
        let qr = create_qr(&world, &reference, "505.00").await;
        assert_eq!(world.send_form(&pay_url(&world, &qr["qrcodeId"]), behave).await.status(), 200);
        assert_eq!(world.told(confirmations).await.len(), confirmations, "{behave}");
        let books = world.books().await;
        let orders = books["transactions"].as_array().unwrap();
        let order = orders.iter().find(|order| order["reference1"] == *reference).unwrap();
        assert_eq!(order["paid_satang"], satang, "{behave}");
        world.close().await;
    }
    let world = World::open(&place.target).await;
    let qr = create_qr(&world, "LATE", "505.00").await;
    let url = format!("{}?behave=late", pay_url(&world, &qr["qrcodeId"]));
    world.send_form(&url, "action=pay").await;
    assert_eq!(world.told(0).await.len(), 0);
    assert_eq!(world.told(1).await.len(), 1);
    world.refuse_callbacks(10);
    let qr = create_qr(&world, "REFUSED", "505.00").await;
    world.send_form(&pay_url(&world, &qr["qrcodeId"]), "action=pay").await;
    assert_eq!(world.told(4).await.len(), 4, "three tries, then the bank gives up");
}

#[tokio::test]
async fn a_scanned_qr_leads_to_its_order() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    let qr = create_qr(&world, "PAY010", "505.00").await;
    let payload = qr["qrRawData"].as_str().unwrap();
    let scan = |payload: &str| {
        let url = url::Url::parse_with_params(&world.at("/bank/scan"), [("payload", payload)]).unwrap();
        world.client.get(url).send()
    };
    let found = scan(payload).await.unwrap();
    assert_eq!(
        (found.status().as_u16(), found.headers()["location"].to_str().unwrap()),
        (303, pay_url(&world, &qr["qrcodeId"]).as_str())
    );
    assert_eq!(scan(&payload.replace("505.00", "005.00")).await.unwrap().status(), 400, "bad check sum");
    assert_eq!(scan("ไม่ใช่ QR").await.unwrap().status(), 400);
    // As promptparse writes it: a good QR of another biller.
    let other = "00020101021230650016A00000067701011201150994000165811000212123456789012030667042953037645802TH54073649.226304B853";
    assert_eq!(scan(other).await.unwrap().status(), 404);
}

#[tokio::test]
async fn a_paid_order_stays_paid_when_the_process_ends() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    let qr = create_qr(&world, "PAY011", "505.00").await;
    world.send_form(&pay_url(&world, &qr["qrcodeId"]), "action=pay").await;
    let before = world.books().await;
    world.close().await;

    let world = World::open(&place.target).await;
    assert_eq!(world.books().await, before);
    assert_eq!(inquire(&world, "PAY011").await[0]["amount"], "505.00");
    assert_eq!(world.send_form(&pay_url(&world, &qr["qrcodeId"]), "action=pay").await.status(), 409);
}

#[tokio::test]
async fn the_bank_refuses_strangers_and_odd_input() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    let create = world.at("/bank/v1/payment/qrcode/create");
    for request in [world.client.post(&create), world.client.post(&create).bearer_auth("guess")] {
        assert_eq!(request.json(&json!({})).send().await.unwrap().status(), 401);
    }
    let good =
        json!({ "qrType": "PP", "ppType": "BILLERID", "ppId": BILLER, "amount": "505.00", "ref1": "A1" });
    for (field, value) in [
        ("amount", json!("-1")),
        ("amount", json!("0.00")),
        ("amount", json!("99999999999")),
        ("amount", json!(1.234)),
        ("ref1", json!("")),
        ("ref1", json!("a")),
        ("ref1", json!("ABCDEFGHIJKLMNOPQRSTU")),
        ("ref2", json!("ก")),
        ("ppId", json!("000000000000000")),
        ("expirySeconds", json!(1)),
    ] {
        let mut asked = good.clone();
        asked[field] = value;
        let (status, answer) = world.bank_post("/bank/v1/payment/qrcode/create", asked.clone()).await;
        assert_eq!((status, &answer["status"]["code"]), (400, &json!(1101)), "{asked}");
    }
    let token_of_another = json!({ "applicationKey": "sandbox-bank-key", "applicationSecret": "guess" });
    let answer =
        world.client.post(world.at("/bank/v1/oauth/token")).json(&token_of_another).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    assert_eq!(world.books().await["transactions"], json!([]));
}

#[tokio::test]
async fn the_account_of_a_day_lists_and_sums_what_came_and_went() {
    for place in Engines::all().await {
        let world = World::open(&place.target).await;
        let qr = create_qr(&world, "PAY020", "505.00").await;
        let link = create_deeplink(&world, "PAY021").await;
        for id in [&qr["qrcodeId"], &link["transactionId"]] {
            assert_eq!(world.send_form(&pay_url(&world, id), "action=pay").await.status(), 200);
        }
        let paid = inquire(&world, "PAY020").await[0]["transactionId"].clone();
        let refund = json!({ "refundId": "R1", "transactionId": paid, "amount": "5.00" });
        assert_eq!(world.bank_post("/bank/v1/payment/refund", refund).await.0, 200);
        let day = world.clock.today_in_thailand();
        let path = format!("/bank/v1/payment/statement?billerId={BILLER}&statementDate={day}");
        assert_eq!(world.bank_get(&path).await.0, 404, "the day is not over");
        world.clock.advance(chrono::Duration::days(1));
        let (status, text) = world.bank_get(&path).await;
        let text = text.as_str().unwrap();
        assert_eq!((status, text.lines().count()), (200, 5), "{text}");
        assert!(text.starts_with(&format!("H|{BILLER}|{day}\n")));
        assert!(text.contains(&format!("|PAY020|505.00|{day}T")) && text.contains("R|R1|"));
        assert!(text.ends_with("T|3|1010.00|5.00\n"), "{text}");
        assert_eq!(world.bank_get(&path.replace(BILLER, "000000000000000")).await.0, 404);
        assert_eq!(world.bank_get("/bank/v1/payment/statement").await.0, 400);
    }
}
