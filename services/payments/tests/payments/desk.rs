//! Refunds that no provider makes: completed by two officers, once.

use auth::Principal;
use database::args;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{Outside, World};

const REFUNDS: &str = "query($after: String) { refunds(first: 1, after: $after, filter: { status: MANUAL }) { \
    nodes { id status explanation { th } bill { id } proposals { status } } pageInfo { hasNextPage endCursor } } }";

/// A bill whose fee has to be paid back by hand: the wallet refuses, because somebody there was faster.
async fn manual(world: &World, who: &Principal) -> (String, Value) {
    let (bill, application_id) = world.bill(who).await;
    let payment = world.started(who, &bill, "G_WALLET").await;
    world.pay(&payment, "").await;
    world.until_settled(who, &bill).await;
    let order =
        format!("{}/sandbox/gwallet/v1/orders/{}", world.url, payment["walletReference"].as_str().unwrap());
    let refund = json!({ "refund_id": format!("by-hand-{application_id}"), "amount": "505.00" });
    let by_hand =
        world.http.post(format!("{order}/refunds")).bearer_auth("sandbox-gwallet-key").json(&refund);
    assert_eq!(by_hand.send().await.unwrap().status(), 200);
    let closed = json!({ "application_id": application_id, "outcome": "rejected", "refund": true });
    world.publish("applications.closed", closed).await;
    world.drain().await;
    let listed = world.ask(&world.officer(1), REFUNDS, json!({})).await["refunds"]["nodes"][0].clone();
    assert_eq!(listed["status"], "MANUAL", "{listed}");
    (bill, listed)
}

fn completion(refund: &Value, how: &str, key: &str) -> Value {
    json!({ "idempotencyKey": key, "refundId": refund["id"], "completion": how, "reference": "KTB-2569/001" })
}

fn decision(proposed: &Value, confirm: bool, key: &str) -> Value {
    json!({ "idempotencyKey": key, "proposalId": proposed["proposal"]["id"], "confirm": confirm })
}

#[tokio::test]
async fn one_officer_proposes_and_only_another_can_confirm() {
    for world in World::all().await {
        let who = world.citizen();
        let (bill, refund) = manual(&world, &who).await;
        let (first, second) = (world.officer(1), world.officer(2));
        let how = completion(&refund, "PAID_AT_PROVIDER", "k");
        let proposed = world.by_hand(&first, "proposeRefundCompletion", how.clone()).await;
        assert_eq!(proposed["proposal"]["status"], "OPEN", "{proposed}");
        let again = world.by_hand(&first, "proposeRefundCompletion", how).await;
        assert_eq!(again, proposed, "sent again, it is the same proposal");
        let other = completion(&refund, "PAID_BY_TRANSFER", "other");
        assert_eq!(
            world.by_hand(&second, "proposeRefundCompletion", other).await["__typename"],
            "StateProblem"
        );
        let alone = world.by_hand(&first, "decideProposal", decision(&proposed, true, "k")).await;
        assert_eq!(alone["__typename"], "StateProblem");
        assert_eq!(world.bill_now(&who, &bill).await["refunds"][0]["status"], "MANUAL");
        let confirmed = world.by_hand(&second, "decideProposal", decision(&proposed, true, "k")).await;
        assert_eq!(confirmed["proposal"]["status"], "CONFIRMED", "{confirmed}");
        assert_ne!(confirmed["proposal"]["decidedBy"], confirmed["proposal"]["proposedBy"]);
        let again = world.by_hand(&second, "decideProposal", decision(&proposed, true, "k")).await;
        assert_eq!(again, confirmed);
        let late = world.by_hand(&second, "decideProposal", decision(&proposed, false, "late")).await;
        assert_eq!(late["__typename"], "StateProblem");
        world.drain().await;
        assert_eq!(world.bill_now(&who, &bill).await["refunds"][0]["status"], "REFUNDED");
        assert_eq!(world.assert_books_agree().await, 0);
        let published = world.published.lock().unwrap().clone();
        let said: Vec<_> = published.iter().filter(|(topic, _)| topic == "payments.refunded").collect();
        assert_eq!((said.len(), &said[0].1["reason"]), (1, &json!("APPLICATION_CLOSED")));
    }
}

