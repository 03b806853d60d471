//! Logging in at the Digital ID providers, by program.

use std::collections::HashMap;

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};
use testkit::{Engines, TestDatabase};
use url::Url;

use crate::world::{World, json_of};

// RFC 7636, appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const THAID_SCOPE: &str = "openid pid title name name_en given_name family_name birthdate address ial";
const DGA_SCOPE: &str = "openid profile citizen_id citizen_id_verified ial_level address";

fn redirect_uri(world: &World, provider: &str) -> String {
    format!("{}/oauth/callback/{provider}", world.url)
}

/// The address of an authorization request; `changes` replace parameters, an empty value removes one.
pub fn authorize_url(world: &World, provider: &str, changes: &[(&str, &str)]) -> String {
    let scope = if provider == "dga" { DGA_SCOPE } else { THAID_SCOPE };
    let redirect_uri = redirect_uri(world, provider);
    let mut parameters = vec![
        ("response_type", "code"),
        ("client_id", "pratu"),
        ("redirect_uri", &redirect_uri),
        ("scope", scope),
        ("state", "st4te"),
        ("nonce", "n0nce"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    for change in changes {
        parameters.retain(|(name, _)| *name != change.0);
        parameters.push(*change);
    }
    parameters.retain(|(_, value)| !value.is_empty());
    let address = world.at(&format!("/idp/{provider}/authorize"));
    Url::parse_with_params(&address, parameters).unwrap().into()
}

/// Where the browser is sent after a choice on the login page.
pub async fn choose(world: &World, url: &str, choice: &'static str) -> HashMap<String, String> {
    let answer = world.send_form(url, choice).await;
    assert_eq!(answer.status(), 303);
    let location = Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
    location.query_pairs().into_owned().collect()
}

pub async fn redeem(world: &World, provider: &str, code: &str, verifier: &str, secret: &str) -> (u16, Value) {
    let redirect_uri = redirect_uri(world, provider);
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", &redirect_uri),
        ("code_verifier", verifier),
    ];
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = world
        .client
        .post(world.at(&format!("/idp/{provider}/token")))
        .basic_auth("pratu", Some(secret))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body);
    json_of(request.send().await.unwrap()).await
}

pub const SECRET: &str = "sandbox-idp-secret";
/// What DGA takes for it, by Python's hashlib.
pub const DGA_SECRET: &str = "af90caed7cc0e951faa3cf410b684a99";

/// Verifies the id token against the provider's published keys.
pub async fn verified(world: &World, provider: &str, id_token: &str) -> Value {
    let (_, jwks) =
        json_of(world.client.get(world.at(&format!("/idp/{provider}/jwks"))).send().await.unwrap()).await;
    let keys: JwkSet = serde_json::from_value(jwks).unwrap();
    let header = jsonwebtoken::decode_header(id_token).unwrap();
    let key = DecodingKey::from_jwk(keys.find(&header.kid.unwrap()).unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&["pratu"]);
    validation.set_issuer(&[world.at(&format!("/idp/{provider}"))]);
    validation.validate_exp = false; // the test clock stands still
    jsonwebtoken::decode::<Value>(id_token, &key, &validation).unwrap().claims
}

#[tokio::test]
async fn a_person_logs_in_by_authorization_code() {
    for place in Engines::all().await {
        let world = World::open(&place.target).await;
        let sent = choose(&world, &authorize_url(&world, "thaid", &[]), "persona=somchai").await;
        assert_eq!((sent["state"].as_str(), &sent["iss"]), ("st4te", &world.at("/idp/thaid")));

        let (status, tokens) = redeem(&world, "thaid", &sent["code"], VERIFIER, SECRET).await;
        assert_eq!((status, tokens["token_type"].as_str()), (200, Some("Bearer")));
        let claims = verified(&world, "thaid", tokens["id_token"].as_str().unwrap()).await;
        let now = world.clock.now().timestamp();
        assert_eq!(claims["pid"], "1100100001015");
        assert_eq!(claims["name"], "สมชาย ครัวอุดม");
        assert_eq!(claims["birthdate"], "1984-03-12");
        assert!(claims["address"]["formatted"].as_str().unwrap().contains("นนทบุรี"));
        assert_eq!(claims["ial"], "2.3");
        assert_eq!(claims["acr"], "urn:th:ial:2.3:aal:2.2");
        assert_eq!(claims["nonce"], "n0nce");
        assert_eq!((claims["auth_time"].as_i64(), claims["exp"].as_i64()), (Some(now), Some(now + 300)));
        assert_eq!(claims.get("gender"), None, "a scope that was not asked releases nothing");

        let userinfo = world.client.get(world.at("/idp/thaid/userinfo"));
        let token = tokens["access_token"].as_str().unwrap();
        let (status, told) = json_of(userinfo.bearer_auth(token).send().await.unwrap()).await;
        assert_eq!((status, &told["sub"], &told["pid"]), (200, &claims["sub"], &claims["pid"]));
    }
}

