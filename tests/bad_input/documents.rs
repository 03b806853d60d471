//! Documents and variables made to hurt: a clear refusal, in bounded time.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::code;
use crate::installation::Installation;
use crate::interoperability::socket::Socket;
use crate::person::Person;

/// A refusal must not take long, even in a debug build on a busy machine.
const REFUSED_WITHIN: Duration = Duration::from_secs(5);
const REFUSED: [&str; 3] = ["GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"];

fn hostile() -> Vec<(&'static str, String)> {
    let many = |one: &dyn Fn(usize) -> String| (0..10_000).map(one).collect::<String>();
    let nested = |open: &str, close: &str| format!("{}{}", open.repeat(10_000), close.repeat(10_000));
    vec![
        ("deep fields", nested("{ a ", "}")),
        ("deep fields, never closed", "{ a ".repeat(10_000)),
        (
            "deep fields that there are",
            format!(
                "{{ {} __typename {} }}",
                "lifeEvents { nodes { services { ".repeat(300),
                "} } }".repeat(300)
            ),
        ),
        ("deep fragments", nested("{ ... ", "}")),
        ("deep lists", format!("{{ __type(name: {}) {{ name }} }}", nested("[", "]"))),
        (
            "deep objects",
            format!("{{ __type(name: {} 1 {}) {{ name }} }}", "{a: ".repeat(10_000), "}".repeat(10_000)),
        ),
        (
            "deep types",
            format!("query($v: {} Int {}) {{ __typename }}", "[".repeat(10_000), "]".repeat(10_000)),
        ),
        ("aliases", format!("{{ {} }}", many(&|n| format!("a{n}: __typename ")))),
        ("the same field", format!("{{ {} }}", "__typename ".repeat(10_000))),
        ("directives", format!("{{ __typename {} }}", "@include(if: true) ".repeat(10_000))),
        ("unknown directives", format!("{{ __typename {} }}", many(&|n| format!("@d{n} ")))),
        ("variables", format!("query({}) {{ __typename }}", many(&|n| format!("$v{n}: Int ")))),
        (
            "fragments",
            format!("{{ __typename }} {}", many(&|n| format!("fragment F{n} on Query {{ __typename }} "))),
        ),
        ("operations", many(&|n| format!("query Q{n} {{ __typename }} "))),
        ("a chain of fragments", {
            let chain = many(&|n| format!("fragment F{n} on Query {{ ...F{} }} ", n + 1));
            format!("{{ ...F0 }} {chain} fragment F10000 on Query {{ __typename }}")
        }),
        ("fragments that double", {
            let double = |n: usize| format!("fragment F{n} on Query {{ ...F{0} ...F{0} }} ", n + 1);
            let doubles: String = (0..60).map(double).collect();
            format!("{{ ...F0 }} {doubles} fragment F60 on Query {{ __typename }}")
        }),
        ("a fragment in itself", "{ ...A } fragment A on Query { ...A }".to_owned()),
        (
            "fragments in a circle",
            "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }".to_owned(),
        ),
        ("a circle that nobody enters", "{ __typename } fragment A on Query { ...A }".to_owned()),
        ("a name of 900 KB", format!("{{ {} }}", "a".repeat(900_000))),
        ("text of 900 KB", format!("{{ nothing(a: \"{}\") }}", "a".repeat(900_000))),
        ("text that does not end", format!("{{ nothing(a: \"\"\"{}", "\\\"\"\"".repeat(100_000))),
        ("a number of 900 KB", format!("{{ __type(name: {}) {{ name }} }}", "9".repeat(900_000))),
        ("control characters", "{ __typename \u{0}\u{7f} }".to_owned()),
        ("nothing but a comment", format!("# {}", "a".repeat(900_000))),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_documents_are_refused_in_time_over_every_transport() {
    let place = Installation::start().await;
    let nobody = Person::nobody(&place);
    let mut socket = Socket::of(&place, &nobody).await;
    for (name, document) in hostile() {
        let begun = Instant::now();
        let answer = nobody.query(&document, json!({})).await;
        assert!(REFUSED.contains(&code(&answer)), "{name}: {answer}");
        assert!(answer.to_string().len() < 10_000, "{name}: the refusal repeats too much");
        socket.say(json!({"id": name, "type": "subscribe", "payload": {"query": document}})).await;
        let refused = socket.hear_of("error").await;
        let refused = json!({"errors": refused["payload"]});
        assert_eq!(code(&refused), code(&answer), "{name}: {refused}");
        assert!(begun.elapsed() < REFUSED_WITHIN, "{name}: {:?}", begun.elapsed());
    }
    assert_eq!(nobody.query("{ __typename }", json!({})).await["data"]["__typename"], "Query");
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_of_every_wrong_kind_are_refused_and_of_the_right_one_taken() {
    let place = Installation::start().await;
    let nobody = Person::nobody(&place);
    let int = "query($v: Int) { publicServices(first: $v) { nodes { code } } }";
    let text = "query($v: String!) { __type(name: $v) { name } }";
    let id = "query($v: ID!) { application(id: $v) { id } }";
    let boolean = "query($v: Boolean!) { __typename @include(if: $v) }";
    let object = "query($v: PublicServiceFilter) { publicServices(filter: $v, first: 1) { nodes { code } } }";
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    let wrong = [
        (int, json!(["1", 1.5, 2_147_483_648_i64, -2_147_483_649_i64, 1e20, true, [1, 2], {"a": 1}, deep])),
        (text, json!([null, 5, 1.5, true, ["Query", "Query"], {}])),
        (id, json!([null, 1.5, true, [], {}])),
        (boolean, json!([null, "true", 1, [], {}])),
        (
            object,
            json!(["x", 5, {"unknown": 1}, {"audience": "NOBODY"}, {"audience": 5}, {"audience": [[]]}]),
        ),
    ];
    for (document, values) in &wrong {
        for value in values.as_array().unwrap() {
            let answer = nobody.query(document, json!({"v": value})).await;
            assert_eq!(code(&answer), "BAD_USER_INPUT", "{document} with {value}: {answer}");
            assert!(answer.get("data").is_none(), "{document} with {value}: {answer}");
        }
    }
    for (document, value) in [
        (int, json!(1)),
        (int, json!(null)),
        (text, json!("Query")),
        (boolean, json!(true)),
        (object, json!({})),
    ] {
        let answer = nobody.query(document, json!({"v": value, "unknown": deep})).await;
        assert!(answer.get("errors").is_none(), "{document} with {value}: {answer}");
    }
    let missing: Value = nobody.query(text, json!({"V": "Query"})).await;
    assert_eq!(code(&missing), "BAD_USER_INPUT", "{missing}");
}
