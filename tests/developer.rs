//! What the sandbox gives those who build on the portal: failures on demand, and people made new.

mod logins;
mod payments;
mod resets;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::installation::Installation;

/// Tells something to go wrong; gives its id.
pub async fn set_trigger(place: &Installation, trigger: Value) -> String {
    let answer = place.http.post(format!("{}/sandbox/triggers", place.url)).json(&trigger).send().await;
    let answer: Value = answer.expect("the sandbox answers").json().await.expect("JSON");
    answer["id"].as_str().unwrap_or_else(|| panic!("not set: {answer}")).to_owned()
}

pub async fn clear_triggers(place: &Installation) {
    let answer = place.http.delete(format!("{}/sandbox/triggers", place.url)).send().await;
    assert!(answer.expect("the sandbox answers").status().is_success());
}

#[test]
fn the_clock_is_moved_over_the_days_off_that_the_legal_clocks_go_by() {
    let file = |path: &str| {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let text = std::fs::read_to_string(root.join(path)).expect("the file is there");
        text.parse::<toml::Table>().expect("it is TOML")
    };
    let texts = |days: &toml::Value| -> Vec<String> {
        let days = days.as_array().expect("a list");
        let text = |day: &toml::Value| day.get("on").unwrap_or(day).as_str().expect("a day").to_owned();
        days.iter().map(text).collect()
    };
    let sandbox = file("infra/sandbox/src/holidays.toml");
    let sandbox: BTreeSet<String> = sandbox.values().flat_map(&texts).collect();
    let services = file("services/applications/src/holidays.toml");
    assert!(sandbox.len() > 30);
    assert_eq!(sandbox, texts(&services["holiday"]).into_iter().collect());
}
