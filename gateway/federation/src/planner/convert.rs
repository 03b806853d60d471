//! The planner's nodes as ours.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use hive_router_query_planner::ast::fragment::FragmentDefinition;
use hive_router_query_planner::ast::operation::SubgraphFetchOperation;
use hive_router_query_planner::ast::selection_item::SelectionItem;
use hive_router_query_planner::ast::selection_set::SelectionSet;
use hive_router_query_planner::planner::plan_nodes as theirs;
use hive_router_query_planner::state::supergraph_state::OperationKind as TheirKind;

use super::again::Again;
use super::interface_objects::Wanted;
use super::renamed::{OtherNames, rename_keys};
use super::shapes::in_place;
use super::{Planner, divide};
use crate::document::OperationKind;
use crate::plan::{
    Batch, BatchEntities, Fetch, Node, Path, PathStep, Plan, Requirement, Rewrite, RewriteStep,
    SubgraphOperation,
};

struct Converter<'a> {
    planner: &'a Planner,
    wanted: &'a Wanted,
    again: &'a Again,
}

impl Planner {
    pub(super) fn converted(
        &self,
        node: Option<theirs::PlanNode>,
        wanted: &Wanted,
        again: &Again,
    ) -> Result<Plan, String> {
        Converter { planner: self, wanted, again }.convert(node)
    }
}

