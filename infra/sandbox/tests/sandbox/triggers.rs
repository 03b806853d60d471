//! What is told to go wrong goes wrong, where and as often as it was told.

use serde_json::{Value, json};
use testkit::{Engines, TestDatabase};

use crate::identity::{authorize_url, choose};
use crate::world::{World, json_of};

const BILLER: &str = "099400000010401";

async fn set(world: &World, trigger: Value) -> (u16, Value) {
    json_of(world.client.post(world.at("/triggers")).json(&trigger).send().await.unwrap()).await
}

async fn held(world: &World) -> Vec<Value> {
    let told = json_of(world.client.get(world.at("/triggers")).send().await.unwrap()).await.1;
    told["triggers"].as_array().unwrap().clone()
}

async fn status_of(world: &World, path: &str) -> u16 {
    world.client.get(world.at(path)).send().await.unwrap().status().as_u16()
}

async fn try_qr(world: &World, ref1: &str, amount: &str) -> (u16, Value) {
    let asked =
        json!({ "qrType": "PP", "ppType": "BILLERID", "ppId": BILLER, "amount": amount, "ref1": ref1 });
    world.bank_post("/bank/v1/payment/qrcode/create", asked).await
}

/// Opens a payment at the bank and gives the address it is paid at.
async fn qr(world: &World, ref1: &str, amount: &str) -> String {
    let (status, answer) = try_qr(world, ref1, amount).await;
    assert_eq!(status, 200, "{answer}");
    world.at(&format!("/bank/pay/{}", answer["data"]["qrcodeId"].as_str().unwrap()))
}

/// The line of the books about an order.
async fn booked(world: &World, ref1: &str) -> Value {
    let books = world.books().await;
    let orders = books["transactions"].as_array().unwrap();
    orders.iter().find(|order| order["reference1"] == ref1).unwrap().clone()
}

#[tokio::test]
async fn a_provider_that_is_down_answers_503_everywhere_and_others_go_on() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    let doors = [
        ("thaid", "/idp/thaid/jwks"),
        ("dga", "/idp/dga/.well-known/openid-configuration"),
        ("registry", "/registry/companies"),
        ("bank", "/bank/scan"),
        ("kbank", "/kbank/v1/qrpayment/request"),
        ("gwallet", "/gwallet/v1/orders/x"),
    ];
    for (down, _) in doors {
        let (status, trigger) =
            set(&world, json!({ "trigger": "provider_down", "at": down, "lasts": "until_cleared" })).await;
        assert_eq!(status, 201, "{trigger}");
        for (place, path) in doors {
            assert_eq!(status_of(&world, path).await == 503, place == down, "{path} while {down} is down");
        }
        let id = trigger["id"].as_str().unwrap();
        let cleared = world.client.delete(world.at(&format!("/triggers/{id}"))).send().await.unwrap();
        assert_eq!(cleared.status(), 204);
    }
    set(&world, json!({ "trigger": "provider_down", "at": "bank", "lasts": "until_cleared" })).await;
    let page = world.client.get(world.at("/bank/scan")).send().await.unwrap();
    assert_eq!(page.headers()["retry-after"], "5");
    assert!(page.text().await.unwrap().contains("does not answer"), "a person is told on a page");
    assert_eq!(status_of(&world, "/bank/books").await, 200, "the books are ours, not the bank's");
}

