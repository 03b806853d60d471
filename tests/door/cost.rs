//! What an operation may cost is known before it runs.

use serde_json::{Value, json};

use super::{ask, code};
use crate::documents;
use crate::installation::Installation;
use crate::person::Person;

const PAGES: &str =
    "query($n: Int) { publicServices(first: $n) { nodes { code offerings(first: $n) { nodes { id } } } } }";

#[tokio::test(flavor = "multi_thread")]
async fn what_costs_too_much_is_refused_with_what_it_costs() {
    let place = Installation::start().await;
    let cheap = ask(&place, &json!({"query": PAGES, "variables": {"n": 3}})).await;
    assert!(cheap.get("errors").is_none(), "{cheap}");
    let dear = ask(&place, &json!({"query": PAGES, "variables": {"n": 100}})).await;
    assert_eq!(code(&dear), "COST_ESTIMATED_TOO_EXPENSIVE", "{dear}");
    assert_eq!(
        dear["errors"][0]["extensions"]["cost"],
        json!({"estimated": 1 + 100 * (1 + 1 + 100), "max": 10_000})
    );
    assert!(dear.get("data").is_none());
    // Aliases cost as often as they stand there.
    let aliases: String = (0..20)
        .map(|n| {
            format!(
                "a{n}: publicServices(first: 100) {{ nodes {{ offerings(first: 5) {{ nodes {{ id }} }} }} }} "
            )
        })
        .collect();
    let dear = ask(&place, &json!({"query": format!("{{ {aliases} }}")})).await;
    assert_eq!(code(&dear), "COST_ESTIMATED_TOO_EXPENSIVE", "{dear}");
    // A page is short however much of it is asked for.
    let page = ask(&place, &json!({"query": "{ publicServices(first: 1000000) { nodes { code } } }"})).await;
    assert!(["COST_ESTIMATED_TOO_EXPENSIVE", "BAD_USER_INPUT"].contains(&code(&page)), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_caller_has_a_limit_of_its_own() {
    let mut place = Installation::start().await;
    place
        .restart_with(|config| {
            (config.door.cost.anonymous_max, config.door.cost.citizen_max) = (10, 100);
            config.door.cost.officer_max = 0;
        })
        .await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let officer = Person::officer(&place, "officer-nonthaburi").await;
    let query = "query($n: Int) { publicServices(first: $n) { nodes { code } } }";
    for (person, n, expected) in [
        (&Person::nobody(&place), 9, ""),
        (&Person::nobody(&place), 10, "COST_ESTIMATED_TOO_EXPENSIVE"),
        (&somchai, 99, ""),
        (&somchai, 100, "COST_ESTIMATED_TOO_EXPENSIVE"),
        (&officer, 100, ""),
    ] {
        let answer = person.query(query, json!({"n": n})).await;
        assert_eq!(code(&answer), expected, "{n}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_clients_ask_for_no_more_than_they_may() {
    let place = Installation::start().await;
    let nobody = Person::nobody(&place);
    for (name, text) in documents::all() {
        let variables: Value = json!({"first": 100, "id": "x", "input": {}});
        let answer = nobody.query(&text, variables).await;
        assert_ne!(code(&answer), "COST_ESTIMATED_TOO_EXPENSIVE", "{name}: {answer}");
    }
}