impl Converter<'_> {
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
            theirs::PlanNode::BatchFetch(batch) => self.batches(batch)?,
            theirs::PlanNode::Sequence(sequence) => Node::Sequence(self.nodes(sequence.nodes)?),
            theirs::PlanNode::Parallel(parallel) => Node::Parallel(self.nodes(parallel.nodes)?),
            theirs::PlanNode::Flatten(flatten) => match *flatten.node {
                theirs::PlanNode::Fetch(fetch) => self.flatten(&flatten.path, fetch)?,
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

    fn flatten(&self, at: &theirs::FlattenNodePath, fetch: theirs::FetchNode) -> Result<Node, String> {
        let one = |fetch: theirs::FetchNode| {
            let fetch = self.fetch(fetch)?;
            let mut path = self.path(at);
            self.wanted.narrow(&mut path, &fetch.keys, fetch.requires.as_deref().unwrap_or_default());
            Ok(Node::Flatten { path, fetch })
        };
        let entities = fetch.operation.document.operation.selection_set.entities_field();
        let parts = match (&fetch.requires, entities) {
            (Some(requires), Some(entities))
                if self.is_about_interface(&fetch.service_name, &entities.selections) =>
            {
                self.parts(&[self.path(at)], &entities.selections, requires)
            }
            _ => Vec::new(),
        };
        let nodes: Result<Vec<_>, String> = divide::fetch(fetch, &parts).into_iter().map(one).collect();
        Ok(together(nodes?))
    }

    fn batches(&self, batch: theirs::BatchFetchNode) -> Result<Node, String> {
        let root = &batch.operation.document.operation.selection_set;
        let parts = |alias: &theirs::EntityBatchAlias| {
            let of_alias = |item: &SelectionItem| match item {
                SelectionItem::Field(field) if field.selection_identifier() == alias.alias => {
                    Some(field.selections.clone())
                }
                _ => None,
            };
            let selections = root.items.iter().find_map(of_alias);
            match selections {
                Some(selections) if self.is_about_interface(&batch.service_name, &selections) => {
                    let paths: Vec<_> = alias.merge_paths.iter().map(|it| self.path(it)).collect();
                    self.parts(&paths, &selections, &alias.requires)
                }
                selections => {
                    let mut keys = Vec::new();
                    let fragments = &batch.operation.document.fragments;
                    selections.iter().for_each(|set| collect_keys(set, fragments, &mut keys));
                    vec![keys]
                }
            }
        };
        let parts: Vec<_> = batch.entity_batch.aliases.iter().map(parts).collect();
        let batches = divide::batch(batch, &parts).into_iter();
        let nodes: Result<Vec<_>, String> =
            batches.map(|batch| Ok(Node::Batch(self.batch(batch)?))).collect();
        Ok(together(nodes?))
    }

    fn is_about_interface(&self, subgraph: &str, entities: &SelectionSet) -> bool {
        self.planner.interface_objects.are_among(subgraph, &types(entities))
            && divide::can_be_divided(entities)
    }

    fn parts(&self, paths: &[Path], entities: &SelectionSet, requires: &SelectionSet) -> divide::Parts {
        let mut keys = Vec::new();
        collect_keys(entities, &[], &mut keys);
        self.wanted.parts(paths, &keys, &self.requirements(requires), self.again)
    }

    fn fetch(&self, mut fetch: theirs::FetchNode) -> Result<Fetch, String> {
        let kind = kind(&fetch.operation_kind);
        let renamed = self.renamed(&fetch.service_name, &mut fetch.operation, kind);
        let document = &fetch.operation.document;
        let mut keys = Vec::new();
        let root = &document.operation.selection_set;
        let mut requires = fetch.requires.as_ref().map(|set| self.requirements(set));
        let mut input_rewrites = rewrites(fetch.input_rewrites);
        let below = match (&mut requires, root.entities_field()) {
            (Some(requires), Some(entities)) => {
                collect_keys(&entities.selections, &document.fragments, &mut keys);
                let types = types(&entities.selections);
                let known = &self.planner.interface_objects;
                known.mend(&fetch.service_name, &types, requires, &mut input_rewrites);
                1
            }
            _ => {
                collect_keys(root, &document.fragments, &mut keys);
                0
            }
        };
        let output_rewrites = renamed.back(rewrites(fetch.output_rewrites), below, None);
        rename_keys(&mut keys, &output_rewrites);
        Ok(Fetch {
            subgraph: self.subgraph(&fetch.service_name)?,
            keys,
            operation: self.operation(fetch.operation, kind, fetch.variable_usages),
            requires,
            input_rewrites,
            output_rewrites,
            kept_s: 0,
        })
    }

    fn batch(&self, mut batch: theirs::BatchFetchNode) -> Result<Batch, String> {
        let kind = kind(&batch.operation_kind);
        let renamed = self.renamed(&batch.service_name, &mut batch.operation, kind);
        let entities = batch.entity_batch.aliases.into_iter();
        let entities =
            entities.map(|it| self.entities(it, &batch.service_name, &batch.operation, &renamed)).collect();
        Ok(Batch {
            subgraph: self.subgraph(&batch.service_name)?,
            operation: self.operation(batch.operation, kind, batch.variable_usages),
            entities,
        })
    }

    fn entities(
        &self,
        entities: theirs::EntityBatchAlias,
        subgraph: &str,
        operation: &SubgraphFetchOperation,
        renamed: &OtherNames,
    ) -> BatchEntities {
        let mut keys = Vec::new();
        let mut requires = self.requirements(&entities.requires);
        let mut input_rewrites = rewrites(entities.input_rewrites);
        for item in &operation.document.operation.selection_set.items {
            if let SelectionItem::Field(field) = item
                && field.selection_identifier() == entities.alias
            {
                collect_keys(&field.selections, &operation.document.fragments, &mut keys);
                let types = types(&field.selections);
                self.planner.interface_objects.mend(subgraph, &types, &mut requires, &mut input_rewrites);
            }
        }
        let output_rewrites = renamed.back(rewrites(entities.output_rewrites), 1, Some(&entities.alias));
        rename_keys(&mut keys, &output_rewrites);
        let mut paths: Vec<_> = entities.merge_paths.iter().map(|it| self.path(it)).collect();
        paths.iter_mut().for_each(|path| self.wanted.narrow(path, &keys, &requires));
        BatchEntities {
            keys,
            alias: entities.alias,
            variable: entities.representations_variable_name,
            paths,
            requires,
            input_rewrites,
            output_rewrites,
        }
    }

    /// What the request, which changes for it, asks for under other names than it is known by.
    fn renamed(
        &self,
        subgraph: &str,
        operation: &mut SubgraphFetchOperation,
        kind: OperationKind,
    ) -> OtherNames {
        let of_shapes = self.planner.shapes.tell_apart(subgraph, operation, kind);
        let document = &operation.document;
        let set = in_place(&document.operation.selection_set, &document.fragments);
        OtherNames { of_shapes, again: self.again.renamed(&set) }
    }

    fn path(&self, path: &theirs::FlattenNodePath) -> Path {
        let step = |step: &theirs::FlattenNodePathSegment| match step {
            theirs::FlattenNodePathSegment::Field(name) => PathStep::Key(self.again.real(name).into()),
            theirs::FlattenNodePathSegment::List => PathStep::Items,
            theirs::FlattenNodePathSegment::TypeCondition(names) => {
                PathStep::On(names.iter().cloned().collect())
            }
        };
        path.as_slice().iter().map(step).collect()
    }

    fn subgraph(&self, name: &str) -> Result<usize, String> {
        self.planner
            .subgraphs
            .get(name)
            .copied()
            .ok_or_else(|| format!("the plan names the unknown subgraph {name:?}"))
    }

    fn operation(
        &self,
        operation: SubgraphFetchOperation,
        kind: OperationKind,
        variables: Option<BTreeSet<String>>,
    ) -> Arc<SubgraphOperation> {
        let text = self.planner.stand_ins.written_out(operation.document_str);
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let variables = variables.into_iter().flatten().collect();
        Arc::new(SubgraphOperation { text, hash: hasher.finish(), kind, variables })
    }

    fn requirements(&self, set: &SelectionSet) -> Vec<Requirement> {
        let requirement = |item: &SelectionItem| match item {
            SelectionItem::Field(field) => Some(Requirement::Field {
                data_key: field.name.as_str().into(),
                key: self.planner.stand_ins.field(field.selection_identifier()).into(),
                inner: self.requirements(&field.selections),
            }),
            SelectionItem::InlineFragment(fragment) => Some(Requirement::On {
                condition: fragment.type_condition.clone(),
                inner: self.requirements(&fragment.selections),
            }),
            SelectionItem::FragmentSpread(_) => None,
        };
        set.items.iter().filter_map(requirement).collect()
    }
}

fn together(mut nodes: Vec<Node>) -> Node {
    match (nodes.pop(), nodes.is_empty()) {
        (Some(node), true) => node,
        (last, _) => {
            nodes.extend(last);
            Node::Parallel(nodes)
        }
    }
}

fn kind(kind: &Option<TheirKind>) -> OperationKind {
    match kind {
        None | Some(TheirKind::Query) => OperationKind::Query,
        Some(TheirKind::Mutation) => OperationKind::Mutation,
        Some(TheirKind::Subscription) => OperationKind::Subscription,
    }
}

/// The types a selection on entities is on.
fn types(set: &SelectionSet) -> Vec<&str> {
    fn on(item: &SelectionItem) -> Option<&str> {
        match item {
            SelectionItem::InlineFragment(fragment) => Some(&fragment.type_condition),
            _ => None,
        }
    }
    set.items.iter().filter_map(on).collect()
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
