//! Answers of a provider that do not hold: each ends without a code, and nothing is booked.

use axum::http::StatusCode as Answered;
use axum::response::IntoResponse;
use chrono::Duration;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::driver::{Browser, World, returned};
use super::rogue::{MALEE, Rogue, Signature};

type Answer = fn() -> axum::response::Response;

/// How many rows a login could have left.
async fn booked(world: &World) -> usize {
    let mut rows = 0;
    for table in ["citizen", "account", "session", "authorization_code"] {
        let sql = format!("select 1 as one from {table}");
        rows += world.service.database().rows(&sql, vec![]).await.unwrap().len();
    }
    rows
}

/// Logs in at the rogue, and expects an error at the app and nothing booked.
async fn refused(rogue: &Rogue, world: &World, what: &str) {
    let browser = Browser::new();
    let callback = rogue.callback(&world.portal(), &browser, &[]).await;
    let back = returned(&browser.get(callback.as_str()).await);
    assert_eq!(back.error(), "access_denied", "{what}");
    assert_eq!(back.get("state").as_deref(), Some("the-apps-state"), "{what}");
    assert!(back.address.as_str().starts_with(&world.portal().redirect_uri), "{what}");
    assert_eq!(booked(world).await, 0, "{what}");
    assert_eq!(browser.get(callback.as_str()).await.status(), StatusCode::BAD_REQUEST, "{what}: replayed");
}

/// Logs in at the rogue, and expects it to go through.
async fn accepted(rogue: &Rogue, world: &World, what: &str) {
    let browser = Browser::new();
    let callback = rogue.callback(&world.portal(), &browser, &[]).await;
    let back = returned(&browser.get(callback.as_str()).await);
    assert!(back.get("code").is_some(), "{what}: {}", back.address);
    world.portal().redeem(back.code()).await.unwrap();
}

#[tokio::test]
async fn an_id_token_with_a_wrong_or_missing_claim_is_refused() {
    let rogue = Rogue::start().await;
    let world = rogue.world().await;
    let now = world.clock.now().timestamp();
    let others: [(&str, Value); 16] = [
        ("iss", json!("https://evil.example")),
        ("iss", Value::Null),
        ("aud", json!("another-client")),
        ("aud", json!(["pratu", "another-client"])),
        ("aud", Value::Null),
        ("azp", json!("another-client")),
        ("nonce", json!("of another login")),
        ("nonce", Value::Null),
        ("at_hash", json!("bm90IHRoaXMgdG9rZW4")),
        ("iat", json!(now - 3_600)),
        ("iat", json!(now + 3_600)),
        ("iat", Value::Null),
        ("exp", json!(now - 61)),
        ("exp", Value::Null),
        ("auth_time", json!(now + 3_600)),
        ("sub", Value::Null),
    ];
    for (name, value) in others {
        let what = format!("{name}: {value}");
        rogue.claims(move |claims| {
            claims[name] = value.clone();
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(name);
            }
        });
        if matches!(name, "iat" | "exp" | "sub" | "iss") && what.ends_with("null") {
            // Not an ID token at all: the provider does not speak its protocol.
            let browser = Browser::new();
            let callback = rogue.callback(&world.portal(), &browser, &[]).await;
            let status = browser.get(callback.as_str()).await.status();
            assert_eq!((status, booked(&world).await), (StatusCode::SERVICE_UNAVAILABLE, 0), "{what}");
        } else {
            refused(&rogue, &world, &what).await;
        }
    }
    rogue.claims(|_| {});
    accepted(&rogue, &world, "an honest token").await;
}

#[tokio::test]
async fn only_a_signature_with_a_published_key_counts() {
    let rogue = Rogue::start().await;
    let world = rogue.world().await;
    for signature in [
        Signature::OtherKey,
        Signature::Secret,
        Signature::PublicKeyAsSecret,
        Signature::Tampered,
        Signature::None,
    ] {
        rogue.sign(signature);
        refused(&rogue, &world, &format!("{signature:?}")).await;
    }
}

#[tokio::test]
async fn clocks_may_be_a_minute_apart_and_no_more() {
    let (fast, slow) = (Rogue::start().await, Rogue::start().await);
    let world = fast.world().await;
    fast.clock().advance(Duration::seconds(59));
    accepted(&fast, &world, "a minute fast").await;
    let world = fast.world().await;
    fast.clock().advance(Duration::seconds(2));
    refused(&fast, &world, "more than a minute fast").await;

    let world = slow.world().await;
    // Its tokens hold for five minutes.
    world.clock.advance(Duration::seconds(359));
    accepted(&slow, &world, "so slow that its token has just expired").await;
    let world = slow.world().await;
    world.clock.advance(Duration::seconds(361));
    refused(&slow, &world, "slower").await;
}

