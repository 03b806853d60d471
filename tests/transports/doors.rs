//! The doors of subgraphs take what is signed for them, once; and one that is gone costs its own fields.

use auth::{AccessTokenClaims, Citizen, Level, PRINCIPAL_HEADER, Principal, PrincipalSigner};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, Utc};
use clock::Clock;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{SECRET, over_http};
use crate::filing::{bill, decide, key, parties, submitted_food_premises};
use crate::installation::Installation;
use crate::person::Person;

/// An approved application of `person`: its id and its bill's.
async fn approved(place: &Installation, person: &Person<'_>) -> (Value, Value) {
    let me = parties(person).await.remove(0);
    let application = submitted_food_premises(place, person, &me).await;
    let officer = Person::officer(place, "officer-nonthaburi").await;
    decide(&officer, "TakeApplication", &application, json!({})).await;
    decide(&officer, "ApproveApplication", &application, json!({"reason": "ครบถ้วน"})).await;
    let bill = bill(person, &application).await;
    (application, bill["id"].clone())
}

/// The principal that the gateway makes of a citizen's token.
fn principal(person: &Person<'_>) -> Principal {
    let token = person.token.as_deref().expect("somebody is logged in");
    let claims = token.split('.').nth(1).expect("a token has three parts");
    let claims = URL_SAFE_NO_PAD.decode(claims).expect("they are base64url");
    let claims: AccessTokenClaims = serde_json::from_slice(&claims).expect("they are ours");
    Principal::Citizen(Citizen {
        citizen_id: claims.sub,
        level: Level::from_acr(&claims.acr).expect("a level"),
        authenticated_at: DateTime::from_timestamp(claims.auth_time, 0).expect("a time"),
        parties: claims.parties,
        client_id: claims.client_id,
        session_id: claims.sid,
        scopes: claims.scope.split_whitespace().map(str::to_owned).collect(),
    })
}

fn payment_of(bill: &Value) -> String {
    let query = "mutation($input: StartPaymentInput!) { startPayment(input: $input) { __typename } }";
    let input = json!({"idempotencyKey": key(), "billId": bill, "method": "G_WALLET"});
    json!({"query": query, "variables": {"input": input}}).to_string()
}

fn sign(secret: &str, principal: &Principal, audience: &str, body: &str, at: DateTime<Utc>) -> String {
    let signer = PrincipalSigner::new(secret.as_bytes());
    signer.sign(principal, audience, body.as_bytes(), at, Clock::system().uuid()).expect("it can be signed")
}

