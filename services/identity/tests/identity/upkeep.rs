//! Keys that rotate, processes that agree, officers who change, and what is forgotten.

use auth::{Principal, Role, TokenError};
use database::args;
use serde_json::{Value, json};

use super::driver::{App, Browser, Tokens, World, worlds};

fn key_of(token: &str) -> String {
    use base64::Engine as _;
    let header = token.split('.').next().unwrap();
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).unwrap();
    serde_json::from_slice::<Value>(&header).unwrap()["kid"].as_str().unwrap().to_owned()
}

async fn published(world: &World) -> Vec<String> {
    let keys: Value = Browser::new().get(&world.url("/oauth/jwks.json")).await.json().await.unwrap();
    keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

async fn signed_now(app: &App<'_>) -> (String, Tokens) {
    let tokens = app.log_in("thaid", "somchai").await;
    (key_of(tokens.text("access_token")), tokens)
}

#[tokio::test]
async fn a_key_is_published_before_it_signs_and_until_its_last_token_ends() {
    for world in worlds().await {
        let app = world.mobile();
        let (first, _) = signed_now(&app).await;
        assert_eq!(published(&world).await, std::slice::from_ref(&first));

        world.clock.advance(chrono::Duration::days(29));
        let known = published(&world).await;
        assert_eq!((known.len(), &known[1]), (2, &first), "the next one is published a day before");
        world.clock.advance(chrono::Duration::hours(24) - chrono::Duration::seconds(1));
        let (last, tokens) = signed_now(&app).await;
        assert_eq!(last, first);
        world.clock.advance(chrono::Duration::seconds(1));
        let (second, _) = signed_now(&app).await;
        assert_eq!(second, known[0]);
        assert!(tokens.access(&world).is_ok(), "what the old key signed last is still good");
        assert_eq!(published(&world).await, known);

        world.clock.advance(chrono::Duration::days(2));
        assert_eq!(published(&world).await, std::slice::from_ref(&second));
        let hint = tokens.text("id_token");
        let out = Browser::new().get(&world.url(&format!("/oauth/logout?id_token_hint={hint}"))).await;
        assert!(out.status().is_success());
        let gone = app.refresh(tokens.text("refresh_token")).await.unwrap_err();
        assert_eq!(gone["error"], "invalid_grant", "an ID token of a retired key still logs out");
    }
}

#[tokio::test]
async fn after_a_long_standstill_there_is_a_key_that_signs() {
    for world in worlds().await {
        let app = world.mobile();
        let (first, _) = signed_now(&app).await;
        for standstill in
            [chrono::Duration::days(31) + chrono::Duration::hours(20), chrono::Duration::days(400)]
        {
            world.clock.advance(standstill);
            let (_, tokens) = signed_now(&app).await;
            world.clock.advance(chrono::Duration::minutes(4));
            assert!(tokens.access(&world).is_ok());
            assert!(published(&world).await.contains(&key_of(tokens.text("access_token"))));
        }
        assert!(!published(&world).await.contains(&first));
    }
}

#[tokio::test]
async fn two_processes_on_one_database_agree_on_keys_and_ended_sessions() {
    for world in worlds().await {
        let Some(other) = world.beside().await else { continue };
        let app = world.mobile();
        let (_, tokens) = signed_now(&app).await;
        let token = tokens.text("access_token");
        assert!(other.verifier().verify(token).is_ok());
        let form = [("token", token), ("client_id", app.client_id)];
        assert!(Browser::new().post(&world.url("/oauth/revoke"), &form).await.status().is_success());
        other.tend().await;
        assert_eq!(other.verifier().verify(token).map(|_| ()), Err(TokenError::Ended));

        world.clock.advance(chrono::Duration::days(29) + chrono::Duration::hours(1));
        tokio::join!(world.service.tend(), other.tend());
        let count = "select count(*) as keys from signing_key";
        let keys: i64 = other.database().row(count, args![]).await.unwrap().unwrap().get("keys").unwrap();
        assert_eq!(keys, 2, "both made the next key, and one of them is it");
        tokio::join!(world.service.tend(), other.tend());
        world.clock.advance(chrono::Duration::hours(24));
        let (key, tokens) = signed_now(&app).await;
        assert_eq!(key, published(&world).await[0]);
        assert!(other.verifier().verify(tokens.text("access_token")).is_ok());
    }
}

#[tokio::test]
async fn an_officers_roles_are_those_of_now_within_a_tokens_life() {
    for world in worlds().await {
        let desk = world.desk();
        let tokens = desk.log_in("thaid", "officer-nonthaburi").await;
        let officer = |tokens: &Tokens| match tokens.access(&world) {
            Ok((Principal::Officer(officer), _)) => officer,
            other => panic!("no officer: {other:?}"),
        };
        assert_eq!(officer(&tokens).agency, "nonthaburi");
        assert!(officer(&tokens).roles.contains(&Role::Reviewer));
        let set = async |roles: Value| {
            let sql = "update officer set roles = $1 where agency = $2";
            world.service.database().execute(sql, args![roles, "nonthaburi"]).await.unwrap();
        };
        set(json!(["approver"])).await;
        world.clock.advance(chrono::Duration::seconds(306));
        assert_eq!(tokens.access(&world).unwrap_err(), TokenError::Expired);
        let tokens = desk.refresh(tokens.text("refresh_token")).await.unwrap();
        assert_eq!(officer(&tokens).roles.into_iter().collect::<Vec<_>>(), [Role::Approver]);
        set(json!([])).await;
        let refused = desk.refresh(tokens.text("refresh_token")).await.unwrap_err();
        assert_eq!(refused["error"], "invalid_grant", "without a role nobody is an officer");
        set(json!(["reviewer"])).await;
        assert!(desk.refresh(tokens.text("refresh_token")).await.is_ok(), "and it cost the token nothing");
    }
}

#[tokio::test]
async fn somebody_who_has_lost_every_role_does_not_log_in_as_an_officer() {
    for world in worlds().await {
        let sql = "update officer set roles = $1 where agency = $2";
        world.service.database().execute(sql, args![json!([]), "nonthaburi"]).await.unwrap();
        let returned = world.desk().authorize("thaid", "officer-nonthaburi", &[]).await;
        assert_eq!(returned.error(), "access_denied");
    }
}

#[tokio::test]
async fn a_process_hears_of_all_sessions_that_ended_however_many() {
    const OTHERS: usize = 1_100;
    for world in worlds().await {
        let app = world.mobile();
        let tokens = app.log_in("thaid", "somchai").await;
        let session = tokens.claims(&world).sid;
        let mut tx = world.service.database().begin().await.unwrap();
        for _ in 0..OTHERS {
            let sql = "insert into session (id, client_id, citizen_id, provider, ial, aal, methods, scope,
                    authenticated_at, created_at, expires_at, ended_at, end_reason)
                select $1, client_id, citizen_id, provider, ial, aal, methods, scope, authenticated_at, created_at,
                    expires_at, $2, 'revoked' from session where id = $3";
            tx.execute(sql, args![world.clock.uuid(), world.clock.now(), session]).await.unwrap();
        }
        tx.commit().await.unwrap();
        world.clock.advance(chrono::Duration::seconds(1));
        let form = [("token", tokens.text("refresh_token")), ("client_id", app.client_id)];
        assert!(Browser::new().post(&world.url("/oauth/revoke"), &form).await.status().is_success());
        let other = world.reopened().await;
        let heard = other.verifier().verify(tokens.text("access_token"));
        assert_eq!(heard.map(|_| ()), Err(TokenError::Ended));
    }
}

