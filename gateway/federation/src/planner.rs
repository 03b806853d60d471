//! The only file that knows the planner crate: takes its plans and gives ours.

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use graphql_tools::static_graphql::{query, schema as ast};
use hive_router_query_planner::ast::fragment::FragmentDefinition;
use hive_router_query_planner::ast::normalization::normalize_operation;
use hive_router_query_planner::ast::operation::SubgraphFetchOperation;
use hive_router_query_planner::ast::selection_item::SelectionItem;
use hive_router_query_planner::ast::selection_set::SelectionSet;
use hive_router_query_planner::graph::PlannerOverrideContext;
use hive_router_query_planner::planner::plan_nodes as theirs;
use hive_router_query_planner::planner::{Planner as TheirPlanner, QueryPlannerOptions};
use hive_router_query_planner::state::supergraph_state::OperationKind as TheirKind;
use hive_router_query_planner::utils::cancellation::CancellationToken;

use crate::document::OperationKind;
use crate::error::SupergraphError;
use crate::overrides::{Flags, Lot};
use crate::plan::{
    Batch, BatchEntities, Fetch, Node, Path, PathStep, Plan, Requirement, Rewrite, RewriteStep,
    SubgraphOperation,
};
use crate::supergraph::{field_names, subgraphs};

/// A plan that takes longer is not worth having; it would hold a worker thread.
const PLAN_TIMEOUT_MS: u64 = 2_000;

pub(crate) struct Planner {
    planner: TheirPlanner,
    /// Subgraphs by name, in the order in which plans number them.
    subgraphs: HashMap<String, usize>,
}

/// What else is read from a supergraph.
pub(crate) struct Supergraph {
    pub planner: Planner,
    pub document: ast::Document,
    /// Subgraph names by number.
    pub subgraphs: Vec<String>,
    /// Every field name there is, inaccessible ones too.
    pub field_names: HashSet<String>,
}

impl Supergraph {
    pub fn parse(sdl: &str) -> Result<Self, SupergraphError> {
        let document = graphql_tools::parser::parse_schema::<String>(sdl)
            .map_err(|error| SupergraphError::Syntax(error.to_string()))?
            .into_static();
        if document.query_type_name().is_none() {
            return Err(SupergraphError::NoQueryType);
        }
        // The planner panics on some supergraphs that no composition gives.
        let made = catch_unwind(AssertUnwindSafe(|| {
            TheirPlanner::new_from_supergraph(&document, QueryPlannerOptions::default())
        }));
        let planner = match made {
            Ok(Ok(planner)) => planner,
            Ok(Err(error)) => return Err(SupergraphError::Planner(error.to_string())),
            Err(_) => return Err(SupergraphError::Planner("it is not a composed supergraph".to_owned())),
        };
        let subgraphs: Vec<String> = subgraphs(&document).into_iter().map(|subgraph| subgraph.name).collect();
        let numbers = subgraphs.iter().enumerate().map(|(number, name)| (name.clone(), number)).collect();
        let field_names = field_names(&document);
        Ok(Supergraph { planner: Planner { planner, subgraphs: numbers }, document, subgraphs, field_names })
    }
}

impl Planner {
    /// The schema without inaccessible parts and federation machinery, with the introspection types.
    pub fn public_schema(&self) -> Arc<ast::Document> {
        self.planner.consumer_schema.document.clone()
    }

    /// Plans a document of one operation. The reason of a failure is for the operator, not for the client.
    pub fn plan(&self, document: &query::Document, lot: Lot, flags: &Flags) -> Result<Plan, String> {
        let planned = catch_unwind(AssertUnwindSafe(|| {
            let normalized = normalize_operation(&self.planner.supergraph, document, None)
                .map_err(|error| error.to_string())?;
            let timeout = CancellationToken::with_timeout(Duration::from_millis(PLAN_TIMEOUT_MS));
            let overrides = PlannerOverrideContext::new(flags.clone(), lot.number());
            let operation = normalized.executable_operation();
            self.planner
                .plan_from_normalized_operation(operation, overrides, &timeout)
                .map_err(|error| error.to_string())
        }));
        let planned = planned.unwrap_or_else(|_| Err("the planner panicked".to_owned()))?;
        self.convert(planned.node)
    }

