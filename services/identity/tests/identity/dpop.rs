//! Tokens that are bound to a key (RFC 9449): of use to its holder, and to nobody who steals them.

use auth::TokenError;
use http::{HeaderMap, header};
use serde_json::json;

use super::driver::worlds;
use super::holder::{Holder, let_in, redeem};

#[tokio::test]
async fn tokens_of_a_login_with_a_proof_are_bound_to_its_key() {
    for world in worlds().await {
        let (app, holder) = (world.mobile(), Holder::new(1));
        let tokens = holder.log_in(&app, "somchai").await;
        assert_eq!(tokens.text("token_type"), "DPoP");
        let token = tokens.text("access_token");
        let (_, claims) = world.service.verifier().read(token).unwrap();
        assert_eq!(claims.cnf.unwrap().jkt, holder.thumbprint());

        let call = holder.call(&world, token, json!({}));
        assert_eq!(let_in(&world, &call).await, Ok(true));
        assert!(matches!(let_in(&world, &call).await, Err(TokenError::Proof(_))), "a proof is taken once");
        let bearer =
            HeaderMap::from_iter([(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap())]);
        assert_eq!(let_in(&world, &bearer).await, Err(TokenError::Bound));
        let thief = Holder::new(2).call(&world, token, json!({}));
        assert!(matches!(let_in(&world, &thief).await, Err(TokenError::Proof(_))));
        for changes in [
            json!({"htm": "GET"}),
            json!({"htu": world.url("/oauth/token")}),
            json!({"iat": world.clock.now().timestamp() - 61}),
            json!({"iat": world.clock.now().timestamp() + 11}),
            json!({"ath": "of another token"}),
            json!({"ath": null}),
        ] {
            let call = holder.call(&world, token, changes.clone());
            assert!(matches!(let_in(&world, &call).await, Err(TokenError::Proof(_))), "{changes}");
        }
        let free = app.log_in("thaid", "somchai").await;
        assert_eq!(free.text("token_type"), "Bearer");
        let call = holder.call(&world, free.text("access_token"), json!({}));
        assert_eq!(let_in(&world, &call).await, Err(TokenError::Unbound));
    }
}

#[tokio::test]
async fn a_bound_refresh_token_is_of_no_use_without_its_key() {
    for world in worlds().await {
        let (app, holder) = (world.mobile(), Holder::new(1));
        let tokens = holder.log_in(&app, "somchai").await;
        let refresh_token = tokens.text("refresh_token");
        assert_eq!(app.refresh(refresh_token).await.unwrap_err()["error"], "invalid_grant");
        let thief = Holder::new(2).refresh(&app, refresh_token).await.unwrap_err();
        assert_eq!(thief["error"], "invalid_grant");
        let next = holder.refresh(&app, refresh_token).await.unwrap();
        assert_eq!(next.text("token_type"), "DPoP");
        assert!(holder.refresh(&app, next.text("refresh_token")).await.is_ok());
    }
}

#[tokio::test]
async fn a_lost_answer_may_be_asked_for_again_with_the_same_key_for_a_while() {
    for world in worlds().await {
        let (app, holder) = (world.mobile(), Holder::new(1));
        let first = holder.log_in(&app, "somchai").await;
        let refresh_token = first.text("refresh_token");
        holder.refresh(&app, refresh_token).await.expect("its answer is lost on the way");
        world.clock.advance(chrono::Duration::seconds(19));
        let second = holder.refresh(&app, refresh_token).await.unwrap();
        let third = holder.refresh(&app, second.text("refresh_token")).await.unwrap();
        let call = holder.call(&world, third.text("access_token"), json!({}));
        assert_eq!(let_in(&world, &call).await, Ok(true));

        world.clock.advance(chrono::Duration::seconds(21));
        assert!(holder.refresh(&app, refresh_token).await.is_err());
        let call = holder.call(&world, third.text("access_token"), json!({}));
        assert_eq!(let_in(&world, &call).await, Err(TokenError::Ended), "later it is a theft");

        let tokens = holder.log_in(&app, "malee").await;
        let next = holder.refresh(&app, tokens.text("refresh_token")).await.unwrap();
        assert!(Holder::new(2).refresh(&app, tokens.text("refresh_token")).await.is_err());
        let call = holder.call(&world, next.text("access_token"), json!({}));
        assert_eq!(let_in(&world, &call).await, Err(TokenError::Ended), "and with another key at once");
    }
}

