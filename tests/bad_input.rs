//! Bad input gets a clear, typed error, or silence where an error would tell a stranger something.

mod connections;
mod documents;
mod floods;
mod proxies;
mod requests;
mod sockets;
mod tokens;

use serde_json::{Value, json};

use crate::filing::{
    bill, decide, key, offering, parties, save, start, start_payment, submit, submitted_food_premises,
};
use crate::installation::Installation;
use crate::person::Person;

fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_variables_are_refused_before_anything_runs() {
    let place = Installation::start().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    for variables in [
        json!({}),
        json!({"input": null}),
        json!({"input": {}}),
        json!({"input": {"idempotencyKey": 5, "billId": "x", "method": "G_WALLET"}}),
        json!({"input": {"idempotencyKey": "k", "billId": "x", "method": "CASH"}}),
        json!({"input": {"idempotencyKey": "k", "billId": "x", "method": "G_WALLET", "amount": "-1"}}),
    ] {
        let answer = somchai.send("StartPayment", variables.clone()).await;
        assert_eq!(code(&answer), "BAD_USER_INPUT", "{variables}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_and_expired_tokens_open_nothing() {
    let place = Installation::start().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let token = somchai.token.clone().unwrap();
    let (head, signature) = token.rsplit_once('.').unwrap();
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0";
    let payload = head.split_once('.').unwrap().1;
    let forged = [
        "nonsense".to_owned(),
        format!("{head}.{}", signature.chars().rev().collect::<String>()),
        format!("{none}.{payload}."),
        String::new(),
    ];
    for token in forged {
        let mut stranger = Person::nobody(&place);
        stranger.token = Some(token.clone());
        let answer = stranger.send("Viewer", json!({})).await;
        assert_eq!(code(&answer), "UNAUTHENTICATED", "{token}");
        assert!(answer.get("data").is_none());
    }
    place.pass(400).await;
    let answer = somchai.send("Viewer", json!({})).await;
    assert_eq!(answer["errors"][0]["message"], "The token has expired.");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_person_s_things_look_like_nothing_at_all() {
    let place = Installation::start().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let me = parties(&somchai).await.remove(0);
    let application = submitted_food_premises(&place, &somchai, &me).await;
    let officer = Person::officer(&place, "officer-nonthaburi").await;
    decide(&officer, "TakeApplication", &application, json!({})).await;
    decide(&officer, "ApproveApplication", &application, json!({"reason": "ครบถ้วน"})).await;
    let bill = bill(&somchai, &application).await;
    let payment = start_payment(&somchai, &bill["id"], "G_WALLET").await;

    let malee = Person::citizen(&place, "malee", "thaid").await;
    let unknown = ["app_00000000000000000000000000000001", "bil_00000000000000000000000000000001", "x"];
    for (operation, root, own) in [
        ("ApplicationDetail", "application", &application),
        ("BillDetail", "bill", &bill["id"]),
        ("Payment", "payment", &payment["id"]),
    ] {
        let theirs = malee.ask(operation, json!({"id": own})).await;
        assert!(theirs[root].is_null(), "{operation}");
        for id in unknown {
            assert_eq!(malee.ask(operation, json!({"id": id})).await, theirs);
        }
    }
    let writes = [
        ("StartPayment", json!({"idempotencyKey": key(), "billId": bill["id"], "method": "G_WALLET"})),
        ("CheckPayment", json!({"idempotencyKey": key(), "paymentId": payment["id"]})),
        ("WithdrawApplication", json!({"idempotencyKey": key(), "applicationId": application})),
        ("SubmitApplication", json!({"idempotencyKey": key(), "applicationId": application, "revision": 1})),
        (
            "StartApplication",
            json!({"idempotencyKey": key(), "offeringId": offering(&place, "LAO-01", "1201").await, "partyId": me}),
        ),
    ];
    for (operation, input) in writes {
        let answer = malee.ask(operation, json!({"input": input})).await;
        let payload = answer.as_object().unwrap().values().next().unwrap();
        assert_eq!(payload["__typename"], "NotFoundProblem", "{operation}: {answer}");
    }
    let detail = somchai.ask("ApplicationDetail", json!({"id": application})).await;
    assert_eq!(detail["application"]["status"], "AWAITING_PAYMENT");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_of_the_wrong_shape_are_refused_and_the_draft_stays() {
    let place = Installation::start().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let me = parties(&somchai).await.remove(0);
    let draft = start(&somchai, &offering(&place, "LAO-01", "1201").await, &me).await;
    let saved = save(&somchai, &draft, &json!({"shop_name": "ร้านเดิม"})).await;
    let deep = (0..40).fold(json!(1), |inner, _| json!([inner]));
    for answers in [
        json!([]),
        json!("text"),
        json!({"floor_area_m2": "many"}),
        json!({"no_such_field": 1}),
        json!({"shop_name": deep}),
        json!({"shop_name": "x".repeat(100_000)}),
    ] {
        let input = json!({
            "idempotencyKey": key(), "applicationId": draft["id"], "revision": saved, "answers": answers,
        });
        let refused = somchai.ask("SaveApplicationDraft", json!({"input": input})).await;
        let refused = &refused["saveApplicationDraft"];
        assert_eq!(refused["__typename"], "InvalidInput", "{refused}");
        assert!(refused["fields"][0]["message"]["th"].is_string());
    }
    // A value out of bounds may stand in a draft, but is not filed.
    let latest = json!({"id": draft["id"], "revision": saved, "answers": {"shop_name": "ร้านเดิม"}});
    let saved = save(&somchai, &latest, &json!({"floor_area_m2": -5, "seats": 1_000_000_000_000_i64})).await;
    let refused = submit(&somchai, &draft["id"], saved, &key()).await;
    let fields = refused["fields"].as_array().unwrap();
    for pointer in ["/floor_area_m2", "/seats"] {
        assert!(fields.iter().any(|field| field["pointer"] == pointer), "{refused}");
    }
    let detail = somchai.ask("ApplicationDetail", json!({"id": draft["id"]})).await;
    assert_eq!(
        (&detail["application"]["revision"], &detail["application"]["answers"]["shop_name"]),
        (&json!(saved), &json!("ร้านเดิม"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_with_another_input_is_a_conflict() {
    let place = Installation::start().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let me = parties(&somchai).await.remove(0);
    let (one, other) = (offering(&place, "LAO-01", "1201").await, offering(&place, "LAO-01", "5001").await);
    let key = key();
    let begin = async |offering: &str| {
        let input = json!({"idempotencyKey": key, "offeringId": offering, "partyId": me});
        let mut answer = somchai.ask("StartApplication", json!({"input": input})).await;
        answer["startApplication"].take()
    };
    let first = begin(&one).await;
    assert_eq!(begin(&one).await["application"]["id"], first["application"]["id"]);
    let conflict = begin(&other).await;
    assert_eq!((&conflict["__typename"], &conflict["code"]), (&json!("ConflictProblem"), &json!("CONFLICT")));
}
