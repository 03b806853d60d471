//! Runs a plan: asks the subgraphs, in the plan's order, and lays their answers over each other.

mod entities;
mod kept;
mod paths;
mod representations;
mod rewrites;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use tokio::time::Instant;
use tracing::{Instrument, Span};

use crate::entity_cache::EntityCache;
use crate::error::{GraphQLError, PathSegment};
use crate::identity::Digest;
use crate::plan::{Fetch, Node, Path, SubgraphOperation};
use crate::rewrite::Aliases;
use crate::schema::Schema;
use crate::subgraph::{Answer, RequestContext, Subgraph, SubgraphError, SubgraphRequest};
use crate::value::{Key, Object, Value};

/// What execution knows of the supergraph.
pub(crate) struct Subgraphs {
    /// By the numbers plans use.
    pub by_number: Vec<(String, Arc<dyn Subgraph>)>,
    /// With the inaccessible parts: subgraphs speak of them.
    pub schema: Schema,
    pub aliases: Aliases,
    /// Whether some know an interface as one object.
    pub interface_objects: bool,
    pub timeout_ms: u64,
    /// What keeps entities, with the supergraph's own part of their keys.
    pub entity_cache: Option<(Digest, Arc<dyn EntityCache>)>,
}

impl Subgraphs {
    /// What is said of a part that this one did not give, and when to ask again where that is known.
    pub fn unavailable(&self, subgraph: usize) -> GraphQLError {
        let error = GraphQLError::unavailable();
        match self.by_number[subgraph].1.closed_for() {
            Some(closed) => error.with("retryAfter", closed.as_millis().div_ceil(1000).max(1) as u64),
            None => error,
        }
    }
}

/// One operation, or one event of a subscription, on its way to an answer.
pub(crate) struct Execution<'a> {
    pub subgraphs: &'a Subgraphs,
    pub variables: &'a Object,
    pub context: &'a RequestContext,
    /// Whether entities that are kept are of use.
    pub takes_kept: bool,
    data: Mutex<Value>,
}

impl<'a> Execution<'a> {
    pub fn new(
        subgraphs: &'a Subgraphs,
        variables: &'a Object,
        context: &'a RequestContext,
        data: Value,
    ) -> Self {
        let data = if data.is_null() { Value::object(Object::default()) } else { data };
        Execution { subgraphs, variables, context, takes_kept: true, data: Mutex::new(data) }
    }

    /// Asks for all of it anew when it will itself be kept: made of what was kept, it would live on when a
    /// change that it never heard of has ended that.
    pub fn all_anew(mut self, kept: bool) -> Self {
        self.takes_kept = !kept;
        self
    }

