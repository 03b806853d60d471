//! Whether a subgraph was asked for something its caller may not see.
//!
//! Two things are asked for whatever the caller may see, because the federation stands on them: what a `@key` is
//! made of, and what a `@requires` names, where the document selects a field that requires it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, Field, Selection, SelectionSet};

use super::part::{Asked, field_set};
use super::schema::{Kind, Schema, named};
use super::sight::{Caller, given_types};

/// A field of an object type.
type Coordinate = (String, String);

pub struct Ears {
    whole: Schema,
    parts: BTreeMap<String, Schema>,
    keys: BTreeSet<Coordinate>,
    /// For what is required, the fields that require it.
    required: HashMap<Coordinate, BTreeSet<Coordinate>>,
}

impl Ears {
    pub fn new(whole: Schema, parts: BTreeMap<String, Schema>) -> Self {
        let mut ears = Ears { whole, parts, keys: BTreeSet::new(), required: HashMap::new() };
        for part in ears.parts.values() {
            for (ty, definition) in &part.types {
                for (fields, _) in definition.keys() {
                    ears.keys.extend(named_by(part, ty, &field_set(fields)));
                }
                for (field, definition) in &definition.fields {
                    let Some(fields) = definition.says("requires", "fields") else { continue };
                    for needed in named_by(part, ty, &field_set(fields)) {
                        let by = ears.required.entry(needed).or_default();
                        by.insert((ty.clone(), field.clone()));
                    }
                }
            }
        }
        ears
    }

    /// Everything that should not have been asked.
    pub fn overheard(&self, query: &str, requests: &[Asked], caller: Caller<'_>) -> Vec<String> {
        let words = query.split(|mark: char| !mark.is_alphanumeric() && mark != '_').collect();
        let mut heard = Vec::new();
        for asked in requests {
            let document = parse_query(&asked.text).unwrap();
            let DocumentOperations::Single(operation) = &document.operations else {
                panic!("several operations in {}", asked.text)
            };
            let root = operation.node.ty.to_string();
            let root = if root == "mutation" { "Mutation" } else { "Query" };
            let mut listener = Listener {
                ears: self,
                part: &self.parts[&asked.part],
                asked,
                document: &document,
                heard: &mut heard,
            };
            listener.set(&operation.node.selection_set.node, root, &BTreeSet::from([root.to_owned()]));
        }
        let mut wrong = Vec::new();
        for heard in &heard {
            let Heard { part, on, types, field, given } = heard;
            for name in types.iter().chain([on]) {
                let coordinate = (name.clone(), field.clone());
                if !caller.opens(&self.whole, name, field)
                    && !self.is_key(name, field)
                    && !self.is_required(&coordinate, &words, &mut BTreeSet::new())
                {
                    wrong.push(format!("{part} was asked for {name}.{field}"));
                }
            }
            for name in given.iter().filter(|name| !caller.satisfies(name)) {
                wrong.push(format!("{part} was given a {name} for {on}.{field}"));
            }
        }
        wrong.sort();
        wrong.dedup();
        wrong
    }
}

impl Ears {
    /// A field of an interface is one when it is a key's of each type behind it.
    fn is_key(&self, name: &str, field: &str) -> bool {
        let of = |name: &str| self.keys.contains(&(name.to_owned(), field.to_owned()));
        of(name) || self.whole.possible(name).count() > 0 && self.whole.possible(name).all(of)
    }

    /// Whether the document selects a field that requires it, or that requires one that requires it.
    fn is_required(&self, it: &Coordinate, words: &BTreeSet<&str>, seen: &mut BTreeSet<Coordinate>) -> bool {
        let Some(by) = self.required.get(it) else { return false };
        seen.insert(it.clone())
            && by.iter().any(|by| words.contains(by.1.as_str()) || self.is_required(by, words, seen))
    }
}

/// One field of one request.
struct Heard {
    part: String,
    on: String,
    /// The object types it can meet there.
    types: BTreeSet<String>,
    field: String,
    /// The types its arguments are made of.
    given: BTreeSet<String>,
}

struct Listener<'a> {
    ears: &'a Ears,
    part: &'a Schema,
    asked: &'a Asked,
    document: &'a ExecutableDocument,
    heard: &'a mut Vec<Heard>,
}

impl Listener<'_> {
    fn set(&mut self, set: &SelectionSet, on: &str, types: &BTreeSet<String>) {
        for selection in &set.items {
            let (condition, inner) = match &selection.node {
                Selection::Field(field) => {
                    self.field(&field.node, on, types);
                    continue;
                }
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    let condition = condition.map_or(on, |condition| condition.node.on.node.as_str());
                    (condition, &fragment.node.selection_set.node)
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = &self.document.fragments[&spread.node.fragment_name.node].node;
                    (fragment.type_condition.node.on.node.as_str(), &fragment.selection_set.node)
                }
            };
            let possible = self.possible(condition);
            // An entity can be anything until its type is named.
            let narrowed = match on {
                "_Entity" => possible,
                _ => types.intersection(&possible).cloned().collect(),
            };
            self.set(inner, condition, &narrowed);
        }
    }

    fn field(&mut self, field: &Field, on: &str, types: &BTreeSet<String>) {
        let name = field.name.node.as_str();
        let inner = &field.selection_set.node;
        match (name, self.part.field(on, name)) {
            ("__typename", _) => {}
            ("_entities", _) => self.set(inner, "_Entity", &BTreeSet::new()),
            (_, None) => panic!("{on}.{name} is not in {}", self.asked.part),
            (_, Some(definition)) => {
                let given = given_types(self.part, &definition.arguments, field, &self.asked.variables);
                let (part, field) = (self.asked.part.clone(), name.to_owned());
                self.heard.push(Heard { part, on: on.to_owned(), types: types.clone(), field, given });
                let returned = named(&definition.ty);
                self.set(inner, returned, &self.possible(returned));
            }
        }
    }

    /// The real object types behind a name, as far as the part knows them.
    fn possible(&self, name: &str) -> BTreeSet<String> {
        let interface_object =
            self.part.kind(name) == Some(Kind::Object) && self.ears.whole.kind(name) == Some(Kind::Interface);
        let schema = if interface_object { &self.ears.whole } else { self.part };
        schema.possible(name).map(str::to_owned).collect()
    }
}

/// Every field a field set names, on every object type it can be of.
fn named_by(part: &Schema, ty: &str, set: &SelectionSet) -> Vec<Coordinate> {
    let mut all = Vec::new();
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => {
                let name = field.node.name.node.as_str();
                let types = part.possible(ty).chain([ty]);
                all.extend(types.map(|ty| (ty.to_owned(), name.to_owned())));
                if let Some(definition) = part.field(ty, name) {
                    all.extend(named_by(part, named(&definition.ty), &field.node.selection_set.node));
                }
            }
            Selection::InlineFragment(fragment) => {
                let condition = fragment.node.type_condition.as_ref();
                let ty = condition.map_or(ty, |condition| condition.node.on.node.as_str());
                all.extend(named_by(part, ty, &fragment.node.selection_set.node));
            }
            Selection::FragmentSpread(_) => {}
        }
    }
    all
}
