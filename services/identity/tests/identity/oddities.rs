//! What a provider does otherwise than its adapter expects, as an operator says it.

use base64::Engine as _;
use identity::config::{ClientAuth, Oddities, SecretForm};
use serde_json::{Value, json};

use super::driver::{Browser, returned};
use super::rogue::{Rogue, SOMCHAI};

/// By Python's hashlib.
const DGA_SECRET: &str = "af90caed7cc0e951faa3cf410b684a99";

/// The token request that a provider with these oddities gets.
async fn redeemed(oddities: Oddities) -> (String, Value) {
    let rogue = Rogue::start().await;
    let world = rogue.world_with(|config| config.providers[0].oddities = oddities).await;
    let browser = Browser::new();
    let callback = rogue.callback(&world.portal(), &browser, &[]).await;
    assert!(returned(&browser.get(callback.as_str()).await).get("code").is_some());
    rogue.redeemed()
}

fn basic(secret: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("pratu:{secret}")))
}

#[tokio::test]
async fn the_client_secret_is_sent_in_the_form_and_at_the_place_that_is_configured() {
    let (credentials, form) = redeemed(Oddities::default()).await;
    assert_eq!((credentials, form.get("client_secret")), (basic("sandbox-idp-secret"), None));

    let hashed = Oddities { secret_form: Some(SecretForm::EgaMd5), ..Oddities::default() };
    assert_eq!(redeemed(hashed.clone()).await.0, basic(DGA_SECRET));

    let (credentials, form) = redeemed(Oddities { client_auth: Some(ClientAuth::Body), ..hashed }).await;
    assert_eq!((credentials.as_str(), &form["client_secret"]), ("", &json!(DGA_SECRET)));
    assert_eq!(form["client_id"], "pratu");
}

#[tokio::test]
async fn dgas_secret_may_be_plain_and_is_hashed_otherwise() {
    for (oddities, down) in [(None, false), (Some(SecretForm::Plain), true)] {
        let world = super::driver::World::open(testkit::TestDatabase::sqlite(), |config| {
            config.providers[1].oddities.secret_form = oddities;
        })
        .await;
        let browser = Browser::new();
        let callback = world.portal().at_provider(&browser, "dga", "somchai", &[]).await;
        // The sandbox's DGA takes the hash only.
        assert_eq!(browser.get(&callback).await.status().is_server_error(), down);
    }
}

#[tokio::test]
async fn userinfo_completes_the_person_and_must_be_of_the_same_one() {
    let rogue = Rogue::start().await;
    let asks = |config: &mut identity::Config| config.providers[0].oddities.userinfo = Some(true);
    let world = rogue.world_with(asks).await;
    rogue.claims(|claims| {
        for name in ["pid", "ial", "acr"] {
            claims.as_object_mut().unwrap().remove(name);
        }
    });
    rogue.userinfo(|told| told["sub"] = json!("somebody-else"));
    let browser = Browser::new();
    let callback = rogue.callback(&world.portal(), &browser, &[]).await;
    assert_eq!(returned(&browser.get(callback.as_str()).await).error(), "access_denied");
    rogue.userinfo(|told| {
        told["pid"] = json!(SOMCHAI);
        told["ial"] = json!("2.3");
        // What is about the login counts signed only.
        told["acr"] = json!("urn:th:ial:2.3:aal:2.2");
        told["nonce"] = json!("x");
    });
    let browser = Browser::new();
    let callback = rogue.callback(&world.portal(), &browser, &[]).await;
    let back = returned(&browser.get(callback.as_str()).await);
    let tokens = world.portal().redeem(back.code()).await.unwrap();
    assert_eq!(tokens.claims(&world).acr, "urn:th:ial:2.3:aal:1");
}
