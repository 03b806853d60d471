//! How fresh a login is, and how high: what the client asks for, and what an officer must reach.

use auth::Principal;
use chrono::Duration;
use url::Url;

use super::driver::{Browser, Returned, World, location, returned};
use super::rogue::Rogue;

const UNMET: &str = "unmet_authentication_requirements";
const NANTA: &str = "1120100008010";

/// A login at the rogue that takes some minutes.
async fn login(rogue: &Rogue, world: &World, minutes: i64, extra: &[(&str, &str)]) -> Returned {
    let browser = Browser::new();
    let callback = rogue.callback(&world.portal(), &browser, extra).await;
    for clock in [&world.clock, rogue.clock()] {
        clock.advance(Duration::minutes(minutes));
    }
    returned(&browser.get(callback.as_str()).await)
}

async fn auth_time(world: &World, returned: &Returned) -> i64 {
    world.portal().redeem(returned.code()).await.unwrap().claims(world).auth_time
}

fn without_auth_time(rogue: &Rogue) {
    rogue.claims(|claims| {
        claims.as_object_mut().unwrap().remove("auth_time");
    });
}

#[tokio::test]
async fn a_login_older_than_asked_is_refused_and_its_age_is_told_otherwise() {
    let rogue = Rogue::start().await;
    let world = rogue.world().await;
    let an_hour_ago = world.clock.now().timestamp() - 3_600;
    rogue.claims(move |claims| claims["auth_time"] = an_hour_ago.into());
    assert_eq!(login(&rogue, &world, 0, &[("max_age", "600")]).await.error(), UNMET);
    let old_enough = login(&rogue, &world, 0, &[("max_age", "7200")]).await;
    assert_eq!(auth_time(&world, &old_enough).await, an_hour_ago);
    let unasked = login(&rogue, &world, 0, &[]).await;
    assert_eq!(auth_time(&world, &unasked).await, an_hour_ago);
}

#[tokio::test]
async fn a_provider_that_keeps_nobody_logged_in_need_not_say_when_it_was() {
    let rogue = Rogue::start().await;
    let world = rogue.world().await;
    without_auth_time(&rogue);
    let begun = world.clock.now().timestamp();
    let fresh = login(&rogue, &world, 1, &[("max_age", "60")]).await;
    assert_eq!(auth_time(&world, &fresh).await, begun, "not later than it can have been");
    assert_eq!(login(&rogue, &world, 3, &[("max_age", "60")]).await.error(), UNMET);
}

#[tokio::test]
async fn silence_about_the_time_is_no_fresh_login_where_the_policy_says_so() {
    let rogue = Rogue::start().await;
    let place = testkit::TestDatabase::sqlite();
    let file = place.directory().join("levels.toml");
    let built_in = include_str!("../../assurance.toml");
    std::fs::write(&file, built_in.replace("\"since_asked\"", "\"refuse\"")).unwrap();
    let issuer = rogue.issuer().to_owned();
    let world = World::open(place, |config| {
        config.providers[0].issuer = issuer;
        config.assurance_file = Some(file);
    })
    .await;
    without_auth_time(&rogue);
    assert_eq!(login(&rogue, &world, 0, &[("max_age", "600")]).await.error(), UNMET);
    let unasked = login(&rogue, &world, 0, &[]).await;
    assert_eq!(auth_time(&world, &unasked).await, 0, "a time that nobody knows makes nothing fresh");
}

#[tokio::test]
async fn a_provider_is_told_what_is_asked_for() {
    let rogue = Rogue::start().await;
    let world = rogue.world().await;
    let asked = async |url: String| {
        let url = Url::parse(&location(&Browser::new().get(&url).await)).unwrap();
        move |name: &str| url.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
    };
    let extra = [("provider", "thaid"), ("max_age", "60"), ("acr_values", "urn:th:ial:2.3 urn:x")];
    let citizen = asked(world.portal().authorize_url(&extra)).await;
    assert_eq!(citizen("max_age").as_deref(), Some("60"));
    assert_eq!(citizen("acr_values").as_deref(), Some("urn:th:ial:2.3:aal:1"));
    assert_eq!(citizen("prompt").as_deref(), Some("login"));
    assert_eq!(citizen("code_challenge_method").as_deref(), Some("S256"));
    let officer = asked(world.desk().authorize_url(&[("provider", "thaid")])).await;
    assert_eq!(officer("acr_values").as_deref(), Some("urn:th:ial:2.3:aal:2.2"));
    assert_eq!(officer("max_age"), None);
}

#[tokio::test]
async fn an_officer_below_the_level_of_officers_is_told_which_one_to_come_back_with() {
    let rogue = Rogue::start().await;
    let world = rogue.world().await;
    rogue.person("subject-of-nanta", NANTA);
    for (ial, acr) in [("2.3", "urn:th:ial:2.3:aal:2.1"), ("2.1", "urn:th:ial:2.1:aal:2.2")] {
        rogue.claims(move |claims| {
            claims["ial"] = ial.into();
            claims["acr"] = acr.into();
        });
        let browser = Browser::new();
        let callback = rogue.callback(&world.desk(), &browser, &[]).await;
        let back = returned(&browser.get(callback.as_str()).await);
        assert_eq!((back.error(), back.get("code")), (UNMET.to_owned(), None), "{acr}");
        assert_eq!(back.get("acr_values").as_deref(), Some("urn:th:ial:2.3:aal:2.2"));
        // A citizen is held to what the client asks for, and to no more.
        let citizen = rogue.callback(&world.portal(), &browser, &[]).await;
        assert!(returned(&browser.get(citizen.as_str()).await).get("code").is_some());
    }
    rogue.claims(|_| {});
    let browser = Browser::new();
    let callback = rogue.callback(&world.desk(), &browser, &[]).await;
    let back = returned(&browser.get(callback.as_str()).await);
    let tokens = world.desk().redeem(back.code()).await.unwrap();
    assert!(matches!(tokens.access(&world).unwrap().0, Principal::Officer(_)));
}
