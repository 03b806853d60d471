//! Whether an answer is one the schema allows for its document, whatever the subgraphs said.

use std::collections::{BTreeMap, BTreeSet};

use federation::Response;
use graphql_tools::static_graphql::query::{
    Definition, Directive, Document, Field, FragmentDefinition, Selection, SelectionSet, TypeCondition,
    Value as Literal,
};
use graphql_tools::static_graphql::schema::Type;
use serde_json::{Map, Value};

use super::model::Model;

/// What an answer is held against.
pub struct Shape<'a> {
    model: &'a Model,
    fragments: BTreeMap<&'a str, &'a FragmentDefinition>,
    variables: &'a Map<String, Value>,
}

type Judged = Result<(), String>;

/// Panics unless the response is JSON, and its data of the shape that this operation has on its root type.
pub fn check(
    model: &Model,
    document: &Document,
    root: &str,
    set: &SelectionSet,
    variables: &Map<String, Value>,
    response: &Response,
) {
    let bytes = response.to_json_bytes();
    let text = String::from_utf8_lossy(&bytes);
    let whole: Value = serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{error}: {text}"));
    let mut shape = Shape { model, fragments: BTreeMap::new(), variables };
    for definition in &document.definitions {
        if let Definition::Fragment(fragment) = definition {
            shape.fragments.insert(&fragment.name, fragment);
        }
    }
    let judged = match &whole["data"] {
        Value::Null if !whole["errors"].is_array() => Err("null without an error".to_owned()),
        Value::Null => Ok(()),
        Value::Object(object) => shape.object(root, &[set], object),
        _ => Err("data is no object".to_owned()),
    };
    let errors = whole.get("errors").and_then(Value::as_array).into_iter().flatten();
    let keys = shape.keys(root, set);
    let judged = errors.fold(judged, |judged, error| judged.and_then(|()| told(error, &keys)));
    if let Err(reason) = judged {
        panic!("{reason}: {text} for {document}");
    }
}

/// An error has words and a code, and is told at a place the answer can have.
fn told(error: &Value, keys: &BTreeSet<&str>) -> Judged {
    let coded = error["message"].is_string() && error["extensions"]["code"].is_string();
    let path = error.get("path").and_then(Value::as_array).into_iter().flatten().next();
    match path.map(|first| first.as_str().unwrap_or_default()) {
        Some(first) if !keys.contains(first) => Err(format!("no such place in the answer: {error}")),
        _ if !coded => Err(format!("an error without words or code: {error}")),
        _ => Ok(()),
    }
}

impl<'a> Shape<'a> {
    fn object(&self, ty: &str, sets: &[&SelectionSet], object: &Map<String, Value>) -> Judged {
        let named = self.typename(sets, object);
        let candidates = match named {
            Some(name) if self.model.is(name, ty) || name == ty => vec![name],
            Some(name) => return Err(format!("{name} is not a {ty}")),
            // A type nobody knows may also be an interface, as one subgraph knows it.
            None => self.model.possible(ty).into_iter().chain([ty]).collect(),
        };
        let mut reasons = Vec::new();
        for runtime in candidates {
            match self.object_of(runtime, sets, object) {
                Ok(()) => return Ok(()),
                Err(reason) => reasons.push(reason),
            }
        }
        Err(reasons.join(" or "))
    }

