//! The books: another bank for QR codes, money that was paid twice, refunds by two officers, and nights.

use serde_json::{Value, json};

use crate::filing::{
    application_at, bill, bill_at, decide, key, parties, pay, start_payment, submitted_food_premises,
};
use crate::installation::{Installation, eventually};
use crate::person::Person;

/// An approved food-premises application whose bill is issued.
async fn approved(place: &Installation, person: &Person<'_>) -> (Value, Value) {
    let me = parties(person).await.remove(0);
    let application = submitted_food_premises(place, person, &me).await;
    let officer = Person::officer(place, "officer-nonthaburi").await;
    decide(&officer, "TakeApplication", &application, json!({})).await;
    decide(&officer, "ApproveApplication", &application, json!({"reason": "ครบถ้วน"})).await;
    let bill = bill(person, &application).await;
    (application, bill)
}

async fn timeline_tells(person: &Person<'_>, application: &Value, kind: &str) -> Value {
    eventually(kind, || async {
        let detail = person.ask("ApplicationDetail", json!({"id": application})).await;
        let events = detail["application"]["timeline"]["nodes"].as_array().cloned().unwrap_or_default();
        events.into_iter().find(|event| event["kind"] == kind)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_bank_s_qr_code_is_paid_and_what_is_paid_wrong_goes_back() {
    let mut place = Installation::start().await;
    let mut settings = payments::Config::sandbox(&place.url);
    settings.qr_bank = payments::QrBank::Kbank;
    place.restart_with(|config| config.payments = Some(settings)).await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let (application, bill) = approved(&place, &somchai).await;
    let wrong = start_payment(&somchai, &bill["id"], "PROMPTPAY_QR").await;
    assert!(pay(&place, &wrong, "wrong_amount").await.is_success());
    let returned = timeline_tells(&somchai, &application, "PAYMENT_RETURNED").await;
    assert!(returned["description"]["th"].as_str().unwrap().contains("คืนเงิน"), "{returned}");
    let open = somchai.ask("BillDetail", json!({"id": bill["id"]})).await["bill"].clone();
    assert_eq!((&open["status"], &open["refunds"][0]["status"]), (&json!("OPEN"), &json!("REFUNDED")));
    assert!(open["refunds"][0]["explanation"]["en"].as_str().unwrap().starts_with("Less was paid"));
    let right = start_payment(&somchai, &bill["id"], "PROMPTPAY_QR").await;
    assert!(pay(&place, &right, "").await.is_success());
    bill_at(&somchai, &bill["id"], "SETTLED").await;
    application_at(&somchai, &application, "PAID").await;
    let totals = place.bank_books().await["totals"].clone();
    assert_eq!((&totals["paid_satang"], &totals["refunded_satang"]), (&json!(199_900), &json!(99_900)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_the_wallet_refuses_is_completed_by_two_officers() {
    let place = Installation::start().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let (application, bill) = approved(&place, &somchai).await;
    let by_wallet = start_payment(&somchai, &bill["id"], "G_WALLET").await;
    let by_qr = start_payment(&somchai, &bill["id"], "PROMPTPAY_QR").await;
    assert!(pay(&place, &by_wallet, "missing").await.is_success());
    // Somebody at the wallet gives it back, and tells nobody.
    let order = by_wallet["walletReference"].as_str().unwrap();
    let refunds = format!("{}/sandbox/gwallet/v1/orders/{order}/refunds", place.url);
    let refund = json!({"refund_id": "at-the-counter", "amount": "1000.00"});
    let given = place.http.post(refunds).bearer_auth("sandbox-gwallet-key").json(&refund);
    assert!(given.send().await.unwrap().status().is_success());
    assert!(pay(&place, &by_qr, "").await.is_success());
    bill_at(&somchai, &bill["id"], "SETTLED").await;
    let officer = Person::officer(&place, "officer-nonthaburi").await;
    let filter = json!({"filter": {"status": "MANUAL"}});
    let manual = eventually("a refund for an officer", || async {
        let listed = officer.ask("OfficerRefunds", filter.clone()).await;
        Some(listed["refunds"]["nodes"][0].clone()).filter(|refund| !refund.is_null())
    })
    .await;
    assert_eq!((&manual["reason"], &manual["amount"]["amount"]), (&json!("DUPLICATE"), &json!("1000.00")));
    let elsewhere = Person::officer(&place, "officer-chiangmai").await;
    assert_eq!(elsewhere.ask("OfficerRefunds", filter).await["refunds"]["nodes"], json!([]));
    let input = json!({
        "idempotencyKey": key(), "refundId": manual["id"], "completion": "PAID_AT_PROVIDER", "reference": "KTB-1",
    });
    let stranger = elsewhere.ask("ProposeRefundCompletion", json!({"input": input})).await;
    assert_eq!(stranger["proposeRefundCompletion"]["__typename"], "NotFoundProblem");
    let proposed = officer.ask("ProposeRefundCompletion", json!({"input": input})).await;
    let proposal = proposed["proposeRefundCompletion"]["proposal"].clone();
    let decision = || {
        json!({"input": {
            "idempotencyKey": key(), "proposalId": proposal["id"], "confirm": true,
        }})
    };
    let alone = officer.ask("DecideProposal", decision()).await;
    assert_eq!(alone["decideProposal"]["__typename"], "StateProblem", "{alone}");
    let second = Person::officer(&place, "approver-nonthaburi").await;
    let confirmed = second.ask("DecideProposal", decision()).await;
    assert_eq!(confirmed["decideProposal"]["proposal"]["status"], "CONFIRMED", "{confirmed}");
    timeline_tells(&somchai, &application, "PAYMENT_RETURNED").await;
    let after = somchai.ask("BillDetail", json!({"id": bill["id"]})).await["bill"].clone();
    assert_eq!((&after["status"], &after["refunds"][0]["status"]), (&json!("SETTLED"), &json!("REFUNDED")));
}

#[tokio::test(flavor = "multi_thread")]
async fn at_night_the_bank_s_account_of_the_day_finds_money_of_no_bill() {
    let place = Installation::start().await;
    let stray = payments::qr::BillPayment {
        biller_id: "099400000010401".into(),
        reference1: "PAIDFORNOTHING".into(),
        reference2: None,
        reference3: None,
        amount_satang: Some(4_200),
    };
    let payment = json!({"qrPayload": stray.encode().unwrap()});
    assert!(pay(&place, &payment, "").await.is_success());
    place.pass(30 * 3_600).await;
    let found = eventually("a finding", || async {
        let officer = Person::officer(&place, "officer-dga").await;
        let listed = officer.ask("OfficerFindings", json!({"filter": {"kind": "MISSING_US"}})).await;
        Some(listed["findings"]["nodes"][0].clone()).filter(|finding| !finding.is_null())
    })
    .await;
    assert_eq!((&found["status"], &found["theirs"]["amount"]), (&json!("OPEN"), &json!("42.00")));
    let elsewhere = Person::officer(&place, "officer-chiangmai").await;
    assert_eq!(elsewhere.ask("OfficerFindings", json!({})).await["findings"]["nodes"], json!([]));

    // Nobody's money is looked after by the operator, and given back by two.
    let officer = Person::officer(&place, "officer-dga").await;
    let input = json!({
        "idempotencyKey": key(), "findingId": found["id"], "resolution": "PAID_BACK", "reference": "TR-42",
    });
    let proposed = officer.ask("ProposeFindingResolution", json!({ "input": input })).await;
    let proposal = &proposed["proposeFindingResolution"]["proposal"];
    assert_eq!(proposal["status"], "OPEN", "{proposed}");
    let decision =
        || json!({"input": {"idempotencyKey": key(), "proposalId": proposal["id"], "confirm": true}});
    let alone = officer.ask("DecideProposal", decision()).await;
    assert_eq!(alone["decideProposal"]["__typename"], "StateProblem", "{alone}");
    let second = Person::officer(&place, "approver-dga").await;
    let confirmed = second.ask("DecideProposal", decision()).await;
    assert_eq!(confirmed["decideProposal"]["proposal"]["status"], "CONFIRMED", "{confirmed}");
    let listed = second.ask("OfficerFindings", json!({"filter": {"kind": "MISSING_US"}})).await;
    assert_eq!(listed["findings"]["nodes"][0]["resolution"], "PAID_BACK", "{listed}");
}
