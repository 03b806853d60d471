//! What one would write first: an executor of the same plans over `serde_json::Value`. Answers are parsed into
//! values, merged member by member, copied to every place an entity stands, copied once more into the
//! answer's shape, and written out. It is the yardstick for the large answer: a plain program, not a bad one.

mod entities;
mod project;

use std::collections::HashMap;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use hive_router_query_planner::ast::normalization::normalize_operation;
use hive_router_query_planner::graph::PlannerOverrideContext;
use hive_router_query_planner::planner::plan_nodes::{BatchFetchNode, FetchNode, FlattenNode, PlanNode};
use hive_router_query_planner::planner::{Planner, QueryPlannerOptions};
use hive_router_query_planner::utils::cancellation::CancellationToken;
use serde_json::{Map, Value};
use tokio::sync::Mutex;

use self::entities::{Wanted, merge};
use self::project::Projection;
use crate::canned::Ask;

pub struct Naive {
    subgraphs: HashMap<String, Arc<dyn Ask>>,
    projection: Projection,
    plan: PlanNode,
}

impl Naive {
    pub fn new(supergraph: &str, subgraphs: HashMap<String, Arc<dyn Ask>>, query: &str) -> Self {
        let supergraph = graphql_tools::parser::parse_schema::<String>(supergraph).unwrap().into_static();
        let planner = Planner::new_from_supergraph(&supergraph, QueryPlannerOptions::default()).unwrap();
        let document = graphql_tools::parser::parse_query::<String>(query).unwrap().into_static();
        let normalized = normalize_operation(&planner.supergraph, &document, None).unwrap();
        let overrides = PlannerOverrideContext::from_percentage(0.0);
        let operation = normalized.executable_operation();
        let planned = planner.plan_from_normalized_operation(operation, overrides, &CancellationToken::new());
        let plan = planned.unwrap().node.unwrap();
        let projection = Projection::new(&planner.consumer_schema.document, document);
        Naive { subgraphs, projection, plan }
    }

    pub async fn answer(&self) -> Vec<u8> {
        let data = Mutex::new(Value::Object(Map::new()));
        self.run(&self.plan, &data).await;
        let projected = self.projection.project(&data.into_inner());
        let mut answer = Map::new();
        answer.insert("data".to_owned(), projected);
        serde_json::to_vec(&answer).unwrap()
    }

    fn run<'s>(&'s self, node: &'s PlanNode, data: &'s Mutex<Value>) -> BoxFuture<'s, ()> {
        async move {
            match node {
                PlanNode::Fetch(fetch) => {
                    let answer =
                        self.ask(&fetch.service_name, &fetch.operation.document_str, Map::new()).await;
                    merge(&mut *data.lock().await, answer);
                }
                PlanNode::Flatten(flatten) => match &*flatten.node {
                    PlanNode::Fetch(fetch) => self.entities(flatten, fetch, data).await,
                    other => panic!("not in this benchmark: {other:?}"),
                },
                PlanNode::BatchFetch(batch) => self.batch(batch, data).await,
                PlanNode::Sequence(sequence) => {
                    for node in &sequence.nodes {
                        self.run(node, data).await;
                    }
                }
                PlanNode::Parallel(parallel) => {
                    join_all(parallel.nodes.iter().map(|node| self.run(node, data))).await;
                }
                other => panic!("not in this benchmark: {other:?}"),
            }
        }
        .boxed()
    }

    async fn entities(&self, flatten: &FlattenNode, fetch: &FetchNode, data: &Mutex<Value>) {
        let requires = fetch.requires.as_ref().unwrap();
        let mut wanted = Wanted::default();
        wanted.collect(&*data.lock().await, flatten.path.as_slice(), requires);
        let mut variables = Map::new();
        variables.insert("representations".to_owned(), wanted.take_representations());
        let mut answer = self.ask(&fetch.service_name, &fetch.operation.document_str, variables).await;
        wanted.land(&mut *data.lock().await, answer["_entities"].take());
    }

    async fn batch(&self, batch: &BatchFetchNode, data: &Mutex<Value>) {
        let mut variables = Map::new();
        let mut all = Vec::new();
        for alias in &batch.entity_batch.aliases {
            let mut wanted = Wanted::default();
            for path in &alias.merge_paths {
                wanted.collect(&*data.lock().await, path.as_slice(), &alias.requires);
            }
            variables.insert(alias.representations_variable_name.clone(), wanted.take_representations());
            all.push(wanted);
        }
        let mut answer = self.ask(&batch.service_name, &batch.operation.document_str, variables).await;
        for (alias, wanted) in batch.entity_batch.aliases.iter().zip(all) {
            wanted.land(&mut *data.lock().await, answer[alias.alias.as_str()].take());
        }
    }

    async fn ask(&self, subgraph: &str, text: &str, variables: Map<String, Value>) -> Value {
        let mut body = b"{\"query\":".to_vec();
        serde_json::to_writer(&mut body, text).unwrap();
        if !variables.is_empty() {
            body.extend_from_slice(b",\"variables\":");
            serde_json::to_writer(&mut body, &variables).unwrap();
        }
        body.push(b'}');
        let bytes = self.subgraphs[subgraph].ask(body).await;
        let mut answer: Value = serde_json::from_slice(&bytes).unwrap();
        answer["data"].take()
    }
}