#[tokio::test]
async fn a_rotated_key_is_found_and_the_provider_is_not_hammered_for_unknown_ones() {
    let rogue = Rogue::start().await;
    let world = rogue.world().await;
    accepted(&rogue, &world, "the first key").await;
    rogue.sign(Signature::Rotated);
    world.clock.advance(Duration::seconds(61));
    rogue.clock().advance(Duration::seconds(61));
    accepted(&rogue, &world, "the second key").await;
    assert_eq!(rogue.asked("jwks"), 2);

    rogue.sign(Signature::OtherKey);
    for _ in 0..5 {
        let browser = Browser::new();
        let callback = rogue.callback(&world.portal(), &browser, &[]).await;
        assert_eq!(returned(&browser.get(callback.as_str()).await).error(), "access_denied");
    }
    assert_eq!(rogue.asked("jwks"), 2, "asked again within a minute");
    rogue.sign(Signature::Published);
    accepted(&rogue, &world, "the second key again").await;
}

#[tokio::test]
async fn strangers_cannot_make_us_ask_a_provider() {
    let rogue = Rogue::start().await;
    let world = rogue.world().await;
    let browser = Browser::new();
    for state in ["", "x", "a-state-that-nobody-began"] {
        let made_up =
            world.url(&format!("/oauth/callback/thaid?code=x&state={state}&iss={}", rogue.issuer()));
        assert_eq!(browser.get(&made_up).await.status(), StatusCode::BAD_REQUEST);
    }
    assert_eq!(rogue.asked("token") + rogue.asked("discovery"), 0);
    for _ in 0..5 {
        rogue.callback(&world.portal(), &Browser::new(), &[]).await;
    }
    assert_eq!((rogue.asked("discovery"), rogue.asked("jwks")), (1, 1));
}