#[tokio::test]
async fn an_app_that_learns_dpop_binds_the_session_it_has() {
    for world in worlds().await {
        let (app, holder) = (world.mobile(), Holder::new(1));
        let free = app.log_in("thaid", "somchai").await;
        let bound = holder.refresh(&app, free.text("refresh_token")).await.unwrap();
        assert_eq!(bound.text("token_type"), "DPoP");
        assert!(holder.refresh(&app, free.text("refresh_token")).await.is_ok(), "its answer was lost");
        let last = holder.refresh(&app, bound.text("refresh_token")).await.unwrap();
        assert!(app.refresh(last.text("refresh_token")).await.is_err(), "there is no way back");
    }
}

#[tokio::test]
async fn a_code_for_a_key_is_of_no_use_to_another() {
    for world in worlds().await {
        let (app, holder) = (world.mobile(), Holder::new(1));
        let thumbprint = holder.thumbprint();
        let returned = app.authorize("thaid", "somchai", &[("dpop_jkt", &thumbprint)]).await;
        let code = returned.code();
        assert_eq!(app.redeem(code).await.unwrap_err()["error"], "invalid_grant");
        let thief = Holder::new(2).redeem(&app, code).await.unwrap_err();
        assert_eq!(thief["error"], "invalid_grant");
        assert!(holder.redeem(&app, code).await.is_ok());
    }
}

#[tokio::test]
async fn a_bad_proof_gets_no_tokens_and_costs_nothing() {
    for world in worlds().await {
        let (app, holder) = (world.mobile(), Holder::new(1));
        let returned = app.authorize("thaid", "somchai", &[]).await;
        let code = returned.code();
        let old = json!({"iat": world.clock.now().timestamp() - 61});
        let used = holder.token_proof(&world);
        assert!(redeem(&app, "nothing", &[&used]).await.unwrap_err()["error"] == "invalid_grant");
        let good = holder.token_proof(&world);
        let path = "/oauth/token";
        for proofs in [
            &[""][..],
            &["nonsense"],
            &[&used],
            &[&holder.proof(&world, "GET", path, json!({}))],
            &[&holder.proof(&world, "POST", "/graphql", json!({}))],
            &[&holder.proof(&world, "POST", path, old)],
            &[&good, &good],
        ] {
            let refused = redeem(&app, code, proofs).await.unwrap_err();
            assert_eq!(refused["error"], "invalid_dpop_proof", "{proofs:?}");
        }
        assert!(redeem(&app, code, &[&good]).await.is_ok());
    }
}

#[tokio::test]
async fn a_bound_token_is_given_back_without_a_proof() {
    for world in worlds().await {
        let (app, holder) = (world.mobile(), Holder::new(1));
        for kind in ["access_token", "refresh_token"] {
            let tokens = holder.log_in(&app, "somchai").await;
            let form = [("token", tokens.text(kind)), ("client_id", app.client_id)];
            let browser = super::driver::Browser::new();
            assert!(browser.post(&world.url("/oauth/revoke"), &form).await.status().is_success());
            let call = holder.call(&world, tokens.text("access_token"), json!({}));
            assert_eq!(let_in(&world, &call).await, Err(TokenError::Ended));
        }
    }
}

#[tokio::test]
async fn browsers_are_told_that_any_page_may_send_a_proof() {
    for world in worlds().await {
        let http = chassis::http_client(std::time::Duration::from_secs(10));
        for path in ["/oauth/token", "/oauth/revoke"] {
            let asked = http.request(http::Method::OPTIONS, world.url(path)).send().await.unwrap();
            assert!(asked.status().is_success());
            let allowed = asked.headers()["access-control-allow-headers"].to_str().unwrap();
            assert!(allowed.contains("dpop"), "{allowed}");
        }
    }
}
