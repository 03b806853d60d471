//! Bad input gets a clear, typed error, or silence where an error would tell a stranger something.

use reqwest::StatusCode;
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
async fn malformed_requests_are_refused_with_a_code_and_a_request_id() {
    let place = Installation::start().await;
    let address = format!("{}/graphql", place.url);
    let post = async |body: &'static str, media_type: &str, accept: &str| {
        let post = place.http.post(&address).header("content-type", media_type).header("accept", accept);
        let answer = post.body(body).send().await.unwrap();
        let status = answer.status();
        (status, answer.json::<Value>().await.unwrap())
    };
    let new = "application/graphql-response+json";
    for (body, media_type, accept, status, expected) in [
        ("{", "application/json", new, StatusCode::BAD_REQUEST, "BAD_USER_INPUT"),
        ("[]", "application/json", new, StatusCode::BAD_REQUEST, "BAD_USER_INPUT"),
        (r#"{"query":5}"#, "application/json", new, StatusCode::BAD_REQUEST, "BAD_USER_INPUT"),
        (
            "query=a",
            "application/x-www-form-urlencoded",
            new,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "BAD_USER_INPUT",
        ),
        (r#"{"query":"{"}"#, "application/json", new, StatusCode::BAD_REQUEST, "GRAPHQL_PARSE_FAILED"),
        (r#"{"query":"{"}"#, "application/json", "application/json", StatusCode::OK, "GRAPHQL_PARSE_FAILED"),
        (
            r#"{"query":"{ nothing }"}"#,
            "application/json",
            new,
            StatusCode::BAD_REQUEST,
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (
            r#"{"query":"{__typename}"}"#,
            "application/json",
            "text/html",
            StatusCode::NOT_ACCEPTABLE,
            "BAD_USER_INPUT",
        ),
    ] {
        let (got, answer) = post(body, media_type, accept).await;
        assert_eq!((got, code(&answer)), (status, expected), "{body}: {answer}");
        assert!(answer["errors"][0]["extensions"]["requestId"].is_string());
        assert!(answer.get("data").is_none());
    }
    let put = place.http.put(&address).send().await.unwrap();
    assert_eq!(
        (put.status(), put.headers()["allow"].to_str().unwrap()),
        (StatusCode::METHOD_NOT_ALLOWED, "GET, POST")
    );
    let mutation = place
        .http
        .get(&address)
        .query(&[("query", "mutation { endSession(input: {idempotencyKey: \"a\"}) { __typename } }")]);
    assert_eq!(mutation.send().await.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
    let large =
        place.http.post(&address).header("content-type", "application/json").body(vec![b' '; 2_000_000]);
    assert_eq!(large.send().await.unwrap().status(), StatusCode::PAYLOAD_TOO_LARGE);
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

#[tokio::test(flavor = "multi_thread")]
async fn documents_too_large_or_too_deep_are_refused_in_time() {
    let place = Installation::start().await;
    let nobody = Person::nobody(&place);
    let deep = format!(
        "{{ {} __typename {} }}",
        "lifeEvents { nodes { services { ".repeat(300),
        "} } }".repeat(300)
    );
    let aliases = (0..10_000).map(|n| format!("a{n}: __typename ")).collect::<String>();
    let directives = format!("{{ __typename {} }}", "@include(if: true) ".repeat(10_000));
    let cyclic = "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }".to_owned();
    for document in [deep, format!("{{ {aliases} }}"), directives, cyclic] {
        let begun = std::time::Instant::now();
        let answer = nobody.query(&document, json!({})).await;
        let refused = ["GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"];
        assert!(refused.contains(&code(&answer)), "{answer}");
        assert!(begun.elapsed().as_secs() < 5, "a refusal must not take long");
    }
}