#[tokio::test]
async fn what_an_agency_transferred_itself_stays_with_the_provider_in_the_books() {
    for world in World::all().await {
        let who = world.citizen();
        let (bill, application_id) = world.bill(&who).await;
        let payment = world.started(&who, &bill, "G_WALLET").await;
        world.pay(&payment, "").await;
        world.until_settled(&who, &bill).await;
        let closed = json!({ "application_id": application_id, "outcome": "rejected", "refund": true });
        world.outside(Outside::Silent);
        world.publish("applications.closed", closed).await;
        world.database_says("update refund set status = 'MANUAL'").await;
        world.outside(Outside::Answers);
        let refund = world.ask(&world.officer(1), REFUNDS, json!({})).await["refunds"]["nodes"][0].clone();
        let how = completion(&refund, "PAID_BY_TRANSFER", "k");
        let proposed = world.by_hand(&world.officer(1), "proposeRefundCompletion", how).await;
        world.by_hand(&world.officer(2), "decideProposal", decision(&proposed, true, "k")).await;
        assert_eq!(world.bill_now(&who, &bill).await["refunds"][0]["status"], "REFUNDED");
        // The wallet still holds it, and the agency is owed what it laid out.
        assert_eq!(world.assert_books_agree().await, 0);
        assert_eq!(world.bank_books().await["totals"]["refunded_satang"], 0);
    }
}

#[tokio::test]
async fn a_proposal_that_is_turned_down_does_nothing_and_makes_room_for_another() {
    for world in World::all().await {
        let who = world.citizen();
        let (bill, refund) = manual(&world, &who).await;
        let (first, second) = (world.officer(1), world.officer(2));
        let how = completion(&refund, "NOT_OWED", "k");
        let proposed = world.by_hand(&first, "proposeRefundCompletion", how).await;
        let rejected = world.by_hand(&second, "decideProposal", decision(&proposed, false, "k")).await;
        assert_eq!(rejected["proposal"]["status"], "REJECTED");
        assert_eq!(world.bill_now(&who, &bill).await["refunds"][0]["status"], "MANUAL");
        let how = completion(&refund, "NOT_OWED", "k2");
        let proposed = world.by_hand(&second, "proposeRefundCompletion", how).await;
        let confirmed = world.by_hand(&first, "decideProposal", decision(&proposed, true, "k2")).await;
        assert_eq!(confirmed["proposal"]["status"], "CONFIRMED", "{confirmed}");
        assert_eq!(world.bill_now(&who, &bill).await["refunds"][0]["status"], "FAILED");
        let database = world.service.database();
        for sql in ["update proposal set decided_by = 'x'", "delete from proposal"] {
            assert!(database.execute(sql, args![]).await.is_err(), "{sql}");
        }
    }
}

