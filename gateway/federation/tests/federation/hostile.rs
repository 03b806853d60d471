//! Documents and variables made to do harm: they cost no more than others and end in an error.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use federation::{Engine, Grants, InProcess, Limits, RequestContext, Settings, Subgraph, SupergraphError};
use serde_json::{Value, json};

use super::subgraphs::{Log, accounts};
use super::world::World;

/// Fragments in a chain, each with its spread inside many inline fragments.
fn chain(fragments: usize, inline: usize) -> String {
    let mut query = "{ me { ...F0 } }".to_owned();
    for n in 0..fragments {
        let (open, close) = ("...{".repeat(inline), "}".repeat(inline));
        query += &format!(" fragment F{n} on User {{ {open} ...F{} {close} }}", n + 1);
    }
    query + &format!(" fragment F{fragments} on User {{ id }}")
}

fn refusal(query: &str) -> Option<String> {
    let errors = World::in_process().prepare(query, Default::default(), &Grants::default()).err()?;
    Some(errors[0].message.clone())
}

#[test]
fn fragments_within_fragments_do_not_exhaust_the_stack_of_a_worker() {
    let judge = || {
        assert_eq!(refusal(&chain(15, 5)), None);
        for (fragments, inline) in [(60, 9), (130, 6), (190, 1)] {
            assert!(refusal(&chain(fragments, inline)).unwrap().contains("levels of fragments"));
        }
    };
    // What tokio gives its workers.
    std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(judge).unwrap().join().unwrap();
}

#[test]
fn a_document_of_repeated_selections_is_judged_in_moderate_time() {
    let documents = [
        format!("{{ me {{ {} }} }}", "id ".repeat(3_900)),
        format!("{{ me {{ {} }} }}", "account{balance} ".repeat(950)),
        format!("{{ me {{ {} }} }}", "...A...B".repeat(20_000)),
        chain(30, 1).replace("...F", " ...F0 ...F"),
    ];
    for document in documents {
        let started = Instant::now();
        refusal(&document);
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    }
}

/// A type whose fields all lead back to it.
const MAZE: &str = r#"
schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION) { query: Query }
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR
directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean, override: String, usedOverridden: Boolean) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
scalar join__FieldSet
scalar link__Import
enum link__Purpose { SECURITY EXECUTION }
enum join__Graph { ACCOUNTS @join__graph(name: "accounts", url: "http://accounts.invalid") }
type Query @join__type(graph: ACCOUNTS) { room: Room }
type Room @join__type(graph: ACCOUNTS) { a: Room b: Room c: Room d: Room e: Room f: Room g: Room h: Room i: Room j: Room }
"#;

fn maze(sdl: &str) -> Result<Engine, SupergraphError> {
    maze_with(sdl, Settings::default())
}

fn maze_with(sdl: &str, settings: Settings) -> Result<Engine, SupergraphError> {
    let subgraph: Arc<dyn Subgraph> =
        Arc::new(InProcess::new(accounts::schema(Log::default()), |request, _: &RequestContext| request));
    Engine::new(sdl, HashMap::from([("accounts".to_owned(), subgraph)]), settings)
}

#[tokio::test]
async fn a_question_about_the_schema_cannot_grow_without_end() {
    let engine = Arc::new(maze(MAZE).unwrap());
    let ask = async |query: &str| {
        let document = engine.document(query).unwrap();
        let prepared = engine.prepare(&document, None, Default::default(), &Grants::default()).unwrap();
        engine.execute(&prepared, &RequestContext::default()).await
    };
    let deep =
        format!("{{ __type(name: \"Room\") {{ {} name {} }} }}", "fields{type{".repeat(8), "}}".repeat(8));
    let answer = ask(&deep).await;
    assert!(answer.data.as_ref().unwrap().len() < 1_000_000);
    let answer = answer.to_value();
    assert_eq!(answer["data"], json!({"__type": null}));
    assert_eq!(answer["errors"][0]["path"], json!(["__type"]));
    // What tools ask is far from the limit.
    let whole =
        "{ __schema { queryType { name } types { ...T } directives { name locations args { ...I } } } }
        fragment T on __Type { kind name description fields(includeDeprecated: true) { name description
            args { ...I } type { ...R } isDeprecated deprecationReason } inputFields { ...I }
            interfaces { ...R } enumValues { name description isDeprecated } possibleTypes { ...R } }
        fragment I on __InputValue { name description type { ...R } defaultValue }
        fragment R on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";
    assert_eq!(ask(whole).await.to_value().get("errors"), None);
    assert_eq!(World::in_process().ask(whole).await.get("errors"), None);
}