    fn convert(&self, node: Option<theirs::PlanNode>) -> Result<Plan, String> {
        let node = match node {
            None => return Ok(Plan::default()),
            Some(theirs::PlanNode::Subscription(subscription)) => {
                return Ok(Plan { subscription: Some(self.fetch(subscription.primary)?), node: None });
            }
            Some(theirs::PlanNode::Sequence(mut sequence)) => {
                if matches!(sequence.nodes.first(), Some(theirs::PlanNode::Subscription(_))) {
                    let rest = sequence.nodes.split_off(1);
                    let subscription = self.convert(sequence.nodes.pop())?.subscription;
                    return Ok(Plan { subscription, node: Some(Node::Sequence(self.nodes(rest)?)) });
                }
                theirs::PlanNode::Sequence(sequence)
            }
            Some(node) => node,
        };
        Ok(Plan { subscription: None, node: Some(self.node(node)?) })
    }

    fn nodes(&self, nodes: Vec<theirs::PlanNode>) -> Result<Vec<Node>, String> {
        nodes.into_iter().map(|node| self.node(node)).collect()
    }

    fn node(&self, node: theirs::PlanNode) -> Result<Node, String> {
        let boxed =
            |node: Option<Box<theirs::PlanNode>>| node.map(|node| self.node(*node).map(Box::new)).transpose();
        Ok(match node {
            theirs::PlanNode::Fetch(fetch) => Node::Fetch(self.fetch(fetch)?),
            theirs::PlanNode::BatchFetch(batch) => Node::Batch(self.batch(batch)?),
            theirs::PlanNode::Sequence(sequence) => Node::Sequence(self.nodes(sequence.nodes)?),
            theirs::PlanNode::Parallel(parallel) => Node::Parallel(self.nodes(parallel.nodes)?),
            theirs::PlanNode::Flatten(flatten) => match *flatten.node {
                theirs::PlanNode::Fetch(fetch) => {
                    Node::Flatten { path: path(&flatten.path), fetch: self.fetch(fetch)? }
                }
                _ => return Err("a flatten node holds something else than a fetch".to_owned()),
            },
            theirs::PlanNode::Condition(condition) => Node::Condition {
                variable: condition.condition,
                then: boxed(condition.if_clause)?,
                otherwise: boxed(condition.else_clause)?,
            },
            theirs::PlanNode::Subscription(_) => {
                return Err("a subscription is not the first step".to_owned());
            }
            theirs::PlanNode::Defer(_) => return Err("deferred parts are not supported".to_owned()),
        })
    }

    fn fetch(&self, fetch: theirs::FetchNode) -> Result<Fetch, String> {
        let document = &fetch.operation.document;
        let mut keys = Vec::new();
        let root = &document.operation.selection_set;
        match fetch.requires.as_ref().and(root.entities_field()) {
            Some(entities) => collect_keys(&entities.selections, &document.fragments, &mut keys),
            None => collect_keys(root, &document.fragments, &mut keys),
        }
        let output_rewrites = rewrites(fetch.output_rewrites);
        rename_keys(&mut keys, &output_rewrites);
        Ok(Fetch {
            subgraph: self.subgraph(&fetch.service_name)?,
            keys,
            operation: operation(fetch.operation, fetch.operation_kind, fetch.variable_usages),
            requires: fetch.requires.as_ref().map(requirements),
            input_rewrites: rewrites(fetch.input_rewrites),
            output_rewrites,
        })
    }

    fn batch(&self, batch: theirs::BatchFetchNode) -> Result<Batch, String> {
        let document = &batch.operation.document;
        let keys = |alias: &str| {
            let mut keys = Vec::new();
            for item in &document.operation.selection_set.items {
                if let SelectionItem::Field(field) = item
                    && field.selection_identifier() == alias
                {
                    collect_keys(&field.selections, &document.fragments, &mut keys);
                }
            }
            keys
        };
        let entities = |entities: theirs::EntityBatchAlias| {
            let mut keys = keys(&entities.alias);
            let output_rewrites = rewrites(entities.output_rewrites);
            rename_keys(&mut keys, &output_rewrites);
            BatchEntities {
                keys,
                alias: entities.alias,
                variable: entities.representations_variable_name,
                paths: entities.merge_paths.iter().map(path).collect(),
                requires: requirements(&entities.requires),
                input_rewrites: rewrites(entities.input_rewrites),
                output_rewrites,
            }
        };
        let entities = batch.entity_batch.aliases.into_iter().map(entities).collect();
        Ok(Batch {
            subgraph: self.subgraph(&batch.service_name)?,
            operation: operation(batch.operation, batch.operation_kind, batch.variable_usages),
            entities,
        })
    }

