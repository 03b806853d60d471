//! Nothing personal in logs, errors, addresses or files at rest, over a whole journey.

use std::path::Path;

use serde_json::json;

use crate::filing::{application_at, bill, decide, parties, pay, start_payment, submitted_food_premises};
use crate::installation::{Installation, logged};
use crate::person::{Browser, Person};

/// The personas' data as they stand in the sandbox's file: numbers, names, addresses.
fn personal_data() -> Vec<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/sandbox/src/personas.toml");
    let personas: toml::Table = toml::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let mut data = Vec::new();
    for persona in personas["persona"].as_array().expect("there are personas") {
        // Not the family name alone: a company that bears it stands in a public register.
        let own = ["pid", "address"].map(|key| persona[key].as_str().expect("text").to_owned());
        data.extend(own);
        for language in ["th", "en"] {
            let name = |part: &str| persona[part][language].as_str().expect("text");
            data.push(name("given_name").to_owned());
            data.push(format!("{} {}", name("given_name"), name("family_name")));
        }
    }
    assert!(data.len() > 30, "{data:?}");
    // What the citizen typed is theirs too.
    data.extend(["0812345678", "ครัวคุณสมชาย", "99/1 ถนนทดสอบ", "แผนที่ร้าน.png"].map(str::to_owned));
    data
}

fn assert_free_of(personal: &[String], place: &str, text: &str) {
    for datum in personal {
        let encoded: String = url::form_urlencoded::byte_serialize(datum.as_bytes()).collect();
        let found = text.find(datum.as_str()).or_else(|| text.find(&encoded));
        if let Some(at) = found {
            let around: String =
                text[..at].chars().rev().take(160).collect::<Vec<_>>().into_iter().rev().collect();
            panic!("{place} shows {datum:?} after …{around}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_journey_leaves_no_personal_data_in_logs_errors_addresses_or_files() {
    let place = Installation::start().await;
    let personal = personal_data();
    let mut browser = Browser::new(&place);
    let login = format!(
        "{}/oauth/authorize?response_type=code&client_id=mobile-app&redirect_uri=app.pratu%3A%2Fcallback\
         &scope=openid&state=s&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM\
         &code_challenge_method=S256&provider=thaid",
        place.url
    );
    browser.walk(login.parse().unwrap(), "somchai").await;
    for address in &browser.visited {
        assert_free_of(&personal, "an address", address);
    }

    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let me = parties(&somchai).await.remove(0);
    let application = submitted_food_premises(&place, &somchai, &me).await;
    let officer = Person::officer(&place, "officer-nonthaburi").await;
    decide(&officer, "TakeApplication", &application, json!({})).await;
    decide(&officer, "ApproveApplication", &application, json!({"reason": "ครบถ้วน"})).await;
    let bill = bill(&somchai, &application).await;
    let payment = start_payment(&somchai, &bill["id"], "PROMPTPAY_QR").await;
    pay(&place, &payment, "").await;
    application_at(&somchai, &application, "PAID").await;

    // Errors of every kind, with personal data in what was sent.
    for (query, variables) in [
        ("query($pid: String!) { viewer { citizen { id } } }", json!({"pid": 1_100_100_001_015_i64})),
        ("query($id: ID!) { application(id: $id) { id } }", json!({"id": "1100100001015"})),
        ("query($first: Int!) { applications(first: $first) { nodes { id } } }", json!({"first": "สมชาย"})),
        ("query($a: String) { applications(after: $a) { nodes { id } } }", json!({"a": "1100100001015"})),
    ] {
        let answer = somchai.query(query, variables).await;
        assert_free_of(&personal, "an error", &answer["errors"].to_string());
    }
    let logs = logged();
    assert!(logs.contains("answered"), "the log was captured");
    assert_free_of(&personal, "the log", &logs);

    for entry in std::fs::read_dir(place.data()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // The sandbox is the register itself; ours are the other files.
        if path.is_file() && !name.starts_with("sandbox") {
            let bytes = std::fs::read(&path).unwrap();
            assert_free_of(&personal, &name, &String::from_utf8_lossy(&bytes));
        }
    }
}
