//! A citizen is erased: rows that nobody can read, books that still work, and a door that is new.

use chrono::{DateTime, Utc};
use database::{Database, Target, args};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::filing::{
    application_at, attach_map, bill, bill_at, decide, food_premises_answers, key, offering, parties, pay,
    save, start, start_payment, submitted_food_premises,
};
use crate::installation::{Installation, eventually};
use crate::person::Person;

/// Services that hold a key for a citizen.
const SEALED: [&str; 2] = ["identity", "applications"];

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_citizen_leaves_unreadable_rows_and_working_books_on_either_engine() {
    let mut places = vec![Installation::start().await];
    places.extend(Installation::start_on_postgres().await);
    for place in places {
        erased(place).await;
    }
}

async fn erased(place: Installation) {
    let malee = Person::citizen(&place, "malee", "thaid").await;
    let me = parties(&malee).await.remove(0);
    let application = submitted_food_premises(&place, &malee, &me).await;
    let draft = start(&malee, &offering(&place, "LAO-01", "1201").await, &me).await;
    save(&malee, &draft, &food_premises_answers()).await;
    attach_map(&malee, &draft["id"]).await;
    let (first, second) =
        (Person::officer(&place, "officer-dbd").await, Person::officer(&place, "officer-dlt").await);

    let erasure = proposed(&first, &me).await;
    assert_eq!(proposed(&second, &me).await, erasure, "one proposal, whoever makes it");
    let own = confirm(&first, &erasure).await;
    assert_eq!(own["__typename"], "StateProblem", "{own}");
    let open = obstructed(&second, &erasure).await;
    assert_eq!(open, json!(["OPEN_APPLICATION"]));

    let officer = Person::officer(&place, "officer-nonthaburi").await;
    decide(&officer, "TakeApplication", &application, json!({})).await;
    decide(&officer, "ApproveApplication", &application, json!({"reason": "ครบถ้วน"})).await;
    let bill = bill(&malee, &application).await;
    eventually("the bill to stand in the way", || async {
        (obstructed(&second, &erasure).await == json!(["OPEN_APPLICATION", "UNSETTLED_MONEY"])).then_some(())
    })
    .await;
    let payment = start_payment(&malee, &bill["id"], "PROMPTPAY_QR").await;
    assert!(pay(&place, &payment, "").await.is_success());
    let settled = bill_at(&malee, &bill["id"], "SETTLED").await;
    application_at(&malee, &application, "PAID").await;
    let keys = wrapped_keys(&place, &me).await;
    assert!(keys.iter().all(Option::is_some), "there are keys to shred");

    eventually("the second officer's word", || async {
        (confirm(&second, &erasure).await["__typename"] == "ErasureConfirmed").then_some(())
    })
    .await;
    eventually("the erasure", || async {
        let all = first.ask("Erasures", json!({})).await;
        (all["erasures"]["nodes"][0]["status"] == "ERASED").then_some(())
    })
    .await;
    eventually("both keys to be gone", || async {
        wrapped_keys(&place, &me).await.iter().all(Option::is_none).then_some(())
    })
    .await;
    assert_gone_from_files(&place, &keys);
    assert_out(&place, &malee).await;
    assert_seen_as_erased(&officer, &application, &settled).await;

    let again = Person::citizen(&place, "malee", "thaid").await;
    assert_ne!(parties(&again).await.remove(0), me, "whoever comes back is a new person");
    let mine = again.query("{ applications(first: 1) { nodes { id } } }", json!({})).await;
    assert_eq!(mine["data"]["applications"]["nodes"], json!([]), "{mine}");
    let done = confirm(&second, &erasure).await;
    assert_eq!(done["__typename"], "StateProblem", "it is done once: {done}");
}

async fn proposed(officer: &Person<'_>, citizen: &str) -> Value {
    let input = json!({"idempotencyKey": key(), "citizenId": citizen});
    let first = officer.ask("ProposeErasure", json!({"input": input})).await;
    assert_eq!(first["proposeErasure"]["__typename"], "ErasureProposed", "{first}");
    let again = officer.ask("ProposeErasure", json!({"input": input})).await;
    assert_eq!(again["proposeErasure"]["erasure"]["id"], first["proposeErasure"]["erasure"]["id"]);
    first["proposeErasure"]["erasure"]["id"].clone()
}

