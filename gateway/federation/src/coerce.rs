//! Brings a request's variables into the form their types ask for, or says what is wrong with them.

use graphql_tools::static_graphql::query;
use serde_json::{Map, Value};

use crate::error::{BAD_USER_INPUT, GraphQLError, Location};
use crate::schema::{Kind, Schema, Type, TypeRef};

/// Coerces the variables of one operation. All that is wrong is reported at once.
pub(crate) fn coerce_variables(
    schema: &Schema,
    definitions: &[query::VariableDefinition],
    mut given: Map<String, Value>,
    depth_max: usize,
) -> Result<Map<String, Value>, Vec<GraphQLError>> {
    let mut coerced = Map::new();
    let mut errors = Vec::new();
    let coercion = Coercion { schema, depth_max };
    for definition in definitions {
        let ty = TypeRef::from(&definition.var_type);
        let result = match (given.remove(&definition.name), &definition.default_value) {
            (Some(value), _) => coercion.value(&ty, value, 0).map(Some),
            (None, Some(default)) => coercion.value(&ty, literal(default), 0).map(Some),
            (None, None) if ty.is_non_null() => {
                Err(Wrong::new(format!("of required type {ty} was not provided")))
            }
            (None, None) => Ok(None),
        };
        match result {
            Ok(Some(value)) => drop(coerced.insert(definition.name.clone(), value)),
            Ok(None) => {}
            Err(wrong) => errors.push(wrong.error(definition)),
        }
    }
    // A variable that no operation declares is ignored, as the specification has it.
    if errors.is_empty() { Ok(coerced) } else { Err(errors) }
}

/// A constant of the document as JSON.
pub(crate) fn literal(value: &query::Value) -> Value {
    match value {
        query::Value::Variable(_) | query::Value::Null => Value::Null,
        query::Value::Int(number) => number.as_i64().map_or(Value::Null, Value::from),
        query::Value::Float(number) => Value::from(*number),
        query::Value::String(text) => Value::from(text.as_str()),
        query::Value::Boolean(bool) => Value::from(*bool),
        query::Value::Enum(name) => Value::from(name.as_str()),
        query::Value::List(items) => items.iter().map(literal).collect(),
        query::Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), literal(value))).collect()
        }
    }
}

/// What is wrong with a value, and where in it.
struct Wrong {
    reason: String,
    /// From the inside out.
    at: Vec<String>,
}

impl Wrong {
    fn new(reason: impl Into<String>) -> Self {
        Wrong { reason: reason.into(), at: Vec::new() }
    }

    fn within(mut self, place: String) -> Self {
        self.at.push(place);
        self
    }

    fn error(self, definition: &query::VariableDefinition) -> GraphQLError {
        let place: String = self.at.into_iter().rev().collect();
        let name = &definition.name;
        let mut error =
            GraphQLError::new(BAD_USER_INPUT, format!("Variable \"${name}{place}\" {}.", self.reason));
        let position = definition.position;
        error.locations.push(Location { line: position.line, column: position.column });
        error
    }
}

struct Coercion<'a> {
    schema: &'a Schema,
    depth_max: usize,
}

impl Coercion<'_> {
    fn value(&self, ty: &TypeRef, value: Value, depth: usize) -> Result<Value, Wrong> {
        if depth > self.depth_max {
            return Err(Wrong::new("is nested too deeply"));
        }
        match (ty, value) {
            (TypeRef::NonNull(_), Value::Null) => Err(Wrong::new(format!("of type {ty} must not be null"))),
            (TypeRef::NonNull(inner), value) => self.value(inner, value, depth),
            (_, Value::Null) => Ok(Value::Null),
            (TypeRef::List(inner), Value::Array(items)) => items
                .into_iter()
                .enumerate()
                .map(|(index, item)| {
                    self.value(inner, item, depth + 1).map_err(|wrong| wrong.within(format!("[{index}]")))
                })
                .collect(),
            // A single value stands for a list of one.
            (TypeRef::List(inner), value) => Ok(Value::Array(vec![self.value(inner, value, depth + 1)?])),
            (TypeRef::Named(name), value) => self.named(name, value, depth),
        }
    }

    fn named(&self, name: &str, value: Value, depth: usize) -> Result<Value, Wrong> {
        match self.schema.get(name) {
            Some(ty) if ty.kind == Kind::Enum => match &value {
                Value::String(text) if ty.enum_values.contains(text) => Ok(value),
                _ => Err(Wrong::new(format!("is not one of the values of {name}"))),
            },
            Some(ty) if ty.kind == Kind::InputObject => match value {
                Value::Object(members) => self.input_object(ty, members, depth),
                _ => Err(Wrong::new(format!("is not an object of type {name}"))),
            },
            Some(_) => scalar(name, value),
            None => Err(Wrong::new(format!("has the unknown type {name}"))),
        }
    }

    fn input_object(&self, ty: &Type, mut given: Map<String, Value>, depth: usize) -> Result<Value, Wrong> {
        let name = &ty.name;
        let mut coerced = Map::new();
        for (field, input) in &ty.inputs {
            match given.remove(field) {
                Some(value) => {
                    let value = self.value(&input.ty, value, depth + 1);
                    coerced.insert(field.clone(), value.map_err(|wrong| wrong.within(format!(".{field}")))?);
                }
                // The subgraph that owns the input fills its defaults in.
                None if input.ty.is_non_null() && !input.has_default => {
                    return Err(Wrong::new(format!("lacks the required field {field} of {name}")));
                }
                None => {}
            }
        }
        if let Some(unknown) = given.keys().next() {
            let known = unknown.chars().take(NAME_CHARACTERS_MAX).collect::<String>();
            return Err(Wrong::new(format!("has the field {known:?}, which {name} does not have")));
        }
        if ty.one_of && (coerced.len() != 1 || coerced.values().any(Value::is_null)) {
            return Err(Wrong::new(format!("must have exactly one field of {name}, not null")));
        }
        Ok(Value::Object(coerced))
    }
}

/// How much of a client's own word an error repeats.
const NAME_CHARACTERS_MAX: usize = 40;

fn scalar(name: &str, value: Value) -> Result<Value, Wrong> {
    let fits = match (name, &value) {
        ("Int", Value::Number(number)) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => return int(whole),
            (None, Some(float)) if float.fract() == 0.0 && float.abs() < 4e9 => return int(float as i64),
            _ => false,
        },
        ("Float", Value::Number(_)) | ("String" | "ID", Value::String(_)) | ("Boolean", Value::Bool(_)) => {
            true
        }
        ("ID", Value::Number(number)) if number.is_i64() || number.is_u64() => {
            return Ok(Value::String(number.to_string()));
        }
        ("Int" | "Float" | "String" | "ID" | "Boolean", _) => false,
        // A custom scalar is its subgraph's to judge.
        _ => true,
    };
    if fits { Ok(value) } else { Err(Wrong::new(format!("is not a valid {name}"))) }
}

fn int(whole: i64) -> Result<Value, Wrong> {
    match i32::try_from(whole) {
        Ok(whole) => Ok(Value::from(whole)),
        Err(_) => Err(Wrong::new("does not fit the 32 bits of an Int")),
    }
}