#[tokio::test]
async fn each_provider_has_its_own_shape_and_subject() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    let mut subjects = Vec::new();
    for (provider, secret) in [("thaid", SECRET), ("dga", DGA_SECRET)] {
        let sent = choose(&world, &authorize_url(&world, provider, &[]), "persona=somchai").await;
        let (_, tokens) = redeem(&world, provider, &sent["code"], VERIFIER, secret).await;
        let claims = verified(&world, provider, tokens["id_token"].as_str().unwrap()).await;
        subjects.push(claims["sub"].clone());
        if provider == "dga" {
            assert_eq!(claims["citizen_id"], "1100100001015");
            assert_eq!((&claims["citizen_id_verified"], &claims["ial_level"]), (&json!(true), &json!(2.1)));
            assert_eq!(claims["given_name"], "สมชาย");
            assert_eq!(claims["acr"], "urn:th:ial:2.1:aal:2.1");
        }
    }
    assert_ne!(subjects[0], subjects[1]);
}

#[tokio::test]
async fn dga_takes_the_secret_in_its_own_form_only() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    let sent = choose(&world, &authorize_url(&world, "dga", &[]), "persona=somchai").await;
    let plain = redeem(&world, "dga", &sent["code"], VERIFIER, SECRET).await;
    assert_eq!(plain, (401, json!({ "error": "invalid_client" })));
    assert_eq!(redeem(&world, "dga", &sent["code"], VERIFIER, DGA_SECRET).await.0, 200);
}

#[tokio::test]
async fn discovery_names_the_doors_that_are_there() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    for provider in ["thaid", "dga"] {
        let issuer = world.at(&format!("/idp/{provider}"));
        let address = format!("{issuer}/.well-known/openid-configuration");
        let (status, told) = json_of(world.client.get(address).send().await.unwrap()).await;
        assert_eq!((status, told["issuer"].as_str()), (200, Some(issuer.as_str())));
        let jwks = world.client.get(told["jwks_uri"].as_str().unwrap()).send().await.unwrap();
        assert_eq!(json_of(jwks).await.1["keys"][0]["alg"], "ES256");
    }
    let unknown = world.at("/idp/other/jwks");
    assert_eq!(world.client.get(unknown).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn a_code_is_good_once_and_its_reuse_ends_the_token() {
    for place in Engines::all().await {
        let world = World::open(&place.target).await;
        let sent = choose(&world, &authorize_url(&world, "thaid", &[]), "persona=malee").await;
        let (_, tokens) = redeem(&world, "thaid", &sent["code"], VERIFIER, SECRET).await;
        let again = redeem(&world, "thaid", &sent["code"], VERIFIER, SECRET).await;
        assert_eq!(again, (400, json!({ "error": "invalid_grant" })));
        let token = tokens["access_token"].as_str().unwrap();
        let userinfo = world.client.get(world.at("/idp/thaid/userinfo")).bearer_auth(token);
        assert_eq!(userinfo.send().await.unwrap().status(), 401);
    }
}

#[tokio::test]
async fn a_code_is_refused_with_a_bad_verifier_secret_provider_or_after_a_minute() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    let url = authorize_url(&world, "thaid", &[]);
    let refused = (400, json!({ "error": "invalid_grant" }));

    let code = choose(&world, &url, "persona=malee").await["code"].clone();
    let wrong = format!("{VERIFIER}x");
    assert_eq!(redeem(&world, "thaid", &code, &wrong, SECRET).await, refused);
    assert_eq!(redeem(&world, "thaid", &code, VERIFIER, SECRET).await, refused, "no second guess");

    let code = choose(&world, &url, "persona=malee").await["code"].clone();
    let stranger = redeem(&world, "thaid", &code, VERIFIER, "guess").await;
    assert_eq!(stranger, (401, json!({ "error": "invalid_client" })));
    assert_eq!(redeem(&world, "thaid", &code, VERIFIER, SECRET).await.0, 200, "a stranger uses nothing up");

    let code = choose(&world, &url, "persona=malee").await["code"].clone();
    assert_eq!(redeem(&world, "dga", &code, VERIFIER, DGA_SECRET).await, refused);

    let code = choose(&world, &url, "persona=malee").await["code"].clone();
    world.clock.advance(chrono::Duration::seconds(61));
    assert_eq!(redeem(&world, "thaid", &code, VERIFIER, SECRET).await, refused);
}