async fn confirm(officer: &Person<'_>, erasure: &Value) -> Value {
    let input = json!({"idempotencyKey": key(), "erasureId": erasure});
    officer.ask("ConfirmErasure", json!({"input": input})).await["confirmErasure"].take()
}

/// What stands in the way, once every service has answered.
async fn obstructed(officer: &Person<'_>, erasure: &Value) -> Value {
    eventually("what stands in the way", || async {
        let mut answer = confirm(officer, erasure).await;
        assert_eq!(answer["__typename"], "ErasureObstructedProblem", "{answer}");
        (answer["obstacles"] != json!([])).then(|| answer["obstacles"].take())
    })
    .await
}

/// The wrapped keys of a citizen, in each service that has one.
async fn wrapped_keys(place: &Installation, citizen: &str) -> Vec<Option<Vec<u8>>> {
    let citizen: Uuid = citizen.rsplit('_').next().and_then(|id| id.parse().ok()).expect("an id");
    let mut keys = Vec::new();
    for service in SEALED {
        let database = Database::observe(&place.target(), service).await.unwrap();
        let sql = "select wrapped, shredded_at from subject_key where subject = $1";
        let row = database.row(sql, args![citizen]).await.unwrap().expect("a key, or where it was");
        let key: Option<Vec<u8>> = row.get("wrapped").unwrap();
        assert_eq!(key.is_none(), row.get::<Option<DateTime<Utc>>>("shredded_at").unwrap().is_some());
        keys.push(key);
        database.close().await;
    }
    keys
}

/// What was overwritten in SQLite is gone from its files and from its log too.
fn assert_gone_from_files(place: &Installation, keys: &[Option<Vec<u8>>]) {
    if matches!(place.target(), Target::Postgres { .. }) {
        return;
    }
    for (service, key) in SEALED.iter().zip(keys) {
        let key = key.as_ref().expect("there was one");
        for ending in ["sqlite", "sqlite-wal"] {
            let bytes = std::fs::read(place.data().join(format!("{service}.{ending}"))).unwrap_or_default();
            let lingers = bytes.windows(key.len()).any(|window| window == key.as_slice());
            assert!(!lingers, "the shredded key still stands in {service}.{ending}");
        }
    }
}

/// Neither the access token nor the refresh token opens anything any more.
async fn assert_out(place: &Installation, person: &Person<'_>) {
    let answer = person.send("MyApplications", json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{answer}");
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", "mobile-app"),
        ("refresh_token", person.refresh_token.as_deref().expect("they had one")),
    ];
    let refused = place.http.post(format!("{}/oauth/token", place.url)).form(&form).send().await.unwrap();
    assert_eq!(refused.json::<Value>().await.unwrap()["error"], "invalid_grant");
}

/// The agency still finds the case, its number, its outcome and its money, and nothing personal.
async fn assert_seen_as_erased(officer: &Person<'_>, application: &Value, settled: &Value) {
    let query = "query($id: ID!) { application(id: $id) { status receiptNumber applicantName { th } answers
        decision { outcome reason } evidence { fileName url }
        timeline(first: 50) { nodes { kind message } }
        bill { status amount { amount } receipt { number } } } }";
    let seen = officer.query(query, json!({"id": application})).await;
    assert!(seen["errors"].is_null(), "{seen}");
    let seen = &seen["data"]["application"];
    assert_eq!((&seen["status"], &seen["bill"]["status"]), (&json!("PAID"), &json!("SETTLED")));
    assert!(seen["receiptNumber"].is_string() && seen["decision"]["outcome"] == "APPROVED", "{seen}");
    assert_eq!(seen["bill"]["receipt"]["number"], settled["receipt"]["number"]);
    assert_eq!((&seen["applicantName"], &seen["answers"]), (&json!(null), &json!({})));
    assert_eq!(seen["decision"]["reason"], json!(null));
    let text = seen.to_string();
    for word in ["ครัวคุณสมชาย", "0812345678", "แผนที่ร้าน"] {
        assert!(!text.contains(word), "{word} in {text}");
    }
    let file = officer.get(seen["evidence"][0]["url"].as_str().expect("an address")).await;
    assert!(file.status().is_client_error(), "{}", file.status());
}
