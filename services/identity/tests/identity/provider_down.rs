//! A provider that does not answer, while another does.

use reqwest::StatusCode;
use testkit::TestDatabase;

use super::driver::{Browser, World};

#[tokio::test]
async fn a_provider_that_is_down_is_503_and_the_other_goes_on() {
    let world = World::open(TestDatabase::sqlite(), |config| {
        // Nobody listens there.
        config.providers[0].issuer = "http://127.0.0.1:9/idp".into();
    })
    .await;
    let browser = Browser::new();
    let page = browser.get(&world.portal().authorize_url(&[("provider", "thaid")])).await;
    assert_eq!(page.status(), StatusCode::SERVICE_UNAVAILABLE);
    let html = page.text().await.unwrap();
    assert!(html.contains("provider=dga") && !html.contains("provider=thaid"));
    assert!(world.portal().authorize("dga", "somchai", &[]).await.get("code").is_some());
}

#[tokio::test]
async fn a_provider_with_another_issuer_than_configured_is_not_used() {
    let world = World::open(TestDatabase::sqlite(), |config| {
        let dga = config.providers[1].issuer.clone();
        config.providers[0].issuer = format!("{dga}/");
    })
    .await;
    let page = Browser::new().get(&world.portal().authorize_url(&[("provider", "thaid")])).await;
    assert_eq!(page.status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_secret_that_the_provider_refuses_is_an_outage_and_no_login() {
    let world = World::open(TestDatabase::sqlite(), |config| {
        config.providers[0].client_secret = chassis::Secret::from("wrong");
    })
    .await;
    let browser = Browser::new();
    let callback = world.portal().at_provider(&browser, "thaid", "somchai", &[]).await;
    assert_eq!(browser.get(&callback).await.status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_registry_that_is_down_lets_the_login_go_on_without_companies() {
    let world = World::open(TestDatabase::sqlite(), |config| {
        config.registry.as_mut().unwrap().url = "http://127.0.0.1:9/registry".into();
    })
    .await;
    let claims = world.portal().log_in("thaid", "somchai").await.claims(&world);
    assert_eq!(claims.parties.len(), 1);
}
