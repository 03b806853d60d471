//! Subgraphs that answer what was not asked: it costs the place it stands at, and is told there.

use std::time::{Duration, Instant};

use federation::Answer;
use federation::value::read_json;
use serde_json::{Value, json};

use super::failures::{answering, answering_for, unavailable};
use super::played;

fn internal(path: Value) -> Value {
    json!({
        "message": "The value of this field is not of its type.",
        "path": path,
        "extensions": {"code": "INTERNAL_SERVER_ERROR"},
    })
}

#[tokio::test]
async fn a_root_value_of_a_wrong_type_costs_its_own_place() {
    let cases = [
        (r#"[{"id": "r"}]"#, json!(null), json!(["latest"])),
        (r#""r""#, json!(null), json!(["latest"])),
        ("7", json!(null), json!(["latest"])),
        ("true", json!(null), json!(["latest"])),
        (r#"{"id": {}}"#, json!(null), json!(["latest", "id"])),
        (r#"{"id": ["r"]}"#, json!(null), json!(["latest", "id"])),
        (r#"{"id": true}"#, json!(null), json!(["latest", "id"])),
        (
            r#"{"id": "r", "body": {}}"#,
            json!({"id": "r", "body": null, "author": null}),
            json!(["latest", "body"]),
        ),
        (
            r#"{"id": "r", "body": 7}"#,
            json!({"id": "r", "body": null, "author": null}),
            json!(["latest", "body"]),
        ),
        (
            r#"{"id": "r", "author": [{"id": 1}]}"#,
            json!({"id": "r", "body": null, "author": null}),
            json!(["latest", "author"]),
        ),
        (
            r#"{"id": "r", "author": "1"}"#,
            json!({"id": "r", "body": null, "author": null}),
            json!(["latest", "author"]),
        ),
    ];
    for (latest, shown, path) in cases {
        let world = answering(format!(r#"{{"data": {{"latest": {latest}}}}}"#)).await;
        let answer = world.ask("{ latest { id body author { id } } me { role } }").await;
        assert_eq!(answer["data"], json!({"latest": shown, "me": {"role": "EDITOR"}}), "{latest}");
        assert_eq!(answer["errors"], json!([internal(path)]), "{latest}");
    }
}

#[tokio::test]
async fn a_value_of_a_wrong_type_in_a_list_costs_what_may_be_null_around_it() {
    let cases = [
        ("{}", json!(["me", "reviews"])),
        (r#""r""#, json!(["me", "reviews"])),
        ("[7]", json!(["me", "reviews", 0])),
        (r#"[{"id": "1"}, [{"id": "2"}]]"#, json!(["me", "reviews", 1])),
        (r#"[{"id": "1"}, {"id": {"id": 1}}]"#, json!(["me", "reviews", 1, "id"])),
    ];
    for (reviews, path) in cases {
        let world = answering(format!(r#"{{"data": {{"_entities": [{{"reviews": {reviews}}}]}}}}"#)).await;
        let answer = world.ask("{ me { name reviews { id } } user(id: 2) { role } }").await;
        // Neither the list nor its items may be null.
        assert_eq!(answer["data"], json!({"me": null, "user": {"role": "READER"}}), "{reviews}");
        assert_eq!(answer["errors"], json!([internal(path)]), "{reviews}");
    }
    let world = answering(r#"{"data": {"_entities": [{"reviews": [null]}]}}"#).await;
    let answer = world.ask("{ me { name reviews { id } } }").await;
    assert_eq!(answer["data"], json!({"me": null}));
    assert_eq!(answer["errors"][0]["path"], json!(["me", "reviews", 0]));
}

#[tokio::test]
async fn a_list_of_lists_is_taken_for_nothing_less() {
    for (matrix, shown, path) in [
        ("[{\"id\": 1}]", json!(null), json!(["matrix", 0])),
        ("[[[{\"id\": 1}]], []]", json!([[null], []]), json!(["matrix", 0, 0])),
        ("[[7, {\"id\": 1}]]", json!([[null, {"id": "1"}]]), json!(["matrix", 0, 0])),
        ("{\"id\": 1}", json!(null), json!(["matrix"])),
    ] {
        let world = answering_for("products", format!(r#"{{"data": {{"matrix": {matrix}}}}}"#)).await;
        let answer = world.ask("{ matrix { id } }").await;
        let data = if shown.is_null() { json!(null) } else { json!({"matrix": shown}) };
        assert_eq!(answer["data"], data, "{matrix}");
        assert_eq!(answer["errors"], json!([internal(path)]), "{matrix}");
    }
}

#[tokio::test]
async fn an_enum_that_is_no_string_is_told() {
    for role in ["7", "{}", "[\"READER\"]", "true", "\"\\u0052EADER\""] {
        let text = format!(r#"{{"data": {{"me": {{"standing": {role}, "id": 1}}}}}}"#);
        let answer = answering_for("accounts", text).await.ask("{ me { id standing } latest { id } }").await;
        assert_eq!(answer["data"], json!({"me": {"id": "1", "standing": null}, "latest": {"id": "latest"}}));
        assert_eq!(answer["errors"], json!([internal(json!(["me", "standing"]))]), "{role}");
    }
}

#[tokio::test]
async fn entities_that_are_none_are_unavailable() {
    for entities in
        ["null", "{}", "\"x\"", "7", "[7]", "[\"x\"]", "[[]]", "[[{\"karma\": 1}]]", "[false]", "[]"]
    {
        let world = answering(format!(r#"{{"data": {{"_entities": {entities}}}}}"#)).await;
        let answer = world.ask("{ me { name karma } }").await;
        assert_eq!(answer["data"]["me"], json!({"name": "User \"1\" ü", "karma": null}), "{entities}");
        assert_eq!(answer["errors"], json!([unavailable(json!(["me", "karma"]))]), "{entities}");
    }
    // One of three: the others are as good as ever.
    let world = answering(r#"{"data": {"_entities": [{"karma": 1}, 7, {"karma": 3}]}}"#).await;
    let answer = world.ask("{ users { karma } }").await;
    assert_eq!(answer["data"]["users"], json!([{"karma": 1}, {"karma": null}, {"karma": 3}]));
    assert_eq!(answer["errors"], json!([unavailable(json!(["users", 1, "karma"]))]));
}

#[tokio::test]
async fn an_entity_of_another_type_changes_nothing_others_gave() {
    for name in ["Product", "Role", "Nope", ""] {
        let entity = format!(r#"{{"__typename": "{name}", "karma": 7, "name": "Somebody else"}}"#);
        let world = answering(format!(r#"{{"data": {{"_entities": [{entity}]}}}}"#)).await;
        let answer = world.ask("{ me { __typename name karma } }").await;
        let unharmed = json!({"__typename": "User", "name": "User \"1\" ü", "karma": null});
        assert_eq!(answer["data"]["me"], unharmed, "{name}");
        assert_eq!(answer["errors"], json!([unavailable(json!(["me", "karma"]))]), "{name}");
    }
}

#[tokio::test]
async fn a_subgraph_changes_nothing_it_was_not_asked_for() {
    let entity = r#"{"__typename": "User", "karma": 7, "name": "Somebody else", "role": null, "id": 9}"#;
    let root = r#"{"id": "r"}, "me": {"id": 8, "name": "Nobody"}, "__typename": "Mutation""#;
    let world = answering(format!(r#"{{"data": {{"latest": {root}, "_entities": [{entity}]}}}}"#)).await;
    let answer = world.ask("{ latest { id } me { id name role karma } __typename }").await;
    let me = json!({"id": "1", "name": "User \"1\" ü", "role": "EDITOR", "karma": 7});
    assert_eq!(answer, json!({"data": {"latest": {"id": "r"}, "me": me, "__typename": "Query"}}));
}

#[tokio::test]
async fn an_object_of_another_type_is_told() {
    for name in ["User", "Product", "Role", "Nope"] {
        let shelf = format!(r#"[{{"__typename": "{name}", "id": "b1"}}]"#);
        let world = answering_for("products", format!(r#"{{"data": {{"shelf": {shelf}}}}}"#)).await;
        let answer = world.ask("{ shelf { __typename id ... on Book { pages } } }").await;
        assert_eq!(answer["data"], Value::Null, "{name}");
        assert_eq!(answer["errors"][0]["path"][0], "shelf", "{name} {answer}");
        assert_eq!(answer["errors"][0]["extensions"]["code"], "INTERNAL_SERVER_ERROR", "{name} {answer}");
    }
    let found = r#"{"data": {"search": [{"__typename": "User", "id": 1}, {"__typename": 7}, {}, {"__typename": "Book", "id": "b1"}]}}"#;
    let answer =
        answering_for("products", found).await.ask("{ search { __typename ... on Book { id } } }").await;
    assert_eq!(answer["data"]["search"], json!([null, null, null, {"__typename": "Book", "id": "b1"}]));
    let places: Vec<_> =
        answer["errors"].as_array().unwrap().iter().map(|it| it["path"][1].clone()).collect();
    assert_eq!(places, [0, 1, 2], "{answer}");
}

#[tokio::test]
async fn of_members_given_twice_the_last_counts() {
    let twice = r#"{"data": {"latest": 7, "latest": {"id": "x", "body": [], "id": "r", "body": "b"}}, "errors": 7, "errors": []}"#;
    let answer = answering(twice).await.ask("{ latest { id body } }").await;
    assert_eq!(answer, json!({"data": {"latest": {"id": "r", "body": "b"}}}));
}

#[tokio::test]
async fn a_root_field_nothing_is_said_of_is_unavailable() {
    let answer = answering(r#"{"data": {"body": "x"}}"#).await.ask("{ latest { body } me { id } }").await;
    assert_eq!(answer["data"], json!({"latest": null, "me": {"id": "1"}}));
    assert_eq!(answer["errors"], json!([unavailable(json!(["latest"]))]));
}

#[tokio::test]
async fn errors_of_a_wrong_shape_are_still_errors() {
    let unknown = json!([{"message": "Unknown error.", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]);
    for errors in [
        "[1]",
        "[null]",
        "[[]]",
        "[{}]",
        "{\"a\": 1}",
        "\"no\"",
        "true",
        r#"[{"message": null, "path": 7, "extensions": []}]"#,
        r#"[{"message": {}, "path": {}, "extensions": {"code": 7}, "locations": "x"}]"#,
        r#"[{"path": ["nowhere", {}, null]}]"#,
    ] {
        let answer = answering(format!(r#"{{"data": {{"latest": null}}, "errors": {errors}}}"#)).await;
        let answer = answer.ask("{ latest { id } me { id } }").await;
        assert_eq!(answer["data"], json!({"latest": null, "me": {"id": "1"}}), "{errors}");
        assert_eq!(answer["errors"], unknown, "{errors}");
    }
    for none in ["null", "[]", "{}"] {
        let answer = answering(format!(r#"{{"data": {{"latest": null}}, "errors": {none}}}"#)).await;
        assert_eq!(answer.ask("{ latest { id } }").await, json!({"data": {"latest": null}}), "{none}");
    }
    for missing in [r#"{"errors": null}"#, r#"{"errors": {}}"#, r#"{"errors": []}"#, r#"{"message": "no"}"#] {
        let answer = answering(missing).await.ask("{ latest { id } }").await;
        assert_eq!(answer["errors"], json!([unavailable(json!(["latest"]))]), "{missing}");
    }
}

#[tokio::test]
async fn an_error_at_an_entity_nobody_asked_for_is_not_lost() {
    for path in
        [r#"["_entities", 99, "karma"]"#, r#"["_entities", -1]"#, r#"["_entities", 18446744073709551615]"#]
    {
        let text = format!(
            r#"{{"data": {{"_entities": [null]}}, "errors": [{{"message": "no", "path": {path}}}]}}"#
        );
        let answer = answering(text).await.ask("{ me { id karma } }").await;
        assert_eq!(answer["data"]["me"], json!({"id": "1", "karma": null}));
        assert_eq!(answer["errors"][0]["message"], "no", "{path} {answer}");
        assert_eq!(answer["errors"][0]["path"][0], "me", "{path} {answer}");
    }
}

const LIBRARY: &str = include_str!("../fixtures/library.graphql");

fn read(text: String) -> Answer {
    Answer { data: read_json(text.into(), 16).unwrap(), errors: Vec::new() }
}

fn a_hundred_thousand_times_the_same(_: &str, _: &[Value]) -> Answer {
    let works = vec![r#"{"__typename": "Book", "isbn": "i1"}"#; 100_000].join(",");
    read(format!(r#"{{"works": [{works}]}}"#))
}

fn a_megabyte_on_each(_: &str, _: &[Value]) -> Answer {
    let extra: String = (0..50_000).map(|n| format!(",\"extra{n}\":1")).collect();
    read(format!(r#"{{"_entities": [{{"blurb": "{}"{extra}}}]}}"#, "b".repeat(1_000_000)))
}

#[tokio::test]
async fn an_entity_in_many_places_cannot_blow_the_answer_up() {
    let parts: [(&str, played::Resolve); 2] =
        [("shop", a_hundred_thousand_times_the_same), ("archive", a_megabyte_on_each)];
    let begun = Instant::now();
    let query = "{ works { ... on Book { blurb } } }";
    let (answer, asked) = played::ask(LIBRARY, &parts, query, &Default::default()).await;
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert_eq!(answer["data"], Value::Null);
    assert_eq!(answer["errors"].as_array().unwrap().len(), 1);
    assert_eq!(answer["errors"][0]["extensions"]["code"], "INTERNAL_SERVER_ERROR");
    assert!(answer["errors"][0]["message"].as_str().unwrap().contains("too long"));
}

/// Names from one, texts from another, and a third that has to be told the texts.
const CHAIN: &str = r#"
enum join__Graph {
  NAMES @join__graph(name: "names", url: "")
  TEXTS @join__graph(name: "texts", url: "")
  SIZES @join__graph(name: "sizes", url: "")
}

type Query @join__type(graph: NAMES) @join__type(graph: TEXTS) @join__type(graph: SIZES) {
  things: [Thing] @join__field(graph: NAMES)
}

type Thing @join__type(graph: NAMES, key: "id") @join__type(graph: TEXTS, key: "id") @join__type(graph: SIZES, key: "id") {
  id: ID!
  text: String @join__field(graph: TEXTS) @join__field(graph: SIZES, external: true)
  size: Int @join__field(graph: SIZES, requires: "text")
}
"#;

fn one_thing_everywhere(_: &str, _: &[Value]) -> Answer {
    let things = vec![r#"{"__typename": "Thing", "id": "t1"}"#; 100_000].join(",");
    read(format!(r#"{{"things": [{things}]}}"#))
}

fn a_megabyte_of_text(_: &str, representations: &[Value]) -> Answer {
    assert_eq!(representations.len(), 1);
    read(format!(r#"{{"_entities": [{{"text": "{}"}}]}}"#, "t".repeat(1_000_000)))
}

fn sizes(_: &str, representations: &[Value]) -> Answer {
    read(format!(r#"{{"_entities": [{{"size": {}}}]}}"#, representations.len()))
}

fn never_asked(operation: &str, _: &[Value]) -> Answer {
    panic!("asked for {operation}")
}

/// Each of another number, so that none is like another.
fn one_thing_everywhere_else_each_time(_: &str, _: &[Value]) -> Answer {
    let thing = |number: usize| format!(r#"{{"__typename": "Thing", "id": "t1", "number": {number}}}"#);
    let things = (0..100_000).map(thing).collect::<Vec<_>>().join(",");
    read(format!(r#"{{"things": [{things}]}}"#))
}

async fn sizes_of(names: played::Resolve, sizes: played::Resolve) -> Value {
    let (before, _) = LIBRARY.split_once("enum join__Graph").unwrap();
    let parts: [(&str, played::Resolve); 3] =
        [("names", names), ("texts", a_megabyte_of_text), ("sizes", sizes)];
    let begun = Instant::now();
    let supergraph = format!("{before}{CHAIN}");
    let (answer, _) = played::ask(&supergraph, &parts, "{ things { size } }", &Default::default()).await;
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    answer
}

#[tokio::test]
async fn a_long_key_in_many_places_is_told_once() {
    let answer = sizes_of(one_thing_everywhere, sizes).await;
    assert_eq!(answer["data"]["things"][99_999], json!({"size": 1}));
}

#[tokio::test]
async fn a_long_key_in_many_places_is_not_written_for_each() {
    let answer = sizes_of(one_thing_everywhere_else_each_time, never_asked).await;
    assert_eq!(answer["data"]["things"][99_999], json!({"size": null}));
    assert_eq!(answer["errors"][0], unavailable(json!(["things", 0, "size"])));
}
