//! Asks twice for an object that is part of a key, where in one the planner finds no way.
//!
//! For a key `register { country }`, `register { country name }` makes it take the step to whoever knows the name
//! for one that needs what it is looking for. With `register { country } again: register { name }` it does not.
//! Only what could not be planned is rewritten so.

use std::collections::HashMap;

use graphql_tools::static_graphql::{query, schema as ast};
use hive_router_query_planner::ast::selection_item::SelectionItem;
use hive_router_query_planner::ast::selection_set::SelectionSet;

use super::join::{self, text};
use super::renamed::Renamed;
use super::roots::Roots;
use crate::schema::type_name;

pub(super) struct KeyObjects {
    /// What keys hold of the objects within them.
    held: HashMap<(String, String), query::SelectionSet>,
    /// What each field returns.
    returned: HashMap<(String, String), String>,
    roots: Roots,
    /// What the names of fields that are asked for again begin with. No field of the schema does; what a client
    /// calls a field has got another name already where it begins like one of ours.
    prefix: String,
}

/// What the name of a field that is asked for again begins with; nothing where none is.
#[derive(Default)]
pub(super) struct Again(Option<String>);

impl KeyObjects {
    pub fn new(supergraph: &ast::Document) -> Self {
        let mut known = KeyObjects {
            held: HashMap::new(),
            returned: HashMap::new(),
            roots: Roots::new(supergraph),
            prefix: "_again_".to_owned(),
        };
        for definition in join::definitions(supergraph) {
            for field in join::fields(definition) {
                let returned = join::inner_name(&field.field_type).to_owned();
                known.returned.insert((type_name(definition).to_owned(), field.name.clone()), returned);
            }
        }
        while known.returned.keys().any(|(_, field)| field.starts_with(&known.prefix)) {
            known.prefix.insert(0, '_');
        }
        for definition in join::definitions(supergraph) {
            for join in join::named(join::directives(definition), "join__type") {
                if let Some(key) = text(join, "key").and_then(join::field_set) {
                    known.hold(type_name(definition), &key);
                }
            }
        }
        known
    }

    fn hold(&mut self, ty: &str, key: &query::SelectionSet) {
        for field in key.items.iter().filter_map(plain) {
            if !field.selection_set.items.is_empty() {
                let held = self.held.entry((ty.to_owned(), field.name.clone()));
                held.or_insert_with(empty).items.extend(field.selection_set.items.iter().cloned());
            }
        }
    }

    /// Rewrites an operation where it wants more of such an object than a key holds.
    pub fn ask_again(&self, document: &mut query::Document) -> Again {
        if self.held.is_empty() {
            return Again::default();
        }
        let mut changed = false;
        for (root, set) in self.roots.selections(document) {
            changed |= self.set(set, root);
        }
        Again(changed.then(|| self.prefix.clone()))
    }

    /// Says whether something changed.
    fn set(&self, set: &mut query::SelectionSet, ty: &str) -> bool {
        let mut changed = false;
        let mut again = Vec::new();
        merge(set);
        for selection in &mut set.items {
            match selection {
                query::Selection::Field(field) => {
                    let coordinate = (ty.to_owned(), field.name.clone());
                    let Some(returned) = self.returned.get(&coordinate) else { continue };
                    changed |= self.set(&mut field.selection_set, returned);
                    let Some(held) = self.held.get(&coordinate) else { continue };
                    let more = without(&mut field.selection_set, held);
                    if !more.items.is_empty() {
                        let key = field.alias.as_ref().unwrap_or(&field.name);
                        let alias = Some(format!("{}{key}", self.prefix));
                        again.push(query::Field { alias, selection_set: more, ..field.clone() });
                    }
                }
                query::Selection::InlineFragment(fragment) => {
                    let on = join::condition(fragment, ty).to_owned();
                    changed |= self.set(&mut fragment.selection_set, &on);
                }
                query::Selection::FragmentSpread(_) => {}
            }
        }
        changed |= !again.is_empty();
        set.items.extend(again.into_iter().map(query::Selection::Field));
        changed
    }
}

impl Again {
    pub fn is_needed(&self) -> bool {
        self.0.is_some()
    }

    /// What a request asks for under such a name.
    pub fn renamed(&self, set: &SelectionSet) -> Vec<Renamed> {
        let mut renamed = Vec::new();
        if let Some(prefix) = &self.0 {
            collect(set, prefix, &mut Vec::new(), &mut renamed);
        }
        renamed
    }

    /// The name a field goes by in the answer.
    pub fn real<'n>(&self, name: &'n str) -> &'n str {
        self.0.as_deref().and_then(|prefix| name.strip_prefix(prefix)).unwrap_or(name)
    }
}

/// An object is renamed before what is in it; paths are as the request has them.
fn collect(set: &SelectionSet, prefix: &str, path: &mut Vec<String>, renamed: &mut Vec<Renamed>) {
    for item in &set.items {
        match item {
            SelectionItem::Field(field) => {
                let alias = field.selection_identifier();
                let key = alias.strip_prefix(prefix).unwrap_or(alias);
                if key != alias {
                    let (path, alias, key) = (path.clone(), alias.to_owned(), key.to_owned());
                    renamed.push(Renamed { path, alias, key });
                }
                path.push(alias.to_owned());
                collect(&field.selections, prefix, path, renamed);
                path.pop();
            }
            SelectionItem::InlineFragment(fragment) => collect(&fragment.selections, prefix, path, renamed),
            SelectionItem::FragmentSpread(_) => {}
        }
    }
}

/// Leaves one field of each name.
fn merge(set: &mut query::SelectionSet) {
    let mut merged: Vec<query::Selection> = Vec::with_capacity(set.items.len());
    for selection in std::mem::take(&mut set.items) {
        let key = plain(&selection).map(|field| field.alias.as_ref().unwrap_or(&field.name));
        let known = merged.iter_mut().find_map(|other| match other {
            query::Selection::Field(other) => {
                (Some(other.alias.as_ref().unwrap_or(&other.name)) == key).then_some(other)
            }
            _ => None,
        });
        match (known, selection) {
            (Some(known), query::Selection::Field(field)) => {
                known.selection_set.items.extend(field.selection_set.items);
            }
            (_, selection) => merged.push(selection),
        }
    }
    set.items = merged;
}

/// Takes out what a key does not hold, unless that is everything.
fn without(set: &mut query::SelectionSet, held: &query::SelectionSet) -> query::SelectionSet {
    let (mut kept, mut more) = (empty(), empty());
    for selection in &set.items {
        let same = plain(selection).and_then(|field| {
            let same = |it: &&query::Field| it.name == field.name;
            Some((field, held.items.iter().filter_map(plain).find(same)?))
        });
        match same {
            Some((field, held)) => {
                let mut field = field.clone();
                let within = without(&mut field.selection_set, &held.selection_set);
                if !within.items.is_empty() {
                    let further = query::Field { selection_set: within, ..field.clone() };
                    more.items.push(query::Selection::Field(further));
                }
                kept.items.push(query::Selection::Field(field));
            }
            None => more.items.push(selection.clone()),
        }
    }
    if kept.items.is_empty() {
        return empty();
    }
    set.items = kept.items;
    more
}

fn plain(selection: &query::Selection) -> Option<&query::Field> {
    match selection {
        query::Selection::Field(field) => Some(field),
        _ => None,
    }
}

fn empty() -> query::SelectionSet {
    query::SelectionSet { span: Default::default(), items: Vec::new() }
}
