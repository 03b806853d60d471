//! Each night our books are compared with the providers': what we missed is counted, what differs is found.

use database::args;
use payments::QrBank;
use payments::qr::BillPayment;
use serde_json::{Value, json};
use testkit::TestDatabase;
use uuid::Uuid;

use crate::world::{GWALLET_SECRET, Outside, World};

/// To the next night, after the banks have closed their day.
const TO_THE_NIGHT_S: i64 = 17 * 3_600;

async fn day_count(world: &World, status: &str) -> i64 {
    let sql = "select count(*) as days from reconciliation where status = $1";
    world.service.database().row(sql, args![status]).await.unwrap().unwrap().get("days").unwrap()
}

async fn wallet_reference(world: &World) -> String {
    world.bank_books().await["transactions"][0]["reference1"].as_str().unwrap().to_owned()
}

fn told(payment: &Value, reference: &str, amount: &str) -> String {
    json!({
        "type": "order.paid", "timestamp": "2026-11-23T03:00:05Z",
        "data": {
            "txn_ref_id": payment["walletReference"], "reference": reference, "amount": amount,
            "status": "PAID", "paid_at": "2026-11-23T03:00:05Z", "wallet_reference": "w",
        },
    })
    .to_string()
}

#[tokio::test]
async fn a_day_whose_books_agree_ends_without_a_finding_and_is_looked_at_once() {
    for world in World::all().await {
        let who = world.citizen();
        for method in ["PROMPTPAY_QR", "MOBILE_BANKING", "G_WALLET"] {
            let (bill, application_id) = world.bill(&who).await;
            let payment = world.started(&who, &bill, method).await;
            world.pay(&payment, "").await;
            world.until_settled(&who, &bill).await;
            let closed = json!({ "application_id": application_id, "outcome": "rejected", "refund": true });
            world.publish("applications.closed", closed).await;
        }
        world.drain().await;
        assert_eq!(day_count(&world, "DONE").await, 0, "a day is looked at when it is over");
        world.pass(TO_THE_NIGHT_S).await;
        assert_eq!(world.findings(&world.officer(1)).await, json!([]));
        assert_eq!((day_count(&world, "DONE").await, day_count(&world, "OPEN").await), (3, 3));
        let sql = "select cast(sum(line_count) as bigint) as lines, cast(sum(matched_count) as bigint) as matched \
            from reconciliation";
        let row = world.service.database().row(sql, args![]).await.unwrap().unwrap();
        let count = |column: &str| row.get::<i64>(column).unwrap();
        // Two payments and two refunds by the bank, one payment by the wallet.
        assert_eq!((count("lines"), count("matched")), (5, 3));
        world.pass(3 * 86_400).await;
        assert_eq!(day_count(&world, "DONE").await, 12, "days that were slept through are caught up with");
        assert_eq!(world.findings(&world.officer(1)).await, json!([]));
    }
}

