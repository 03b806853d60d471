//! Costs of documents over a small schema.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use serde_json::{Value, json};

use crate::subgraph::{Answer, RequestContext, Subgraph, SubgraphError, SubgraphRequest};
use crate::{Engine, Grants, Settings};

const SUPERGRAPH: &str = r#"
schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION)
  @link(url: "https://specs.apollo.dev/cost/v0.1", import: [{name: "@cost", as: "@price"}, "@listSize"]) {
  query: Query mutation: Mutation
}
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__type(graph: join__Graph!, key: String, extension: Boolean! = false, resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR
directive @join__field(graph: join__Graph, requires: String, provides: String, type: String, external: Boolean, override: String, usedOverridden: Boolean) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION
directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
directive @price(weight: Int!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR
directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION
scalar link__Import
enum link__Purpose { SECURITY EXECUTION }
input join__ContextArgument { name: String! type: String! context: String! selection: join__FieldValue! }
scalar join__FieldValue
enum join__Graph { A @join__graph(name: "a", url: "") }
type Query @join__type(graph: A) {
  books(first: Int, after: String): BookConnection!
  shelf: [Book!]!
  newest(count: Int, search: String @price(weight: 7)): [Book!]! @listSize(slicingArguments: ["count"], assumedSize: 3)
  any: Any
  loaned(limit: Large = 50): [Book!]! @listSize(slicingArguments: ["limit"], assumedSize: 3)
}
scalar Large @join__type(graph: A)
type Mutation @join__type(graph: A) {
  lend: Book
  sell: Book @price(weight: 40)
}
type BookConnection @join__type(graph: A) { nodes: [Book!]! edges: [BookEdge!]! pageInfo: PageInfo! }
type BookEdge @join__type(graph: A) { node: Book! }
type PageInfo @join__type(graph: A) { hasNextPage: Boolean! }
type Book @join__type(graph: A) { title: String! author: Author blurb: String @price(weight: 2) }
type Author @join__type(graph: A) @price(weight: 5) { name: String }
type Film @join__type(graph: A) { title: String! books: [Book!]! }
union Any @join__type(graph: A) @join__unionMember(graph: A, member: "Book") @join__unionMember(graph: A, member: "Film") = Book | Film
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

fn cost(query: &str, variables: Value) -> u64 {
    let subgraphs = HashMap::from([("a".to_owned(), Arc::new(Silent) as Arc<dyn Subgraph>)]);
    let engine = Arc::new(Engine::new(SUPERGRAPH, subgraphs, Settings::default()).unwrap());
    let Value::Object(variables) = variables else { panic!("an object") };
    let document = engine.document(query).unwrap();
    engine.prepare(&document, None, variables, &Grants::default()).unwrap().cost()
}

#[test]
fn a_page_costs_as_many_objects_as_are_asked_for() {
    for (query, expected) in [
        // One connection, and twenty books where no number is given.
        ("{ books { nodes { title } } }", 21),
        ("{ books(first: 3) { nodes { title } } }", 4),
        ("{ books(first: 3) { nodes { title author { name } } pageInfo { hasNextPage } } }", 1 + 3 * 6 + 1),
        ("{ books(first: 3) { edges { node { title } } } }", 1 + 3 * 2),
        ("{ books(first: -5) { nodes { title } } }", 1),
        ("{ shelf { title } }", 10),
        ("{ newest { title } }", 3),
        (r#"{ newest(count: 2, search: "x") { title } }"#, 2 + 7),
        ("{ books(first: 2) { nodes { blurb } } }", 1 + 2 * 3),
        ("{ __typename __schema { types { name } } }", 0),
    ] {
        assert_eq!(cost(query, json!({})), expected, "{query}");
    }
}

#[test]
fn variables_count_where_they_are_known() {
    let query = "query($n: Int) { books(first: $n) { nodes { title } } }";
    assert_eq!(cost(query, json!({"n": 100})), 101);
    assert_eq!(cost(query, json!({"n": null})), 21);
    assert_eq!(cost(query, json!({})), 21);
    let preset = "query($n: Int = 7) { books(first: $n) { nodes { title } } }";
    assert_eq!(cost(preset, json!({})), 8);
    let nested =
        "query($n: Int) { books(first: $n) { nodes { title author { name } } } newest(count: $n) { title } }";
    assert_eq!(cost(nested, json!({"n": 2_147_483_647})), 1 + 2_147_483_647 * 7);
}

#[test]
fn a_length_that_is_left_out_is_what_the_schema_sets_and_one_that_cannot_be_read_has_no_end() {
    assert_eq!(cost("{ loaned { title } }", json!({})), 50);
    assert_eq!(cost("{ loaned(limit: 7) { title } }", json!({})), 7);
    assert_eq!(cost(r#"{ loaned(limit: "900") { title } }"#, json!({})), 900);
    let query = "query($n: Large) { loaned(limit: $n) { title } }";
    for (given, expected) in [
        (json!({}), 50),
        (json!({"n": null}), 50),
        (json!({"n": 7.2}), 8),
        (json!({"n": -7}), 0),
        (json!({"n": "1000000"}), 1_000_000),
        (json!({"n": 18_446_744_073_709_551_615_u64}), u64::MAX),
        (json!({"n": "many"}), u64::MAX),
        (json!({"n": "NaN"}), u64::MAX),
        (json!({"n": [1]}), u64::MAX),
    ] {
        assert_eq!(cost(query, given.clone()), expected, "{given}");
    }
}

#[test]
fn every_alias_costs_again_and_every_mutation_ten_at_least() {
    assert_eq!(cost("{ a: shelf { title } b: shelf { title } }", json!({})), 20);
    assert_eq!(cost("mutation { lend { title } }", json!({})), 10);
    assert_eq!(cost("mutation { a: sell { title } b: sell { title } lend { title } }", json!({})), 90);
}

#[test]
fn of_types_that_exclude_each_other_the_dearest_counts() {
    let query = "{ any { ... on Book { title author { name } } ... on Film { books { title } } ... on Film { title } } }";
    assert_eq!(cost(query, json!({})), 1 + 10);
}

#[test]
fn a_field_that_is_asked_for_twice_under_one_name_costs_once_and_a_skipped_one_nothing() {
    assert_eq!(
        cost("{ shelf { title } ...F } fragment F on Query { shelf { author { name } } }", json!({})),
        60
    );
    let query = "query($no: Boolean!) { shelf @skip(if: $no) { title } any { __typename } }";
    assert_eq!(cost(query, json!({"no": true})), 1);
}

#[test]
fn the_machinery_of_federation_is_no_part_of_the_public_schema() {
    let subgraphs = HashMap::from([("a".to_owned(), Arc::new(Silent) as Arc<dyn Subgraph>)]);
    let engine = Engine::new(SUPERGRAPH, subgraphs, Settings::default()).unwrap();
    for machinery in ["join__", "link__", "@listSize"] {
        assert!(!engine.public_schema().contains(machinery), "{machinery}: {}", engine.public_schema());
    }
}
