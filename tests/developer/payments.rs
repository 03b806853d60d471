//! Payments that go wrong because a developer said so: the portal's books hold.

use serde_json::{Value, json};

use super::{clear_triggers, set_trigger};
use crate::filing::{bill, bill_at, decide, key, parties, pay, start_payment, submitted_food_premises};
use crate::installation::{Installation, eventually};
use crate::person::Person;

/// The open bill of an approved application: 1,000 baht.
async fn open_bill(place: &Installation, person: &Person<'_>) -> Value {
    let me = parties(person).await.remove(0);
    let application = submitted_food_premises(place, person, &me).await;
    let officer = Person::officer(place, "officer-nonthaburi").await;
    decide(&officer, "TakeApplication", &application, json!({})).await;
    decide(&officer, "ApproveApplication", &application, json!({"reason": "ครบถ้วน"})).await;
    bill(person, &application).await["id"].clone()
}

async fn detail(person: &Person<'_>, bill: &Value) -> Value {
    person.ask("BillDetail", json!({"id": bill})).await["bill"].take()
}

/// Every transfer that came for the bill, and how many of its payments succeeded.
fn came(bill: &Value) -> (Vec<Value>, usize) {
    let payments = bill["payments"].as_array().expect("payments");
    let transfers = payments.iter().flat_map(|payment| payment["settlements"].as_array().cloned());
    let succeeded = payments.iter().filter(|payment| payment["status"] == "SUCCEEDED");
    (transfers.flatten().collect(), succeeded.count())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmation_that_comes_twice_or_late_settles_a_bill_once() {
    let place = Installation::start().await;
    let mut somchai = Person::citizen(&place, "somchai", "thaid").await;
    for (trigger, method) in
        [("duplicate", "PROMPTPAY_QR"), ("late", "PROMPTPAY_QR"), ("duplicate", "G_WALLET")]
    {
        let bill = open_bill(&place, &somchai).await;
        set_trigger(&place, json!({"trigger": trigger, "amount": "1000.00"})).await;
        let payment = start_payment(&somchai, &bill, method).await;
        assert!(pay(&place, &payment, "").await.is_success());
        if trigger == "late" {
            place.pass(61).await;
        }
        bill_at(&somchai, &bill, "SETTLED").await;
        // Every timer that asks the bank about it comes by; meanwhile the token has ended.
        place.pass(1_200).await;
        somchai = Person::citizen(&place, "somchai", "thaid").await;
        let settled = detail(&somchai, &bill).await;
        let (transfers, succeeded) = came(&settled);
        assert_eq!((transfers.len(), succeeded), (1, 1), "{trigger}: {settled}");
        assert_eq!(settled["refunds"], json!([]), "{trigger}");
    }
    assert_eq!(place.bank_books().await["totals"]["paid_satang"], 300_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_amount_leaves_the_bill_open_and_goes_back() {
    let place = Installation::start().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let bill = open_bill(&place, &somchai).await;
    set_trigger(&place, json!({"trigger": "wrong_amount", "at": "bank"})).await;
    let payment = start_payment(&somchai, &bill, "PROMPTPAY_QR").await;
    assert!(pay(&place, &payment, "").await.is_success());
    let returned = eventually("the refund", || async {
        let bill = detail(&somchai, &bill).await;
        (bill["refunds"][0]["status"] == "REFUNDED").then_some(bill)
    })
    .await;
    assert_eq!((&returned["status"], &returned["receipt"]), (&json!("OPEN"), &json!(null)));
    assert_eq!(returned["refunds"][0]["amount"]["amount"], "999.00");
    let totals = &place.bank_books().await["totals"];
    assert_eq!(totals["paid_satang"], totals["refunded_satang"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_whose_answer_was_lost_is_asked_and_one_order_is_paid() {
    let place = Installation::start().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let first = open_bill(&place, &somchai).await;
    // The bank's token is fetched here, so that the next thing sent is the order.
    start_payment(&somchai, &first, "PROMPTPAY_QR").await;
    let bill = open_bill(&place, &somchai).await;
    set_trigger(&place, json!({"trigger": "answer_lost", "at": "bank"})).await;
    let input = json!({"idempotencyKey": key(), "billId": bill, "method": "PROMPTPAY_QR"});
    let started = somchai.ask("StartPayment", json!({"input": input})).await;
    let id = started["startPayment"]["payment"]["id"].clone();
    assert!(id.is_string(), "{started}");
    place.pass(10).await;
    let again = json!({"input": input});
    let payment = eventually("the QR", || async {
        let started = somchai.ask("StartPayment", again.clone()).await;
        let payment = started["startPayment"]["payment"].clone();
        payment["qrPayload"].is_string().then_some(payment)
    })
    .await;
    assert_eq!(payment["id"], id, "the citizen pays what they began");
    assert!(pay(&place, &payment, "").await.is_success());
    bill_at(&somchai, &bill, "SETTLED").await;
    let books = place.bank_books().await;
    assert_eq!(books["transactions"].as_array().unwrap().len(), 2, "{books}");
    assert_eq!(books["totals"]["paid_count"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_the_bank_refuses_waits_for_an_officer_and_a_declined_payment_costs_nothing() {
    let place = Installation::start().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let bill = open_bill(&place, &somchai).await;
    set_trigger(&place, json!({"trigger": "payment_declined", "at": "gwallet"})).await;
    let declined = start_payment(&somchai, &bill, "G_WALLET").await;
    pay(&place, &declined, "").await;
    assert_eq!(place.bank_books().await["totals"]["paid_count"], 0);

    set_trigger(&place, json!({"trigger": "wrong_amount", "at": "bank"})).await;
    set_trigger(&place, json!({"trigger": "refund_refused", "at": "bank", "lasts": "until_cleared"})).await;
    let payment = start_payment(&somchai, &bill, "MOBILE_BANKING").await;
    assert!(pay(&place, &payment, "").await.is_success());
    let owed = eventually("the refund by hand", || async {
        let bill = detail(&somchai, &bill).await;
        (bill["refunds"][0]["status"] == "MANUAL").then_some(bill)
    })
    .await;
    assert_eq!(
        (&owed["status"], &owed["refunds"][0]["amount"]["amount"]),
        (&json!("OPEN"), &json!("999.00"))
    );
    assert_eq!(place.bank_books().await["totals"]["refunded_satang"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_that_is_down_over_a_restart_is_down_and_then_is_paid() {
    let mut place = Installation::start().await;
    let bill = {
        let somchai = Person::citizen(&place, "somchai", "thaid").await;
        open_bill(&place, &somchai).await
    };
    set_trigger(&place, json!({"trigger": "provider_down", "at": "bank", "lasts": "until_cleared"})).await;
    place.restart().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let input = json!({"idempotencyKey": key(), "billId": bill, "method": "PROMPTPAY_QR"});
    let started = somchai.ask("StartPayment", json!({"input": input})).await;
    let held = &started["startPayment"]["payment"];
    assert!(held["qrPayload"].is_null(), "{started}");
    clear_triggers(&place).await;
    place.pass(130).await;
    let payment = eventually("the QR", || async {
        let started = somchai.ask("StartPayment", json!({"input": input})).await;
        let payment = started["startPayment"]["payment"].clone();
        payment["qrPayload"].is_string().then_some(payment)
    })
    .await;
    assert!(pay(&place, &payment, "").await.is_success());
    bill_at(&somchai, &bill, "SETTLED").await;
}
