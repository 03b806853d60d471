//! How long answers may be kept and for whom, and what they depend on.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use federation::{
    Answer, CachePolicy, Engine, Grants, Prepared, RequestContext, Settings, Subgraph, SubgraphError,
    SubgraphRequest,
};
use futures::stream::BoxStream;
use serde_json::{Map, Value, json};

/// Books are public facts of `a`; `b` adds to them who has lent them.
const SUPERGRAPH: &str = r#"
schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION)
  @link(url: "https://specs.apollo.dev/authenticated/v0.1", for: SECURITY) { query: Query mutation: Mutation }
directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean, override: String, usedOverridden: Boolean) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE
directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR
directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
directive @authenticated on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
directive @cacheControl(maxAge: Int, scope: CacheControlScope, inheritMaxAge: Boolean) on FIELD_DEFINITION | OBJECT | INTERFACE
scalar join__FieldSet
scalar link__Import
enum link__Purpose { SECURITY EXECUTION }
enum join__Graph { A @join__graph(name: "a", url: "") B @join__graph(name: "b", url: "") }
enum CacheControlScope @join__type(graph: A) { PUBLIC @join__enumValue(graph: A) PRIVATE @join__enumValue(graph: A) }
directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE
type Query @join__type(graph: A) @join__type(graph: B) {
  book(id: ID, shelf: Int): Book @join__field(graph: A) @cacheControl(scope: PUBLIC)
  hasty: Book @join__field(graph: A) @cacheControl(maxAge: 5, scope: PUBLIC)
  unsaid: Book @join__field(graph: A)
  number: Int @join__field(graph: A)
  members: Int @join__field(graph: A) @authenticated @cacheControl(maxAge: 30, scope: PUBLIC)
  item: Item @join__field(graph: A) @cacheControl(scope: PUBLIC)
  thing: Thing @join__field(graph: A) @cacheControl(scope: PUBLIC)
  borrowed: Book @join__field(graph: B) @cacheControl(scope: PUBLIC)
  now: Int @join__field(graph: B) @cacheControl(maxAge: 0, scope: PUBLIC)
}
type Mutation @join__type(graph: A) { rename: Book @cacheControl(maxAge: 300, scope: PUBLIC) }
type Book @join__type(graph: A, key: "id") @join__type(graph: B, key: "id", resolvable: false) @cacheControl(maxAge: 300, scope: PUBLIC) @cacheControl(maxAge: 200) {
  id: ID!
  title: Title @join__field(graph: A)
  author: Author @join__field(graph: A)
  note: String @join__field(graph: A) @cacheControl(scope: PRIVATE)
  stock: Int @join__field(graph: A) @cacheControl(maxAge: 10)
  lentTo: String @join__field(graph: B)
  sameShelf: Book @join__field(graph: B)
  loans: Int @join__field(graph: B) @cacheControl(maxAge: 20, scope: PUBLIC)
}
type Title @join__type(graph: A) @join__type(graph: B) @cacheControl(inheritMaxAge: true) { th: String! }
type Author @join__type(graph: A) { name: String }
interface Item @join__type(graph: A) { name: String }
type Map implements Item @join__type(graph: A) @join__implements(graph: A, interface: "Item") @cacheControl(maxAge: 60, scope: PUBLIC) { name: String scale: Int @cacheControl(maxAge: 7) }
type Globe implements Item @join__type(graph: A) @join__implements(graph: A, interface: "Item") @cacheControl(maxAge: 40, scope: PUBLIC) { name: String }
union Thing @join__type(graph: A) @join__unionMember(graph: A, member: "Map") @join__unionMember(graph: A, member: "Author") = Map | Author
"#;

struct Silent;

#[async_trait]
impl Subgraph for Silent {
    async fn execute(&self, _: SubgraphRequest, _: &RequestContext) -> Result<Answer, SubgraphError> {
        Err(SubgraphError::Timeout)
    }

    async fn subscribe(
        &self,
        _: SubgraphRequest,
        _: &RequestContext,
    ) -> Result<BoxStream<'static, Result<Answer, SubgraphError>>, SubgraphError> {
        Err(SubgraphError::Timeout)
    }
}

fn engine_of(supergraph: &str) -> Arc<Engine> {
    let silent = |name: &str| (name.to_owned(), Arc::new(Silent) as Arc<dyn Subgraph>);
    let parts = HashMap::from([silent("a"), silent("b")]);
    Arc::new(Engine::new(supergraph, parts, Settings::default()).unwrap())
}

fn prepared(query: &str, variables: Value, authenticated: bool) -> Prepared {
    prepared_by(&engine_of(SUPERGRAPH), query, variables, authenticated)
}

fn prepared_by(engine: &Arc<Engine>, query: &str, variables: Value, authenticated: bool) -> Prepared {
    let Value::Object(variables) = variables else { panic!("variables are an object") };
    let grants = Grants { authenticated, ..Grants::default() };
    engine.prepare(&engine.document(query).unwrap(), None, variables, &grants).unwrap()
}

fn policies(cases: &[(&str, u32, bool)]) {
    for (query, max_age_s, public) in cases {
        let policy = prepared(query, json!({}), true).cache_policy();
        assert_eq!(policy, CachePolicy { max_age_s: *max_age_s, public: *public }, "{query}");
    }
}

