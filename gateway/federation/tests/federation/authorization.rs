//! What the caller may not see is null, is reported, and is asked of nobody.

use std::collections::HashSet;

use federation::{Grants, Settings, Unauthorized};
use serde_json::{Value, json};

use super::fixtures::SUPERGRAPH;
use super::world::{World, both_as};

fn grants(authenticated: bool, scopes: &[&str]) -> Grants {
    Grants { authenticated, scopes: scopes.iter().map(ToString::to_string).collect::<HashSet<_>>() }
}

fn unauthorized(answer: &Value) -> Vec<String> {
    let errors = answer["errors"].as_array().cloned().unwrap_or_default();
    errors
        .iter()
        .map(|error| {
            assert_eq!(error["extensions"]["code"], "UNAUTHORIZED_FIELD_OR_TYPE", "{error}");
            error["path"].to_string()
        })
        .collect()
}

#[tokio::test]
async fn a_denied_field_is_null_and_no_subgraph_hears_of_it() {
    let world = World::in_process();
    let answer = world.ask("{ me { name mail: email } }").await;
    assert_eq!(answer["data"], json!({"me": {"name": "User \"1\" ü", "mail": null}}));
    assert_eq!(unauthorized(&answer), [r#"["me","mail"]"#]);
    assert!(world.asked().iter().all(|asked| !asked.contains("email")), "{:?}", world.asked());
}

#[tokio::test]
async fn a_granted_field_is_answered() {
    let query = "{ users { email } }";
    let answer = both_as(query, json!({}), &grants(true, &[])).await;
    assert_eq!(answer["data"]["users"][2]["email"], "3@example.org");
    assert_eq!(unauthorized(&answer).len(), 0);
}

#[tokio::test]
async fn any_one_set_of_scopes_is_enough_and_all_of_it_is_needed() {
    let world = World::in_process();
    let cases: [(&[&str], bool); 5] = [
        (&[], false),
        (&["admin"], false),
        (&["admin", "root"], true),
        (&["secrets"], true),
        (&["root"], false),
    ];
    for (scopes, granted) in cases {
        let answer = world.ask_as("{ me { secret } }", json!({}), &grants(false, scopes)).await;
        assert_eq!(answer["data"]["me"]["secret"].is_string(), granted, "{scopes:?} {answer}");
    }
}

#[tokio::test]
async fn a_denied_field_that_may_not_be_null_takes_its_parent_along() {
    let world = World::in_process();
    let answer = world.ask("{ me { name passport { number } } user(id: 2) { name } }").await;
    assert_eq!(answer["data"], json!({"me": null, "user": {"name": "User \"2\" ü"}}));
    assert_eq!(unauthorized(&answer), [r#"["me","passport"]"#]);
}

#[tokio::test]
async fn a_type_is_denied_through_every_field_that_leads_to_it() {
    let world = World::in_process();
    let answer = world.ask("{ users { a: account { balance } } }").await;
    assert_eq!(answer["data"], json!({"users": [{"a": null}, {"a": null}, {"a": null}]}));
    assert_eq!(unauthorized(&answer).len(), 3);
    assert!(world.asked().iter().all(|asked| !asked.contains("account{") && !asked.contains("balance")));
    let answer = world.ask_as("{ me { account { balance } } }", json!({}), &grants(true, &[])).await;
    assert_eq!(answer, json!({"data": {"me": {"account": {"balance": 100}}}}));
}

#[tokio::test]
async fn plans_of_one_caller_are_not_used_for_another() {
    let world = World::in_process();
    let query = "{ me { email secret } }";
    let all = grants(true, &["secrets"]);
    for _ in 0..2 {
        let none = world.ask(query).await;
        assert_eq!(none["data"], json!({"me": {"email": null, "secret": null}}));
        let known = world.ask_as(query, json!({}), &grants(true, &["other"])).await;
        assert_eq!(known["data"], json!({"me": {"email": "1@example.org", "secret": null}}));
        let answer = world.ask_as(query, json!({}), &all).await;
        assert_eq!(answer["data"], json!({"me": {"email": "1@example.org", "secret": "secret of 1"}}));
    }
}

#[tokio::test]
async fn all_is_refused_when_the_settings_say_so() {
    let settings = Settings { unauthorized: Unauthorized::RefuseAll, ..Settings::default() };
    let world = World::in_process_with(settings, None);
    let answer = world.ask("{ users { name email } me { ...F } } fragment F on User { secret }").await;
    assert_eq!(unauthorized(&answer), [r#"["users","email"]"#, r#"["me","secret"]"#]);
    assert_eq!(answer.get("data"), None);
    assert_eq!(world.asked().len(), 0);
    assert_eq!(world.ask("{ me { name } }").await["data"]["me"]["name"], "User \"1\" ü");
}

#[tokio::test]
async fn a_query_of_nothing_but_denied_fields_asks_only_whether_their_object_is_there() {
    let world = World::in_process();
    let answer = world.ask("{ user(id: 9) { email } me { email } }").await;
    assert_eq!(answer["data"], json!({"user": null, "me": {"email": null}}));
    assert_eq!(unauthorized(&answer), [r#"["me","email"]"#]);
}

#[tokio::test]
async fn a_field_of_an_interface_is_denied_where_composition_says_so() {
    // Composition gives the interface the rules of its types, so only a fragment reaches the type without.
    let answer =
        both_as("{ shelf { title ... on Book { own: title } } }", json!({}), &grants(false, &[])).await;
    assert_eq!(answer["data"]["shelf"], json!([{"title": null, "own": "A Book"}, {"title": null}]));
    assert_eq!(unauthorized(&answer).len(), 2);
    let answer = both_as("{ shelf { title } }", json!({}), &grants(false, &["films"])).await;
    assert_eq!(answer["data"]["shelf"], json!([{"title": "A Book"}, {"title": "A Film"}]));
}

#[tokio::test]
async fn an_open_interface_is_asked_only_of_the_types_that_are_open() {
    let (before, interface) = SUPERGRAPH.split_once("interface Media").unwrap();
    let open = format!(
        "{before}interface Media{}",
        interface.replacen(r#"@requiresScopes(scopes: [["films"]])"#, "", 1)
    );
    let world = World::in_process_under(&open, Settings::default(), None);
    let answer = world.ask("{ shelf { __typename id title } }").await;
    assert_eq!(
        answer["data"]["shelf"],
        json!([
            {"__typename": "Book", "id": "b1", "title": "A Book"},
            {"__typename": "Film", "id": "f1", "title": null},
        ])
    );
    assert_eq!(unauthorized(&answer), [r#"["shelf",1,"title"]"#]);
    assert_eq!(world.asked()[0].matches("title").count(), 1, "{:?}", world.asked());
    assert!(world.asked()[0].contains("on Book{title}"), "{:?}", world.asked());
}

fn open_interface() -> World {
    let (before, interface) = SUPERGRAPH.split_once("interface Media").unwrap();
    let open = interface.replacen(r#"@requiresScopes(scopes: [["films"]])"#, "", 1);
    World::in_process_under(&format!("{before}interface Media{open}"), Settings::default(), None)
}

#[tokio::test]
async fn an_interface_within_a_type_is_no_way_around_the_type_s_rules() {
    for query in [
        "{ shelf { ... on Film { ... on Media { t: title } } } }",
        "{ shelf { ... on Film { ...T } } } fragment T on Media { t: title }",
        "{ shelf { ... on Media { ... on Film { ... { t: title } } } } }",
    ] {
        let world = open_interface();
        let answer = world.ask(query).await;
        assert_eq!(answer["data"]["shelf"], json!([{}, {"t": null}]), "{query}");
        assert_eq!(unauthorized(&answer), [r#"["shelf",1,"t"]"#]);
        assert!(world.asked().iter().all(|asked| !asked.contains("title")), "{:?}", world.asked());
    }
}

#[tokio::test]
async fn a_fragment_of_nothing_but_denied_fields_is_still_answered_with_nulls() {
    let world = World::in_process();
    let answer = world.ask("{ shelf { id ... on Film { title } } }").await;
    assert_eq!(answer["data"]["shelf"], json!([{"id": "b1"}, {"id": "f1", "title": null}]));
    assert_eq!(unauthorized(&answer), [r#"["shelf",1,"title"]"#]);
}

#[tokio::test]
async fn a_rule_on_a_type_holds_wherever_in_the_arguments_it_is_given() {
    let guarded = SUPERGRAPH.replacen("enum Order ", "enum Order @authenticated ", 1);
    let cases = [
        ("{ products(filter: {order: UP}) { upc } }", json!({})),
        ("query($f: Filter) { products(filter: $f) { upc } }", json!({"f": {"order": "UP"}})),
        ("query($o: Order!) { products(filter: {order: $o}) { upc } }", json!({"o": "UP"})),
        (
            "query($o: Order! = UP) { ...F } fragment F on Query { products(filter: {order: $o}) { upc } }",
            json!({}),
        ),
    ];
    for (query, variables) in cases {
        let world = World::in_process_under(&guarded, Settings::default(), None);
        for _ in 0..2 {
            let answer = world.ask_as(query, variables.clone(), &grants(false, &[])).await;
            assert_eq!(answer["data"], Value::Null, "{query}");
            assert_eq!(unauthorized(&answer), [r#"["products"]"#]);
            assert_eq!(world.asked().len(), 0);
        }
        let answer = world.ask_as(query, variables, &grants(true, &[])).await;
        assert_eq!(answer["data"]["products"][0]["upc"], "p1", "{query} {answer}");
    }
    let world = World::in_process_under(&guarded, Settings::default(), None);
    let unused = "query($f: Filter) { products(first: 1, filter: $f) { upc } }";
    let answer = world.ask_as(unused, json!({"f": null}), &grants(false, &[])).await;
    assert_eq!(answer["data"]["products"][0]["upc"], "p1", "{answer}");
}

#[tokio::test]
async fn directives_guard_under_whatever_name_they_are_imported() {
    for link in [r#"as: "members", "#, r#"import: [{name: "@authenticated", as: "@members"}], "#] {
        let url = r#"url: "https://specs.apollo.dev/authenticated/v0.1", "#;
        let renamed = SUPERGRAPH.replace("@authenticated", "@members").replacen(
            url,
            &format!("{url}{}", link.replace("@authenticated ", "")),
            1,
        );
        let world = World::in_process_under(&renamed, Settings::default(), None);
        let answer = world.ask("{ me { email } }").await;
        assert_eq!(unauthorized(&answer), [r#"["me","email"]"#], "{link}");
    }
}
