//! Logins that go wrong because a developer said so.

use std::collections::HashMap;

use reqwest::StatusCode;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use serde_json::json;
use url::Url;

use super::{clear_triggers, set_trigger};
use crate::installation::Installation;
use crate::person::{Login, Person};

fn login<'a>(persona: &'a str, provider: &'a str) -> Login<'a> {
    Login { persona, provider, acr_values: None }
}

/// Where an app sends the browser to log in.
fn authorize(place: &Installation, provider: &str) -> Url {
    let query = [
        ("response_type", "code"),
        ("client_id", "mobile-app"),
        ("redirect_uri", "app.pratu:/callback"),
        ("scope", "openid profile:read"),
        ("state", "the-state"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
        ("provider", provider),
    ];
    Url::parse_with_params(&format!("{}/oauth/authorize", place.url), query).expect("a URL")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_digital_id_that_is_down_is_503_and_the_other_goes_on() {
    let place = Installation::start().await;
    set_trigger(&place, json!({"trigger": "provider_down", "at": "thaid", "lasts": "until_cleared"})).await;
    let refused = place.http.get(authorize(&place, "thaid")).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    let page = refused.text().await.unwrap();
    assert!(page.contains("provider=dga") && !page.contains("provider=thaid"), "the way to the other");
    let by_dga = Person::try_citizen(&place, login("somchai", "dga")).await.unwrap();
    assert!(by_dga.ask("Viewer", json!({})).await["viewer"].is_object());

    clear_triggers(&place).await;
    place.pass(10).await;
    assert!(Person::try_citizen(&place, login("somchai", "thaid")).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_digital_id_whose_answer_is_lost_on_the_way_back_is_503_and_logs_nobody_in() {
    let place = Installation::start().await;
    let begun = place.http.get(authorize(&place, "thaid")).send().await.unwrap();
    let cookies: Vec<String> = begun
        .headers()
        .get_all(SET_COOKIE)
        .iter()
        .filter_map(|cookie| cookie.to_str().ok()?.split(';').next().map(str::to_owned))
        .collect();
    let to = |response: &reqwest::Response| response.headers()[LOCATION].to_str().unwrap().to_owned();
    let chosen = place.http.post(to(&begun)).form(&[("persona", "somchai")]).send().await.unwrap();
    // The first thing sent to the provider from here on is the code.
    set_trigger(&place, json!({"trigger": "answer_lost", "at": "thaid"})).await;
    let back = place.http.get(to(&chosen)).header(COOKIE, cookies.join("; ")).send().await.unwrap();
    assert_eq!(back.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(back.text().await.unwrap().contains("error=temporarily_unavailable"), "the way back to the app");
    assert!(
        Person::try_citizen(&place, login("somchai", "thaid")).await.is_ok(),
        "and the next login goes well"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_or_cancelled_proofing_is_told_to_the_app_once() {
    let place = Installation::start().await;
    for trigger in ["proofing_refused", "login_cancelled"] {
        set_trigger(&place, json!({"trigger": trigger, "persona": "malee"})).await;
        let refused = Person::try_citizen(&place, login("malee", "thaid")).await.err();
        assert_eq!(refused.as_deref(), Some("access_denied"), "{trigger}");
        assert!(Person::try_citizen(&place, login("malee", "thaid")).await.is_ok(), "{trigger} once");
    }
    for (persona, provider) in [("kamon", "thaid"), ("kamon", "dga"), ("samran", "thaid"), ("boonmee", "dga")]
    {
        let refused = Person::try_citizen(&place, login(persona, provider)).await.err();
        assert_eq!(refused.as_deref(), Some("access_denied"), "{persona}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_is_down_lets_a_person_in_without_their_companies() {
    let place = Installation::start().await;
    set_trigger(&place, json!({"trigger": "provider_down", "at": "registry", "lasts": "until_cleared"}))
        .await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    assert_eq!(crate::filing::parties(&somchai).await.len(), 1);
    clear_triggers(&place).await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    assert_eq!(crate::filing::parties(&somchai).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_name_is_the_same_person_with_the_better_proven_name() {
    let place = Installation::start().await;
    let mut people = HashMap::new();
    for provider in ["dga", "thaid", "dga"] {
        let duangjai = Person::citizen(&place, "duangjai", provider).await;
        let seen = duangjai.ask("Viewer", json!({})).await;
        let name = seen["viewer"]["citizen"]["nameTh"].as_str().unwrap().to_owned();
        let party = seen["viewer"]["parties"][0]["id"].as_str().unwrap().to_owned();
        people.insert(party, name);
    }
    assert_eq!(people.len(), 1);
    assert!(people.values().all(|name| name.ends_with("ใหม่จริง")), "{people:?}");
}