#[tokio::test]
async fn a_wrong_client_or_redirect_address_is_never_redirected_to() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    let other = redirect_uri(&world, "dga");
    for change in [
        ("client_id", "other"),
        ("redirect_uri", "https://evil.example/"),
        ("redirect_uri", &other),
        ("redirect_uri", ""),
    ] {
        let url = authorize_url(&world, "thaid", &[change]);
        assert_eq!(world.client.get(&url).send().await.unwrap().status(), 400, "{change:?}");
        assert_eq!(world.send_form(&url, "persona=somchai").await.status(), 400, "{change:?}");
    }
    let twice = format!("{}&state=other", authorize_url(&world, "thaid", &[]));
    assert_eq!(world.client.get(&twice).send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn a_faulty_request_goes_back_with_an_error_and_the_state() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    for (change, error) in [
        (("response_type", "token"), "unsupported_response_type"),
        (("scope", "pid"), "invalid_scope"),
        (("nonce", ""), "invalid_request"),
        (("code_challenge", ""), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("max_age", "soon"), "invalid_request"),
        (("prompt", "none"), "login_required"),
    ] {
        let answer = world.client.get(authorize_url(&world, "thaid", &[change])).send().await.unwrap();
        let location = Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
        let sent: HashMap<_, _> = location.query_pairs().into_owned().collect();
        assert_eq!((sent["error"].as_str(), sent["state"].as_str()), (error, "st4te"), "{change:?}");
    }
}

#[tokio::test]
async fn a_person_may_cancel_and_is_refused_below_the_asked_level() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    let thaid = authorize_url(&world, "thaid", &[("acr_values", "urn:th:ial:2.3 urn:th:aal:2.2")]);
    let dga = authorize_url(&world, "dga", &[("acr_values", "urn:th:ial:2.3")]);
    for (url, choice) in [
        (&thaid, "persona=somchai&action=cancel"),
        (&thaid, "persona=malee"), // AAL 2.1 only
        (&thaid, "persona=wipa"),  // no account there
        (&dga, "persona=somchai"), // IAL 2.1 only at DGA
    ] {
        assert_eq!(choose(&world, url, choice).await["error"], "access_denied", "{choice}");
    }
    assert!(choose(&world, &thaid, "persona=somchai").await.contains_key("code"));
    assert!(choose(&world, &dga, "persona=prasert").await.contains_key("code"));
}

#[tokio::test]
async fn the_login_page_offers_every_persona_and_tells_who_would_be_refused() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    let url = authorize_url(
        &world,
        "dga",
        &[("acr_values", "urn:th:ial:2.3"), ("prompt", "login"), ("max_age", "0")],
    );
    let answer = world.client.get(&url).send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), answer.headers()["cache-control"].to_str().unwrap()),
        (200, "no-store")
    );
    let page = answer.text().await.unwrap();
    for text in ["value=\"somchai\"", "value=\"officer-dlt\"", "ยินยอมและเข้าสู่ระบบ", "Cancel", "level too low"]
    {
        assert!(page.contains(text), "{text}");
    }
    assert!(!page.contains("<script"));
}

#[tokio::test]
async fn the_signing_keys_outlive_the_process() {
    let place = TestDatabase::sqlite();
    let mut keys = Vec::new();
    for _ in 0..2 {
        let world = World::open(&place.target).await;
        let answer = world.client.get(world.at("/idp/thaid/jwks")).send().await.unwrap();
        keys.push(json_of(answer).await.1);
        world.close().await;
    }
    assert_eq!(keys[0], keys[1]);
}
