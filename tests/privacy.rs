//! Nothing personal in logs, errors, addresses, files or dumps, over a whole journey on either engine.

pub mod forms;

use std::path::{Path, PathBuf};
use std::process::Command;

use database::Target;
use serde_json::json;

use crate::filing::{application_at, bill, decide, parties, pay, start_payment, submitted_food_premises};
use crate::installation::{Installation, logged};
use crate::person::{Browser, Person};
use forms::Personal;

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_journey_leaves_no_personal_data_in_logs_errors_addresses_files_or_dumps() {
    let personal = Personal::of_the_personas();
    let mut places = vec![Installation::start().await];
    places.extend(Installation::start_on_postgres().await);
    for place in places {
        journey(&place, &personal).await;
        assert_free(&place, &personal);
    }
    let logs = logged();
    assert!(logs.contains("answered"), "the log was captured");
    personal.assert_not_in("the log", logs.as_bytes());
}

async fn journey(place: &Installation, personal: &Personal) {
    let mut browser = Browser::new(place);
    let login = format!(
        "{}/oauth/authorize?response_type=code&client_id=mobile-app&redirect_uri=app.pratu%3A%2Fcallback\
         &scope=openid&state=s&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM\
         &code_challenge_method=S256&provider=thaid",
        place.url
    );
    browser.walk(login.parse().unwrap(), "somchai").await;
    for address in &browser.visited {
        personal.assert_not_in("an address", address.as_bytes());
    }

    let somchai = Person::citizen(place, "somchai", "thaid").await;
    let me = parties(&somchai).await.remove(0);
    let application = submitted_food_premises(place, &somchai, &me).await;
    let officer = Person::officer(place, "officer-nonthaburi").await;
    decide(&officer, "TakeApplication", &application, json!({})).await;
    decide(&officer, "ApproveApplication", &application, json!({"reason": "ครบถ้วน"})).await;
    let bill = bill(&somchai, &application).await;
    let payment = start_payment(&somchai, &bill["id"], "PROMPTPAY_QR").await;
    pay(place, &payment, "").await;
    application_at(&somchai, &application, "PAID").await;

    // Errors of every kind, with personal data in what was sent.
    for (query, variables) in [
        ("query($pid: String!) { viewer { citizen { id } } }", json!({"pid": 1_100_100_001_015_i64})),
        ("query($id: ID!) { application(id: $id) { id } }", json!({"id": "1100100001015"})),
        ("query($first: Int!) { applications(first: $first) { nodes { id } } }", json!({"first": "สมชาย"})),
        ("query($a: String) { applications(after: $a) { nodes { id } } }", json!({"a": "1100100001015"})),
    ] {
        let answer = somchai.query(query, variables).await;
        personal.assert_not_in("an error", answer["errors"].to_string().as_bytes());
    }
}

/// Every file under the data folder by name and content, and a dump of every schema. The sandbox is the
/// register itself; all else is ours.
fn assert_free(place: &Installation, personal: &Personal) {
    let files = files_under(place.data());
    assert!(files.iter().any(|file| file.starts_with(place.data().join("evidence"))), "{files:?}");
    for file in files {
        let name = file.strip_prefix(place.data()).expect("it is below").display().to_string();
        personal.assert_not_in("a file's name", name.as_bytes());
        if name.starts_with("sandbox") {
            continue;
        }
        let bytes = std::fs::read(&file).unwrap();
        personal.assert_not_in(&name, &bytes);
        // The map is the citizen's, too.
        assert!(!bytes.windows(8).any(|window| window == b"\x89PNG\r\n\x1a\n"), "{name} holds an image");
    }
    let Target::Postgres { url } = place.target() else { return };
    let dump = dump(&url);
    let text = String::from_utf8_lossy(&dump);
    for table in ["COPY applications.application ", "COPY identity.citizen ", "COPY payments.payment "] {
        assert!(text.contains(table), "the dump has no {table}");
    }
    personal.assert_not_in("the dump", &dump);
}

fn files_under(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_under(&path)) } else { files.push(path) }
    }
    files
}

/// A dump as an operator makes it, of everything but the sandbox.
fn dump(url: &str) -> Vec<u8> {
    let mut places: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.filter_map(|one| Some(one.ok()?.path().join("bin/pg_dump"))).collect())
        .unwrap_or_default();
    places.sort();
    let program = places.into_iter().rfind(|place| place.exists()).unwrap_or_else(|| "pg_dump".into());
    let dumped = Command::new(program).args(["--exclude-schema=sandbox", url]).output();
    let dumped = dumped.expect("a machine with a PostgreSQL server has its pg_dump");
    assert!(dumped.status.success(), "{}", String::from_utf8_lossy(&dumped.stderr));
    dumped.stdout
}