#[tokio::test]
async fn officers_of_another_agency_citizens_and_reviewers_alone_change_nothing() {
    for world in World::all().await {
        let who = world.citizen();
        let (bill, refund) = manual(&world, &who).await;
        let elsewhere = testkit::officer(Uuid::from_u128(3), "DLT", world.clock.now());
        let listed = world.ask(&elsewhere, REFUNDS, json!({})).await;
        assert_eq!(listed["refunds"]["nodes"], json!([]));
        let how = completion(&refund, "PAID_AT_PROVIDER", "k");
        let tried = world.by_hand(&elsewhere, "proposeRefundCompletion", how.clone()).await;
        assert_eq!(tried["__typename"], "NotFoundProblem");
        let proposed = world.by_hand(&world.officer(1), "proposeRefundCompletion", how.clone()).await;
        let tried = world.by_hand(&elsewhere, "decideProposal", decision(&proposed, true, "k")).await;
        assert_eq!(tried["__typename"], "NotFoundProblem");
        let propose = "mutation($input: ProposeRefundCompletionInput!) { proposeRefundCompletion(input: $input) { __typename } }";
        let decide =
            "mutation($input: DecideProposalInput!) { decideProposal(input: $input) { __typename } }";
        for (document, input) in [(propose, how), (decide, decision(&proposed, true, "c"))] {
            let refused = world.ask_raw(&who, document, json!({ "input": input })).await;
            assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN", "{refused}");
        }
        let mut reviewer = world.officer(4);
        if let Principal::Officer(officer) = &mut reviewer {
            officer.roles.remove(&auth::Role::Approver);
        }
        let input = json!({ "input": decision(&proposed, true, "r") });
        let refused = world.ask_raw(&reviewer, decide, input).await;
        assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN", "{refused}");
        let names = json!({ "input": { "idempotencyKey": "n", "refundId": refund["id"],
            "completion": "NOT_OWED", "reference": "สมชาย" } });
        let refused = world.ask_raw(&world.officer(1), propose, names).await;
        assert_eq!(refused["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{refused}");
        assert_eq!(world.bill_now(&who, &bill).await["refunds"][0]["status"], "MANUAL");
        let seen = "query($id: ID!) { bill(id: $id) { refunds { proposals { id } } } }";
        let refused = world.ask_raw(&who, seen, json!({ "id": bill })).await;
        assert!(refused["errors"].is_array(), "proposals are for officers: {refused}");
    }
}

#[tokio::test]
async fn refunds_are_listed_page_by_page_for_the_agency() {
    for world in World::all().await {
        let who = world.citizen();
        let mut bills = Vec::new();
        for _ in 0..2 {
            bills.insert(0, manual(&world, &who).await.0);
            world.pass(1).await;
        }
        let officer = world.officer(1);
        let first = world.ask(&officer, REFUNDS, json!({})).await["refunds"].clone();
        assert_eq!(first["pageInfo"]["hasNextPage"], true);
        let after = json!({ "after": first["pageInfo"]["endCursor"] });
        let second = world.ask(&officer, REFUNDS, after).await["refunds"].clone();
        assert_eq!(second["pageInfo"]["hasNextPage"], false);
        let listed = json!([first["nodes"][0]["bill"]["id"], second["nodes"][0]["bill"]["id"]]);
        assert_eq!(listed, json!(bills));
        let explained = first["nodes"][0]["explanation"]["th"].as_str().unwrap();
        assert!(explained.contains("เจ้าหน้าที่"), "{explained}");
    }
}

#[tokio::test]
async fn the_database_itself_refuses_refunds_of_more_than_came() {
    for world in World::all().await {
        let who = world.citizen();
        manual(&world, &who).await;
        let sql = "insert into refund (id, bill_id, settlement_id, reason, amount_satang, status, created_at) \
            select $1, bill_id, settlement_id, 'OVER', 1, 'CREATED', created_at from refund";
        let error = world.service.database().execute(sql, args![Uuid::from_u128(7)]).await.unwrap_err();
        let reason = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        assert!(reason.contains("exceed what came"), "{reason}");
    }
}

#[tokio::test]
async fn a_proposal_that_many_confirm_at_once_is_carried_out_once() {
    for world in World::all().await {
        let who = world.citizen();
        let (bill, refund) = manual(&world, &who).await;
        let how = completion(&refund, "PAID_AT_PROVIDER", "k");
        let proposed = world.by_hand(&world.officer(1), "proposeRefundCompletion", how).await;
        let officers: Vec<Principal> = (2..6).map(|number| world.officer(number)).collect();
        let decided = futures::future::join_all(
            officers
                .iter()
                .map(|officer| world.by_hand(officer, "decideProposal", decision(&proposed, true, "k"))),
        )
        .await;
        let confirmed = decided.iter().filter(|one| one["__typename"] == "ProposalRecorded").count();
        assert_eq!(confirmed, 1, "{decided:?}");
        world.drain().await;
        assert_eq!(world.bill_now(&who, &bill).await["refunds"][0]["status"], "REFUNDED");
        assert_eq!(world.assert_books_agree().await, 0);
    }
}

#[tokio::test]
async fn a_desk_s_filter_whose_variable_is_left_out_filters_nothing() {
    let world = World::open(testkit::TestDatabase::sqlite()).await;
    let (_, refund) = manual(&world, &world.citizen()).await;
    let listed = async |list: &str, kind: &str| {
        let document = format!("query($f: {kind}) {{ {list}(filter: $f) {{ nodes {{ id }} }} }}");
        world.ask(&world.officer(1), &document, json!({})).await[list]["nodes"].clone()
    };
    assert_eq!(listed("refunds", "RefundFilter").await, json!([{ "id": refund["id"] }]));
    assert_eq!(listed("findings", "FindingFilter").await, json!([]));
}
