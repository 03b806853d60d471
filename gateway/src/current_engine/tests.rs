//! Supergraphs that replace each other: under requests, under subscriptions, again and again.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_graphql::{EmptyMutation, Object, Schema, Subscription};
use federation::{Engine, Grants, InProcess, RequestContext, Settings, Subgraph};
use futures::{StreamExt, stream};
use serde_json::{Map, json};

use super::{Build, CurrentEngine, SupergraphFile, reason};
use crate::guards::documents::TrustedDocuments;

const HEAD: &str = r#"
schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION) {
  query: Query subscription: Subscription
}
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__type(graph: join__Graph!, key: String, extension: Boolean! = false, resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR
directive @join__field(graph: join__Graph, requires: String, provides: String, type: String, external: Boolean, override: String, usedOverridden: Boolean) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
scalar link__Import
enum link__Purpose { SECURITY EXECUTION }
enum join__Graph { NUMBERS @join__graph(name: "numbers", url: "") }
type Subscription @join__type(graph: NUMBERS) { ticks: Int }
"#;

/// A supergraph that differs from the others by a field.
fn supergraph(number: usize) -> String {
    format!("{HEAD}\ntype Query @join__type(graph: NUMBERS) {{ number: Int added{number}: Int }}")
}

struct Query;

#[Object]
impl Query {
    async fn number(&self) -> i32 {
        tokio::task::yield_now().await;
        7
    }
}

struct Ticks;

#[Subscription]
impl Ticks {
    async fn ticks(&self) -> impl stream::Stream<Item = i32> {
        stream::iter([1]).chain(stream::pending())
    }
}

fn build() -> Build {
    let schema = Schema::new(Query, EmptyMutation, Ticks);
    let numbers: Arc<dyn Subgraph> = Arc::new(InProcess::new(schema, |request, _: &RequestContext| request));
    Arc::new(move |sdl| {
        let subgraphs = HashMap::from([("numbers".to_owned(), Arc::clone(&numbers))]);
        Engine::new(sdl, subgraphs, Settings::default()).map_err(|error| reason(&error))
    })
}

async fn ask(engine: &CurrentEngine, query: &str) -> serde_json::Value {
    match engine.ready(query.to_owned(), None, Map::new(), &Grants::default()).await {
        Ok(prepared) => prepared.engine().execute(&prepared, &RequestContext::default()).await.to_value(),
        Err(errors) => json!({"refused": errors[0].message}),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_fails_while_supergraphs_replace_each_other() {
    let build = build();
    let current = CurrentEngine::new(build(&supergraph(0)).unwrap());
    let (over, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let askers: Vec<_> = (0..4)
        .map(|_| {
            let (current, over, answered) = (Arc::clone(&current), Arc::clone(&over), Arc::clone(&answered));
            tokio::spawn(async move {
                while !over.load(Ordering::SeqCst) {
                    assert_eq!(ask(&current, "{ number }").await, json!({"data": {"number": 7}}));
                    answered.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    let mut old = Vec::new();
    for number in 1..=20 {
        old.push(Arc::downgrade(&current.now()));
        let before = answered.load(Ordering::SeqCst);
        current.replace(build(&supergraph(number)).unwrap(), Vec::new()).await;
        while answered.load(Ordering::SeqCst) < before + 20 {
            tokio::task::yield_now().await;
        }
    }
    over.store(true, Ordering::SeqCst);
    for asker in askers {
        asker.await.unwrap();
    }
    assert!(old.iter().all(|engine| engine.upgrade().is_none()), "an old engine is still held");
    assert_eq!(ask(&current, "{ added20 }").await["data"], json!({"added20": null}));
}

#[tokio::test]
async fn after_a_hundred_replacements_only_the_last_engine_is_there() {
    let build = build();
    let current = CurrentEngine::new(build(&supergraph(0)).unwrap());
    let mut old = Vec::new();
    for number in 1..=100 {
        ask(&current, "{ number }").await;
        old.push(Arc::downgrade(&current.now()));
        current.replace(build(&supergraph(number)).unwrap(), vec!["{ number }".to_owned()]).await;
    }
    let held = old.iter().filter(|engine| engine.upgrade().is_some()).count();
    assert_eq!(held, 0);
}

#[tokio::test]
async fn what_was_asked_and_what_is_trusted_is_planned_before_a_new_engine_answers() {
    let build = build();
    let current = CurrentEngine::new(build(&supergraph(0)).unwrap());
    ask(&current, "query Asked { number }").await;
    ask(&current, "{ added0 }").await;
    current.replace(build(&supergraph(1)).unwrap(), vec!["query Trusted { number }".to_owned()]).await;
    for known in ["query Asked { number }", "query Trusted { number }"] {
        assert!(current.now().known_document(known).is_some(), "{known}");
    }
    assert!(current.now().known_document("{ added0 }").is_none(), "it is not in the new schema");
    let again = current.now().warm(vec![("query Trusted { number }".to_owned(), None)]).await;
    assert_eq!(again, 0, "it has its plan");
}

#[tokio::test]
async fn who_listens_to_the_old_engine_is_told_to_come_back() {
    let build = build();
    let current = CurrentEngine::new(build(&supergraph(0)).unwrap());
    let (query, nobody) = ("subscription { ticks }".to_owned(), Grants::default());
    let prepared = current.ready(query, None, Map::new(), &nobody).await.unwrap();
    let engine = Arc::clone(prepared.engine());
    let mut ticks = engine.subscribe(prepared, RequestContext::default()).await.unwrap();
    drop(engine);
    assert_eq!(ticks.next().await.unwrap().to_value(), json!({"data": {"ticks": 1}}));
    let old = Arc::downgrade(&current.now());
    current.replace(build(&supergraph(1)).unwrap(), Vec::new()).await;
    let last = ticks.next().await.unwrap();
    assert_eq!(last.errors[0].code, "SUBSCRIPTION_SCHEMA_RELOAD");
    assert!(ticks.next().await.is_none());
    drop((ticks, last));
    assert!(old.upgrade().is_none());
}

#[tokio::test]
async fn a_supergraph_that_cannot_be_served_changes_nothing_and_the_next_good_one_does() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("supergraph.graphql");
    std::fs::write(&path, supergraph(0)).unwrap();
    let build = build();
    let current = CurrentEngine::new(build(&supergraph(0)).unwrap());
    let documents = TrustedDocuments::open(Vec::new(), &[]).unwrap();
    let mut file = SupergraphFile::new(path.clone(), supergraph(0), build);
    let first = current.now();
    for text in [supergraph(0), "type Query {".to_owned(), supergraph(0)[..700].to_owned(), String::new()] {
        std::fs::write(&path, text).unwrap();
        file.look(&current, &documents, true).await;
        assert!(Arc::ptr_eq(&first, &current.now()));
    }
    std::fs::remove_file(&path).unwrap();
    file.look(&current, &documents, true).await;
    assert!(Arc::ptr_eq(&first, &current.now()), "a file that is gone changes nothing");
    std::fs::write(&path, supergraph(1)).unwrap();
    for _ in 0..2 {
        file.look(&current, &documents, false).await;
    }
    assert_eq!(ask(&current, "{ added1 }").await["data"], json!({"added1": null}));
}

#[tokio::test]
async fn a_file_that_is_still_being_written_is_not_used_though_it_could_be() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("supergraph.graphql");
    let current = CurrentEngine::new(build()(&supergraph(0)).unwrap());
    let documents = TrustedDocuments::open(Vec::new(), &[]).unwrap();
    let mut file = SupergraphFile::new(path.clone(), supergraph(0), build());
    let first = current.now();
    // Each could be served as it is.
    for half in 1..=3 {
        std::fs::write(&path, supergraph(1) + &"\n#".repeat(half)).unwrap();
        file.look(&current, &documents, false).await;
        assert!(Arc::ptr_eq(&first, &current.now()));
    }
    file.look(&current, &documents, false).await;
    assert!(!Arc::ptr_eq(&first, &current.now()), "nobody writes any more");
    let second = current.now();
    std::fs::write(&path, supergraph(2)).unwrap();
    file.look(&current, &documents, true).await;
    assert!(!Arc::ptr_eq(&second, &current.now()), "who sends a signal has written it");
}

/// `cargo test -p pratu --release --lib -- --ignored memory`: about a minute.
#[tokio::test]
#[ignore = "it takes a minute"]
async fn memory_is_flat_over_a_hundred_replacements_of_our_own_supergraph() {
    let schema = Schema::new(Query, EmptyMutation, Ticks);
    let anybody: Arc<dyn Subgraph> = Arc::new(InProcess::new(schema, |request, _: &RequestContext| request));
    let names = federation::subgraph_locations(graphql::SUPERGRAPH).unwrap();
    let build = |number: usize| {
        let subgraphs = names.iter().map(|it| (it.name.clone(), Arc::clone(&anybody))).collect();
        let sdl = format!("{}\n# {number}", graphql::SUPERGRAPH);
        Engine::new(&sdl, subgraphs, Settings::default()).unwrap()
    };
    let current = CurrentEngine::new(build(0));
    let mut after_ten = 0;
    for number in 1..=110 {
        ask(&current, "{ __typename }").await;
        current.replace(build(number), vec!["{ __schema { types { name } } }".to_owned()]).await;
        tokio::time::sleep(Duration::from_millis(1)).await;
        if number == 10 {
            after_ten = resident_kib();
        }
    }
    let grown = resident_kib() as f64 / after_ten as f64;
    println!("{after_ten} KiB after 10 replacements, {} KiB after 110", resident_kib());
    assert!(grown < 1.25, "memory grew {grown:.2} times");
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
