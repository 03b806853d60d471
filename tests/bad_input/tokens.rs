//! Tokens at the door: of another issuer, another audience, another key or none, of another time.

use auth::AccessTokenClaims;
use database::{Database, Target, args};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use p256::pkcs8::EncodePrivateKey;
use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use sealing::{Keys, Place, Sealer};
use serde_json::{Value, json};
use uuid::Uuid;

use super::code;
use crate::installation::Installation;
use crate::person::Person;

/// The installation's own signing key, taken from a copy of its data.
async fn own_key(place: &Installation) -> (String, EncodingKey) {
    let copy = tempfile::TempDir::new().unwrap();
    for entry in std::fs::read_dir(place.data()).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name().to_string_lossy().starts_with("identity") {
            std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
        }
    }
    let target = Target::Embedded { directory: copy.path().to_owned(), durable: false };
    let database = Database::open(&target, "identity", &[]).await.unwrap();
    let row = database.row("select id, private_key from signing_key", args![]).await.unwrap().unwrap();
    let id: Uuid = row.get("id").unwrap();
    let keys = std::fs::read_to_string(place.data().join("sealing.key")).unwrap();
    let sealer = Sealer::new(Keys::from_base64(&keys).unwrap());
    let sealed = row.get::<Vec<u8>>("private_key").unwrap();
    let key =
        sealer.open_own(Place { table: "signing_key", column: "private_key", row: id }, &sealed).unwrap();
    database.close().await;
    (id.to_string(), EncodingKey::from_ec_der(&key))
}

fn other_key() -> EncodingKey {
    let key = p256::SecretKey::from_slice(&[7; 32]).unwrap();
    EncodingKey::from_ec_der(key.to_pkcs8_der().unwrap().as_bytes())
}

/// What the door says of a token: the status, the error's code, and the challenge.
async fn answer(place: &Installation, authorization: &str) -> (StatusCode, Value, String) {
    let query = json!({"query": "{ viewer { citizen { nameTh } } }"});
    let post = place.http.post(format!("{}/graphql", place.url)).json(&query);
    let post =
        post.header("accept", "application/graphql-response+json").header(AUTHORIZATION, authorization);
    let response = post.send().await.unwrap();
    let status = response.status();
    let challenge = response.headers().get(WWW_AUTHENTICATE).map(|value| value.to_str().unwrap().to_owned());
    (status, response.json().await.unwrap(), challenge.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_our_own_tokens_for_the_graph_and_for_now_are_taken() {
    let place = Installation::start().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let (id, own) = own_key(&place).await;
    let token = somchai.token.clone().unwrap();
    let good: AccessTokenClaims = jsonwebtoken::dangerous::insecure_decode(&token).unwrap().claims;
    let good = serde_json::to_value(good).unwrap();
    let now = good["iat"].as_i64().unwrap();
    let mut header = Header::new(Algorithm::ES256);
    (header.typ, header.kid) = (Some("at+jwt".to_owned()), Some(id));
    let signed = |header: &Header, key: &EncodingKey, changes: &Value| {
        let mut claims = good.clone();
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        format!("Bearer {}", jsonwebtoken::encode(header, &claims, key).unwrap())
    };
    for changes in [
        json!({}),
        // Clocks that differ by a few seconds, either way.
        json!({"iat": now + 3, "exp": now + 303}),
        json!({"exp": now - 1}),
    ] {
        let (status, answer, _) = answer(&place, &signed(&header, &own, &changes)).await;
        assert_eq!(status, StatusCode::OK, "{changes}: {answer}");
        assert!(answer["data"]["viewer"]["citizen"]["nameTh"].is_string(), "{changes}: {answer}");
    }
    let named = |kid: Option<&str>| Header { kid: kid.map(str::to_owned), ..header.clone() };
    let typed = |typ: Option<&str>| Header { typ: typ.map(str::to_owned), ..header.clone() };
    let symmetric = Header { alg: Algorithm::HS256, ..header.clone() };
    let secret = EncodingKey::from_secret(b"secret");
    let elsewhere = "https://elsewhere.example";
    let refused = [
        ("another issuer", signed(&header, &own, &json!({"iss": elsewhere}))),
        ("another audience", signed(&header, &own, &json!({"aud": "mobile-app"}))),
        ("no audience", signed(&header, &own, &json!({"aud": null}))),
        ("expired", signed(&header, &own, &json!({"iat": now - 330, "exp": now - 30}))),
        ("not yet made", signed(&header, &own, &json!({"iat": now + 60, "exp": now + 360}))),
        ("another key under our name", signed(&header, &other_key(), &json!({}))),
        ("an unknown key", signed(&named(Some("other")), &own, &json!({}))),
        ("no key named", signed(&named(None), &own, &json!({}))),
        ("an ID token's type", signed(&typed(Some("JWT")), &own, &json!({}))),
        ("a shared secret", signed(&symmetric, &secret, &json!({}))),
        ("bound to a key", signed(&header, &own, &json!({"cnf": {"jkt": "x"}}))),
        ("another scheme", "Basic c29tY2hhaTpzZWNyZXQ=".to_owned()),
        ("no key at all", {
            let payload = token.split('.').nth(1).unwrap();
            format!("Bearer eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{payload}.")
        }),
        ("DPoP without a proof", signed(&header, &own, &json!({})).replace("Bearer", "DPoP")),
    ];
    for (what, authorization) in refused {
        let (status, answer, challenge) = answer(&place, &authorization).await;
        assert_eq!(
            (status, code(&answer)),
            (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"),
            "{what}: {answer}"
        );
        assert!(answer.get("data").is_none(), "{what}: {answer}");
        assert!(challenge.contains("error=\"invalid_token\""), "{what}: {challenge}");
    }
}
