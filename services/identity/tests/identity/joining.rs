//! One person with several Digital IDs, and step-up.

use super::driver::{Browser, World, worlds};
use super::graph::ask;

#[tokio::test]
async fn a_second_provider_leads_to_the_same_person() {
    for world in worlds().await {
        let thaid = world.portal().log_in("thaid", "somchai").await.claims(&world);
        let dga = world.portal().log_in("dga", "somchai").await.claims(&world);
        assert_eq!(thaid.sub, dga.sub);
        assert_eq!(dga.acr, "urn:th:ial:2.1:aal:2.1");
        let again = world.portal().log_in("thaid", "somchai").await.claims(&world);
        assert_eq!(again.sub, thaid.sub);
        assert_eq!(again.parties, thaid.parties);
        let other = world.portal().log_in("thaid", "prasert").await.claims(&world);
        assert_ne!(other.sub, thaid.sub);
        assert_eq!(other.parties.len(), 3);
    }
}

#[tokio::test]
async fn a_weak_proofing_is_a_person_of_its_own_that_holds_no_number() {
    for world in worlds().await {
        let wipa = world.portal().log_in("dga", "wipa").await.claims(&world);
        assert_eq!(wipa.acr, "urn:th:ial:1.1:aal:1");
        assert_eq!(wipa.parties.len(), 1);
        let rows =
            world.service.database().rows("select id from citizen where pid_index is not null", vec![]);
        assert_eq!(rows.await.unwrap().len(), 0);
        let again = world.portal().log_in("dga", "wipa").await;
        assert_eq!(again.claims(&world).sub, wipa.sub);
        let document = "{ viewer { citizen { nameTh nationalIdMasked } } }";
        let shown = ask(&world, &again.access(&world).unwrap().0, document, serde_json::json!({})).await;
        assert!(shown["data"]["viewer"]["citizen"]["nameTh"].is_string(), "{shown}");
        assert!(shown["data"]["viewer"]["citizen"]["nationalIdMasked"].is_null(), "{shown}");
    }
}

#[tokio::test]
async fn a_session_that_was_replaced_and_then_revoked_is_not_taken_after_a_restart() {
    for world in worlds().await {
        let app = world.portal();
        let low = app.log_in("dga", "somchai").await;
        let session = low.claims(&world).sid.to_string();
        let returned = app.authorize("thaid", "somchai", &[("step_up_of", &session)]).await;
        let high = app.redeem(returned.code()).await.unwrap();
        let form = [("token", low.text("access_token")), ("client_id", app.client_id)];
        let revoked = Browser::new().post(&world.url("/oauth/revoke"), &form).await;
        assert!(revoked.status().is_success());
        assert_eq!(low.access(&world).unwrap_err(), auth::TokenError::Ended);
        let after = world.reopened().await.verifier();
        assert_eq!(after.verify(low.text("access_token")).unwrap_err(), auth::TokenError::Ended);
        assert!(after.verify(high.text("access_token")).is_ok());
    }
}

#[tokio::test]
async fn a_step_up_brings_the_same_person_back_and_replaces_the_session() {
    for world in worlds().await {
        let app = world.portal();
        let low = app.log_in("dga", "somchai").await;
        let session = low.claims(&world).sid.to_string();
        let extra = [("step_up_of", session.as_str()), ("acr_values", "urn:th:ial:2.3:aal:2.2")];
        let returned = app.authorize("thaid", "somchai", &extra).await;
        let high = app.redeem(returned.code()).await.unwrap();
        assert_eq!(high.claims(&world).sub, low.claims(&world).sub);
        assert_eq!(high.claims(&world).acr, "urn:th:ial:2.3:aal:2.2");
        assert!(low.access(&world).is_ok(), "calls under way go on until the old token expires");
        assert!(app.refresh(low.text("refresh_token")).await.is_err());
    }
}

#[tokio::test]
async fn another_person_may_not_come_back_from_a_step_up() {
    for world in worlds().await {
        let app = world.portal();
        let low = app.log_in("dga", "somchai").await;
        let session = low.claims(&world).sid.to_string();
        let swapped = app.authorize("thaid", "malee", &[("step_up_of", &session)]).await;
        assert_eq!(swapped.error(), "access_denied");
        let made_up = uuid::Uuid::nil().to_string();
        let url = app.authorize_url(&[("step_up_of", &made_up)]);
        let refused = super::driver::returned(&super::driver::Browser::new().get(&url).await);
        assert_eq!(refused.error(), "invalid_request");
    }
}