#[tokio::test]
async fn an_answer_that_is_lost_was_done_all_the_same() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    set(&world, json!({ "trigger": "answer_lost", "at": "bank" })).await;
    assert_eq!(try_qr(&world, "LOST", "505.00").await.0, 504);
    assert_eq!(booked(&world, "LOST").await["status"], "WAITING");
    assert_eq!(try_qr(&world, "LOST", "505.00").await.0, 200, "once is once");
    assert_eq!(world.books().await["transactions"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_login_is_refused_or_cancelled_for_one_persona_at_one_provider() {
    for place in Engines::all().await {
        let world = World::open(&place.target).await;
        let (thaid, dga) = (authorize_url(&world, "thaid", &[]), authorize_url(&world, "dga", &[]));
        for trigger in ["proofing_refused", "login_cancelled"] {
            let asked = json!({ "trigger": trigger, "at": "thaid", "persona": "somchai", "lasts": "once" });
            assert_eq!(set(&world, asked).await.0, 201);
            assert!(choose(&world, &thaid, "persona=malee").await.contains_key("code"), "another person");
            assert!(choose(&world, &dga, "persona=somchai").await.contains_key("code"), "another provider");
            assert_eq!(choose(&world, &thaid, "persona=somchai").await["error"], "access_denied");
            assert!(choose(&world, &thaid, "persona=somchai").await.contains_key("code"), "once is once");
        }
        assert_eq!(held(&world).await, Vec::<Value>::new());
    }
}

#[tokio::test]
async fn a_trigger_on_a_persona_outlives_the_persona_s_reset() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    set(&world, json!({ "trigger": "proofing_refused", "persona": "somchai", "lasts": "until_cleared" }))
        .await;
    world.client.post(world.at("/personas/somchai/reset")).send().await.unwrap();
    let url = authorize_url(&world, "thaid", &[]);
    assert_eq!(choose(&world, &url, "persona=somchai").await["error"], "access_denied");
}

#[tokio::test]
async fn payments_go_wrong_by_a_trigger_on_their_amount_or_reference() {
    for place in Engines::all().await {
        for (trigger, confirmations, satang) in [
            ("missing", 0, Some(12_300)),
            ("duplicate", 2, Some(12_300)),
            ("wrong_amount", 1, Some(12_200)),
            ("payment_declined", 0, None),
        ] {
            let world = World::open(&place.target).await;
            let reference = format!("T{trigger}").to_uppercase().replace('_', "");
            for scope in ["amount", "reference"] {
                let value = if scope == "amount" { json!("123.00") } else { json!(format!("{reference}R")) };
                assert_eq!(
                    set(&world, json!({ "trigger": trigger, "at": "bank", scope: value })).await.0,
                    201
                );
            }
            let other = qr(&world, &format!("{reference}O"), "124.00").await;
            world.send_form(&other, "action=pay").await;
            assert_eq!(world.told(1).await.len(), 1, "another payment goes well");
            let paid = qr(&world, &reference, "123.00").await;
            world.send_form(&paid, "action=pay&behave=normal").await;
            assert_eq!(world.told(1 + confirmations).await.len(), 1 + confirmations, "{trigger}");
            assert_eq!(booked(&world, &reference).await["paid_satang"], json!(satang), "{trigger}");
            let by_reference = qr(&world, &format!("{reference}R"), "125.00").await;
            world.send_form(&by_reference, "action=pay").await;
            assert_eq!(held(&world).await, Vec::<Value>::new(), "both were used");
            world.client.delete(world.at("/triggers")).send().await.unwrap();
            world.close().await;
        }
    }
}

#[tokio::test]
async fn late_unsigned_and_expired_payments_come_by_a_trigger_too() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    set(&world, json!({ "trigger": "late" })).await;
    world.send_form(&qr(&world, "LATE", "10.00").await, "action=pay").await;
    assert_eq!(world.told(0).await.len(), 0);
    world.clock.advance(chrono::Duration::seconds(1));
    assert_eq!(world.told(1).await.len(), 1, "moving the clock brings it");

    set(&world, json!({ "trigger": "unsigned", "at": "gwallet" })).await;
    let asked = json!({ "reference": "W1", "amount": "10.00", "callback_url": format!("{}/callbacks/payments/gwallet", world.url) });
    let order = world.wallet_post("/gwallet/v1/orders", asked).await.1;
    world.send_form(order["deep_link"].as_str().unwrap(), "action=pay").await;
    let told = world.told(2).await;
    assert!(told[1].provider == "gwallet" && !told[1].headers.contains_key("webhook-signature"));

    let expired = qr(&world, "EXPIRED", "10.00").await;
    world.clock.advance(chrono::Duration::hours(1));
    assert_eq!(world.send_form(&expired, "action=pay").await.status(), 409);
    set(&world, json!({ "trigger": "after_expiry", "reference": "EXPIRED" })).await;
    assert_eq!(world.send_form(&expired, "action=pay").await.status(), 200);
}

#[tokio::test]
async fn what_the_payer_chooses_comes_before_what_is_set() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    set(&world, json!({ "trigger": "payment_declined", "lasts": "until_cleared" })).await;
    world.send_form(&qr(&world, "CHOSEN", "10.00").await, "action=pay&behave=duplicate").await;
    assert_eq!(world.told(2).await.len(), 2);
    assert_eq!(held(&world).await[0]["used_count"], 0);
}

#[tokio::test]
async fn the_bank_refuses_to_open_a_payment_and_to_give_money_back() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    set(&world, json!({ "trigger": "order_refused" })).await;
    assert_eq!(try_qr(&world, "NO", "505.00").await.1["status"]["code"], 4103);
    assert_eq!(world.books().await["transactions"], json!([]), "and nothing was opened");

    world.send_form(&qr(&world, "YES", "505.00").await, "action=pay").await;
    let payment = booked(&world, "YES").await["bank_transaction_id"].clone();
    let refund = |id: &str| {
        let asked = json!({ "refundId": id, "transactionId": payment, "amount": "5.00" });
        world.bank_post("/bank/v1/payment/refund", asked)
    };
    let made = refund("R1").await;
    set(&world, json!({ "trigger": "refund_refused", "reference": "YES", "lasts": "until_cleared" })).await;
    assert_eq!(refund("R2").await.1["status"]["code"], 4103);
    assert_eq!(refund("R1").await, made, "what was given back stays given back");
    assert_eq!(world.books().await["totals"]["refunded_satang"], 500);
}

