//! Bills: issued once, ended with their application.

use serde_json::json;

use crate::world::{AGENCY, World, bill_uuid, fee};
use clock::Clock;
use outbox::Received;

#[tokio::test]
async fn a_bill_is_issued_once_though_the_message_comes_twice() {
    for world in World::all().await {
        let who = world.citizen();
        let (bill, application_id) = world.bill(&who).await;
        world.publish("applications.fee_fell_due", fee(&who, application_id)).await;
        let message = Received {
            id: Clock::system().uuid(),
            topic: "applications.fee_fell_due".into(),
            payload: fee(&who, application_id),
        };
        for consumer in world.service.consumers() {
            if !consumer.topics().contains(&message.topic.as_str()) {
                continue;
            }
            consumer.receive(&message).await.unwrap();
            consumer.receive(&message).await.unwrap();
        }
        let found = world.ask(&who, "{ bills { nodes { id application { id } } } }", json!({})).await;
        assert_eq!(found["bills"]["nodes"].as_array().unwrap().len(), 1);
        let now = world.bill_now(&who, &bill).await;
        assert_eq!(now["items"].as_array().unwrap().len(), 1);
        assert_eq!(now["items"][0]["amount"]["amount"], "505.00");
        assert_eq!(now["payee"]["code"], AGENCY);
        let issued = world.published.lock().unwrap().clone();
        assert_eq!(issued.len(), 1);
        let expected =
            json!({ "bill_id": bill_uuid(&bill), "application_id": application_id, "amount_satang": 50_500 });
        assert_eq!(issued[0], ("payments.bill_issued".to_owned(), expected));
    }
}

#[tokio::test]
async fn a_closed_application_owes_nothing_even_when_the_close_is_heard_first() {
    for world in World::all().await {
        let who = world.citizen();
        let application_id = Clock::system().uuid();
        let closed = json!({ "application_id": application_id, "outcome": "withdrawn", "refund": true });
        world.publish("applications.closed", closed).await;
        world.publish("applications.fee_fell_due", fee(&who, application_id)).await;
        assert_eq!(world.bill_of(&who, application_id).await, None);
    }
}

#[tokio::test]
async fn closing_cancels_an_open_bill_and_money_that_still_comes_goes_back() {
    for world in World::all().await {
        let who = world.citizen();
        let (bill, application_id) = world.bill(&who).await;
        let by_qr = world.started(&who, &bill, "PROMPTPAY_QR").await;
        let by_app = world.started(&who, &bill, "MOBILE_BANKING").await;
        // Paid, and nobody has told us, when the application closes.
        world.pay(&by_qr, "missing").await;
        let closed = json!({ "application_id": application_id, "outcome": "withdrawn", "refund": true });
        world.publish("applications.closed", closed).await;
        world.drain().await;
        let now = world.bill_now(&who, &bill).await;
        assert_eq!(now["status"], "CANCELLED");
        assert!(now["receipt"].is_null());
        assert_eq!(world.payment(&who, &by_app).await["status"], "CANCELLED");
        let refund = json!([{ "reason": "LATE", "status": "REFUNDED", "amount": { "amount": "505.00" } }]);
        assert_eq!(now["refunds"], refund);
        assert_eq!(world.assert_books_agree().await, 0);
        let start = world.start(&who, &bill, "G_WALLET", "late").await;
        assert_eq!(start["billStatus"], "CANCELLED");
    }
}

#[tokio::test]
async fn a_filter_whose_variable_is_left_out_filters_nothing() {
    for world in World::all().await {
        let who = world.citizen();
        let issued = world.bill(&who).await.0;
        let document = "query($filter: BillFilter) { bills(filter: $filter) { nodes { id } } }";
        for variables in [json!({}), json!({ "filter": null }), json!({ "filter": { "status": "OPEN" } })] {
            let found = world.ask(&who, document, variables).await;
            assert_eq!(found["bills"]["nodes"], json!([{ "id": issued }]));
        }
    }
}

#[tokio::test]
async fn bills_are_paged_newest_first() {
    for world in World::all().await {
        let who = world.citizen();
        let mut issued = Vec::new();
        for _ in 0..3 {
            world.pass(1).await;
            issued.insert(0, world.bill(&who).await.0);
        }
        let document = "query($after: String) { bills(first: 2, after: $after, filter: { status: OPEN }) \
            { nodes { id } pageInfo { hasNextPage endCursor } } }";
        let first = world.ask(&who, document, json!({})).await["bills"].clone();
        assert_eq!(first["pageInfo"]["hasNextPage"], true);
        let after = first["pageInfo"]["endCursor"].clone();
        let second = world.ask(&who, document, json!({ "after": after })).await["bills"].clone();
        let ids: Vec<_> = [&first, &second]
            .iter()
            .flat_map(|page| page["nodes"].as_array().unwrap())
            .map(|node| node["id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(ids, issued);
        assert_eq!(second["pageInfo"]["hasNextPage"], false);
        let none =
            world.ask(&who, "{ bills(filter: { status: SETTLED }) { nodes { id } } }", json!({})).await;
        assert_eq!(none["bills"]["nodes"], json!([]));
    }
}
