//! The same queries with subgraphs in this process and behind HTTP: the CPU of gateway and subgraphs together.

use std::collections::HashMap;
use std::sync::Arc;

use federation::{Engine, Grants, InProcess, Prepared, RequestContext, Settings, Subgraph};
use futures::future::join_all;
use tokio::runtime::Runtime;

use crate::cpu::{Counted, compare};
use crate::report;
use crate::served::{connections, http, serve_schema};
use crate::shop::{SUPERGRAPH, accounts, inventory, products, reviews};

/// Requests on their way at once, as a server has them.
const AT_ONCE: usize = 16;

const TWO_HOPS: &str = "{ topProducts(first: 10) { upc name price reviews { id body } } }";

/// Reviews, then products, then what is in stock, which needs the products' price and weight.
const THREE_HOPS: &str = "{ recentReviews(first: 10) { id body product { name shippingEstimate } } }";

pub fn run() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let here = Arc::new(Engine::new(SUPERGRAPH, in_process(), Settings::default()).unwrap());
    let there = runtime.block_on(async {
        Arc::new(Engine::new(SUPERGRAPH, over_http().await, Settings::default()).unwrap())
    });
    for (title, query) in [
        ("Two hops, 10 items: gateway and subgraphs together", TWO_HOPS),
        ("Three hops with @requires, 10 items", THREE_HOPS),
    ] {
        let (prepared_here, prepared_there) = (prepare(&here, query), prepare(&there, query));
        let answer = |engine: &Engine, prepared: &Prepared| {
            let answer = runtime.block_on(engine.execute(prepared, &RequestContext::default()));
            assert!(answer.errors.is_empty(), "{:?}", answer.errors);
            answer.to_value()
        };
        assert_eq!(answer(&here, &prepared_here), answer(&there, &prepared_there));
        let costs = compare(
            Counted::Process,
            vec![
                ("HTTP", Box::new(|times| load(&runtime, &there, &prepared_there, times))),
                ("in process", Box::new(|times| load(&runtime, &here, &prepared_here, times))),
            ],
        );
        report::ratios(title, &costs);
    }
}

fn load(runtime: &Runtime, engine: &Arc<Engine>, prepared: &Prepared, times: usize) {
    let callers = (0..AT_ONCE).map(|_| {
        let (engine, prepared) = (engine.clone(), prepared.clone());
        runtime.spawn(async move {
            for _ in 0..times.div_ceil(AT_ONCE) {
                engine.execute(&prepared, &RequestContext::default()).await.to_json_bytes();
            }
        })
    });
    for caller in runtime.block_on(join_all(callers)) {
        caller.unwrap();
    }
}

pub fn prepare(engine: &Arc<Engine>, query: &str) -> Prepared {
    let document = engine.document(query).unwrap();
    engine.prepare(&document, None, Default::default(), &Grants::default()).unwrap()
}

pub fn in_process() -> HashMap<String, Arc<dyn Subgraph>> {
    let subgraphs: [(&str, Arc<dyn Subgraph>); 4] = [
        ("accounts", Arc::new(InProcess::new(accounts::schema(), |request, _| request))),
        ("inventory", Arc::new(InProcess::new(inventory::schema(), |request, _| request))),
        ("products", Arc::new(InProcess::new(products::schema(), |request, _| request))),
        ("reviews", Arc::new(InProcess::new(reviews::schema(), |request, _| request))),
    ];
    subgraphs.into_iter().map(|(name, subgraph)| (name.to_owned(), subgraph)).collect()
}

async fn over_http() -> HashMap<String, Arc<dyn Subgraph>> {
    let connections = connections();
    let urls = [
        ("accounts", serve_schema(accounts::schema()).await),
        ("inventory", serve_schema(inventory::schema()).await),
        ("products", serve_schema(products::schema()).await),
        ("reviews", serve_schema(reviews::schema()).await),
    ];
    let subgraph = |(name, url): (&str, String)| {
        let subgraph: Arc<dyn Subgraph> = Arc::new(http(&connections, &url));
        (name.to_owned(), subgraph)
    };
    urls.into_iter().map(subgraph).collect()
}
