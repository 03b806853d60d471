//! Folds requests together that go to one subgraph under two names: what `apart` costs is given back.
//!
//! A subgraph that is asked for `inStock` by the key, and for `shippingEstimate` by the key and the weight, is
//! asked for both once the weight is there, in one request. Nothing waits longer for it: where something else
//! needs what was to come earlier, both requests stay.

use hive_router_query_planner::ast::operation::{SubgraphFetchOperation, VariableDefinition};
use hive_router_query_planner::ast::selection_item::SelectionItem;
use hive_router_query_planner::ast::selection_set::SelectionSet;
use hive_router_query_planner::planner::plan_nodes as theirs;

use super::apart::OtherNames;
use super::required::StandIns;

pub(super) struct Folding<'a> {
    pub other_names: &'a OtherNames,
    pub stand_ins: &'a StandIns,
}

/// What one request asks of the objects at some places.
struct Asked {
    paths: Vec<String>,
    requires: SelectionSet,
    selections: SelectionSet,
    input_rewrites: Vec<theirs::FetchRewrite>,
}

/// A request for entities, whatever kind of node it is.
struct Request<'n> {
    subgraph: &'n str,
    operation: &'n SubgraphFetchOperation,
    variables: Vec<String>,
    asked: Vec<Asked>,
}

impl Folding<'_> {
    /// Looks at what is done one after the other at the top; what is nested deeper stays as it is.
    pub fn fold(&self, node: theirs::PlanNode) -> theirs::PlanNode {
        let theirs::PlanNode::Sequence(mut sequence) = node else { return node };
        if self.other_names.is_empty() {
            return theirs::PlanNode::Sequence(sequence);
        }
        let mut stages: Vec<Vec<theirs::PlanNode>> = sequence.nodes.into_iter().map(parallel).collect();
        while self.fold_one(&mut stages) {}
        stages.retain(|stage| !stage.is_empty());
        sequence.nodes = stages.into_iter().map(together).collect();
        theirs::PlanNode::Sequence(sequence)
    }

    /// Folds one request into one that is no earlier. Says whether there was one.
    fn fold_one(&self, stages: &mut [Vec<theirs::PlanNode>]) -> bool {
        let places = |stages: &[Vec<theirs::PlanNode>]| -> Vec<(usize, usize)> {
            let of_stage = |(stage, nodes): (usize, &Vec<_>)| (0..nodes.len()).map(move |it| (stage, it));
            stages.iter().enumerate().flat_map(of_stage).collect()
        };
        for into in places(stages) {
            for from in places(stages) {
                if from == into || from.0 > into.0 {
                    continue;
                }
                let (source, target) = (&stages[from.0][from.1], &stages[into.0][into.1]);
                let Some(folded) = self.folded(source, target) else { continue };
                let keys = top_keys(source);
                let between = places(stages).into_iter();
                let mut between = between.filter(|it| it.0 > from.0 && it.0 <= into.0 && *it != into);
                if between.any(|(stage, node)| needs(&stages[stage][node], &keys)) {
                    continue;
                }
                stages[into.0][into.1] = folded;
                stages[from.0].remove(from.1);
                return true;
            }
        }
        false
    }

    /// The second request with the first in it.
    fn folded(&self, source: &theirs::PlanNode, target: &theirs::PlanNode) -> Option<theirs::PlanNode> {
        let (source, request) = (request(source)?, request(target)?);
        let real = |name| self.other_names.get(name).map_or(name, String::as_str);
        if source.subgraph == request.subgraph || real(source.subgraph) != real(request.subgraph) {
            return None;
        }
        let mut asked = request.asked;
        for part in &source.asked {
            let same = asked.iter_mut().find(|it| it.paths == part.paths)?;
            let (given, told) = (names(&part.selections), names(&part.requires));
            let waits = names(&same.requires).iter().any(|name| given.contains(name) && !told.contains(name));
            if waits
                || !unite(&mut same.requires, &part.requires)
                || !unite(&mut same.selections, &part.selections)
                || self.clashes(&same.requires)
            {
                return None;
            }
            for rewrite in &part.input_rewrites {
                if !same.input_rewrites.contains(rewrite) {
                    same.input_rewrites.push(rewrite.clone());
                }
            }
        }
        // One request keeps one name; it is the other's anyway that says which subgraph it is.
        let definitions =
            source.operation.document.operation.variable_definitions.clone().unwrap_or_default();
        let definitions = definitions.into_iter().filter(|it| source.variables.contains(&it.name)).collect();
        put_back(target.clone(), asked, definitions)
    }

    /// Whether one field would have to be told with several arguments.
    fn clashes(&self, requires: &SelectionSet) -> bool {
        let mut known: Vec<(&str, &str)> = Vec::new();
        self.clashes_in(requires, &mut known)
    }

    fn clashes_in<'s>(&'s self, set: &'s SelectionSet, known: &mut Vec<(&'s str, &'s str)>) -> bool {
        set.items.iter().any(|item| match item {
            SelectionItem::Field(field) => {
                let (name, real) = (field.name.as_str(), self.stand_ins.field(&field.name));
                let clashes = known.iter().any(|(other, of)| *of == real && *other != name);
                known.push((name, real));
                clashes || self.clashes(&field.selections)
            }
            SelectionItem::InlineFragment(fragment) => self.clashes_in(&fragment.selections, known),
            SelectionItem::FragmentSpread(_) => false,
        })
    }
}

