//! A large answer, put together from many: the engine's share of the work against a naive executor's.

use std::collections::HashMap;
use std::sync::{Arc, mpsc};

use federation::{Engine, Grants, Prepared, RequestContext, Settings, Subgraph};
use tokio::runtime::Runtime;

use crate::canned::{Ask, Canned};
use crate::cpu::{Counted, compare};
use crate::naive::Naive;
use crate::report;
use crate::served::{Remote, client, connections, http, serve_canned};
use crate::shop::{SUPERGRAPH, accounts, inventory, products, reviews};

/// From people to what they said of what, to who else spoke of it, and on: seven requests for 280 reviews.
pub const QUERY: &str = include_str!("large.graphql");

type Subgraphs = HashMap<String, Arc<dyn Subgraph>>;
type Asked = HashMap<String, Arc<dyn Ask>>;

pub fn run() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (subgraphs, asked) = canned();
    let bytes = check(&runtime, &subgraphs, &asked);
    let title = format!("An answer of {} KB, canned subgraphs: the gateway alone", bytes / 1000);
    measure(&title, &runtime, subgraphs, asked);
    let (subgraphs, asked) = remote();
    let title = "The same, canned subgraphs over HTTP on another thread";
    measure(title, &runtime, subgraphs, asked);
}

fn measure(title: &str, runtime: &Runtime, subgraphs: Subgraphs, asked: Asked) {
    let (engine, prepared) = ready(subgraphs);
    let naive = Naive::new(SUPERGRAPH, asked, QUERY);
    let context = RequestContext::default();
    let ours = |times: usize| {
        runtime.block_on(async {
            for _ in 0..times {
                engine.execute(&prepared, &context).await.to_json_bytes();
            }
        });
    };
    let theirs = |times: usize| {
        runtime.block_on(async {
            for _ in 0..times {
                naive.answer().await;
            }
        });
    };
    let costs =
        compare(Counted::Thread, vec![("naive executor", Box::new(theirs)), ("engine", Box::new(ours))]);
    report::ratios(title, &costs);
}

pub fn ready(subgraphs: Subgraphs) -> (Arc<Engine>, Prepared) {
    let engine = Arc::new(Engine::new(SUPERGRAPH, subgraphs, Settings::default()).unwrap());
    let document = engine.document(QUERY).unwrap();
    let prepared = engine.prepare(&document, None, Default::default(), &Grants::default()).unwrap();
    (engine, prepared)
}

/// Both give the same answer; its length comes back.
fn check(runtime: &Runtime, subgraphs: &Subgraphs, asked: &Asked) -> usize {
    let (engine, prepared) = ready(subgraphs.clone());
    let ours = runtime.block_on(engine.execute(&prepared, &RequestContext::default()));
    let theirs = runtime.block_on(Naive::new(SUPERGRAPH, asked.clone(), QUERY).answer());
    let theirs_read: serde_json::Value = serde_json::from_slice(&theirs).unwrap();
    assert_eq!(ours.to_value(), theirs_read, "the naive executor answers otherwise");
    theirs.len()
}

pub fn canned() -> (Subgraphs, Asked) {
    let (accounts, inventory) = (Canned::new(accounts::schema()), Canned::new(inventory::schema()));
    let (products, reviews) = (Canned::new(products::schema()), Canned::new(reviews::schema()));
    let subgraphs: [(&str, Arc<dyn Subgraph>); 4] = [
        ("accounts", accounts.clone()),
        ("inventory", inventory.clone()),
        ("products", products.clone()),
        ("reviews", reviews.clone()),
    ];
    let asked: [(&str, Arc<dyn Ask>); 4] =
        [("accounts", accounts), ("inventory", inventory), ("products", products), ("reviews", reviews)];
    (
        subgraphs.into_iter().map(|(name, subgraph)| (name.to_owned(), subgraph)).collect(),
        asked.into_iter().map(|(name, asked)| (name.to_owned(), asked)).collect(),
    )
}

/// The same behind HTTP, served by a thread of their own.
fn remote() -> (Subgraphs, Asked) {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            for (name, asked) in canned().1 {
                tell.send((name, serve_canned(asked).await)).unwrap();
            }
            drop(tell);
            futures::future::pending::<()>().await;
        });
    });
    let (client, connections) = (client(), connections());
    let mut subgraphs: Subgraphs = HashMap::new();
    let mut asked: Asked = HashMap::new();
    for (name, url) in told {
        subgraphs.insert(name.clone(), Arc::new(http(&connections, &url)));
        asked.insert(name, Arc::new(Remote { client: client.clone(), url }));
    }
    (subgraphs, asked)
}