#[tokio::test]
async fn money_that_we_never_heard_of_is_counted_from_the_account_of_the_day() {
    for world in World::each_bank().await {
        let who = world.citizen();
        let (bill, _) = world.bill(&who).await;
        let payment = world.started(&who, &bill, "PROMPTPAY_QR").await;
        // Watched to its end, and only then taken by the bank, which tells nobody.
        world.pass(1_300).await;
        world.pass(1_300).await;
        assert_eq!(world.payment(&who, &payment).await["status"], "EXPIRED");
        let again = json!({ "id": payment["id"], "qrPayload": payment["qrPayload"] });
        assert_eq!(world.pay_status(&again, "after_expiry").await, 200);
        world.database_says("delete from outbox_message where topic = 'payments.ask'").await;
        world
            .service
            .database()
            .execute(
                "update payment set inquiry_due_at = $1",
                args!["2027-01-01T00:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap()],
            )
            .await
            .unwrap();
        world.pass(TO_THE_NIGHT_S).await;
        assert_eq!(world.bill_now(&who, &bill).await["status"], "SETTLED");
        let findings = world.findings(&world.officer(1)).await;
        for finding in findings.as_array().unwrap() {
            assert_eq!((&finding["kind"], &finding["resolution"]), (&json!("MISSING_US"), &json!("HEALED")));
        }
        assert_eq!(world.assert_books_agree().await, 0);
    }
}

#[tokio::test]
async fn money_of_no_bill_is_found_for_the_operators_and_ends_with_two_people() {
    for world in World::all().await {
        // Anyone can write such a code, and pay it.
        let stray = BillPayment {
            biller_id: "099400000010401".into(),
            reference1: "NOSUCHREFERENCE".into(),
            reference2: None,
            reference3: None,
            amount_satang: Some(12_300),
        };
        let payload = json!({ "qrPayload": stray.encode().unwrap() });
        world.pay(&payload, "").await;
        world.pass(TO_THE_NIGHT_S).await;
        assert_eq!(world.findings(&world.officer(1)).await, json!([]), "it is no agency's");
        let operator = |number| testkit::officer(Uuid::from_u128(number), "dga", world.clock.now());
        let found = world.findings(&operator(1)).await[0].clone();
        assert_eq!((&found["kind"], &found["status"]), (&json!("MISSING_US"), &json!("OPEN")));
        assert_eq!((&found["theirs"]["amount"], &found["ours"]), (&json!("123.00"), &json!(null)));
        let propose = |resolution: &str, key: &str| json!({ "idempotencyKey": key, "findingId": found["id"], "resolution": resolution, "reference": "R-1" });
        let wrong = world.by_hand(&operator(1), "proposeFindingResolution", propose("NEVER_PAID", "a")).await;
        assert_eq!(wrong["__typename"], "StateProblem");
        let stranger =
            world.by_hand(&world.officer(1), "proposeFindingResolution", propose("PAID_BACK", "b")).await;
        assert_eq!(stranger["__typename"], "NotFoundProblem");
        let proposed =
            world.by_hand(&operator(1), "proposeFindingResolution", propose("PAID_BACK", "c")).await;
        let decide =
            json!({ "idempotencyKey": "d", "proposalId": proposed["proposal"]["id"], "confirm": true });
        world.by_hand(&operator(2), "decideProposal", decide).await;
        let ended = world.findings(&operator(1)).await[0].clone();
        assert_eq!((&ended["status"], &ended["resolution"]), (&json!("SETTLED"), &json!("PAID_BACK")));
        world.pass(86_400).await;
        assert_eq!(world.findings(&operator(1)).await.as_array().unwrap().len(), 1, "found once");
    }
}

#[tokio::test]
async fn money_that_the_provider_does_not_know_of_and_other_amounts_are_found() {
    for world in World::all().await {
        let who = world.citizen();
        // Signed by the wallet, and then never heard of again.
        let (untold_bill, _) = world.bill(&who).await;
        let untold = world.started(&who, &untold_bill, "G_WALLET").await;
        let body = told(&untold, &wallet_reference(&world).await, "505.00");
        assert_eq!(world.notify_gwallet(&body, Some(GWALLET_SECRET)).await, 200);
        // Signed with one amount, inquired with another.
        world.pass(1).await;
        let (other_bill, _) = world.bill(&who).await;
        let other = world.started(&who, &other_bill, "G_WALLET").await;
        let body = told(&other, &wallet_reference(&world).await, "505.00");
        assert_eq!(world.pay_status(&other, "missing").await, 200);
        assert_eq!(world.notify_gwallet(&body.replace("505.00", "504.00"), Some(GWALLET_SECRET)).await, 200);
        world.pass(TO_THE_NIGHT_S).await;
        let found = world.findings(&world.officer(1)).await;
        let mut kinds: Vec<_> = found.as_array().unwrap().iter().map(|one| one["kind"].to_string()).collect();
        kinds.sort();
        assert_eq!(kinds, [r#""AMOUNT_DIFF""#, r#""MISSING_BANK""#], "{found}");
        let missing = found.as_array().unwrap().iter().find(|one| one["kind"] == "MISSING_BANK").unwrap();
        assert_eq!((&missing["bill"]["id"], &missing["provider"]), (&json!(untold_bill), &json!("gwallet")));
        let differs = found.as_array().unwrap().iter().find(|one| one["kind"] == "AMOUNT_DIFF").unwrap();
        let amounts = (&differs["ours"]["amount"], &differs["theirs"]["amount"]);
        assert_eq!(amounts, (&json!("504.00"), &json!("505.00")));
        let elsewhere = testkit::officer(Uuid::from_u128(3), "DLT", world.clock.now());
        assert_eq!(world.findings(&elsewhere).await, json!([]));
        // The wallet tells of it after all: the finding goes away by itself.
        assert_eq!(world.pay_status(&untold, "after_expiry").await, 200);
        world.pass(86_400).await;
        let found = world.findings(&world.officer(1)).await;
        let ended = found.as_array().unwrap().iter().find(|one| one["kind"] == "MISSING_BANK").unwrap();
        assert_eq!(ended["resolution"], "HEALED");
    }
}

#[tokio::test]
async fn a_refund_made_at_the_bank_ends_here_and_one_that_nobody_ordered_is_found() {
    for world in World::all().await {
        let who = world.citizen();
        let (bill, application_id) = world.bill(&who).await;
        let payment = world.started(&who, &bill, "PROMPTPAY_QR").await;
        world.pay(&payment, "").await;
        world.until_settled(&who, &bill).await;
        // The bank makes the refund, its answers are lost, and an officer is asked for.
        world.outside(Outside::LosesAnswers);
        let closed = json!({ "application_id": application_id, "outcome": "rejected", "refund": true });
        world.publish("applications.closed", closed).await;
        world.database_says("update refund set status = 'MANUAL'").await;
        world.outside(Outside::Answers);
        let (stray_bill, _) = world.bill(&who).await;
        let stray = world.started(&who, &stray_bill, "PROMPTPAY_QR").await;
        world.pay(&stray, "").await;
        world.until_settled(&who, &stray_bill).await;
        world.refund_at_bank("stray", "5.00").await;
        world.pass(TO_THE_NIGHT_S).await;
        assert_eq!(world.bill_now(&who, &bill).await["refunds"][0]["status"], "REFUNDED");
        let found = world.findings(&world.officer(1)).await;
        let of = |status: &str| {
            let found = found.as_array().unwrap().iter().filter(|one| one["status"] == status);
            found.map(|one| (one["kind"].clone(), one["bill"]["id"].clone())).collect::<Vec<_>>()
        };
        assert_eq!(of("SETTLED"), [(json!("REFUND_MISSING_US"), json!(bill))]);
        assert_eq!(of("OPEN"), [(json!("REFUND_MISSING_US"), json!(stray_bill))]);
    }
}

#[tokio::test]
async fn a_bank_that_is_away_at_night_is_asked_again_and_people_hear_of_it_after_days() {
    let world = World::open_with(TestDatabase::sqlite(), QrBank::Scb).await;
    world.outside(Outside::Down);
    let operator = testkit::officer(Uuid::from_u128(1), "dga", world.clock.now());
    world.pass(TO_THE_NIGHT_S).await;
    assert_eq!(world.findings(&operator).await, json!([]));
    for _ in 0..3 {
        world.pass(86_400).await;
    }
    let found = world.findings(&operator).await;
    let first = found.as_array().unwrap().last().unwrap();
    assert_eq!((&first["kind"], &first["day"]), (&json!("STATEMENT_MISSING"), &json!("2026-11-23")));
    world.outside(Outside::Answers);
    world.pass(3_700).await;
    let found = world.findings(&operator).await;
    assert!(found.as_array().unwrap().iter().all(|one| one["resolution"] == "HEALED"), "{found}");
}

#[tokio::test]
async fn a_payment_that_its_provider_is_silent_about_for_days_is_handed_to_people() {
    let world = World::open(TestDatabase::sqlite()).await;
    let who = world.citizen();
    let (bill, _) = world.bill(&who).await;
    let stuck = world.started(&who, &bill, "G_WALLET").await;
    world.outside(Outside::Down);
    for _ in 0..3 {
        world.pass(86_400).await;
    }
    let silent = |found: &Value| {
        found.as_array().unwrap().iter().find(|one| one["kind"] == "PAYMENT_UNRESOLVED").cloned()
    };
    assert_eq!(silent(&world.findings(&world.officer(1)).await), None);
    world.pass(86_400).await;
    let found = silent(&world.findings(&world.officer(1)).await).unwrap();
    assert_eq!((&found["bill"]["id"], &found["status"]), (&json!(bill), &json!("OPEN")));
    let proposal = json!({ "idempotencyKey": "p", "findingId": found["id"], "resolution": "NEVER_PAID",
        "reference": "KTB-LETTER-1" });
    let proposed = world.by_hand(&world.officer(1), "proposeFindingResolution", proposal).await;
    let decide = json!({ "idempotencyKey": "d", "proposalId": proposed["proposal"]["id"], "confirm": true });
    let decided = world.by_hand(&world.officer(2), "decideProposal", decide).await;
    assert_eq!(decided["proposal"]["status"], "CONFIRMED", "{decided}");
    assert_eq!(world.payment(&who, &stuck).await["status"], "EXPIRED");
    world.outside(Outside::Answers);
    let next = world.started(&who, &bill, "G_WALLET").await;
    assert_ne!(next["id"], stuck["id"]);
}

#[tokio::test]
async fn a_day_that_cannot_be_taken_in_holds_up_no_other() {
    for world in World::all().await {
        world.database_says("alter table statement_line rename to statement_line_away").await;
        world.pass(TO_THE_NIGHT_S).await;
        assert_eq!((day_count(&world, "DONE").await, day_count(&world, "OPEN").await), (0, 6));
        world.database_says("alter table statement_line_away rename to statement_line").await;
        world.pass(86_400).await;
        assert_eq!((day_count(&world, "DONE").await, day_count(&world, "OPEN").await), (6, 3));
    }
}

#[tokio::test]
async fn more_differences_than_are_read_at_once_are_all_found() {
    let world = World::open(TestDatabase::sqlite()).await;
    let who = world.citizen();
    let (bill, _) = world.bill(&who).await;
    world.started(&who, &bill, "PROMPTPAY_QR").await;
    let count = payments::store::statement::ROWS_MAX + 1;
    for number in 1..=count {
        let sql = "insert into settlement (id, payment_id, bill_id, provider, provider_txn_id, trust, \
            classification, amount_satang, kept_satang, returned_satang, occurred_at, recorded_at) \
            select $1, id, bill_id, provider, $2, 'INQUIRED', 'LATE', 100, 0, 100, created_at, created_at from payment";
        let id = Uuid::from_u128(number.unsigned_abs().into());
        world.service.database().execute(sql, args![id, format!("t{number}")]).await.unwrap();
    }
    world
        .database_says(
            "insert into statement_line (provider, kind, line_id, day, provider_txn_id, reference, amount_satang, \
             occurred_at, recorded_at) select provider, 'PAYMENT', provider_txn_id, '2026-11-23', provider_txn_id, \
             'R', 99, occurred_at, recorded_at from settlement",
        )
        .await;
    world.pass(TO_THE_NIGHT_S).await;
    let sql = "select count(*) as findings from finding where kind = 'AMOUNT_DIFF'";
    let row = world.service.database().row(sql, args![]).await.unwrap().unwrap();
    assert_eq!(row.get::<i64>("findings").unwrap(), count);
}
