//! Personas with something of their own, and personas that become somebody new.

use serde_json::{Value, json};
use testkit::{Engines, TestDatabase};

use crate::identity::{DGA_SECRET, SECRET, VERIFIER, authorize_url, choose, redeem, verified};
use crate::world::{World, json_of};

/// The claims of a login.
async fn claims(world: &World, provider: &str, choice: &'static str) -> Value {
    let sent = choose(world, &authorize_url(world, provider, &[]), choice).await;
    let secret = if provider == "dga" { DGA_SECRET } else { SECRET };
    let (_, tokens) = redeem(world, provider, &sent["code"], VERIFIER, secret).await;
    verified(world, provider, tokens["id_token"].as_str().unwrap()).await
}

async fn companies(world: &World, pid: &Value) -> Vec<Value> {
    let request = world.client.post(world.at("/registry/companies")).bearer_auth("sandbox-registry-secret");
    let told = json_of(request.json(&json!({ "pid": pid })).send().await.unwrap()).await.1;
    told["companies"].as_array().unwrap().clone()
}

async fn reset(world: &World, code: &str) -> (u16, Value) {
    json_of(world.client.post(world.at(&format!("/personas/{code}/reset"))).send().await.unwrap()).await
}

#[tokio::test]
async fn a_reset_persona_is_somebody_new_at_every_provider_and_in_the_registry() {
    for place in Engines::all().await {
        let world = World::open(&place.target).await;
        let (before, at_dga) = (
            claims(&world, "thaid", "persona=somchai").await,
            claims(&world, "dga", "persona=somchai").await,
        );
        let (status, told) = reset(&world, "somchai").await;
        assert_eq!((status, &told["code"], &told["generation"]), (200, &json!("somchai"), &json!(1)));

        let after = claims(&world, "thaid", "persona=somchai").await;
        assert_ne!((&before["sub"], &before["pid"]), (&after["sub"], &after["pid"]));
        assert_ne!(before["pid"], after["pid"]);
        assert_eq!((&after["pid"], &after["name"]), (&told["pid"], &before["name"]));
        let after_at_dga = claims(&world, "dga", "persona=somchai").await;
        assert_ne!(at_dga["sub"], after_at_dga["sub"]);
        assert_eq!(after_at_dga["citizen_id"], after["pid"], "still one person at both");

        let (old, new) = (companies(&world, &before["pid"]).await, companies(&world, &after["pid"]).await);
        assert_eq!((old.len(), new.len()), (1, 1));
        assert_ne!(old[0]["registration_number"], new[0]["registration_number"]);
        assert_eq!(claims(&world, "thaid", "persona=malee").await["pid"], "1500100004045", "others stay");

        world.close().await;
        let world = World::open(&place.target).await;
        assert_eq!(claims(&world, "thaid", "persona=somchai").await["pid"], after["pid"], "over a restart");
    }
}

#[tokio::test]
async fn what_was_begun_before_a_reset_is_not_finished_after_it() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    let url = authorize_url(&world, "thaid", &[]);
    let code = choose(&world, &url, "persona=malee").await["code"].clone();
    let token = {
        let code = choose(&world, &url, "persona=malee").await["code"].clone();
        let (_, tokens) = redeem(&world, "thaid", &code, VERIFIER, SECRET).await;
        tokens["access_token"].as_str().unwrap().to_owned()
    };
    reset(&world, "malee").await;
    assert_eq!(redeem(&world, "thaid", &code, VERIFIER, SECRET).await.0, 400);
    let userinfo = world.client.get(world.at("/idp/thaid/userinfo")).bearer_auth(token);
    assert_eq!(userinfo.send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn five_resets_at_once_are_at_least_one_and_leave_one_person() {
    for place in Engines::all().await {
        let world = World::open(&place.target).await;
        let (a, b, c, d, e) = tokio::join!(
            reset(&world, "prasert"),
            reset(&world, "prasert"),
            reset(&world, "prasert"),
            reset(&world, "prasert"),
            reset(&world, "prasert"),
        );
        let last = [&a, &b, &c, &d, &e].into_iter().map(|(status, told)| {
            assert_eq!(*status, 200);
            told["generation"].as_i64().unwrap()
        });
        let last = last.max().unwrap();
        assert!((1..=5).contains(&last));
        let people = json_of(world.client.get(world.at("/personas")).send().await.unwrap()).await.1;
        let prasert = people["personas"].as_array().unwrap().iter().find(|one| one["code"] == "prasert");
        assert_eq!(prasert.unwrap()["generation"], last);
    }
}

#[tokio::test]
async fn officers_and_unknown_people_are_not_reset() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    assert_eq!(reset(&world, "officer-nonthaburi").await.0, 409);
    for unknown in ["nobody", "somchai.1", "%20", "somchai%00"] {
        assert_eq!(reset(&world, unknown).await.0, 404, "{unknown}");
    }
    let login = world.send_form(&authorize_url(&world, "thaid", &[]), "persona=somchai.1").await;
    assert_eq!(login.status(), 400, "a generation is not chosen");
}

#[tokio::test]
async fn some_personas_are_always_refused_and_some_have_no_account() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    for (provider, choice) in [
        ("thaid", "persona=kamon"),
        ("dga", "persona=kamon"),
        ("thaid", "persona=samran"),
        ("thaid", "persona=boonmee"),
        ("dga", "persona=boonmee"),
    ] {
        let url = authorize_url(&world, provider, &[]);
        assert_eq!(choose(&world, &url, choice).await["error"], "access_denied", "{choice}");
    }
}

#[tokio::test]
async fn a_foreigner_has_no_number_and_a_changed_name_is_old_at_one_provider() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    let anders = claims(&world, "dga", "persona=anders").await;
    assert_eq!((anders.get("citizen_id"), &anders["birthdate"]), (None, &json!("1988-02-29")));
    let (new, old) =
        (claims(&world, "thaid", "persona=duangjai").await, claims(&world, "dga", "persona=duangjai").await);
    assert_eq!((&new["family_name"], &old["family_name"]), (&json!("ใหม่จริง"), &json!("ก่อนแก้ว")));
    assert_eq!(new["pid"], old["citizen_id"]);
}
