//! Between the processes: what is not signed opens nothing, and one that is gone costs its own part.

use auth::{PRINCIPAL_HEADER, Principal, PrincipalSigner};
use clock::Clock;
use pratu::Config;
use pratu::config::Role;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::processes::SECRET;
use crate::filing::{
    application_at, bill, decide, key, parties, pay, start_payment, submitted_food_premises,
};
use crate::installation::{Installation, eventually};
use crate::person::Person;

fn signed(audience: &str, body: &str) -> String {
    let clock = Clock::system();
    let signer = PrincipalSigner::new(SECRET.as_bytes());
    let header = signer.sign(&Principal::Nobody, audience, body.as_bytes(), clock.now(), clock.uuid());
    header.expect("it can be signed")
}

/// Doors of our processes, and a body that each takes.
fn doors() -> [(Role, &'static str, String); 5] {
    let message = json!({"id": Clock::system().uuid(), "topic": "nobody.listens", "payload": {}});
    [
        (Role::Gateway, "/internal/graph", json!({"query": "{ __typename }", "variables": {}}).to_string()),
        (
            Role::Identity,
            "/internal/sessions",
            json!([Clock::system().now(), Clock::system().uuid()]).to_string(),
        ),
        (Role::Sandbox, "/internal/clock", String::new()),
        (Role::Catalogue, "/internal/news", String::new()),
        (Role::Payments, "/outbox/payments", message.to_string()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn doors_between_processes_open_to_what_is_signed_for_them_and_once() {
    let Some(mut place) = Installation::start_split(Config::default(), 1).await else { return };
    let token = Person::citizen(&place, "somchai", "thaid").await.token.expect("a token");
    let http = place.http.clone();
    let knock = async |url: &str, header: Option<&str>, body: &str| {
        let post = http.post(url).bearer_auth(&token).body(body.to_owned());
        let post = header.into_iter().fold(post, |post, header| post.header(PRINCIPAL_HEADER, header));
        post.send().await.expect("the door answers").status()
    };
    for (role, path, body) in doors() {
        let url = format!("{}{path}", place.processes().address(role));
        let good = signed(path, &body);
        for header in [None, Some("x"), Some(signed("/outbox/identity", &body).as_str())] {
            assert_eq!(knock(&url, header, &body).await, StatusCode::UNAUTHORIZED, "{path} {header:?}");
        }
        assert_eq!(knock(&url, Some(&good), "another body").await, StatusCode::UNAUTHORIZED, "{path}");
        assert!(knock(&url, Some(&good), &body).await.is_success(), "{path}");
        assert_eq!(knock(&url, Some(&good), &body).await, StatusCode::UNAUTHORIZED, "{path}: again");
        // The public address leads to none of them but its own.
        if role != Role::Gateway {
            let public = format!("{}{path}", place.url);
            let status = knock(&public, Some(&signed(path, &body)), &body).await;
            assert!(status == StatusCode::NOT_FOUND || path == "/internal/news", "{path}: {status}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_is_away_costs_its_own_part_and_hears_all_when_it_is_back() {
    let Some(mut place) = Installation::start_split(Config::default(), 1).await else { return };
    let (application, token) = {
        let somchai = Person::citizen(&place, "somchai", "thaid").await;
        let me = parties(&somchai).await.remove(0);
        (submitted_food_premises(&place, &somchai, &me).await, somchai.token.clone())
    };
    let officer_token = Person::officer(&place, "officer-nonthaburi").await.token.clone();
    place.processes().kill(Role::Payments).await;
    {
        let mut officer = Person::nobody(&place);
        officer.token.clone_from(&officer_token);
        decide(&officer, "TakeApplication", &application, json!({})).await;
        decide(&officer, "ApproveApplication", &application, json!({"reason": "ครบถ้วน"})).await;
        let mut somchai = Person::nobody(&place);
        somchai.token.clone_from(&token);
        let detail = somchai.send("ApplicationDetail", json!({"id": application})).await;
        assert_eq!(detail["data"]["application"]["id"], application, "{detail}");
        assert_eq!(detail["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{detail}");
        let callback = place.http.post(format!("{}/callbacks/payments/scb", place.url)).send().await;
        assert_eq!(callback.expect("the gateway answers").status(), StatusCode::BAD_GATEWAY);
    }
    place.processes().start_all().await;
    let mut somchai = Person::nobody(&place);
    somchai.token = token;
    is_asked_again(&somchai, "MyBills").await;
    // The fee fell due while nobody was there to hear it.
    let bill = bill(&somchai, &application).await;
    let payment = start_payment(&somchai, &bill["id"], "G_WALLET").await;
    assert!(pay(&place, &payment, "").await.is_success());
    application_at(&somchai, &application, "PAID").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_identity_away_who_is_logged_in_stays_so_until_the_token_ends() {
    let Some(mut place) = Installation::start_split(Config::default(), 1).await else { return };
    let token = Person::citizen(&place, "somchai", "thaid").await.token.clone();
    place.processes().kill(Role::Identity).await;
    {
        let mut somchai = Person::nobody(&place);
        somchai.token.clone_from(&token);
        let seen = somchai.send("MyApplications", json!({})).await;
        assert_eq!(seen["data"]["applications"]["nodes"], json!([]), "{seen}");
    }
    place.processes().start_all().await;
    let mut somchai = Person::nobody(&place);
    somchai.token = token;
    is_asked_again(&somchai, "Viewer").await;
    let ended = somchai.ask("EndSession", json!({"input": {"idempotencyKey": key()}})).await;
    assert_eq!(ended["endSession"]["__typename"], "SessionEnded");
    let refused: Value = somchai.send("Viewer", json!({})).await;
    assert_eq!(
        refused["errors"][0]["extensions"]["code"], "UNAUTHENTICATED",
        "at once, in the gateway's process"
    );
}

/// The gateway looks every second who is back.
async fn is_asked_again(person: &Person<'_>, operation: &str) {
    eventually("a role to be asked again", || async {
        person.send(operation, json!({})).await["errors"].is_null().then_some(())
    })
    .await;
}
