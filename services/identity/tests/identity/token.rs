//! Codes, refresh tokens, revocation and logout.

use serde_json::Value;

use super::driver::{Browser, location, worlds};

#[tokio::test]
async fn a_refresh_token_works_once_and_its_reuse_ends_the_session() {
    for world in worlds().await {
        let app = world.mobile();
        let first = app.log_in("thaid", "somchai").await;
        let second = app.refresh(first.text("refresh_token")).await.unwrap();
        assert_eq!(second.claims(&world).sid, first.claims(&world).sid);
        assert_ne!(second.text("refresh_token"), first.text("refresh_token"));
        let reused = app.refresh(first.text("refresh_token")).await.unwrap_err();
        assert_eq!(reused["error"], "invalid_grant");
        let heir = app.refresh(second.text("refresh_token")).await.unwrap_err();
        assert_eq!(heir["error"], "invalid_grant");
        assert_eq!(second.access(&world).unwrap_err(), auth::TokenError::Ended);
    }
}

#[tokio::test]
async fn a_refresh_can_narrow_the_scope_and_never_widen_it() {
    for world in worlds().await {
        let app = world.mobile();
        let tokens = app.log_in("thaid", "somchai").await;
        let refresh_token = tokens.text("refresh_token");
        let form =
            |scope| [("grant_type", "refresh_token"), ("refresh_token", refresh_token), ("scope", scope)];
        let wide = app.token(&form("profile:read cases:write")).await.unwrap_err();
        assert_eq!(wide["error"], "invalid_scope");
        let narrow = app.token(&form("profile:read")).await.unwrap();
        assert_eq!(narrow.body["scope"], "profile:read");
    }
}

#[tokio::test]
async fn a_code_needs_its_verifier_its_client_and_its_address() {
    for world in worlds().await {
        let app = world.portal();
        let returned = app.authorize("thaid", "somchai", &[]).await;
        let other_verifier = "another-verifier-that-is-long-enough-for-rfc-7636";
        let wrong = app.redeem_with(returned.code(), other_verifier).await.unwrap_err();
        assert_eq!(wrong["error"], "invalid_grant");
        let thief = world.mobile().redeem(returned.code()).await.unwrap_err();
        assert_eq!(thief["error"], "invalid_grant");
        assert!(app.redeem(returned.code()).await.is_ok());
    }
}

#[tokio::test]
async fn a_code_used_twice_ends_what_came_from_it() {
    for world in worlds().await {
        let app = world.portal();
        let returned = app.authorize("thaid", "somchai", &[]).await;
        let tokens = app.redeem(returned.code()).await.unwrap();
        let again = app.redeem(returned.code()).await.unwrap_err();
        assert_eq!(again["error"], "invalid_grant");
        assert_eq!(tokens.access(&world).unwrap_err(), auth::TokenError::Ended);
        assert!(app.refresh(tokens.text("refresh_token")).await.is_err());
    }
}

#[tokio::test]
async fn a_code_and_a_session_end_in_time() {
    for world in worlds().await {
        let app = world.portal();
        let late = app.authorize("thaid", "somchai", &[]).await;
        world.clock.advance(chrono::Duration::seconds(61));
        assert!(app.redeem(late.code()).await.is_err());
        let tokens = app.log_in("thaid", "somchai").await;
        world.clock.advance(chrono::Duration::minutes(6));
        assert_eq!(tokens.access(&world).unwrap_err(), auth::TokenError::Expired);
        world.clock.advance(chrono::Duration::hours(12));
        assert!(app.refresh(tokens.text("refresh_token")).await.is_err());
    }
}