#[tokio::test]
async fn what_is_long_over_is_forgotten_and_what_is_not_stays() {
    let tables = ["login_flow", "authorization_code", "refresh_token", "session", "idempotency_key"];
    for world in worlds().await {
        let rows = async |table: &str| -> i64 {
            let sql = format!("select count(*) as rows_left from {table}");
            world.service.database().row(&sql, args![]).await.unwrap().unwrap().get("rows_left").unwrap()
        };
        let app = world.mobile();
        let tokens = app.log_in("thaid", "somchai").await;
        let ended = app.log_in("thaid", "malee").await;
        let form = [("token", ended.text("refresh_token")), ("client_id", app.client_id)];
        Browser::new().post(&world.url("/oauth/revoke"), &form).await;
        world.clock.advance(chrono::Duration::days(29));
        world.service.forget_old().await.unwrap();
        assert_eq!((rows("login_flow").await, rows("authorization_code").await), (0, 0));
        assert_eq!(rows("session").await, 2);
        let tokens = app.refresh(tokens.text("refresh_token")).await.unwrap();

        world.clock.advance(chrono::Duration::days(3));
        world.service.forget_old().await.unwrap();
        assert_eq!(rows("session").await, 1, "the one that was ended is gone, the one that expired is kept");
        assert!(app.refresh(tokens.text("refresh_token")).await.is_err());
        world.clock.advance(chrono::Duration::days(60));
        world.service.forget_old().await.unwrap();
        for table in tables {
            assert_eq!(rows(table).await, 0, "{table}");
        }
        assert!(!app.log_in("thaid", "somchai").await.text("access_token").is_empty());
    }
}

#[tokio::test]
async fn a_signing_key_that_an_old_sealing_key_opens_is_counted_until_it_is_sealed_anew() {
    for world in worlds().await {
        let (new, index) = (sealing::Keys::generate(), sealing::Keys::generate());
        let turning = sealing::Keys::ring(&[&new, &world.master], Some(&index)).unwrap();
        let (turning, database) = (sealing::Sealer::new(turning), world.service.database());
        let left = identity::signing_keys_left(database, &turning).await.unwrap();
        assert_eq!(left, 1, "{}", world.place.engine);
        assert_eq!(identity::reseal_signing_keys(database, &turning).await.unwrap(), 1);
        assert_eq!(identity::signing_keys_left(database, &turning).await.unwrap(), 0);
    }
}