async fn knock(place: &Installation, header: Option<&str>, body: &str) -> (StatusCode, Value) {
    let post = place.http.post(format!("{}/subgraphs/payments", place.url)).body(body.to_owned());
    let post = post.header("content-type", "application/json");
    let post = match header {
        Some(header) => post.header(PRINCIPAL_HEADER, header),
        None => post,
    };
    let answer = post.send().await.expect("the door answers");
    (answer.status(), answer.json().await.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subgraph_s_door_runs_only_what_is_signed_for_it_and_once() {
    let place = over_http().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let (_, bill) = approved(&place, &somchai).await;
    let payments = async || {
        let detail = somchai.ask("BillDetail", json!({"id": bill})).await;
        detail["bill"]["payments"].as_array().unwrap().len()
    };
    let (me, now, body) = (principal(&somchai), Clock::system().now(), payment_of(&bill));
    let good = sign(SECRET, &me, "payments", &body, now);
    let refused = [
        None,
        Some(String::new()),
        Some(good[1..].to_owned()),
        Some(sign("another secret of 32 bytes or more", &me, "payments", &body, now)),
        Some(sign(SECRET, &me, "applications", &body, now)),
        Some(sign(SECRET, &me, "payments", &payment_of(&bill), now)),
        Some(sign(SECRET, &me, "payments", &body, now - Duration::minutes(1))),
        Some(sign(SECRET, &me, "payments", &body, now + Duration::minutes(1))),
    ];
    for header in refused {
        let answer = knock(&place, header.as_deref(), &body).await;
        assert_eq!(answer, (StatusCode::UNAUTHORIZED, Value::Null), "{header:?}");
    }
    assert_eq!(payments().await, 0);
    // The token that opens the gateway opens no subgraph.
    let address = format!("{}/subgraphs/payments", place.url);
    let bearer = place.http.post(&address).bearer_auth(somchai.token.as_deref().unwrap()).body(body.clone());
    assert_eq!(bearer.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    assert_eq!(place.http.get(&address).send().await.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);

    let (status, answer) = knock(&place, Some(&good), &body).await;
    assert_eq!(
        (status, &answer["data"]["startPayment"]["__typename"]),
        (StatusCode::OK, &json!("PaymentStarted"))
    );
    assert_eq!(knock(&place, Some(&good), &body).await, (StatusCode::UNAUTHORIZED, Value::Null));
    assert_eq!(payments().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subgraph_judges_the_signed_caller_by_itself() {
    let place = over_http().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let malee = Person::citizen(&place, "malee", "thaid").await;
    let (_, bill) = approved(&place, &somchai).await;
    let ask = async |caller: &Principal| {
        let body = payment_of(&bill);
        let header = sign(SECRET, caller, "payments", &body, Clock::system().now());
        knock(&place, Some(&header), &body).await.1
    };
    let nobody = ask(&Principal::Nobody).await;
    assert_eq!(nobody["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{nobody}");
    let stranger = ask(&principal(&malee)).await;
    assert_eq!(stranger["data"]["startPayment"]["__typename"], "NotFoundProblem", "{stranger}");
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_no_doors_until_they_are_asked_for() {
    let place = Installation::start().await;
    let answer =
        place.http.post(format!("{}/subgraphs/payments", place.url)).body("{}").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
}

/// An address where nobody listens.
async fn dead_address() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    format!("http://{}/", listener.local_addr().expect("an address"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subgraph_that_is_gone_or_refuses_costs_its_own_fields_alone() {
    let mut place = Installation::start().await;
    let (application, bill) = {
        let somchai = Person::citizen(&place, "somchai", "thaid").await;
        approved(&place, &somchai).await
    };
    // A door that knows another secret refuses the gateway, which is no matter of the client's.
    let elsewhere = over_http().await;
    for (secret, address) in
        [(SECRET, dead_address().await), ("another secret of 32 bytes or more", elsewhere.url.clone())]
    {
        place
            .restart_with(|config| {
                config.peers = [("payments".to_owned(), vec![address])].into();
                config.subgraph_secret = Some(secret.into());
            })
            .await;
        let somchai = Person::citizen(&place, "somchai", "thaid").await;
        let found = somchai.ask("FindServices", json!({"search": "food", "area": "1201"})).await;
        assert_eq!(found["publicServices"]["nodes"][0]["code"], "LAO-01");

        let detail = somchai.send("ApplicationDetail", json!({"id": application})).await;
        let seen = &detail["data"]["application"];
        assert_eq!((&seen["id"], &seen["bill"]), (&application, &Value::Null));
        assert!(
            seen["publicService"]["title"]["th"].is_string() && seen["applicant"]["displayName"].is_object()
        );
        only_unavailable(&detail, &json!(["application", "bill"]));

        only_unavailable(&somchai.send("MyBills", json!({})).await, &json!(["bills"]));
        let input = json!({"input": {"idempotencyKey": key(), "billId": bill, "method": "G_WALLET"}});
        let refused = somchai.send("StartPayment", input).await;
        assert!(refused["data"]["startPayment"].is_null());
        only_unavailable(&refused, &json!(["startPayment"]));
    }
    let dead = dead_address().await;
    place.restart_with(|config| config.peers = [("applications".to_owned(), vec![dead])].into()).await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let events = json!({"id": application, "after": 0});
    let refused = somchai.refused_subscription("ApplicationEvents", events).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{refused}");

    // Nothing was lost, and nothing was paid meanwhile.
    place.restart_with(|config| config.peers.clear()).await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let detail = somchai.ask("BillDetail", json!({"id": bill})).await;
    assert_eq!((&detail["bill"]["status"], &detail["bill"]["payments"]), (&json!("OPEN"), &json!([])));
}

fn only_unavailable(answer: &Value, path: &Value) {
    let errors = answer["errors"].as_array().expect("errors");
    assert_eq!(errors.len(), 1, "{answer}");
    let extensions = &errors[0]["extensions"];
    assert_eq!((&errors[0]["path"], &extensions["code"]), (path, &json!("UNAVAILABLE")), "{answer}");
    assert_eq!(extensions["retryable"], true);
}
