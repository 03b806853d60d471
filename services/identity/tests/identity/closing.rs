//! A Digital ID provider that is closed: not offered, not begun, and not believed.

use auth::Principal;
use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::driver::{Browser, World, location, worlds};
use super::graph::ask;
use super::other_browser::{form_token_on, number_on};

async fn close(world: &World) -> Value {
    let operator = testkit::operator(Uuid::from_u128(7), "dga", world.clock.now());
    let document =
        "mutation($input: CloseIdentityProviderInput!) { it: closeIdentityProvider(input: $input) {
        __typename } }";
    let closure = json!({ "textTh": "ปิดปรับปรุง <ด่วน>", "textEn": "Being mended <now>", "reason": "an incident",
        "until": "2026-11-23T05:30:00Z" });
    let input = json!({ "idempotencyKey": "one", "code": "thaid", "closure": closure });
    ask(world, &operator, document, json!({ "input": input })).await["data"]["it"]["__typename"].clone()
}

async fn open(world: &World) -> Value {
    let operator = testkit::operator(Uuid::from_u128(7), "dga", world.clock.now());
    let document = "mutation($input: OpenIdentityProviderInput!) { it: openIdentityProvider(input: $input) {
        __typename } }";
    let input = json!({ "idempotencyKey": "two", "code": "thaid", "reason": "mended" });
    ask(world, &operator, document, json!({ "input": input })).await["data"]["it"]["__typename"].clone()
}

#[tokio::test]
async fn a_closed_provider_is_shown_with_why_and_cannot_be_chosen() {
    for world in worlds().await {
        assert_eq!(close(&world).await, "Switched");
        let page = Browser::new().get(&world.portal().authorize_url(&[])).await;
        assert_eq!(page.status(), StatusCode::OK);
        let html = page.text().await.unwrap();
        assert!(html.contains("provider=dga") && !html.contains("provider=thaid"), "{html}");
        assert!(html.contains("ปิดปรับปรุง &lt;ด่วน&gt; (เปิดอีกครั้ง 12:30 น. วันที่ 23/11/2569)"), "{html}");
        assert!(html.contains("Being mended &lt;now&gt; (opens again at 12:30"), "{html}");
        let chosen = Browser::new().get(&world.portal().authorize_url(&[("provider", "thaid")])).await;
        assert_eq!(chosen.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(chosen.text().await.unwrap().contains("provider=dga"), "others are offered");
        assert!(world.portal().authorize("dga", "somchai", &[]).await.get("code").is_some());
        let providers = "{ identityProviders { code availability { open text { en } } } }";
        let seen = ask(&world, &Principal::Nobody, providers, json!({})).await;
        assert_eq!(seen["data"]["identityProviders"][0]["availability"]["open"], false);
        assert_eq!(
            seen["data"]["identityProviders"][1]["availability"],
            json!({ "open": true, "text": null })
        );
        assert_eq!(open(&world).await, "Switched");
        assert!(world.portal().authorize("thaid", "somchai", &[]).await.get("code").is_some());
    }
}

#[tokio::test]
async fn what_a_provider_says_after_it_was_closed_logs_nobody_in() {
    for world in worlds().await {
        let browser = Browser::new();
        let callback = world.portal().at_provider(&browser, "thaid", "somchai", &[]).await;
        close(&world).await;
        let answer = browser.get(&callback).await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        let html = answer.text().await.unwrap();
        assert!(html.contains("Being mended") && html.contains("temporarily_unavailable"), "{html}");
        open(&world).await;
        let again = browser.get(&callback).await;
        assert_eq!(again.status(), StatusCode::BAD_REQUEST, "that login is over");
    }
}

#[tokio::test]
async fn a_login_that_waits_to_be_collected_is_over_when_its_provider_is_closed() {
    for world in worlds().await {
        let (first, other) = (Browser::new(), Browser::new());
        let callback = world.portal().at_provider(&first, "thaid", "somchai", &[]).await;
        let number = number_on(&other.get(&callback).await.text().await.unwrap());
        let form_url = world.url(&location(&first.get(&world.url("/oauth/continue")).await));
        let token = form_token_on(&first.get(&form_url).await.text().await.unwrap());
        close(&world).await;
        let refused = first.post(&form_url, &[("number", &number), ("form_token", &token)]).await;
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        let html = refused.text().await.unwrap();
        assert!(html.contains("Being mended") && !html.contains("code="), "{html}");
    }
}

#[tokio::test]
async fn an_officer_who_does_not_run_the_platform_closes_no_provider() {
    for world in worlds().await {
        let officer = testkit::officer(Uuid::from_u128(5), "nonthaburi", world.clock.now());
        let document = "{ identityProviderSwitchChanges(code: \"thaid\") { nodes { number } } }";
        let refused = ask(&world, &officer, document, json!({})).await;
        assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN", "{refused}");
    }
}