#[test]
fn a_guard_the_engine_does_not_know_is_not_served_without() {
    let guarded = MAZE.replacen(
        "{ query: Query }",
        "@link(url: \"https://specs.apollo.dev/policy/v0.1\", for: SECURITY) { query: Query }",
        1,
    );
    assert!(matches!(maze(&guarded).err(), Some(SupergraphError::UnknownGuard(_))));
}

#[tokio::test]
async fn a_variable_called_like_the_entities_does_not_stand_for_them() {
    let query = "query($representations: String!, $_representations: String = \"_\") {
        latest { author { id nickname(title: $representations) } } me { nickname(title: $_representations) } }";
    for world in [World::in_process(), World::http().await] {
        let variables = json!({"representations": "x"});
        let answer = world.ask_as(query, variables, &Grants::default()).await;
        assert_eq!(
            answer,
            json!({"data": {"latest": {"author": {"id": "2", "nickname": "x2"}}, "me": {"nickname": "_1"}}})
        );
        for asked in world.asked() {
            assert!(asked.matches("\"representations\":").count() <= 1, "{asked}");
        }
    }
}

#[tokio::test]
async fn a_condition_may_not_be_null() {
    let query = "query($a: Boolean = true) { me { id name @include(if: $a) } }";
    let world = World::in_process();
    let answer = world.ask_as(query, json!({"a": null}), &Grants::default()).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
    assert_eq!(world.ask(query).await["data"]["me"]["id"], "1");
}

#[tokio::test]
async fn a_default_is_brought_into_the_form_of_its_type() {
    let world = World::in_process();
    let query = "query($id: ID! = 1) { user(id: $id) { id } }";
    let prepared = world.prepare(query, Default::default(), &Grants::default()).unwrap();
    assert_eq!(prepared.variables()["id"], Value::from("1"));
}

#[tokio::test]
async fn a_selection_no_object_can_match_is_no_failure() {
    // Valid, because each fragment may be spread in the one around it; no film is a book.
    let world = World::in_process();
    let answer = world.ask("{ shelf { id ... on Film { ... on Media { ... on Book { pages } } } } }").await;
    assert_eq!(answer, json!({"data": {"shelf": [{"id": "b1"}, {"id": "f1"}]}}));
}

#[test]
fn an_error_repeats_a_long_name_only_in_part() {
    let name = "n".repeat(100_000);
    for query in
        [format!("{{ {name} }}"), format!("{{ me {{ id @{name} }} }}"), format!("{{ me {{ {name}: }} }}")]
    {
        assert!(refusal(&query).unwrap().len() < 2_000);
    }
}

#[test]
fn an_object_is_no_scalar_and_no_enum_value() {
    for wrong in [
        "{ me { id @skip(if: {a: true}) } }",
        "{ me { nickname(title: {a: 1}) } }",
        "{ products(first: {}) { upc } }",
        "{ products(filter: {order: {}}) { upc } }",
        "query($f: Filter = {order: UP cheaperThan: {}}) { products(filter: $f) { upc } }",
        "query($id: ID! = {}) { user(id: $id) { id } }",
    ] {
        assert!(refusal(wrong).is_some_and(|message| message.contains("found an object")), "{wrong}");
    }
    assert_eq!(refusal("{ products(filter: {order: UP}) { upc } }"), None);
}

#[test]
fn a_text_the_parser_stumbles_over_is_a_syntax_error() {
    // The second line has an indent of three bytes where the first has one.
    let query = "{ me { nickname(title: \"\"\"\n a\n\u{3000}\n b\"\"\") } }";
    let errors = World::in_process().prepare(query, Default::default(), &Grants::default()).err().unwrap();
    assert_eq!(errors[0].code, "GRAPHQL_PARSE_FAILED");
}

#[test]
fn a_number_without_end_is_refused() {
    for query in
        ["{ products(first: 1e999) { upc } }", "query($n: Int = -1e400) { products(first: $n) { upc } }"]
    {
        let errors =
            World::in_process().prepare(query, Default::default(), &Grants::default()).err().unwrap();
        assert_eq!(errors[0].code, "GRAPHQL_PARSE_FAILED");
    }
}