fn parallel(node: theirs::PlanNode) -> Vec<theirs::PlanNode> {
    match node {
        theirs::PlanNode::Parallel(parallel) => parallel.nodes,
        node => vec![node],
    }
}

fn together(mut nodes: Vec<theirs::PlanNode>) -> theirs::PlanNode {
    match (nodes.len(), nodes.pop()) {
        (1, Some(node)) => node,
        (_, last) => {
            nodes.extend(last);
            theirs::PlanNode::Parallel(theirs::ParallelNode { nodes })
        }
    }
}

fn request(node: &theirs::PlanNode) -> Option<Request<'_>> {
    let (subgraph, operation, variables, asked) = match node {
        theirs::PlanNode::Flatten(flatten) => {
            let theirs::PlanNode::Fetch(fetch) = &*flatten.node else { return None };
            let entities = fetch.operation.document.operation.selection_set.entities_field()?;
            if fetch.output_rewrites.as_ref().is_some_and(|rewrites| !rewrites.is_empty()) {
                return None;
            }
            let asked = Asked {
                paths: vec![flatten.path.to_string()],
                requires: fetch.requires.clone()?,
                selections: entities.selections.clone(),
                input_rewrites: fetch.input_rewrites.clone().unwrap_or_default(),
            };
            (&fetch.service_name, &fetch.operation, &fetch.variable_usages, vec![asked])
        }
        theirs::PlanNode::BatchFetch(batch) => {
            let asked = batch.entity_batch.aliases.iter().map(|alias| asked(alias, &batch.operation));
            let asked = asked.collect::<Option<Vec<_>>>()?;
            (&batch.service_name, &batch.operation, &batch.variable_usages, asked)
        }
        _ => return None,
    };
    let variables = variables.iter().flatten().cloned().collect();
    operation.document.fragments.is_empty().then_some(Request { subgraph, operation, variables, asked })
}

fn asked(alias: &theirs::EntityBatchAlias, operation: &SubgraphFetchOperation) -> Option<Asked> {
    if alias.output_rewrites.as_ref().is_some_and(|rewrites| !rewrites.is_empty()) {
        return None;
    }
    let mut paths: Vec<_> = alias.merge_paths.iter().map(ToString::to_string).collect();
    paths.sort();
    let selections = operation.document.operation.selection_set.items.iter().find_map(|item| match item {
        SelectionItem::Field(field) if field.selection_identifier() == alias.alias => Some(&field.selections),
        _ => None,
    });
    Some(Asked {
        paths,
        requires: alias.requires.clone(),
        selections: selections?.clone(),
        input_rewrites: alias.input_rewrites.clone().unwrap_or_default(),
    })
}

fn put_back(
    mut node: theirs::PlanNode,
    asked: Vec<Asked>,
    definitions: Vec<VariableDefinition>,
) -> Option<theirs::PlanNode> {
    let rewrites = |rewrites: Vec<theirs::FetchRewrite>| (!rewrites.is_empty()).then_some(rewrites);
    match &mut node {
        theirs::PlanNode::Flatten(flatten) => {
            let theirs::PlanNode::Fetch(fetch) = &mut *flatten.node else { return None };
            let [asked] = <[Asked; 1]>::try_from(asked).ok()?;
            fetch.requires = Some(asked.requires);
            fetch.input_rewrites = rewrites(asked.input_rewrites);
            renew(&mut fetch.operation, &mut fetch.variable_usages, vec![asked.selections], definitions);
        }
        theirs::PlanNode::BatchFetch(batch) => {
            let mut selections = Vec::new();
            for (alias, asked) in batch.entity_batch.aliases.iter_mut().zip(asked) {
                alias.requires = asked.requires;
                alias.input_rewrites = rewrites(asked.input_rewrites);
                selections.push((alias.alias.clone(), asked.selections));
            }
            // In the order in which the operation has them.
            let in_order =
                batch.operation.document.operation.selection_set.items.iter().map(|item| match item {
                    SelectionItem::Field(field) => {
                        let own = selections.iter().find(|(alias, _)| alias == field.selection_identifier());
                        own.map_or_else(|| field.selections.clone(), |(_, own)| own.clone())
                    }
                    _ => SelectionSet::default(),
                });
            let in_order = in_order.collect();
            renew(&mut batch.operation, &mut batch.variable_usages, in_order, definitions);
        }
        _ => return None,
    }
    Some(node)
}