#[tokio::test]
async fn the_databases_hold_no_personal_data_in_the_clear() {
    let place = testkit::TestDatabase::sqlite();
    let folder = place.directory().to_owned();
    let world = super::driver::World::open(place, |_| {}).await;
    world.portal().log_in("thaid", "somchai").await;
    world.portal().log_in("dga", "somchai").await;
    for file in ["identity.sqlite", "identity.sqlite-wal"] {
        let bytes = std::fs::read(folder.join(file)).unwrap();
        for secret in ["1100100001015", "สมชาย", "Somchai", "1984-03-12"] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} stands in {file}");
        }
    }
}

#[tokio::test]
async fn a_revoked_mandate_is_gone_with_the_next_token_and_a_new_one_is_another() {
    for world in worlds().await {
        let app = world.mobile();
        let tokens = app.log_in("thaid", "prasert").await;
        let parties = tokens.claims(&world).parties;
        assert_eq!(parties.len(), 3);
        let revoke = "update mandate set revoked_at = confirmed_at where basis = $1";
        world.service.database().execute(revoke, database::args!["director"]).await.unwrap();
        let without = app.refresh(tokens.text("refresh_token")).await.unwrap();
        assert_eq!(without.claims(&world).parties.len(), 1);
        let again = app.log_in("thaid", "prasert").await.claims(&world).parties;
        assert_eq!(again.len(), 3);
        assert_ne!(again[1].mandate_id, parties[1].mandate_id, "named again: a mandate of its own");
    }
}

#[tokio::test]
async fn a_mandate_is_confirmed_again_when_the_registrys_word_is_a_day_old() {
    for world in worlds().await {
        let app = world.mobile();
        let tokens = app.log_in("thaid", "somchai").await;
        world.clock.advance(chrono::Duration::hours(30));
        let later = app.refresh(tokens.text("refresh_token")).await.unwrap();
        assert_eq!(later.claims(&world).parties.len(), 2);
    }
}

#[tokio::test]
async fn two_first_logins_of_one_person_at_once_make_one_citizen() {
    for world in worlds().await {
        let (portal, mobile) = (world.portal(), world.mobile());
        let (one, two) = tokio::join!(portal.log_in("thaid", "somchai"), mobile.log_in("dga", "somchai"));
        assert_eq!(one.claims(&world).sub, two.claims(&world).sub);
    }
}

#[tokio::test]
async fn a_director_of_many_companies_keeps_every_mandate_and_can_give_the_long_token_back() {
    let registry = registry_of(30).await;
    for place in testkit::Engines::all().await {
        let world =
            World::open(place, |config| config.registry.as_mut().unwrap().url = registry.clone()).await;
        let app = world.portal();
        app.log_in("thaid", "somchai").await;
        let tokens = app.log_in("thaid", "somchai").await;
        assert_eq!(tokens.claims(&world).parties.len(), 20, "a token names so many");
        let sql = "select id from mandate where revoked_at is null";
        assert_eq!(world.service.database().rows(sql, vec![]).await.unwrap().len(), 30);
        let sql = "select id from mandate where revoked_at is not null";
        assert_eq!(world.service.database().rows(sql, vec![]).await.unwrap().len(), 0);
        let form = [("token", tokens.text("access_token")), ("client_id", app.client_id)];
        let revoked = Browser::new().post(&world.url("/oauth/revoke"), &form).await;
        assert!(revoked.status().is_success());
        assert_eq!(tokens.access(&world).unwrap_err(), auth::TokenError::Ended);
    }
}

/// A registry that knows `count` companies of everybody, and names them in another order each time.
async fn registry_of(count: u32) -> String {
    let asked = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let answer = move || async move {
        let first = asked.fetch_add(7, std::sync::atomic::Ordering::Relaxed);
        let company = |number: u32| {
            serde_json::json!({
                "registration_number": format!("01055500{:05}", (first + number) % count),
                "name_th": "บริษัท ทดสอบ จำกัด", "role": "director", "since": "2019-06-03",
            })
        };
        axum::Json(serde_json::json!({ "companies": (0..count).map(company).collect::<Vec<_>>() }))
    };
    let app = axum::Router::new().route("/companies", axum::routing::post(answer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}