#[tokio::test]
async fn a_code_that_the_provider_does_not_know_is_refused_and_a_broken_token_endpoint_is_an_outage() {
    let rogue = Rogue::start().await;
    let world = rogue.world().await;
    rogue.token(|| (Answered::BAD_REQUEST, axum::Json(json!({"error": "invalid_grant"}))).into_response());
    refused(&rogue, &world, "an unknown code").await;
    let answers: [(&str, Answer); 7] = [
        ("an error of its own", || Answered::INTERNAL_SERVER_ERROR.into_response()),
        ("a page", || axum::response::Html("<h1>Sorry</h1>").into_response()),
        ("half an answer", || r#"{"access_token":"#.into_response()),
        ("too much", || format!(r#"{{"access_token":"{}"}}"#, "x".repeat(300_000)).into_response()),
        ("a redirect", || axum::response::Redirect::temporary("http://127.0.0.1:9/").into_response()),
        ("no JWT", || {
            axum::Json(json!({"access_token": "at", "token_type": "Bearer", "id_token": "a.b"}))
                .into_response()
        }),
        ("our secret refused", || {
            (Answered::UNAUTHORIZED, axum::Json(json!({"error": "invalid_client"}))).into_response()
        }),
    ];
    for (what, answer) in answers {
        rogue.token(answer);
        let browser = Browser::new();
        let callback = rogue.callback(&world.portal(), &browser, &[]).await;
        let answered = browser.get(callback.as_str()).await;
        assert_eq!(answered.status(), StatusCode::SERVICE_UNAVAILABLE, "{what}");
        let page = answered.text().await.unwrap();
        assert!(page.contains("error=temporarily_unavailable"), "{what}: a way back to the app");
        assert_eq!(booked(&world).await, 0, "{what}");
    }
    rogue.token(|| axum::Json(json!({"access_token": "at", "token_type": "Bearer"})).into_response());
    refused(&rogue, &world, "no ID token").await;
}

#[tokio::test]
async fn a_half_broken_discovery_or_key_set_is_an_outage_before_the_person_is_sent_there() {
    let elsewhere =
        |name: &'static str, value: Value| move |document: &mut Value| document[name] = value.clone();
    for (name, value) in [
        ("issuer", json!("https://elsewhere.example")),
        ("token_endpoint", Value::Null),
        ("authorization_endpoint", json!("javascript:alert(1)")),
        ("authorization_endpoint", json!("not an address")),
        ("jwks_uri", json!("http://127.0.0.1:9/jwks")),
        ("jwks_uri", json!("ftp://127.0.0.1/jwks")),
    ] {
        let rogue = Rogue::start().await;
        rogue.discovery(elsewhere(name, value));
        let world = rogue.world().await;
        let page = Browser::new().get(&world.portal().authorize_url(&[("provider", "thaid")])).await;
        assert_eq!(page.status(), StatusCode::SERVICE_UNAVAILABLE, "{name}");
    }
    for keys in [json!([]), json!([{"kty": "ML-KEM"}]), json!("none")] {
        let rogue = Rogue::start().await;
        rogue.jwks(elsewhere("keys", keys.clone()));
        let world = rogue.world().await;
        let page = Browser::new().get(&world.portal().authorize_url(&[("provider", "thaid")])).await;
        assert_eq!(page.status(), StatusCode::SERVICE_UNAVAILABLE, "{keys}");
        assert!(page.text().await.unwrap().contains("provider=dga"), "the other provider is offered");
    }
    // One key of a kind we cannot read does no harm to the others.
    let rogue = Rogue::start().await;
    rogue.jwks(|document| document["keys"].as_array_mut().unwrap().insert(0, json!({"kty": "ML-KEM"})));
    accepted(&rogue, &rogue.world().await, "a strange key beside a good one").await;
}

#[tokio::test]
async fn a_provider_that_breaks_its_metadata_goes_on_with_what_is_known_for_a_day() {
    let rogue = Rogue::start().await;
    let world = rogue.world().await;
    accepted(&rogue, &world, "before").await;
    rogue.jwks(|document| document["keys"] = json!([]));
    for clock in [&world.clock, rogue.clock()] {
        clock.advance(Duration::hours(2));
    }
    accepted(&rogue, &world, "two hours later").await;
    world.clock.advance(Duration::hours(23));
    let page = Browser::new().get(&world.portal().authorize_url(&[("provider", "thaid")])).await;
    assert_eq!(page.status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_provider_that_never_answers_is_503_in_time_and_the_other_goes_on_meanwhile() {
    let rogue = Rogue::start().await;
    let world = rogue.world_with(|config| config.provider_timeout_ms = 300).await;
    let (browser, portal) = (Browser::new(), world.portal());
    let callback = rogue.callback(&portal, &browser, &[]).await;
    rogue.hangs(true);
    let (hung, other) = tokio::join!(browser.get(callback.as_str()), portal.authorize("dga", "somchai", &[]));
    assert_eq!(hung.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(other.get("code").is_some());
    assert_eq!(rogue.asked("token"), 1, "a code is never tried twice");
    let sql = "select 1 as one from account where issuer = $1";
    let accounts = world.service.database().rows(sql, database::args![rogue.issuer()]).await.unwrap();
    assert_eq!(accounts.len(), 0);

    let fresh = rogue.world_with(|config| config.provider_timeout_ms = 300).await;
    let url = fresh.portal().authorize_url(&[("provider", "thaid")]);
    assert_eq!(Browser::new().get(&url).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    let asked = rogue.asked("discovery");
    assert_eq!(Browser::new().get(&url).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(rogue.asked("discovery"), asked, "the second does not wait for it again");
}

#[tokio::test]
async fn a_person_swapped_at_step_up_is_refused_and_leaves_no_trace() {
    let rogue = Rogue::start().await;
    let world = rogue.world().await;
    let browser = Browser::new();
    let callback = rogue.callback(&world.portal(), &browser, &[]).await;
    let low = returned(&browser.get(callback.as_str()).await);
    let low = world.portal().redeem(low.code()).await.unwrap();
    let before = booked(&world).await;

    rogue.person("subject-of-malee", MALEE);
    let session = low.claims(&world).sid.to_string();
    let callback = rogue.callback(&world.portal(), &browser, &[("step_up_of", &session)]).await;
    assert_eq!(returned(&browser.get(callback.as_str()).await).error(), "access_denied");
    assert_eq!(booked(&world).await, before, "Malee was booked");
    // Nor may her account be named by his subject: the account would change hands.
    rogue.person("subject-of-somchai", MALEE);
    let callback = rogue.callback(&world.portal(), &browser, &[("step_up_of", &session)]).await;
    assert_eq!(returned(&browser.get(callback.as_str()).await).error(), "access_denied");
    assert_eq!(booked(&world).await, before);
    assert!(world.portal().refresh(low.text("refresh_token")).await.is_ok(), "his session goes on");
}