#[tokio::test]
async fn a_revoked_token_ends_its_session_and_an_unknown_one_is_answered_alike() {
    for world in worlds().await {
        let app = world.mobile();
        let url = world.url("/oauth/revoke");
        for kind in ["refresh_token", "access_token"] {
            let tokens = app.log_in("thaid", "somchai").await;
            let form = [("token", tokens.text(kind)), ("client_id", "citizen-portal")];
            assert!(Browser::new().post(&url, &form).await.status().is_success());
            assert!(tokens.access(&world).is_ok(), "another client's token must not be revoked");
            let form = [("token", tokens.text(kind)), ("client_id", app.client_id)];
            assert!(Browser::new().post(&url, &form).await.status().is_success());
            assert_eq!(tokens.access(&world).unwrap_err(), auth::TokenError::Ended);
            assert!(app.refresh(tokens.text("refresh_token")).await.is_err());
        }
        let form = [("token", "made-up"), ("client_id", app.client_id)];
        assert!(Browser::new().post(&url, &form).await.status().is_success());
    }
}

#[tokio::test]
async fn logout_ends_the_session_of_the_id_token_and_returns_to_a_registered_address_only() {
    for world in worlds().await {
        let app = world.mobile();
        let tokens = app.log_in("thaid", "somchai").await;
        let hint = tokens.text("id_token");
        let url = |target: &str| {
            world
                .url(&format!("/oauth/logout?id_token_hint={hint}&state=s&post_logout_redirect_uri={target}"))
        };
        let foreign = format!("{}&client_id=citizen-portal", url("app.pratu%3A%2Fsigned-out"));
        assert_eq!(Browser::new().get(&foreign).await.status(), 200, "the token is another client's");
        assert!(tokens.access(&world).is_ok());
        let elsewhere = Browser::new().get(&url("https%3A%2F%2Fevil.example")).await;
        assert_eq!(elsewhere.status(), 200);
        let home = Browser::new().get(&url("app.pratu%3A%2Fsigned-out")).await;
        assert_eq!(location(&home), "app.pratu:/signed-out?state=s");
        assert_eq!(tokens.access(&world).unwrap_err(), auth::TokenError::Ended);
        assert!(app.refresh(tokens.text("refresh_token")).await.is_err());
    }
}

#[tokio::test]
async fn token_errors_are_those_of_the_rfc() {
    for world in worlds().await {
        let url = world.url("/oauth/token");
        for (form, error, status) in [
            (vec![("client_id", "mobile-app")], "invalid_request", 400),
            (vec![("client_id", "mobile-app"), ("grant_type", "password")], "unsupported_grant_type", 400),
            (vec![("client_id", "mobile-app"), ("grant_type", "authorization_code")], "invalid_request", 400),
            (vec![("client_id", "nobody"), ("grant_type", "refresh_token")], "invalid_client", 401),
            (vec![("grant_type", "refresh_token")], "invalid_client", 401),
        ] {
            let response = Browser::new().post(&url, &form).await;
            assert_eq!(response.status().as_u16(), status);
            let body: Value = response.json().await.unwrap();
            assert_eq!(body["error"], error);
        }
        let long = "x".repeat(20_000);
        let response = Browser::new().post(&url, &[("code", long.as_str())]).await;
        assert_eq!(response.status().as_u16(), 413);
    }
}

#[tokio::test]
async fn of_two_refreshes_at_once_one_wins_and_the_session_ends() {
    for world in worlds().await {
        let app = world.mobile();
        let tokens = app.log_in("thaid", "somchai").await;
        let refresh_token = tokens.text("refresh_token");
        let (one, two) = tokio::join!(app.refresh(refresh_token), app.refresh(refresh_token));
        assert!(one.is_ok() != two.is_ok(), "one token, two successors");
        let winner = one.or(two).unwrap();
        assert!(app.refresh(winner.text("refresh_token")).await.is_err());
    }
}

#[tokio::test]
async fn of_two_redemptions_of_one_code_at_once_one_wins() {
    for world in worlds().await {
        let app = world.portal();
        let returned = app.authorize("thaid", "somchai", &[]).await;
        let (one, two) = tokio::join!(app.redeem(returned.code()), app.redeem(returned.code()));
        assert!(one.is_ok() != two.is_ok());
    }
}