#[test]
fn the_lowest_age_wins_over_all_that_is_selected() {
    policies(&[
        ("{ book { id } }", 200, true),
        ("{ book { id title { th } } }", 200, true),
        ("{ book { id stock } }", 10, true),
        ("{ hasty { id } }", 5, true),
        ("{ book { id } hasty { id } }", 5, true),
        ("{ book { id } now }", 0, true),
        ("query { book { ...F } } fragment F on Book { title { th } stock }", 10, true),
        ("{ __typename book { __typename id } }", 200, true),
    ]);
}

#[test]
fn what_says_nothing_is_private() {
    policies(&[
        ("{ number }", 0, false),
        ("{ book { id author { name } } }", 0, false),
        ("{ book { id note } }", 200, false),
        ("{ book { id } __schema { queryType { name } } }", 0, false),
        ("{ __typename }", 0, false),
        ("mutation { rename { id } }", 0, false),
    ]);
}

#[test]
fn the_way_to_a_public_thing_says_for_itself_that_it_is_public() {
    policies(&[
        ("{ unsaid { id } }", 200, false),
        ("{ borrowed { id } }", 200, true),
        ("{ borrowed { lentTo } }", 0, false),
        ("{ borrowed { sameShelf { id } } }", 200, false),
        ("{ borrowed { loans } }", 20, true),
    ]);
}

#[test]
fn of_an_abstract_type_every_member_counts() {
    policies(&[
        ("{ item { name } }", 40, true),
        ("{ item { ... on Map { scale } } }", 7, true),
        ("{ thing { ... on Map { name } } }", 0, true),
        ("{ thing { ... on Author { name } } }", 0, true),
    ]);
}

#[test]
fn what_is_skipped_does_not_count() {
    let query = "query($all: Boolean!) { book { id note @include(if: $all) } }";
    assert!(!prepared(query, json!({"all": true}), true).cache_policy().public);
    assert!(prepared(query, json!({"all": false}), true).cache_policy().is_kept());
}

#[test]
fn one_operation_is_one_however_it_is_spaced_and_another_when_anything_counts() {
    let engine = engine_of(SUPERGRAPH);
    let of = |query: &str| prepared_by(&engine, query, json!({}), true).identity().clone();
    let first = of("{ book(id: 1, shelf: 2) { id title { th } } }");
    assert_eq!(first, of("# a note\nquery{book(id:1 shelf:2){id,title{th}}}"));
    for other in [
        "{ book(id: 2, shelf: 2) { id title { th } } }",
        "{ book(id: \"1\", shelf: 2) { id title { th } } }",
        "{ book(id: 1) { id title { th } } }",
        "{ a: book(id: 1, shelf: 2) { id title { th } } }",
        "{ book(id: 1, shelf: 2) { title { th } id } }",
        "{ book(id: 1, shelf: 2) { id title { th } stock } }",
        "{ book(id: 1, shelf: 2) { id title { ...F } } } fragment F on Title { th }",
        "query($shelf: Int) { book(id: 1, shelf: $shelf) { id title { th } } }",
    ] {
        assert_ne!(first.operation, of(other).operation, "{other}");
    }
}

#[test]
fn callers_to_whom_the_same_is_open_have_one_outcome_and_others_another() {
    let engine = engine_of(SUPERGRAPH);
    let outcome =
        |query: &str, authenticated| prepared_by(&engine, query, json!({}), authenticated).identity().outcome;
    assert_ne!(outcome("{ members }", true), outcome("{ members }", false));
    assert_eq!(outcome("{ book { id } }", true), outcome("{ book { id } }", false));
    assert!(prepared("{ members }", json!({}), true).cache_policy().is_kept());
    assert!(!prepared("{ members }", json!({}), false).cache_policy().is_kept());
}

#[test]
fn another_supergraph_is_another_schema() {
    let other = engine_of(&SUPERGRAPH.replace("scale: Int", "scale: Int size: Int"));
    let of =
        |engine: &Arc<Engine>| prepared_by(engine, "{ book { id } }", json!({}), false).identity().clone();
    let (one, other) = (of(&engine_of(SUPERGRAPH)), of(&other));
    assert_eq!(one.operation, other.operation);
    assert_ne!(one.schema, other.schema);
    assert_eq!(one, of(&engine_of(SUPERGRAPH)), "the same in every process");
}

#[test]
fn it_is_known_who_may_be_asked() {
    assert_eq!(prepared("{ book { id } }", json!({}), false).subgraphs(), ["a"]);
    assert_eq!(prepared("{ book { id } now }", json!({}), false).subgraphs(), ["a", "b"]);
    let variables = Map::from_iter([("unused".to_owned(), json!(1))]);
    let given = prepared("{ book { id } }", Value::Object(variables), false);
    assert!(given.variables().is_empty(), "what no operation declares is not part of a key");
}

#[test]
fn a_variable_of_what_not_everyone_may_give_guards_a_document() {
    let book = "book(id: ID, shelf: Int)";
    assert!(SUPERGRAPH.contains(book));
    let supergraph = SUPERGRAPH.replace(book, "book(id: ID, shelf: Int, card: Card)");
    let engine = engine_of(&(supergraph + "scalar Card @join__type(graph: A) @authenticated"));
    let guarded = |query: &str, variables| prepared_by(&engine, query, variables, true).is_guarded();
    assert!(!guarded("{ book(id: 1) { stock } }", json!({})));
    let query = "query($card: Card) { book(id: 1, card: $card) { stock } }";
    assert!(guarded(query, json!({ "card": "7" })));
}
