//! The way through a login, and the ways out of it.

use auth::Principal;
use reqwest::StatusCode;
use serde_json::Value;

use super::driver::{Browser, location, returned, worlds};

#[tokio::test]
async fn a_citizen_logs_in_and_acts_for_themselves_and_their_company() {
    for world in worlds().await {
        let returned = world.portal().authorize("thaid", "somchai", &[]).await;
        assert_eq!(returned.get("state").as_deref(), Some("the-apps-state"));
        assert_eq!(returned.get("iss").as_deref(), Some(world.public_url.as_str()));
        let tokens = world.portal().redeem(returned.code()).await.unwrap();
        assert_eq!(tokens.body["token_type"], "Bearer");
        assert_eq!(tokens.body["expires_in"], 300);
        let (principal, claims) = tokens.access(&world).unwrap();
        let Principal::Citizen(citizen) = principal else { panic!("not a citizen") };
        assert_eq!(claims.acr, "urn:th:ial:2.3:aal:2.2");
        assert_eq!(citizen.parties.len(), 2);
        assert_eq!(citizen.parties[0].party_id, citizen.citizen_id);
        assert!(citizen.parties[0].mandate_id.is_none() && citizen.parties[1].mandate_id.is_some());
        assert!(tokens.text("id_token").split('.').count() == 3);
    }
}

#[tokio::test]
async fn a_person_chooses_a_provider_on_a_page_that_no_other_site_can_frame() {
    for world in worlds().await {
        let browser = Browser::new();
        let page = browser.get(&world.mobile().authorize_url(&[])).await;
        assert_eq!(page.status(), StatusCode::OK);
        let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"));
        assert_eq!(page.headers()["cache-control"], "no-store");
        let html = page.text().await.unwrap();
        assert!(html.contains("เลือกวิธีเข้าสู่ระบบ") && html.contains("Choose how to log in"));
        let start = html.split("href=\"").nth(1).unwrap().split('"').next().unwrap();
        let at_provider = location(&browser.get(&world.url(start)).await);
        assert!(at_provider.contains("/sandbox/idp/thaid/authorize"), "{at_provider}");
        let elsewhere = Browser::new().get(&world.url(start)).await;
        assert_eq!(elsewhere.status(), StatusCode::BAD_REQUEST);
        let callback = location(&browser.post(&at_provider, &[("persona", "malee")]).await);
        let back = returned(&browser.get(&callback).await);
        assert_eq!(back.address.scheme(), "app.pratu");
        assert!(world.mobile().redeem(back.code()).await.is_ok());
    }
}

#[tokio::test]
async fn a_cancelled_login_is_access_denied() {
    for world in worlds().await {
        let browser = Browser::new();
        let at_provider =
            location(&browser.get(&world.portal().authorize_url(&[("provider", "thaid")])).await);
        let callback = location(&browser.post(&at_provider, &[("action", "cancel")]).await);
        assert_eq!(returned(&browser.get(&callback).await).error(), "access_denied");
    }
}

#[tokio::test]
async fn a_replayed_callback_gives_nothing() {
    for world in worlds().await {
        let browser = Browser::new();
        let callback = world.portal().at_provider(&browser, "thaid", "somchai", &[]).await;
        returned(&browser.get(&callback).await).code();
        assert_eq!(browser.get(&callback).await.status(), StatusCode::BAD_REQUEST);
        let made_up = world.url("/oauth/callback/thaid?code=x&state=y");
        assert_eq!(browser.get(&made_up).await.status(), StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn an_answer_of_another_issuer_or_for_another_provider_is_refused() {
    for world in worlds().await {
        let browser = Browser::new();
        let callback = world.portal().at_provider(&browser, "thaid", "somchai", &[]).await;
        let swapped = callback.replace("/oauth/callback/thaid", "/oauth/callback/dga");
        assert_eq!(browser.get(&swapped).await.status(), StatusCode::BAD_REQUEST);
        let mut mixed_up = url::Url::parse(&callback).unwrap();
        let pairs: Vec<_> = mixed_up.query_pairs().into_owned().filter(|(name, _)| name != "iss").collect();
        mixed_up.query_pairs_mut().clear().extend_pairs(pairs).append_pair("iss", "https://evil.example");
        assert_eq!(returned(&browser.get(mixed_up.as_str()).await).error(), "access_denied");
    }
}

#[tokio::test]
async fn a_login_that_took_too_long_is_over() {
    for world in worlds().await {
        let browser = Browser::new();
        let callback = world.portal().at_provider(&browser, "thaid", "somchai", &[]).await;
        world.clock.advance(chrono::Duration::minutes(11));
        assert_eq!(browser.get(&callback).await.status(), StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn a_level_that_the_person_does_not_have_is_not_given() {
    for world in worlds().await {
        let asked = [("acr_values", "urn:th:ial:2.3:aal:2.2")];
        let granted = world.portal().authorize("thaid", "somchai", &asked).await;
        assert!(granted.get("code").is_some());
        let refused = world.portal().authorize("dga", "somchai", &asked).await;
        assert_eq!(refused.error(), "access_denied");
    }
}

#[tokio::test]
async fn an_officer_gets_a_token_for_the_agency_and_a_citizen_none() {
    for world in worlds().await {
        let tokens = world.desk().log_in("thaid", "officer-nonthaburi").await;
        let (Principal::Officer(officer), claims) = tokens.access(&world).unwrap() else {
            panic!("not an officer")
        };
        assert_eq!(officer.agency, "nonthaburi");
        assert_eq!(officer.roles.len(), 2);
        assert!(claims.parties.is_empty());
        let refused = world.desk().authorize("thaid", "somchai", &[]).await;
        assert_eq!(refused.error(), "access_denied");
    }
}

#[tokio::test]
async fn a_wrong_address_gets_a_page_and_other_faults_go_back_to_the_client() {
    for world in worlds().await {
        let browser = Browser::new();
        let wrong = world.portal().authorize_url(&[("redirect_uri", "https://evil.example/")]);
        assert_eq!(browser.get(&wrong).await.status(), StatusCode::BAD_REQUEST);
        let wide = world.portal().authorize_url(&[("scope", "cases:write")]);
        assert_eq!(returned(&browser.get(&wide).await).error(), "invalid_scope");
        let plain = world.portal().authorize_url(&[("code_challenge_method", "plain")]);
        assert_eq!(returned(&browser.get(&plain).await).error(), "invalid_request");
        let nobody = world.portal().authorize_url(&[("provider", "nobody")]);
        assert_eq!(returned(&browser.get(&nobody).await).error(), "invalid_request");
    }
}

#[tokio::test]
async fn the_metadata_names_endpoints_that_exist_and_keys_that_verify() {
    for world in worlds().await {
        let browser = Browser::new();
        for path in ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"] {
            let metadata: Value = browser.get(&world.url(path)).await.json().await.unwrap();
            assert_eq!(metadata["issuer"], world.public_url);
            assert_eq!(metadata["code_challenge_methods_supported"], serde_json::json!(["S256"]));
            let keys: Value = browser.get(metadata["jwks_uri"].as_str().unwrap()).await.json().await.unwrap();
            let key = &keys["keys"][0];
            assert_eq!(
                (&key["kty"], &key["crv"], &key["alg"]),
                (&"EC".into(), &"P-256".into(), &"ES256".into())
            );
            assert!(key.get("d").is_none(), "a private key was published");
        }
    }
}
