//! A client that binds its tokens to a key, and those who steal them.

use serde_json::{Value, json};

use super::run;
use crate::installation::Installation;

#[tokio::test(flavor = "multi_thread")]
async fn openid_client_binds_its_tokens_to_a_key_and_thieves_have_no_use_for_them() {
    let place = Installation::start().await;
    let scope = "openid offline_access profile:read";
    let seen = run("dpop.mjs", &json!({"issuer": place.url, "persona": "somchai", "scope": scope})).await;
    for algorithm in seen["supported"].as_array().unwrap() {
        assert_eq!(seen["algorithms"][algorithm.as_str().unwrap()], "dpop", "{seen}");
    }
    assert_eq!(seen["type"], "dpop", "{seen}");
    let name = |viewer: &Value| viewer["data"]["viewer"]["citizen"]["nameTh"].clone();
    assert!(name(&seen["viewer"]).as_str().unwrap().contains("สมชาย"), "{seen}");
    for refused in ["codeWithoutKey", "codeOfThief", "refreshWithoutKey", "refreshOfThief"] {
        assert_eq!(seen[refused], "invalid_grant", "{refused}: {seen}");
    }
    assert_eq!(seen["asBearer"], "invalid_token", "{seen}");
    assert_eq!(seen["askedByThief"], "invalid_dpop_proof", "{seen}");
    assert_eq!(seen["lostAnswer"], json!({"type": "dpop", "another": true}), "{seen}");
    assert_eq!(seen["viewerAfter"], true, "{seen}");
    for line in ["good", "httpName"] {
        assert!(seen["lines"][line].as_str().is_some_and(|name| name.contains("สมชาย")), "{line}: {seen}");
    }
    for line in ["replayed", "forPost", "ofThief", "noProof", "asBearer"] {
        assert_eq!(seen["lines"][line], 4403, "{line}: {seen}");
    }
    assert_eq!(seen["replay"]["status"], 401, "{seen}");
    assert!(seen["replay"]["challenge"].as_str().unwrap().contains("invalid_dpop_proof"), "{seen}");
    assert_eq!(seen["afterRevocation"], "invalid_token", "{seen}");
}
