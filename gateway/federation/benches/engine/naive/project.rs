//! The answer in the client's shape, as the specification's CollectFields and CompleteValue have it.

use std::collections::HashMap;

use graphql_tools::static_graphql::{query, schema};
use serde_json::{Map, Value};

pub struct Projection {
    /// The types of fields, by type and name.
    fields: HashMap<String, HashMap<String, query::Type>>,
    /// The object types that are of an interface or a union.
    possible: HashMap<String, Vec<String>>,
    root: query::SelectionSet,
    fragments: HashMap<String, query::FragmentDefinition>,
}

impl Projection {
    pub fn new(schema: &schema::Document, document: query::Document) -> Self {
        let mut fields: HashMap<String, HashMap<String, query::Type>> = HashMap::new();
        let mut possible: HashMap<String, Vec<String>> = HashMap::new();
        for definition in &schema.definitions {
            let schema::Definition::TypeDefinition(definition) = definition else { continue };
            let (name, own) = match definition {
                schema::TypeDefinition::Object(ty) => {
                    for interface in &ty.implements_interfaces {
                        possible.entry(interface.clone()).or_default().push(ty.name.clone());
                    }
                    (&ty.name, &ty.fields)
                }
                schema::TypeDefinition::Interface(ty) => (&ty.name, &ty.fields),
                _ => continue,
            };
            let own = own.iter().map(|field| (field.name.clone(), field.field_type.clone())).collect();
            fields.insert(name.clone(), own);
        }
        let mut root = None;
        let mut fragments = HashMap::new();
        for definition in document.definitions {
            match definition {
                query::Definition::Operation(query::OperationDefinition::Query(query)) => {
                    root = Some(query.selection_set);
                }
                query::Definition::Fragment(fragment) => {
                    fragments.insert(fragment.name.clone(), fragment);
                }
                query::Definition::Operation(_) => {}
            }
        }
        Projection { fields, possible, root: root.unwrap(), fragments }
    }

    pub fn project(&self, data: &Value) -> Value {
        self.object(data.as_object().unwrap(), "Query", &[&self.root]).unwrap_or_default()
    }

    /// Nothing where a null spreads to the parent.
    fn object(
        &self,
        object: &Map<String, Value>,
        static_type: &str,
        sets: &[&query::SelectionSet],
    ) -> Option<Value> {
        let runtime = object.get("__typename").and_then(Value::as_str).unwrap_or(static_type);
        let mut groups: Vec<(&str, Vec<&query::Field>)> = Vec::new();
        for set in sets {
            self.collect(set, runtime, &mut groups);
        }
        let mut out = Map::with_capacity(groups.len());
        for (key, fields) in groups {
            if fields[0].name == "__typename" {
                out.insert(key.to_owned(), Value::from(runtime));
                continue;
            }
            let ty = self.fields.get(runtime)?.get(&fields[0].name)?;
            let value = object.get(key).unwrap_or(&Value::Null);
            out.insert(key.to_owned(), self.value(value, ty, &fields)?);
        }
        Some(Value::Object(out))
    }

    fn collect<'q>(
        &'q self,
        set: &'q query::SelectionSet,
        runtime: &str,
        groups: &mut Vec<(&'q str, Vec<&'q query::Field>)>,
    ) {
        for item in &set.items {
            match item {
                query::Selection::Field(field) => {
                    let key = field.alias.as_ref().unwrap_or(&field.name).as_str();
                    match groups.iter_mut().find(|(known, _)| *known == key) {
                        Some((_, fields)) => fields.push(field),
                        None => groups.push((key, vec![field])),
                    }
                }
                query::Selection::FragmentSpread(spread) => {
                    let fragment = &self.fragments[&spread.fragment_name];
                    let query::TypeCondition::On(condition) = &fragment.type_condition;
                    if self.satisfies(runtime, condition) {
                        self.collect(&fragment.selection_set, runtime, groups);
                    }
                }
                query::Selection::InlineFragment(fragment) => {
                    let condition = fragment.type_condition.as_ref();
                    if condition.is_none_or(|query::TypeCondition::On(name)| self.satisfies(runtime, name)) {
                        self.collect(&fragment.selection_set, runtime, groups);
                    }
                }
            }
        }
    }

    fn satisfies(&self, runtime: &str, condition: &str) -> bool {
        runtime == condition
            || self.possible.get(condition).is_some_and(|types| types.iter().any(|ty| ty == runtime))
    }

    fn value(&self, value: &Value, ty: &query::Type, fields: &[&query::Field]) -> Option<Value> {
        match ty {
            query::Type::NonNullType(inner) => {
                self.value(value, inner, fields).filter(|value| !value.is_null())
            }
            query::Type::ListType(inner) => match value {
                Value::Array(items) => {
                    let items: Option<Vec<_>> =
                        items.iter().map(|item| self.value(item, inner, fields)).collect();
                    Some(items.map_or(Value::Null, Value::Array))
                }
                _ => Some(Value::Null),
            },
            query::Type::NamedType(name) => match value {
                Value::Object(object) if !fields[0].selection_set.items.is_empty() => {
                    let sets: Vec<_> = fields.iter().map(|field| &field.selection_set).collect();
                    Some(self.object(object, name, &sets).unwrap_or_default())
                }
                value => Some(value.clone()),
            },
        }
    }
}
