//! Prove: log in with a Digital ID, step up, come by another provider.

use serde_json::json;

use crate::filing::{key, offering, parties};
use crate::installation::Installation;
use crate::person::{Login, Person};

#[tokio::test(flavor = "multi_thread")]
async fn a_login_tells_who_i_am_at_which_level_and_for_whom_i_may_act() {
    let place = Installation::start().await;
    let nobody = Person::nobody(&place).ask("Viewer", json!({})).await;
    assert!(nobody["viewer"].is_null());
    assert!(nobody["identityProviders"].as_array().unwrap().len() >= 2);

    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let seen = somchai.ask("Viewer", json!({})).await;
    let viewer = &seen["viewer"];
    assert_eq!(viewer["identityAssuranceLevel"], "IAL_2_3");
    assert!(viewer["citizen"]["nameTh"].as_str().unwrap().contains("สมชาย"));
    let parties = viewer["parties"].as_array().unwrap();
    assert_eq!(
        (parties.len(), &parties[0]["kind"], &parties[1]["kind"]),
        (2, &json!("NATURAL"), &json!("JURISTIC"))
    );
    assert_eq!(parties[1]["registrationNumber"], "0105550000113");
    assert_eq!(parties[1]["mandate"]["basis"], "DIRECTOR");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_provider_at_a_sufficient_level_makes_me_the_same_person() {
    let place = Installation::start().await;
    let by_dga = Person::citizen(&place, "somchai", "dga").await;
    let by_thaid = Person::citizen(&place, "somchai", "thaid").await;
    assert_eq!(parties(&by_dga).await, parties(&by_thaid).await);
    let malee = Person::citizen(&place, "malee", "thaid").await;
    assert_ne!(parties(&malee).await[0], parties(&by_thaid).await[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_needs_a_higher_level_asks_for_step_up_and_then_goes_through() {
    let place = Installation::start().await;
    let low = Person::citizen(&place, "somchai", "dga").await;
    let me = parties(&low).await.remove(0);
    let licence = offering(&place, "DLT-01", "1201").await;
    let input = json!({"input": {"idempotencyKey": key(), "offeringId": licence, "partyId": me}});
    let refused = low.send("StartApplication", input.clone()).await;
    let error = &refused["errors"][0];
    assert_eq!(error["extensions"]["code"], "IDENTITY_LEVEL_TOO_LOW", "{refused}");
    assert_eq!(error["extensions"]["required"]["ial"], "2.3");
    assert!(error["extensions"]["requestId"].is_string());
    assert!(refused["data"]["startApplication"].is_null());

    let acr = error["extensions"]["required"]["acrValues"].as_str().unwrap();
    let step_up = Login { persona: "somchai", provider: "thaid", acr_values: Some(acr) };
    let high = Person::try_citizen(&place, step_up).await.unwrap();
    let started = high.ask("StartApplication", input).await;
    assert_eq!(started["startApplication"]["__typename"], "ApplicationStarted", "{started}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_cannot_reach_the_level_is_refused_at_login() {
    let place = Installation::start().await;
    let login = Login { persona: "somchai", provider: "dga", acr_values: Some("urn:th:ial:2.3") };
    let refused = Person::try_citizen(&place, login).await.err();
    assert_eq!(refused.as_deref(), Some("access_denied"));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_officers_get_an_officer_s_token() {
    let place = Installation::start().await;
    let officer = Person::officer(&place, "officer-nonthaburi").await;
    let seen = officer.ask("OfficerViewer", json!({})).await;
    assert_eq!(seen["viewer"]["officer"]["agency"]["code"], "nonthaburi");
    // At the desk an officer is no citizen: their own profile is not theirs to read there.
    let seen = officer.send("Viewer", json!({})).await;
    assert!(seen["data"]["viewer"]["citizen"].is_null());
    assert_eq!(seen["errors"][0]["path"], json!(["viewer", "citizen"]));
    assert_eq!(Person::try_officer(&place, "somchai").await.err().as_deref(), Some("access_denied"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ended_session_s_token_opens_nothing_more() {
    let place = Installation::start().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let ended = somchai.ask("EndSession", json!({"input": {"idempotencyKey": key()}})).await;
    assert_eq!(ended["endSession"]["__typename"], "SessionEnded");
    let refused = somchai.send("Viewer", json!({})).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_is_good_once_and_its_reuse_ends_the_session() {
    let place = Installation::start().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let refresh = async |token: &str| {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", "mobile-app")];
        let answer = place.http.post(format!("{}/oauth/token", place.url)).form(&form).send().await.unwrap();
        answer.json::<serde_json::Value>().await.unwrap()
    };
    let first = somchai.refresh_token.clone().unwrap();
    let renewed = refresh(&first).await;
    let (token, second) =
        (renewed["access_token"].as_str().unwrap(), renewed["refresh_token"].as_str().unwrap());
    let mut later = Person::nobody(&place);
    later.token = Some(token.to_owned());
    assert!(later.ask("Viewer", json!({})).await["viewer"].is_object());

    // Somebody comes with the old one: neither they nor the one they stole from stays logged in.
    assert_eq!(refresh(&first).await["error"], "invalid_grant");
    assert_eq!(refresh(second).await["error"], "invalid_grant");
    let refused = later.send("Viewer", json!({})).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
}