    fn subgraph(&self, name: &str) -> Result<usize, String> {
        self.subgraphs
            .get(name)
            .copied()
            .ok_or_else(|| format!("the plan names the unknown subgraph {name:?}"))
    }
}

fn operation(
    operation: SubgraphFetchOperation,
    kind: Option<TheirKind>,
    variables: Option<std::collections::BTreeSet<String>>,
) -> Arc<SubgraphOperation> {
    Arc::new(SubgraphOperation {
        text: operation.document_str,
        hash: operation.hash,
        kind: match kind {
            None | Some(TheirKind::Query) => OperationKind::Query,
            Some(TheirKind::Mutation) => OperationKind::Mutation,
            Some(TheirKind::Subscription) => OperationKind::Subscription,
        },
        variables: variables.into_iter().flatten().collect(),
    })
}

/// The names at the top of a selection, whatever type they are on.
fn collect_keys(set: &SelectionSet, fragments: &[FragmentDefinition], keys: &mut Vec<String>) {
    for item in &set.items {
        match item {
            SelectionItem::Field(field) => {
                let key = field.selection_identifier();
                if key != "__typename" && !keys.iter().any(|known| known == key) {
                    keys.push(key.to_owned());
                }
            }
            SelectionItem::InlineFragment(fragment) => collect_keys(&fragment.selections, fragments, keys),
            SelectionItem::FragmentSpread(name) => {
                if let Some(fragment) = fragments.iter().find(|fragment| fragment.name == *name) {
                    collect_keys(&fragment.selection_set, fragments, keys);
                }
            }
        }
    }
}

/// Gives the members the names they have once the answer is rewritten.
fn rename_keys(keys: &mut Vec<String>, output_rewrites: &[Rewrite]) {
    for rewrite in output_rewrites {
        let Rewrite::Rename { path, to } = rewrite else { continue };
        let mut names = path.iter().filter_map(|step| match step {
            RewriteStep::Key(name) => Some(name),
            RewriteStep::On(_) => None,
        });
        if let (Some(name), None) = (names.next(), names.next()) {
            keys.retain(|key| key != name);
            if !keys.iter().any(|key| **key == **to) {
                keys.push(to.to_string());
            }
        }
    }
}

fn path(path: &theirs::FlattenNodePath) -> Path {
    let step = |step: &theirs::FlattenNodePathSegment| match step {
        theirs::FlattenNodePathSegment::Field(name) => PathStep::Key(name.clone()),
        theirs::FlattenNodePathSegment::List => PathStep::Items,
        theirs::FlattenNodePathSegment::TypeCondition(names) => PathStep::On(names.iter().cloned().collect()),
    };
    path.as_slice().iter().map(step).collect()
}

fn requirements(set: &SelectionSet) -> Vec<Requirement> {
    let requirement = |item: &SelectionItem| match item {
        SelectionItem::Field(field) => Some(Requirement::Field {
            data_key: field.name.clone(),
            key: field.selection_identifier().into(),
            inner: requirements(&field.selections),
        }),
        SelectionItem::InlineFragment(fragment) => Some(Requirement::On {
            condition: fragment.type_condition.clone(),
            inner: requirements(&fragment.selections),
        }),
        SelectionItem::FragmentSpread(_) => None,
    };
    set.items.iter().filter_map(requirement).collect()
}

fn rewrites(rewrites: Option<Vec<theirs::FetchRewrite>>) -> Vec<Rewrite> {
    let steps = |path: Vec<theirs::FetchNodePathSegment>| {
        path.into_iter()
            .map(|step| match step {
                theirs::FetchNodePathSegment::Key(name) => RewriteStep::Key(name),
                theirs::FetchNodePathSegment::TypenameEquals(names) => {
                    RewriteStep::On(names.into_iter().collect())
                }
            })
            .collect()
    };
    let rewrite = |rewrite| match rewrite {
        theirs::FetchRewrite::KeyRenamer(rename) => {
            Rewrite::Rename { path: steps(rename.path), to: rename.rename_key_to.into() }
        }
        theirs::FetchRewrite::ValueSetter(set) => {
            Rewrite::Set { path: steps(set.path), value: set.set_value_to.into() }
        }
    };
    rewrites.into_iter().flatten().map(rewrite).collect()
}
