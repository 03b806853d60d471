//! The names fields have in what subgraphs answer to one document.

use std::collections::HashMap;

use graphql_tools::static_graphql::query;

use crate::document::{fragments, operations};
use crate::rewrite::Aliases;

/// One name may stand for one field here and for another there, or for one with other arguments: on types no
/// object is both of. The planner mixes them up, so all but the first get a name of their own.
pub(crate) struct DataKeys<'a> {
    aliases: &'a Aliases,
    /// What each such name stands for, in the document's order.
    ambiguous: HashMap<String, Vec<String>>,
}

impl<'a> DataKeys<'a> {
    pub fn new(aliases: &'a Aliases, document: &query::Document) -> Self {
        let mut calls = HashMap::new();
        let of_operations = operations(document).map(|operation| operation.selection_set);
        let mut of_fragments: Vec<_> = fragments(document).into_values().collect();
        of_fragments.sort_by_key(|fragment| &fragment.name);
        let of_fragments = of_fragments.into_iter().map(|fragment| &fragment.selection_set);
        of_operations.chain(of_fragments).for_each(|set| collect(set, &mut calls));
        calls.retain(|_, calls| calls.len() > 1);
        DataKeys { aliases, ambiguous: calls }
    }

    pub fn data_key(&self, field: &query::Field) -> String {
        let key = field.alias.as_ref().unwrap_or(&field.name);
        let place = self.ambiguous.get(key).map(|calls| calls.iter().position(|known| *known == call(field)));
        match place.flatten() {
            Some(place) if place > 0 => self.aliases.numbered(place, key),
            _ => self.aliases.data_key(field),
        }
    }
}

fn collect(set: &query::SelectionSet, calls: &mut HashMap<String, Vec<String>>) {
    for selection in &set.items {
        match selection {
            query::Selection::Field(field) => {
                let key = field.alias.as_ref().unwrap_or(&field.name);
                let known = calls.entry(key.clone()).or_default();
                let call = call(field);
                if !known.contains(&call) {
                    known.push(call);
                }
                collect(&field.selection_set, calls);
            }
            query::Selection::InlineFragment(fragment) => collect(&fragment.selection_set, calls),
            query::Selection::FragmentSpread(_) => {}
        }
    }
}

fn call(field: &query::Field) -> String {
    let mut arguments: Vec<_> =
        field.arguments.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    arguments.sort();
    format!("{}({})", field.name, arguments.join(", "))
}
