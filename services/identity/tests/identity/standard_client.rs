//! A client library that knows nothing of us but our issuer.

use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreJwsSigningAlgorithm, CoreProviderMetadata,
};
use openidconnect::{
    AuthorizationCode, ClientId, CsrfToken, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    RedirectUrl, Scope, TokenResponse,
};
use serde_json::Value;

use super::driver::{Browser, location, returned, worlds};

#[tokio::test]
async fn it_finds_our_endpoints_logs_in_and_verifies_our_id_token() {
    for world in worlds().await {
        let http = chassis::http_client(std::time::Duration::from_secs(10));
        let issuer = IssuerUrl::new(world.public_url.clone()).unwrap();
        let metadata = CoreProviderMetadata::discover_async(issuer, &http).await.unwrap();
        let redirect = RedirectUrl::new("http://127.0.0.1:43210/callback".into()).unwrap();
        let client = CoreClient::from_provider_metadata(metadata, ClientId::new("mobile-app".into()), None)
            .set_redirect_uri(redirect);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (url, state, nonce) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scope(Scope::new("profile:read".into()))
            .set_pkce_challenge(challenge)
            .add_extra_param("provider", "thaid")
            .url();

        let browser = Browser::new();
        let at_provider = location(&browser.get(url.as_str()).await);
        let callback = location(&browser.post(&at_provider, &[("persona", "malee")]).await);
        let back = returned(&browser.get(&callback).await);
        assert_eq!(back.get("state").as_ref(), Some(state.secret()));

        let code = AuthorizationCode::new(back.code().to_owned());
        let tokens = client
            .exchange_code(code)
            .unwrap()
            .set_pkce_verifier(verifier)
            .request_async(&http)
            .await
            .unwrap();
        let clock = world.clock.clone();
        let checks = client
            .id_token_verifier()
            .set_time_fn(move || clock.now())
            .set_allowed_algs([CoreJwsSigningAlgorithm::EcdsaP256Sha256]);
        let claims = tokens.id_token().unwrap().claims(&checks, &nonce).unwrap();
        assert_eq!(claims.auth_context_ref().unwrap().as_str(), "urn:th:ial:2.3:aal:2.1");
        assert!(world.service.verifier().verify(tokens.access_token().secret()).is_ok());
        let refreshed = client
            .exchange_refresh_token(tokens.refresh_token().unwrap())
            .unwrap()
            .request_async(&http)
            .await;
        assert!(refreshed.is_ok());
    }
}

#[tokio::test]
async fn both_metadata_documents_say_the_same_and_name_nothing_that_is_not_there() {
    for world in worlds().await {
        let browser = Browser::new();
        let oauth: Value =
            browser.get(&world.url("/.well-known/oauth-authorization-server")).await.json().await.unwrap();
        let openid: Value =
            browser.get(&world.url("/.well-known/openid-configuration")).await.json().await.unwrap();
        assert_eq!(oauth, openid);
        assert_eq!(oauth["issuer"], world.public_url);
        let endpoints = oauth.as_object().unwrap().iter();
        let endpoints = endpoints.filter(|(name, _)| name.ends_with("_endpoint") || *name == "jwks_uri");
        let mut found = 0;
        for (name, address) in endpoints {
            let answer = browser.get(address.as_str().unwrap()).await;
            assert_ne!(answer.status(), 404, "{name}");
            found += 1;
        }
        assert_eq!(found, 5);
        for (name, expected) in [
            ("response_types_supported", "code"),
            ("code_challenge_methods_supported", "S256"),
            ("token_endpoint_auth_methods_supported", "none"),
            ("dpop_signing_alg_values_supported", "ES256"),
            ("id_token_signing_alg_values_supported", "ES256"),
        ] {
            assert_eq!(oauth[name][0], expected, "{name}");
        }
    }
}
