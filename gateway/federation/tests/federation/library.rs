//! Plans of the rarer kinds: renamed fields, fields provided and overridden, and the way back to the root.

use federation::{Answer, AnswerError, Grants, PathSegment};
use serde_json::{Value, json};

use super::played::{self, data};

const LIBRARY: &str = include_str!("../fixtures/library.graphql");

fn shop(operation: &str, representations: &[Value]) -> Answer {
    assert!(representations.is_empty(), "the shop is never asked for an entity here");
    // A subgraph gives each field under the name it was asked for.
    let film_title = match operation.contains("_internal_qp_alias_0: title") {
        true => "_internal_qp_alias_0",
        false => "title",
    };
    let film = json!({"__typename": "Film", "id": "f1", film_title: "Fires"});
    let broken = json!({"__typename": "Film", "id": "f2", film_title: null});
    let book = json!({"__typename": "Book", "isbn": "i1", "title": "Nets", "blurb": "From the shop."});
    let segment = |name: &str| PathSegment::Key(name.into());
    let error = AnswerError {
        message: "The reel is torn.".to_owned(),
        path: vec![segment("works"), PathSegment::Index(2), segment(film_title)],
        extensions: serde_json::Map::new(),
    };
    if operation.contains("works") {
        let Answer { data, .. } = data(json!({"works": [book, film, broken]}));
        return Answer { data, errors: vec![error] };
    }
    data(
        json!({"newest": book.clone(), "featured": book, "sale": {"discount": 5, "query": {"__typename": "Query"}}}),
    )
}

fn archive(_: &str, representations: &[Value]) -> Answer {
    let book = |isbn: &Value| json!({"__typename": "Book", "isbn": isbn, "pages": 7, "blurb": "Archived."});
    match representations {
        [] => data(json!({"old": book(&json!("i0"))})),
        all => data(json!({"_entities": all.iter().map(|it| book(&it["isbn"])).collect::<Vec<_>>()})),
    }
}

async fn ask_under(supergraph: &str, query: &str) -> (Value, Vec<String>) {
    played::ask(supergraph, &[("shop", shop), ("archive", archive)], query, &Grants::default()).await
}

async fn ask(query: &str) -> (Value, Vec<String>) {
    ask_under(LIBRARY, query).await
}

#[tokio::test]
async fn a_field_renamed_for_its_subgraph_has_the_client_s_name_in_answers_and_errors() {
    // In the shop a book's title may not be null and a film's may, so it takes them under two names.
    let (answer, asked) = ask("{ works { ... on Book { title } ... on Film { title } } }").await;
    assert!(asked[0].contains("_internal_qp_alias_0: title"), "{asked:?}");
    assert_eq!(answer["data"]["works"], json!([{"title": "Nets"}, {"title": "Fires"}, {"title": null}]));
    assert_eq!(answer["errors"][0]["path"], json!(["works", 2, "title"]));
}

#[tokio::test]
async fn what_a_field_provides_is_not_fetched_again() {
    let (answer, asked) = ask("{ featured { isbn blurb } }").await;
    assert_eq!(answer, json!({"data": {"featured": {"isbn": "i1", "blurb": "From the shop."}}}));
    assert_eq!(asked.len(), 1, "{asked:?}");
    let (answer, asked) = ask("{ newest { isbn blurb } }").await;
    assert_eq!(answer, json!({"data": {"newest": {"isbn": "i1", "blurb": "Archived."}}}));
    assert_eq!(asked.len(), 2, "{asked:?}");
}

#[tokio::test]
async fn an_overridden_field_is_asked_of_its_new_owner() {
    let (answer, asked) = ask("{ newest { title pages } }").await;
    assert_eq!(answer, json!({"data": {"newest": {"title": "Nets", "pages": 7}}}));
    assert!(!asked[0].contains("pages") && asked[1].contains("pages"), "{asked:?}");
}

#[tokio::test]
async fn a_field_on_its_way_to_a_new_owner_is_asked_of_each_in_its_share() {
    for (percent, owners) in [("0", &["shop"][..]), ("50", &["archive", "shop"]), ("100", &["archive"])] {
        let label = format!("overrideLabel: \"percent({percent})\"");
        let moving = format!(
            "pages: Int @join__field(graph: ARCHIVE, override: \"shop\", {label}) @join__field(graph: SHOP, {label})"
        );
        let supergraph = LIBRARY
            .replacen("override: String\n", "override: String\n  overrideLabel: String\n", 1)
            .replacen("pages: Int @join__field(graph: ARCHIVE, override: \"shop\")", &moving, 1);
        assert!(supergraph.contains(&moving));
        let mut seen = std::collections::BTreeSet::new();
        // A hundred requests that all go the same way are less likely than a broken machine.
        for _ in 0..100 {
            let (_, asked) = ask_under(&supergraph, "{ newest { pages } }").await;
            seen.insert(if asked.len() == 1 { "shop" } else { "archive" });
        }
        assert!(seen.iter().eq(owners), "{percent}: {seen:?}");
    }
}

#[tokio::test]
async fn the_root_can_be_reached_again_from_within() {
    // Apollo's composition allows it; the one the fixtures are made with does not.
    let sale = "type Sale @join__type(graph: SHOP) { discount: Int query: Query }\n\ntype Film ";
    let supergraph = LIBRARY.replacen("type Film ", sale, 1).replacen(
        "  newest:",
        "  sale: Sale @join__field(graph: SHOP)\n  newest:",
        1,
    );
    let query = "{ sale { discount query { __typename old: oldest { isbn } } } }";
    let (answer, asked) = ask_under(&supergraph, query).await;
    assert_eq!(answer["data"]["sale"]["discount"], 5, "{answer} {asked:?}");
    assert_eq!(answer["data"]["sale"]["query"]["__typename"], "Query", "{answer} {asked:?}");
    assert_eq!(answer["data"]["sale"]["query"]["old"]["isbn"], "i0", "{answer} {asked:?}");
}