#[test]
fn a_name_that_only_looks_like_introspection_is_refused() {
    for wrong in [
        "{ __nope }",
        "{ me { __nope } }",
        "{ me { __schema { description } } }",
        "{ me { __typename(a: 1) } }",
        "{ me { __typename { id } } }",
        "{ __schema }",
        "{ __schema(a: 1) { description } }",
        "{ __type { name } }",
        "{ __type(name: \"User\" a: 1) { name } }",
        "{ me { ... on __Nope { id } } }",
        "{ me { ...F } } fragment F on __Nope { id }",
        "query($a: __Nope) { me { nickname(title: $a) } }",
    ] {
        assert!(refusal(wrong).is_some(), "{wrong}");
    }
    let right = "{ __typename me { t: __typename } __type(name: \"User\") { __typename name } }";
    assert_eq!(refusal(right), None);
}

#[test]
fn fields_under_one_name_are_one_field() {
    for wrong in [
        "{ me { a: id a: name } }",
        "{ me { id } me: latest { id } }",
        "{ products { upc } products(first: 1) { upc } }",
        "{ products(filter: {order: UP}) { upc } products(filter: {order: DOWN}) { upc } }",
        "{ me { nickname(title: \"\") } me { nickname(title: \"a\") } }",
        // Fragments within fragments.
        "{ me { a: id ...F } me { b: name } } fragment F on User { ...G } fragment G on User { b: id }",
        "{ me { ...F } me { ...G } } fragment F on User { ...H } fragment H on User { reviews { a: id } }
         fragment G on User { reviews { a: body } }",
        // Of one shape whatever the type.
        "{ shelf { ... on Book { a: pages } ... on Film { a: title } } }",
        "{ search { ... on Book { a: title } ... on Product { a: name } } }",
        "{ search { ... on Book { a: id } ... on Product { a: owner { id } } } }",
        "{ search { ... on Product { a: owner { b: id } } ... on Product { a: owner { b: name } } } }",
        "subscription { a: made { upc } b: made { upc } }",
        "subscription { made { upc } ...F } fragment F on Subscription { again: made { upc } }",
        "subscription { ... { __typename } made { upc } }",
    ] {
        assert!(refusal(wrong).is_some(), "{wrong}");
    }
    for right in [
        "{ me { id id } me { name id } }",
        "{ products(filter: {order: UP skip: 1}) { upc } products(filter: {skip: 1 order: UP}) { upc } }",
        "{ shelf { ... on Book { a: pages } ... on Film { a: minutes } } }",
        "{ shelf { a: id ... on Book { a: id } ... on Film { a: id } } }",
        "{ search { ... on Book { a: id } ... on Product { a: upc } } }",
        "subscription { made { upc } ... { made { price } } }",
    ] {
        assert_eq!(refusal(right), None, "{right}");
    }
}

#[test]
fn the_same_name_on_several_types_at_every_level_is_judged_in_moderate_time() {
    let (before, _) = MAZE.split_once("type Room").unwrap();
    let implements =
        "directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT";
    let room = |name: &str| {
        format!(
            "type {name} implements Room @join__type(graph: ACCOUNTS)
             @join__implements(graph: ACCOUNTS, interface: \"Room\") {{ a: Room }}"
        )
    };
    let interface = "interface Room @join__type(graph: ACCOUNTS) { a: Room }";
    let rooms = ["Cell", "Hall", "Nook"];
    let objects: String = rooms.map(room).concat();
    // Otherwise it is refused before its fields are compared.
    let limits = Limits { fields_by_type_max: usize::MAX, ..Limits::default() };
    let sdl = format!("{implements} {before} {interface} {objects}");
    let engine = maze_with(&sdl, Settings { limits, ..Settings::default() }).unwrap();
    let mut document = "__typename".to_owned();
    for _ in 0..15 {
        let own = rooms.map(|room| format!("... on {room} {{ a {{ __typename }} }} ")).concat();
        document = format!("{own} a {{ {document} }}");
    }
    let started = Instant::now();
    let errors = engine.document(&format!("{{ room {{ {document} }} }}")).err().unwrap();
    assert!(errors[0].message.contains("too many types"), "{errors:?}");
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}
