//! Nobody asks for more than their share: counted in cost, per person and per address, over every transport.

use pratu::config::Quotas;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use url::Url;

use super::{asking, code};
use crate::installation::Installation;
use crate::interoperability::socket::Socket;
use crate::person::{Person, document};

async fn with(quotas: Quotas) -> Installation {
    let mut place = Installation::start().await;
    place.restart_with(|config| config.door.quotas = Quotas { on: Some(true), ..quotas }).await;
    place
}

async fn as_nobody(place: &Installation) -> Response {
    asking(place, &json!({"query": "{ __typename }"})).send().await.unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_too_much_is_told_when_to_come_back() {
    let place = with(Quotas { address_per_minute: 3, ..Quotas::default() }).await;
    for left in ["2", "1", "0"] {
        let answer = as_nobody(&place).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(header(&answer, "ratelimit-limit"), "3");
        assert_eq!(header(&answer, "ratelimit-remaining"), left);
        assert_eq!(header(&answer, "ratelimit-policy"), r#""address";q=3;w=60"#);
        assert!(header(&answer, "ratelimit").starts_with(&format!(r#""address";r={left};t="#)));
    }
    let refused = as_nobody(&place).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    let seconds: u64 = header(&refused, "retry-after").parse().unwrap();
    assert!((1..=20).contains(&seconds), "{seconds}");
    assert_eq!(header(&refused, "ratelimit-remaining"), "0");
    let refused: Value = refused.json().await.unwrap();
    assert_eq!(
        (code(&refused), &refused["errors"][0]["extensions"]["retryAfter"]),
        ("RATE_LIMITED", &json!(seconds))
    );
    // A socket is no way round.
    let mut socket = Socket::of(&place, &Person::nobody(&place)).await;
    socket.say(json!({"id": "1", "type": "subscribe", "payload": {"query": "{ __typename }"}})).await;
    assert_eq!(socket.hear_of("error").await["payload"][0]["extensions"]["code"], "RATE_LIMITED");
    place.pass(20).await;
    assert_eq!(as_nobody(&place).await.status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_has_a_share_of_their_own_that_larger_questions_use_up_faster() {
    let quotas = Quotas { address_per_minute: 1, subject_per_minute: 60, ..Quotas::default() };
    let place = with(quotas).await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let malee = Person::citizen(&place, "malee", "thaid").await;
    let query = "query($n: Int) { applications(first: $n) { nodes { id } } }";
    assert_eq!(code(&somchai.query(query, json!({"n": 39})).await), "");
    assert_eq!(code(&somchai.query(query, json!({"n": 39})).await), "RATE_LIMITED");
    assert_eq!(code(&somchai.query(query, json!({"n": 5})).await), "");
    assert_eq!(code(&malee.query(query, json!({"n": 39})).await), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_without_end_that_come_to_nothing_are_counted_too() {
    let place = with(Quotas { new_documents_per_minute: 3, ..Quotas::default() }).await;
    let nobody = Person::nobody(&place);
    assert_eq!(code(&nobody.query("{ __typename }", json!({})).await), "");
    for nonsense in ["{ nothing1 }", "{ nothing2"] {
        assert!(code(&nobody.query(nonsense, json!({})).await).ends_with("_FAILED"), "{nonsense}");
    }
    assert_eq!(code(&nobody.query("{ nothing3 }", json!({})).await), "RATE_LIMITED");
    // What is known here, or trusted, is answered all the same.
    assert_eq!(code(&nobody.query("{ __typename }", json!({})).await), "");
    let find = json!({"first": 1, "area": "1201"});
    assert_eq!(code(&nobody.query(&document("FindServices"), find).await), "");
    let mut socket = Socket::of(&place, &nobody).await;
    socket.say(json!({"id": "1", "type": "subscribe", "payload": {"query": "{ nothing4 }"}})).await;
    assert_eq!(socket.hear_of("error").await["payload"][0]["extensions"]["code"], "RATE_LIMITED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sensitive_question_counts_even_where_its_answer_is_for_everyone() {
    let sensitive = vec!["publicServices".to_owned()];
    let place = with(Quotas { sensitive, sensitive_per_minute: 2, ..Quotas::default() }).await;
    let nobody = Person::nobody(&place);
    let query = "{ publicServices(first: 1) { nodes { code } } }";
    for expected in ["", "", "RATE_LIMITED"] {
        assert_eq!(code(&nobody.query(query, json!({})).await), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_alias_of_a_sensitive_mutation_counts() {
    let place = with(Quotas { sensitive_per_minute: 3, ..Quotas::default() }).await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let pay = |count: usize| {
        let input = r#"{idempotencyKey: "0123456789abcdef", billId: "bil_00000000000000000000000000000001", method: G_WALLET}"#;
        let one = |n| format!("p{n}: startPayment(input: {input}) {{ __typename }} ");
        format!("mutation {{ {} }}", (0..count).map(one).collect::<String>())
    };
    assert_eq!(code(&somchai.query(&pay(4), json!({})).await), "RATE_LIMITED");
    assert_eq!(code(&somchai.query(&pay(3), json!({})).await), "");
    assert_eq!(code(&somchai.query(&pay(1), json!({})).await), "RATE_LIMITED");
    assert_eq!(code(&somchai.query("{ viewer { parties { id } } }", json!({})).await), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_caches_on_the_way_may_keep_does_not_tell_of_ones_quota() {
    let place = with(Quotas::default()).await;
    let get = |query: &str| {
        let url = Url::parse_with_params(&format!("{}/graphql", place.url), &[("query", query)]).unwrap();
        place.http.get(url).send()
    };
    let public = get("{ publicService(code: \"LAO-01\") { code } }").await.unwrap();
    assert!(header(&public, "cache-control").starts_with("public"));
    assert_eq!((header(&public, "ratelimit"), header(&public, "ratelimit-remaining")), ("", ""));
    let private = get("{ __typename }").await.unwrap();
    assert_ne!(header(&private, "ratelimit"), "");
}
