//! Subgraphs that answer nonsense: the client's answer still is one its document can have.

use std::sync::LazyLock;

use federation::{Grants, Prepared};
use graphql_tools::static_graphql::query::{Definition, Document, OperationDefinition};
use serde_json::{Map, Value, json};

use super::choices::Choices;
use super::nonsense::Nonsense;
use super::puppet::{FIXTURES, Fixture, Script, answers};
use super::shape;

/// By the fixture each is for. Between them their plans have steps of every kind.
const DOCUMENTS: [(usize, &str); 15] = [
    (
        0,
        "{ me { __typename id name role standing email karma account { balance } nickname(title: \"x\") } latest { id } }",
    ),
    (0, "{ users { id name karma reviews { id body author { name karma } } passport { number } } }"),
    (
        0,
        "{ products { upc name price weight serial details shipping label rating owner { name karma } reviews(first: 3) { id author { id } } } }",
    ),
    (0, "{ shelf { __typename id title ... on Book { pages praise } ... on Film { minutes } } }"),
    (
        0,
        "{ search { __typename ... on Product { upc rating owner { id shouted } } ... on Book { id title praise } } }",
    ),
    (0, "{ matrix { id name karma reviews { author { karma } } } m: matrix { nick: nickname id: name } }"),
    (
        0,
        "query($n: Int! $b: Boolean!) { latest { author { name @include(if: $b) reviews { id @skip(if: $b) } } } products(first: $n) { upc: name name: upc serial } }",
    ),
    (
        0,
        "mutation { greet(name: \"a\") stock(name: \"b\") praise(name: \"c\") make(upc: \"p1\") { upc rating reviews { body author { role } } } }",
    ),
    (0, "subscription { made(count: 2) { upc serial shipping owner { name email reviews { id } } } }"),
    (
        1,
        "{ works { __typename ... on Book { title pages blurb } ... on Film { title id } } oldest { title pages } }",
    ),
    (1, "{ newest { isbn title pages blurb } featured { isbn blurb } f: featured { b: blurb title } }"),
    (2, "{ animals { __typename id name tag ... on Cat { lives } ... on Dog { tricks } } }"),
    (2, "{ tagged { id tag name ... on Dog { __typename tricks tag } } animals { tag } }"),
    (2, "{ tagged { __typename ... on Animal { id ... on Cat { lives name } } } }"),
    (
        3,
        "{ echo strict(int: 1 float: 1 text: \"\" flag: true id: 1 size: SMALL json: 1) lists(ids: []) form { id note } }",
    ),
];

struct Ready {
    fixture: &'static Fixture,
    ast: Document,
    root: &'static str,
    prepared: Prepared,
}

static READY: LazyLock<Vec<Ready>> =
    LazyLock::new(|| DOCUMENTS.iter().map(|(at, text)| ready(*at, text)).collect());

/// The first byte chooses a document, the rest decides what is answered.
pub fn run(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    let Ready { fixture, ast, root, prepared } = &READY[usize::from(*first) % READY.len()];
    let script = Script::new(Nonsense::new(Choices::new(rest), &fixture.whole));
    let Some(Definition::Operation(operation)) = ast.definitions.first() else {
        panic!("the operation comes first");
    };
    for response in answers(fixture, prepared.clone(), script.context()) {
        let variables = prepared.variables();
        shape::check(&fixture.public, ast, root, operation.selection_set(), variables, &response);
    }
}

fn ready(at: usize, text: &str) -> Ready {
    let fixture = &FIXTURES[at];
    let ast: Document =
        graphql_tools::parser::parse_query::<String>(text).expect("the document is valid").into_static();
    let root = match ast.definitions.first() {
        Some(Definition::Operation(OperationDefinition::Mutation(_))) => "Mutation",
        Some(Definition::Operation(OperationDefinition::Subscription(_))) => "Subscription",
        _ => "Query",
    };
    let variables: Map<String, Value> = match text.contains("$n") {
        true => Map::from_iter([("n".to_owned(), json!(2)), ("b".to_owned(), json!(true))]),
        false => Map::new(),
    };
    // Some fields stay denied.
    let grants = Grants { authenticated: true, scopes: ["films".to_owned()].into() };
    let document = fixture.engine.document(text).unwrap_or_else(|errors| panic!("{errors:?} in {text}"));
    let prepared = fixture.engine.prepare(&document, None, variables, &grants);
    let prepared = prepared.unwrap_or_else(|errors| panic!("{errors:?} in {text}"));
    Ready { fixture, ast, root, prepared }
}
