//! Answers that are the same for everyone: kept, told to be so, and dropped when something changes.

mod documents;
mod privacy;
mod processes;

use std::time::Instant;

use reqwest::header::{
    ACCEPT_ENCODING, AGE, AUTHORIZATION, CACHE_CONTROL, CONTENT_ENCODING, ETAG, HeaderMap, IF_NONE_MATCH,
    VARY,
};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use url::Url;

use crate::filing::{key, offering};
use crate::installation::{Installation, eventually};
use crate::person::{Person, document};

const GUIDE: &str = "query { publicService(code: \"LAO-01\") { code title { th en } summary { th } agency { name { th } } \
                     form { schema layout } evidence { title { th } } } }";
/// How soon a change is seen by everyone.
const TOLD_WITHIN_MS: u128 = 1_000;

async fn get(place: &Installation, query: &str, headers: HeaderMap) -> Response {
    let url = Url::parse_with_params(&format!("{}/graphql", place.url), &[("query", query)]).unwrap();
    place.http.get(url).headers(headers).send().await.unwrap()
}

fn text<'a>(response: &'a Response, name: &reqwest::header::HeaderName) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// What an officer sends to raise the fee of a food seller's licence in Nonthaburi.
async fn new_fee(place: &Installation) -> Value {
    let offering = offering(place, "LAO-01", "1201").await;
    let input = json!({
        "idempotencyKey": key(), "offeringId": offering, "revision": 1, "reason": "เทศบัญญัติฉบับใหม่",
        "fee": {
            "amount": "1250.00", "due": "APPROVAL", "onRejection": "REFUND", "factStatus": "VERIFIED",
            "source": "เทศบัญญัติ พ.ศ. 2569",
        },
    });
    json!({ "input": input })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_answer_says_how_long_it_may_be_kept_and_an_unchanged_one_is_not_sent_again() {
    let place = Installation::start().await;
    let first = get(&place, GUIDE, HeaderMap::new()).await;
    assert!(text(&first, &CACHE_CONTROL).starts_with("public, max-age=300"), "{first:?}");
    assert!(text(&first, &VARY).contains("accept-encoding"));
    let (tag, id) = (first.headers()[ETAG].clone(), first.headers()["x-request-id"].clone());
    let body = first.bytes().await.unwrap();

    let again = get(&place, GUIDE, HeaderMap::new()).await;
    assert_ne!(again.headers()["x-request-id"], id, "each request has its own name");
    assert!(text(&again, &AGE).parse::<u64>().unwrap() < 60);
    assert_eq!(again.bytes().await.unwrap(), body);

    let unchanged = get(&place, GUIDE, HeaderMap::from_iter([(IF_NONE_MATCH, tag.clone())])).await;
    assert_eq!(
        (unchanged.status(), unchanged.headers()[ETAG].clone()),
        (StatusCode::NOT_MODIFIED, tag.clone())
    );
    assert_eq!(unchanged.bytes().await.unwrap().len(), 0);

    let gzip = HeaderMap::from_iter([(ACCEPT_ENCODING, "gzip".parse().unwrap())]);
    let packed = get(&place, GUIDE, gzip).await;
    assert_eq!((text(&packed, &CONTENT_ENCODING), packed.headers()[ETAG].clone()), ("gzip", tag.clone()));
    let packed = packed.bytes().await.unwrap();
    assert!(packed.starts_with(&[0x1f, 0x8b]) && packed.len() < body.len() / 2, "once, not twice");

    // A POST has no address under which its answer could be known.
    let post = place.http.post(format!("{}/graphql", place.url)).json(&json!({ "query": GUIDE }));
    let posted = post.header(IF_NONE_MATCH, tag).send().await.unwrap();
    assert_eq!((posted.status(), text(&posted, &ETAG)), (StatusCode::OK, ""));
    assert_eq!(posted.bytes().await.unwrap(), body);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_private_partial_or_wrong_is_kept_by_nobody() {
    let place = Installation::start().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let token: HeaderMap = HeaderMap::from_iter([(
        AUTHORIZATION,
        format!("Bearer {}", somchai.token.unwrap()).parse().unwrap(),
    )]);
    for query in [
        "{ viewer { identityAssuranceLevel } }",
        "{ publicService(code: \"LAO-01\") { code } viewer { identityAssuranceLevel } }",
        "{ identityProviders { code } }",
        "{ publicServices(first: 1000) { nodes { code } } }",
        "{ publicService(code: \"LAO-01\") { code } applications { nodes { id } } }",
        "{ __schema { queryType { name } } }",
        "{ nothing }",
    ] {
        for headers in [HeaderMap::new(), token.clone()] {
            let answer = get(&place, query, headers).await;
            assert_eq!((text(&answer, &CACHE_CONTROL), text(&answer, &ETAG)), ("no-store", ""), "{query}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_fee_is_shown_to_everyone_within_a_second() {
    let mut places = vec![Installation::start().await];
    places.extend(Installation::start_on_postgres().await);
    for place in places {
        let officer = Person::officer(&place, "officer-nonthaburi").await;
        let nobody = Person::nobody(&place);
        let found = json!({ "area": "1201", "search": "ขายอาหาร", "first": 1 });
        let fee = async || {
            let shown = nobody.ask("FindServices", found.clone()).await;
            shown["publicServices"]["nodes"][0]["offering"]["fee"]["amount"]["amount"].clone()
        };
        assert_eq!((fee().await, fee().await), (json!("1000.00"), json!("1000.00")));
        officer.ask("EditOffering", new_fee(&place).await).await;
        let told = Instant::now();
        eventually("the new fee", || async { (fee().await == "1250.00").then_some(()) }).await;
        assert!(told.elapsed().as_millis() < TOLD_WITHIN_MS, "{:?}", told.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogue_of_our_own_clients_is_public() {
    let place = Installation::start().await;
    for (operation, variables) in [
        ("FindServices", json!({ "area": "1201" })),
        ("ServiceGuide", json!({ "code": "LAO-01" })),
        ("LifeEventGuide", json!({ "code": "open-a-restaurant" })),
    ] {
        let request = json!({ "query": document(operation), "variables": variables });
        let answer = place.http.post(format!("{}/graphql", place.url)).json(&request).send().await.unwrap();
        assert!(text(&answer, &CACHE_CONTROL).starts_with("public, "), "{operation}: {answer:?}");
        let answer: Value = answer.json().await.unwrap();
        assert!(answer.get("errors").is_none(), "{operation}: {answer}");
    }
}