    /// The type the object gives itself, if it was asked for whatever the type is.
    fn typename<'v>(&self, sets: &[&SelectionSet], object: &'v Map<String, Value>) -> Option<&'v str> {
        let items = sets.iter().flat_map(|set| &set.items);
        let mut keys = items.filter_map(|selection| match selection {
            Selection::Field(field) if field.name == "__typename" => {
                Some(field.alias.as_deref().unwrap_or("__typename"))
            }
            _ => None,
        });
        keys.find_map(|key| object.get(key).and_then(Value::as_str))
    }

    fn object_of(&self, runtime: &str, sets: &[&SelectionSet], object: &Map<String, Value>) -> Judged {
        let mut groups: BTreeMap<&str, Vec<&Field>> = BTreeMap::new();
        sets.iter().for_each(|set| self.collect(runtime, set, &mut groups));
        let there: BTreeSet<_> = object.keys().map(String::as_str).collect();
        let asked: BTreeSet<_> = groups.keys().copied().collect();
        if there != asked {
            return Err(format!("a {runtime} has {there:?} where {asked:?} was asked"));
        }
        for (key, fields) in groups {
            let name = &fields[0].name;
            if name.starts_with("__") {
                continue;
            }
            let Some(definition) = self.model.field(runtime, name) else {
                return Err(format!("{runtime} has no {name}"));
            };
            let sets: Vec<_> = fields.iter().map(|field| &field.selection_set).collect();
            self.value(&definition.field_type, &sets, &object[key])
                .map_err(|reason| format!("{reason} in {runtime}.{name}"))?;
        }
        Ok(())
    }

    fn collect<'s>(
        &'s self,
        runtime: &str,
        set: &'s SelectionSet,
        groups: &mut BTreeMap<&'s str, Vec<&'s Field>>,
    ) {
        for selection in &set.items {
            let (directives, condition, inner) = match selection {
                Selection::Field(field) => {
                    if self.includes(&field.directives) {
                        let key = field.alias.as_deref().unwrap_or(&field.name);
                        groups.entry(key).or_default().push(field);
                    }
                    continue;
                }
                Selection::InlineFragment(it) => {
                    (&it.directives, it.type_condition.as_ref(), &it.selection_set)
                }
                Selection::FragmentSpread(spread) => {
                    let it = self.fragments[&*spread.fragment_name];
                    (&spread.directives, Some(&it.type_condition), &it.selection_set)
                }
            };
            let fits = condition.is_none_or(|TypeCondition::On(name)| self.model.is(runtime, name));
            if fits && self.includes(directives) {
                self.collect(runtime, inner, groups);
            }
        }
    }

    fn includes(&self, directives: &[Directive]) -> bool {
        directives.iter().all(|directive| {
            let wanted = match directive.name.as_str() {
                "include" => true,
                "skip" => false,
                _ => return true,
            };
            directive.arguments.iter().all(|(_, value)| match value {
                Literal::Boolean(value) => *value == wanted,
                Literal::Variable(name) => self.variables.get(name) == Some(&Value::Bool(wanted)),
                _ => false,
            })
        })
    }

    /// The response keys at the root.
    fn keys<'s>(&'s self, root: &str, set: &'s SelectionSet) -> BTreeSet<&'s str> {
        let mut groups = BTreeMap::new();
        self.collect(root, set, &mut groups);
        groups.into_keys().collect()
    }

    fn value(&self, ty: &Type, sets: &[&SelectionSet], value: &Value) -> Judged {
        let fits = match (ty, value) {
            (Type::NonNullType(_), Value::Null) => false,
            (Type::NonNullType(inner), value) => return self.value(inner, sets, value),
            (_, Value::Null) => true,
            (Type::ListType(inner), Value::Array(items)) => {
                return items.iter().try_for_each(|item| self.value(inner, sets, item));
            }
            (Type::ListType(_), _) => false,
            (Type::NamedType(name), Value::Object(object)) if self.model.is_composite(name) => {
                return self.object(name, sets, object);
            }
            (Type::NamedType(name), value) => leaf(self.model, name, value),
        };
        if fits { Ok(()) } else { Err(format!("{value} is not a {ty}")) }
    }
}

fn leaf(model: &Model, name: &str, value: &Value) -> bool {
    match (name, value) {
        _ if model.is_composite(name) => false,
        ("Int", value) => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        ("Float", value) => value.is_number(),
        ("String" | "ID", value) => value.is_string(),
        ("Boolean", value) => value.is_boolean(),
        (name, value) => match model.values(name).as_slice() {
            [] => true,
            values => value.as_str().is_some_and(|text| values.contains(&text)),
        },
    }
}