fn renew(
    operation: &mut SubgraphFetchOperation,
    variables: &mut Option<std::collections::BTreeSet<String>>,
    selections: Vec<SelectionSet>,
    definitions: Vec<VariableDefinition>,
) {
    let mut document = operation.document.clone();
    for (item, selections) in document.operation.selection_set.items.iter_mut().zip(selections) {
        if let SelectionItem::Field(field) = item {
            field.selections = selections;
        }
    }
    let known = document.operation.variable_definitions.get_or_insert_default();
    for definition in definitions {
        variables.get_or_insert_default().insert(definition.name.clone());
        if !known.iter().any(|it| it.name == definition.name) {
            known.push(definition);
        }
    }
    *operation = SubgraphFetchOperation::from_anonymous_operation(document);
}

/// Adds one selection to another; says whether they can stand together.
fn unite(mine: &mut SelectionSet, other: &SelectionSet) -> bool {
    other.items.iter().all(|item| match item {
        SelectionItem::Field(field) => {
            let same = mine.items.iter_mut().find_map(|known| match known {
                SelectionItem::Field(known)
                    if known.selection_identifier() == field.selection_identifier() =>
                {
                    Some(known)
                }
                _ => None,
            });
            match same {
                Some(known) => {
                    known.name == field.name
                        && known.arguments == field.arguments
                        && unite(&mut known.selections, &field.selections)
                }
                None => {
                    mine.items.push(item.clone());
                    true
                }
            }
        }
        SelectionItem::InlineFragment(fragment) => {
            let same = mine.items.iter_mut().find_map(|known| match known {
                SelectionItem::InlineFragment(known) if known.type_condition == fragment.type_condition => {
                    Some(known)
                }
                _ => None,
            });
            match same {
                Some(known) => unite(&mut known.selections, &fragment.selections),
                None => {
                    mine.items.push(item.clone());
                    true
                }
            }
        }
        SelectionItem::FragmentSpread(_) => false,
    })
}

/// The names at the top of a selection, in the answer and of the fields.
fn names(set: &SelectionSet) -> Vec<&str> {
    let mut found = Vec::new();
    for item in &set.items {
        match item {
            SelectionItem::Field(field) if field.name != "__typename" => {
                found.extend([field.name.as_str(), field.selection_identifier()]);
            }
            SelectionItem::InlineFragment(fragment) => found.extend(names(&fragment.selections)),
            _ => {}
        }
    }
    found
}

fn top_keys(node: &theirs::PlanNode) -> Vec<String> {
    let asked = request(node).map(|request| request.asked).unwrap_or_default();
    asked.iter().flat_map(|asked| names(&asked.selections)).map(str::to_owned).collect()
}

/// Whether a node may need one of these names to have come before it: it goes through one, or tells it.
fn needs(node: &theirs::PlanNode, keys: &[String]) -> bool {
    let through = |path: &theirs::FlattenNodePath| {
        path.as_slice().iter().any(|step| match step {
            theirs::FlattenNodePathSegment::Field(name) => keys.contains(name),
            _ => false,
        })
    };
    let tells =
        |requires: &SelectionSet| names(requires).iter().any(|name| keys.iter().any(|key| key == name));
    match node {
        theirs::PlanNode::Fetch(fetch) => fetch.requires.as_ref().is_some_and(tells),
        theirs::PlanNode::Flatten(flatten) => through(&flatten.path) || needs(&flatten.node, keys),
        theirs::PlanNode::BatchFetch(batch) => {
            let aliases = &batch.entity_batch.aliases;
            aliases.iter().any(|alias| alias.merge_paths.iter().any(through) || tells(&alias.requires))
        }
        theirs::PlanNode::Sequence(sequence) => sequence.nodes.iter().any(|node| needs(node, keys)),
        theirs::PlanNode::Parallel(parallel) => parallel.nodes.iter().any(|node| needs(node, keys)),
        _ => true,
    }
}