#[tokio::test]
async fn some_amounts_always_go_wrong() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    let listed = json_of(world.client.get(world.at("/triggers")).send().await.unwrap()).await.1;
    let amount = |trigger: &str| {
        let amounts = listed["amounts"].as_array().unwrap();
        let found = amounts.iter().find(|one| one["trigger"] == trigger).unwrap();
        found["amount"].as_str().unwrap().to_owned()
    };
    world.send_form(&qr(&world, "A1", &amount("payment_declined")).await, "action=pay").await;
    assert_eq!(booked(&world, "A1").await["status"], "DECLINED");
    world.send_form(&qr(&world, "A2", &amount("wrong_amount")).await, "action=pay").await;
    assert_eq!(booked(&world, "A2").await["paid_satang"], 9_000_500);
    world.send_form(&qr(&world, "A3", &amount("duplicate")).await, "action=pay").await;
    assert_eq!(world.told(3).await.len(), 3);
    assert_eq!(try_qr(&world, "A4", &amount("order_refused")).await.0, 409);
}

#[tokio::test]
async fn of_five_at_once_one_meets_a_trigger_that_holds_once() {
    for place in Engines::all().await {
        let world = World::open(&place.target).await;
        set(&world, json!({ "trigger": "provider_down", "at": "thaid" })).await;
        let ask = || status_of(&world, "/idp/thaid/jwks");
        let (a, b, c, d, e) = tokio::join!(ask(), ask(), ask(), ask(), ask());
        let mut statuses = [a, b, c, d, e];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 200, 200, 200, 503]);
    }
}

#[tokio::test]
async fn a_trigger_ends_by_the_movable_clock_and_outlives_a_restart() {
    for place in Engines::all().await {
        let world = World::open(&place.target).await;
        let (_, told) = set(&world, json!({ "trigger": "provider_down", "at": "dga", "minutes": 10 })).await;
        assert_eq!((&told["lasts"], &told["ends_at"]), (&json!("minutes"), &json!("2026-11-23T03:10:00Z")));
        assert_eq!(status_of(&world, "/idp/dga/jwks").await, 503);
        world.close().await;
        let world = World::open(&place.target).await;
        assert_eq!(status_of(&world, "/idp/dga/jwks").await, 503);
        assert_eq!(held(&world).await[0]["used_count"], 2);
        world.clock.advance(chrono::Duration::minutes(10));
        assert_eq!(status_of(&world, "/idp/dga/jwks").await, 200);
        assert_eq!(held(&world).await, Vec::<Value>::new());
    }
}

#[tokio::test]
async fn the_same_trigger_again_replaces_the_earlier_one_and_there_are_not_more_than_a_hundred() {
    for place in Engines::all().await {
        let world = World::open(&place.target).await;
        for lasts in ["until_cleared", "once"] {
            set(&world, json!({ "trigger": "late", "amount": "1.00", "lasts": lasts })).await;
        }
        let all = held(&world).await;
        assert_eq!((all.len(), &all[0]["lasts"]), (1, &json!("once")));
        for number in 2..=100 {
            assert_eq!(
                set(&world, json!({ "trigger": "late", "reference": format!("R{number}") })).await.0,
                201
            );
        }
        assert_eq!(set(&world, json!({ "trigger": "late", "reference": "ONE-MORE" })).await.0, 409);
        assert_eq!(world.client.delete(world.at("/triggers")).send().await.unwrap().status(), 204);
        assert_eq!(held(&world).await, Vec::<Value>::new());
    }
}

#[tokio::test]
async fn odd_triggers_are_refused_and_set_nothing() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    for odd in [
        json!({}),
        json!({ "trigger": "earthquake" }),
        json!({ "trigger": "provider_down", "at": "nowhere" }),
        json!({ "trigger": "proofing_refused", "at": "bank" }),
        json!({ "trigger": "late", "at": "thaid" }),
        json!({ "trigger": "late", "persona": "somchai" }),
        json!({ "trigger": "proofing_refused", "persona": "nobody" }),
        json!({ "trigger": "provider_down", "amount": "1.00" }),
        json!({ "trigger": "late", "amount": "-1" }),
        json!({ "trigger": "late", "amount": 1.234 }),
        json!({ "trigger": "late", "reference": "ก".repeat(65) }),
        json!({ "trigger": "late", "lasts": "forever" }),
        json!({ "trigger": "late", "lasts": "minutes" }),
        json!({ "trigger": "late", "minutes": 0 }),
        json!({ "trigger": "late", "minutes": "soon" }),
        json!({ "trigger": "late", "when": "now" }),
        json!({ "trigger": ["late"] }),
        json!(["late"]),
    ] {
        let (status, told) = set(&world, odd.clone()).await;
        assert_eq!((status, &told["error"]), (400, &json!("invalid_request")), "{odd}");
    }
    assert_eq!(world.send_form(&world.at("/triggers"), "trigger=x").await.status(), 400);
    assert_eq!(held(&world).await, Vec::<Value>::new());
    for unknown in ["x", "00000000-0000-0000-0000-000000000000"] {
        let cleared = world.client.delete(world.at(&format!("/triggers/{unknown}"))).send().await.unwrap();
        assert_eq!(cleared.status(), 404);
    }
}