    pub fn into_data(self) -> Value {
        self.data.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Errors come back in the plan's order, whichever subgraph answers first.
    pub fn run<'s>(&'s self, node: &'s Node) -> BoxFuture<'s, Vec<GraphQLError>> {
        async move {
            match node {
                Node::Fetch(fetch) => self.fetch_root(fetch).await,
                Node::Flatten { path, fetch } => match &fetch.requires {
                    Some(requires) => self.fetch_entities(path, fetch, requires).await,
                    None => self.fetch_root_again(path, fetch).await,
                },
                Node::Batch(batch) => self.fetch_batch(batch).await,
                Node::Sequence(nodes) => {
                    let mut errors = Vec::new();
                    for node in nodes {
                        errors.extend(self.run(node).await);
                    }
                    errors
                }
                Node::Parallel(nodes) => {
                    join_all(nodes.iter().map(|node| self.run(node))).await.into_iter().flatten().collect()
                }
                Node::Condition { variable, then, otherwise } => {
                    let holds = matches!(self.variables.get(variable), Some(Value::Bool(true)));
                    match if holds { then } else { otherwise } {
                        Some(node) => self.run(node).await,
                        None => Vec::new(),
                    }
                }
            }
        }
        .boxed()
    }

    async fn fetch_root(&self, fetch: &Fetch) -> Vec<GraphQLError> {
        let answer = self.ask(fetch.subgraph, &fetch.operation, Vec::new()).await;
        let (data, errors) = self.root_answer(fetch, answer);
        self.data().merge(&data);
        errors
    }

    /// The data and errors of an answer whose paths begin at the root.
    pub fn root_answer(&self, fetch: &Fetch, answer: Option<Answer>) -> (Value, Vec<GraphQLError>) {
        let unavailable = || {
            let keys = fetch.keys.iter().map(|key| self.subgraphs.aliases.response_key(key));
            let error = self.subgraphs.unavailable(fetch.subgraph);
            keys.map(|key| error.clone().at(vec![paths::key(key)])).collect()
        };
        let Some(Answer { mut data, errors }) = answer else { return (Value::Null, unavailable()) };
        if data.is_null() && errors.is_empty() {
            return (Value::Null, unavailable());
        }
        rewrites::apply(&self.subgraphs.schema, &fetch.output_rewrites, &mut data);
        entities::keep_asked(&mut data, &fetch.keys);
        let keys = fetch.keys.iter().map(|key| (key, self.subgraphs.aliases.response_key(key)));
        if errors.is_empty() {
            let lacks = |key: &str| data.as_object().is_none_or(|object| object.get(key).is_none());
            // What it was asked for and says nothing of.
            let lacking = keys.filter(|(key, _)| lacks(key)).map(|(_, shown)| paths::key(shown));
            let errors = lacking.map(|key| GraphQLError::unavailable().at(vec![key])).collect();
            return (data, errors);
        }
        let errors = errors.into_iter().map(|error| {
            let path = self.client_path(&error.path, &fetch.output_rewrites);
            let here = |first: &str| keys.clone().any(|(_, shown)| shown == first);
            // A place the answer does not have is none.
            let known = matches!(path.first(), Some(PathSegment::Key(first)) if here(first));
            paths::client_error(error, if known { path } else { Vec::new() })
        });
        (data, errors.collect())
    }

    /// A subgraph reached again through its root, for objects that have no key: its answer belongs to each.
    async fn fetch_root_again(&self, path: &Path, fetch: &Fetch) -> Vec<GraphQLError> {
        let mut targets = Vec::new();
        paths::find(&self.subgraphs.schema, &self.data(), path, &mut |_, target| {
            targets.push(target.clone());
        });
        if targets.is_empty() {
            return Vec::new();
        }
        let answer = self.ask(fetch.subgraph, &fetch.operation, Vec::new()).await;
        let (data, errors) = self.root_answer(fetch, answer);
        let mut root = self.data();
        let places: Vec<_> = targets.iter().map(|target| (target, &data)).collect();
        paths::merge_at(&mut root, &places);
        let Some(first) = targets.first().map(|target| self.target_path(&root, target)) else {
            return errors;
        };
        errors.into_iter().map(|error| prefixed(error, &first)).collect()
    }

    /// Asks one subgraph. Why there is no answer is logged here and nowhere else.
    async fn ask(
        &self,
        subgraph: usize,
        operation: &Arc<SubgraphOperation>,
        representations: Vec<(Key, Value)>,
    ) -> Option<Answer> {
        let (name, subgraph) = &self.subgraphs.by_number[subgraph];
        let request = self.request(operation, representations);
        let limit = request.limit;
        // A future with no time left would still be polled once, and a mutation would half happen.
        let late = limit <= Instant::now();
        let answer = match late {
            true => Err(SubgraphError::Timeout),
            false => tokio::time::timeout_at(limit, subgraph.execute(request, self.context))
                .instrument(span(name, operation))
                .await
                .unwrap_or(Err(SubgraphError::Timeout)),
        };
        answer.inspect_err(|error| tracing::warn!(subgraph = %name, %error, "a subgraph gave no answer")).ok()
    }

    pub fn request(
        &self,
        operation: &Arc<SubgraphOperation>,
        representations: Vec<(Key, Value)>,
    ) -> SubgraphRequest {
        let mut variables = Object::with_capacity(operation.variables.len() + representations.len());
        for name in &operation.variables {
            if let Some(value) = self.variables.get(name) {
                variables.push(Key::from(name.as_str()), value.clone());
            }
        }
        for (name, value) in representations {
            variables.push(name, value);
        }
        SubgraphRequest { operation: operation.clone(), variables, limit: self.time_limit() }
    }

    fn time_limit(&self) -> Instant {
        let own = Instant::now() + Duration::from_millis(self.subgraphs.timeout_ms);
        self.context.deadline.map_or(own, |deadline| deadline.min(own))
    }

    /// Never held across a wait.
    fn data(&self) -> MutexGuard<'_, Value> {
        self.data.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For traces: log lines do not show it.
fn span(subgraph: &str, operation: &SubgraphOperation) -> Span {
    tracing::debug_span!("fetch", otel.kind = "client", subgraph, kind = ?operation.kind)
}

fn prefixed(mut error: GraphQLError, prefix: &[crate::PathSegment]) -> GraphQLError {
    error.path.splice(0..0, prefix.iter().cloned());
    error
}
