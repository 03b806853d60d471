//! Closing what is on the platform, its status page, and changing the sealing key, from outside.

use std::time::{Duration, Instant};

use pratu::{Config, KeysCommand, SwitchCommand, Which};
use reqwest::StatusCode;
use reqwest::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use serde_json::{Value, json};

use crate::filing::{key, offering, parties, start};
use crate::installation::Installation;
use crate::person::Person;

async fn status(place: &Installation) -> Value {
    let answer = place.http.get(format!("{}/status.json", place.url)).send().await.expect("it answers");
    assert_eq!(answer.headers()[CACHE_CONTROL], "public, max-age=5");
    answer.json().await.expect("the status is JSON")
}

fn state(status: &Value, id: &str) -> String {
    let components = status["components"].as_array().expect("components");
    let found = components.iter().find(|one| one["id"] == id);
    found.map_or("absent".to_owned(), |one| one["state"].as_str().unwrap_or_default().to_owned())
}

/// The status once it says so: it is kept for five seconds.
async fn status_with(place: &Installation, id: &str, wanted: &str) -> Value {
    let begun_at = Instant::now();
    loop {
        let now = status(place).await;
        if state(&now, id) == wanted {
            return now;
        }
        assert!(begun_at.elapsed() < Duration::from_secs(15), "{id} is not {wanted}: {now}");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

async fn try_to_start(person: &Person<'_>, offering: &str, party: &str) -> Value {
    let input = json!({ "idempotencyKey": key(), "offeringId": offering, "partyId": party });
    person.ask("StartApplication", json!({ "input": input })).await["startApplication"]["__typename"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_an_operator_closes_takes_nothing_new_within_a_second_and_the_status_says_so() {
    let place = Installation::start().await;
    let citizen = Person::citizen(&place, "somchai", "thaid").await;
    let party = parties(&citizen).await.remove(0);
    let offering = offering(&place, "LAO-01", "1201").await;
    let draft = start(&citizen, &offering, &party).await;
    let operator = Person::officer(&place, "officer-dga").await;
    let closure =
        json!({ "textTh": "ปิดปรับปรุงแบบคำขอ", "textEn": "The form is being mended", "reason": "wrong fee" });
    let input = json!({ "idempotencyKey": key(), "code": "LAO-01", "closure": closure });
    let closed = operator.ask("ClosePublicService", json!({ "input": input })).await;
    assert_eq!(closed["closePublicService"]["__typename"], "Switched", "{closed}");
    let closed_at = Instant::now();
    while try_to_start(&citizen, &offering, &party).await != "ServiceClosedProblem" {
        assert!(closed_at.elapsed() < Duration::from_secs(1), "it takes applications still");
    }
    let kept = citizen.ask("ApplicationDetail", json!({ "id": draft["id"] })).await;
    assert_eq!(kept["application"]["status"], "DRAFT");
    let status = status_with(&place, "public_service.LAO-01", "closed").await;
    assert_eq!(state(&status, "service.filing"), "degraded");
    assert_eq!(state(&status, "service.finding"), "operational");
    let page = place.http.get(format!("{}/status", place.url)).send().await.expect("it answers");
    assert!(page.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().starts_with("default-src 'none'"));
    let html = page.text().await.expect("a page");
    assert!(html.contains("ปิดปรับปรุงแบบคำขอ") && html.contains("The form is being mended"), "{html}");
    for internal in ["catalogue", "subgraph", "postgres", "sqlite", "127.0.0.1", "wrong fee"] {
        assert!(
            !html.contains(internal) && !status.to_string().contains(internal),
            "{internal} is ours alone"
        );
    }
    let input = json!({ "idempotencyKey": key(), "code": "LAO-01", "reason": "mended" });
    operator.ask("OpenPublicService", json!({ "input": input })).await;
    let opened_at = Instant::now();
    while try_to_start(&citizen, &offering, &party).await != "ApplicationStarted" {
        assert!(opened_at.elapsed() < Duration::from_secs(1), "it takes nothing still");
    }
}

fn thaid(reason: &str) -> Which {
    let kind = switches::Kind::IdentityProvider;
    Which { kind, code: "thaid".into(), by: "the test".into(), reason: reason.into() }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_logging_in_is_what_is_broken_the_command_line_closes_a_provider_within_a_second() {
    let Some(place) = Installation::start_on_postgres().await else { return };
    if place.config().database_url.is_none() {
        return; // each role has a process of its own, with settings of its own
    }
    let (th, en) = ("ปิดเพราะเหตุขัดข้อง".to_owned(), "Closed after an incident".to_owned());
    let close = SwitchCommand::Close { which: thaid("an incident"), th, en, from: None, until: None };
    close.run(place.config()).await.expect("the command line closes it");
    let closed_at = Instant::now();
    let providers = "{ identityProviders { code availability { open text { en } } } }";
    loop {
        let seen = Person::nobody(&place).query(providers, json!({})).await;
        let thaid = &seen["data"]["identityProviders"][0];
        if thaid["availability"]["open"] == false {
            assert_eq!(thaid["availability"]["text"]["en"], "Closed after an incident");
            break;
        }
        assert!(closed_at.elapsed() < Duration::from_secs(1), "it is open still: {seen}");
    }
    let typo = Which { code: "thaidd".into(), ..thaid("a slip") };
    let refused =
        SwitchCommand::Open { which: typo }.run(place.config()).await.expect_err("no such provider");
    assert!(format!("{refused:#}").contains("there is no identity_provider thaidd"), "{refused:#}");
    let page = place.http.get(format!("{}/status", place.url)).send().await.expect("it answers");
    assert_eq!(page.status(), StatusCode::OK);
    SwitchCommand::Open { which: thaid("mended") }.run(place.config()).await.expect("it opens");
    status_with(&place, "digital_id.thaid", "operational").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sealing_key_is_changed_while_people_are_served_and_the_old_one_is_dropped() {
    let Some(mut place) = Installation::start_on_postgres().await else { return };
    // Where each role has a process of its own, the key comes from outside.
    let Ok(old) = std::fs::read_to_string(place.data().join("sealing.key")) else { return };
    let (party, draft) = {
        let citizen = Person::citizen(&place, "somchai", "thaid").await;
        let party = parties(&citizen).await.remove(0);
        let offering = offering(&place, "LAO-01", "1201").await;
        (party.clone(), start(&citizen, &offering, &party).await)
    };
    let index = sealing::Keys::from_base64(&old).expect("a key").index_base64().to_string();
    let new = sealing::Keys::generate();
    let mut turning = Config::default();
    place
        .restart_with(|config| {
            config.sealing_keys = vec![new.as_str().into(), old.as_str().into()];
            config.blind_index_key = Some(index.as_str().into());
            turning = config.clone();
        })
        .await;
    let read = async |place: &Installation| {
        let citizen = Person::citizen(place, "somchai", "thaid").await;
        assert_eq!(parties(&citizen).await[0], party, "found by the same number");
        let seen = citizen.ask("ApplicationDetail", json!({ "id": draft["id"] })).await;
        assert_eq!(seen["application"]["answers"], draft["answers"]);
    };
    read(&place).await;
    KeysCommand::Rotate { batch: 1, pause_ms: 0 }.run(&turning).await.expect("keys are changed");
    KeysCommand::Retire.run(&turning).await.expect("nothing needs the old key");
    read(&place).await;
    place.restart_with(|config| config.sealing_keys = vec![new.as_str().into()]).await;
    read(&place).await;
}
