//! Divides requests for entities whose fields are wanted of different types.
//!
//! A subgraph that knows an interface as one object is asked for all its fields at once, of films for what only
//! songs are to show. What the caller may not see of a film would be asked for, and a field that fails takes what
//! was wanted with it.

use hive_router_query_planner::ast::operation::{OperationDefinition, SubgraphFetchOperation};
use hive_router_query_planner::ast::selection_item::SelectionItem;
use hive_router_query_planner::ast::selection_set::SelectionSet;
use hive_router_query_planner::planner::plan_nodes as theirs;

/// The names of fields, in parts that are to be asked for apart.
pub(super) type Parts = Vec<Vec<String>>;

pub(super) fn fetch(fetch: theirs::FetchNode, parts: &Parts) -> Vec<theirs::FetchNode> {
    if parts.len() < 2 {
        return vec![fetch];
    }
    let part = |keys: &Vec<String>| {
        let mut part = fetch.clone();
        let operation = &mut part.operation.document.operation;
        operation.selection_set.items.iter_mut().for_each(|item| keep(item, keys));
        renew(&mut part.operation, &mut part.variable_usages);
        part
    };
    parts.iter().map(part).collect()
}

/// `parts` are those of each alias.
pub(super) fn batch(batch: theirs::BatchFetchNode, parts: &[Parts]) -> Vec<theirs::BatchFetchNode> {
    let number = parts.iter().map(Vec::len).max().unwrap_or_default();
    if number < 2 {
        return vec![batch];
    }
    let part = |number: usize| {
        let mut part = batch.clone();
        let aliases = std::mem::take(&mut part.entity_batch.aliases);
        let items = std::mem::take(&mut part.operation.document.operation.selection_set.items);
        for (alias, parts) in aliases.into_iter().zip(parts) {
            let Some(keys) = parts.get(number) else { continue };
            let of_alias = |item: &&SelectionItem| match item {
                SelectionItem::Field(field) => field.selection_identifier() == alias.alias,
                _ => false,
            };
            if let Some(mut item) = items.iter().find(of_alias).cloned() {
                keep(&mut item, keys);
                part.operation.document.operation.selection_set.items.push(item);
                part.entity_batch.aliases.push(alias);
            }
        }
        renew(&mut part.operation, &mut part.variable_usages);
        part
    };
    (0..number).map(part).collect()
}

/// Whether all that is asked of entities stands where it can be told apart.
pub(super) fn can_be_divided(set: &SelectionSet) -> bool {
    set.items.iter().all(|item| match item {
        SelectionItem::Field(_) => true,
        SelectionItem::InlineFragment(fragment) => can_be_divided(&fragment.selections),
        SelectionItem::FragmentSpread(_) => false,
    })
}

/// Leaves only these fields of what is asked of entities.
fn keep(entities: &mut SelectionItem, keys: &[String]) {
    if let SelectionItem::Field(field) = entities {
        keep_in(&mut field.selections, keys);
    }
}

fn keep_in(set: &mut SelectionSet, keys: &[String]) {
    set.items.retain_mut(|item| match item {
        SelectionItem::Field(field) => {
            let key = field.selection_identifier();
            key == "__typename" || keys.iter().any(|kept| kept == key)
        }
        SelectionItem::InlineFragment(fragment) => {
            keep_in(&mut fragment.selections, keys);
            !fragment.selections.items.is_empty()
        }
        SelectionItem::FragmentSpread(_) => true,
    });
}

/// Drops the fragments and variables nothing uses any more: a valid document has none.
fn renew(operation: &mut SubgraphFetchOperation, variables: &mut Option<std::collections::BTreeSet<String>>) {
    let mut document = operation.document.clone();
    let definitions = document.operation.variable_definitions.take().unwrap_or_default();
    loop {
        let text = document.to_string();
        let before = document.fragments.len();
        document.fragments.retain(|fragment| mentions(&text, "...", &fragment.name));
        if document.fragments.len() == before {
            let used: Vec<_> = definitions.into_iter().filter(|it| mentions(&text, "$", &it.name)).collect();
            if let Some(variables) = variables {
                variables.retain(|name| mentions(&text, "$", name));
            }
            let variable_definitions = (!used.is_empty()).then_some(used);
            document.operation = OperationDefinition { variable_definitions, ..document.operation };
            *operation = SubgraphFetchOperation::from_anonymous_operation(document);
            return;
        }
    }
}

fn mentions(text: &str, before: &str, name: &str) -> bool {
    let word = format!("{before}{name}");
    let ends = |rest: &str| !rest.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_');
    text.match_indices(&word).any(|(at, _)| ends(&text[at + word.len()..]))
}
