//! What one caller may see, decided by the meaning of the directives alone: the engine's code is not asked.
//!
//! A selection of a field is written on one type and meets an object of the same or another. It is open when the
//! caller satisfies the rules of both types, of the field on both, of what the field returns on both, and of
//! every type of which its arguments hold a value. What stands below a selection that is not open is not open
//! either. A field is shown when one of the selections of it is open, and below it what open selections ask for;
//! the rest is null, and is told.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use async_graphql::parser::types::{
    BaseType, DocumentOperations, ExecutableDocument, Field, OperationType, Selection, SelectionSet, Type,
};
use async_graphql::{Name, Pos, Value as Literal};
use federation::Grants;
use serde_json::{Map, Value};

use super::schema::{Input, Kind, Schema, named};
use super::world::Guard;

/// Whom an answer is for.
#[derive(Clone, Copy)]
pub struct Caller<'a> {
    pub guards: &'a BTreeMap<String, Guard>,
    pub grants: &'a Grants,
}

impl Caller<'_> {
    /// Whether the caller satisfies the rules of a type, of its field and of what that returns.
    pub fn opens(&self, schema: &Schema, on: &str, field: &str) -> bool {
        // A type's name is no data of the type.
        if field == "__typename" {
            return true;
        }
        let returned = schema.field(on, field).map(|definition| named(&definition.ty));
        let coordinate = format!("{on}.{field}");
        [on, coordinate.as_str()].into_iter().chain(returned).all(|coordinate| self.satisfies(coordinate))
    }

    pub fn satisfies(&self, coordinate: &str) -> bool {
        let Some(Guard { authenticated, scopes }) = self.guards.get(coordinate) else { return true };
        let has_all = |all: &Vec<String>| all.iter().all(|scope| self.grants.scopes.contains(scope));
        (!authenticated || self.grants.authenticated) && (scopes.is_empty() || scopes.iter().any(has_all))
    }
}

pub struct Sight<'a> {
    schema: &'a Schema,
    caller: Caller<'a>,
    variables: Map<String, Value>,
    /// The type each field of the document is written on.
    written_on: HashMap<Pos, String>,
}

impl<'a> Sight<'a> {
    /// `given` are the variables as the client sent them.
    pub fn new(
        schema: &'a Schema,
        caller: Caller<'a>,
        document: &ExecutableDocument,
        given: &Map<String, Value>,
    ) -> Self {
        let mut variables = Map::new();
        let operation = match &document.operations {
            DocumentOperations::Single(operation) => operation,
            DocumentOperations::Multiple(operations) => &operations[operations.keys().next().unwrap()],
        };
        for definition in &operation.node.variable_definitions {
            let definition = &definition.node;
            let default =
                || definition.default_value.as_ref().and_then(|it| it.node.clone().into_json().ok());
            let name = definition.name.node.as_str();
            if let Some(value) = given.get(name).cloned().or_else(default) {
                variables.insert(name.to_owned(), value);
            }
        }
        let root = match operation.node.ty {
            OperationType::Mutation => "Mutation",
            _ => "Query",
        };
        let mut sight = Sight { schema, caller, variables, written_on: HashMap::new() };
        sight.read(&operation.node.selection_set.node, root);
        for fragment in document.fragments.values() {
            let on = fragment.node.type_condition.node.on.node.as_str();
            sight.read(&fragment.node.selection_set.node, on);
        }
        sight
    }

    fn read(&mut self, set: &SelectionSet, on: &str) {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => {
                    self.written_on.insert(field.node.name.pos, on.to_owned());
                    let definition = self.schema.field(on, &field.node.name.node);
                    if let Some(definition) = definition {
                        let returned = named(&definition.ty).to_owned();
                        self.read(&field.node.selection_set.node, &returned);
                    }
                }
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    let on = condition.map_or(on, |condition| condition.node.on.node.as_str()).to_owned();
                    self.read(&fragment.node.selection_set.node, &on);
                }
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    /// Whether this selection, met by an object of the type `runtime`, is kept from the caller.
    pub fn hides(&self, runtime: &str, field: &Field) -> bool {
        let on = &self.written_on[&field.name.pos];
        let name = field.name.node.as_str();
        let Sight { schema, caller, .. } = self;
        !caller.opens(schema, on, name) || !caller.opens(schema, runtime, name) || !self.may_give(on, field)
    }

    /// Whether the caller may use all types the arguments are made of.
    fn may_give(&self, on: &str, field: &Field) -> bool {
        let Some(definition) = self.schema.field(on, &field.name.node) else { return true };
        let types = given_types(self.schema, &definition.arguments, field, &self.variables);
        types.iter().all(|name| self.caller.satisfies(name))
    }
}

/// The types of which a field's arguments hold something. A variable that was not sent is as good as null.
pub fn given_types(
    schema: &Schema,
    inputs: &BTreeMap<String, Input>,
    field: &Field,
    variables: &Map<String, Value>,
) -> BTreeSet<String> {
    let variable = |name: Name| {
        let value = variables.get(name.as_str()).cloned().unwrap_or_default();
        Literal::from_json(value).map_err(drop)
    };
    let mut types = BTreeSet::new();
    for (name, value) in &field.arguments {
        let literal = value.node.clone().into_const_with(variable).expect("every variable has a value");
        let value = literal.into_json().expect("an argument is JSON");
        if let Some(input) = inputs.get(name.node.as_str()) {
            types_of(schema, &input.ty, &value, &mut types);
        }
    }
    types
}

/// The types a value holds something of: null is nothing of any type.
fn types_of(schema: &Schema, ty: &Type, value: &Value, types: &mut BTreeSet<String>) {
    if value.is_null() {
        return;
    }
    types.insert(named(ty).to_owned());
    match (&ty.base, value) {
        (BaseType::List(inner), Value::Array(items)) => {
            items.iter().for_each(|item| types_of(schema, inner, item, types));
        }
        (BaseType::List(inner), single) => types_of(schema, inner, single, types),
        (BaseType::Named(name), Value::Object(members)) => {
            let Some(input) = schema.get(name).filter(|it| it.kind == Kind::Input) else { return };
            for (name, value) in members {
                if let Some(field) = input.inputs.get(name) {
                    types_of(schema, &field.ty, value, types);
                }
            }
        }
        _ => {}
    }
}
