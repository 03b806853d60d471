//! How long it takes to look up a document that is known, and to make a plan of one that is not.

use std::collections::HashMap;
use std::sync::Arc;

use federation::{Engine, Grants, Settings, Subgraph};
use serde_json::{Map, Value};

use crate::canned::Canned;
use crate::cpu::{Counted, compare};
use crate::large;
use crate::report;
use crate::shop::{SUPERGRAPH, accounts};

/// A supergraph and a document of a real size.
const PRODUCT_SUPERGRAPH: &str = include_str!("../../../../graphql/supergraph.graphql");
const PRODUCT_QUERY: &str = include_str!("../../../../graphql/operations/ApplicationDetail.graphql");

pub fn run() {
    let shop = engine(SUPERGRAPH, Settings::default());
    let product = engine(PRODUCT_SUPERGRAPH, Settings::default());
    let grants = Grants {
        authenticated: true,
        scopes: ["applications", "profile", "payments"].map(str::to_owned).into(),
    };
    let warm = compare(
        Counted::Thread,
        vec![
            ("the large query", Box::new(|times| look_up(&shop, large::QUERY, &grants, times))),
            ("ApplicationDetail", Box::new(|times| look_up(&product, PRODUCT_QUERY, &grants, times))),
        ],
    );
    report::costs("A known document to a plan", &warm);
    let uncached = Settings { plans_max: 0, documents_max: 0, ..Settings::default() };
    let shop = engine(SUPERGRAPH, uncached.clone());
    let product = engine(PRODUCT_SUPERGRAPH, uncached);
    let cold = compare(
        Counted::Thread,
        vec![
            ("the large query", Box::new(|times| look_up(&shop, large::QUERY, &grants, times))),
            ("ApplicationDetail", Box::new(|times| look_up(&product, PRODUCT_QUERY, &grants, times))),
        ],
    );
    report::costs("An unknown document to a plan: parsed, judged, planned", &cold);
}

fn look_up(engine: &Arc<Engine>, query: &str, grants: &Grants, times: usize) {
    for _ in 0..times {
        let variables = Map::from_iter([("id".to_owned(), Value::from("b3a1f0c2"))]);
        let document = engine.document(query).unwrap();
        engine.prepare(&document, None, variables, grants).unwrap();
    }
}

/// Nobody is asked anything, so one subgraph may stand for all.
fn engine(supergraph: &str, settings: Settings) -> Arc<Engine> {
    let nobody: Arc<dyn Subgraph> = Canned::new(accounts::schema());
    let names =
        supergraph.lines().filter_map(|line| line.split_once("@join__graph(name: \"")?.1.split('"').next());
    let subgraphs: HashMap<_, _> = names.map(|name| (name.to_owned(), nobody.clone())).collect();
    Arc::new(Engine::new(supergraph, subgraphs, settings).unwrap())
}
