//! Variables and arguments, coerced as the specification says, written once more and without the engine.

use std::collections::BTreeMap;
use std::convert::Infallible;

use async_graphql::parser::types::{BaseType, Field, Type, VariableDefinition};
use async_graphql::{Name, Positioned, Value as Literal};
use serde_json::{Map, Value};

use super::schema::{Input, Kind, Schema};

/// How variables came: from a client that may be careless, or from the engine, which has coerced them.
#[derive(Clone, Copy, PartialEq)]
pub enum From {
    Client,
    Engine,
}

pub type Coerced = Map<String, Value>;

pub fn variables(
    schema: &Schema,
    definitions: &[Positioned<VariableDefinition>],
    given: &Coerced,
    from: From,
) -> Result<Coerced, String> {
    let mut coerced = Map::new();
    for definition in definitions {
        let VariableDefinition { name, var_type, default_value, .. } = &definition.node;
        let name = name.node.as_str();
        let ty = &var_type.node;
        let value = match (given.get(name), default_value) {
            (Some(value), _) => Some(json(schema, ty, value, from)?),
            (None, Some(default)) => literal(schema, ty, &default.node, &Map::new())?,
            (None, None) if ty.nullable => None,
            (None, None) => return Err(format!("the variable ${name} is missing")),
        };
        if let Some(value) = value {
            coerced.insert(name.to_owned(), value);
        }
    }
    Ok(coerced)
}

pub fn arguments(
    schema: &Schema,
    definitions: &BTreeMap<String, Input>,
    field: &Field,
    variables: &Coerced,
) -> Result<Coerced, String> {
    let mut given = Vec::new();
    for (name, value) in &field.arguments {
        // A variable's value is taken as it is, so its name travels where no enum value can be.
        let by_name = |name: Name| Ok::<_, Infallible>(Literal::Enum(Name::new(format!("${name}"))));
        let Ok(literal) = value.node.clone().into_const_with(by_name);
        given.push((name.node.to_string(), literal));
    }
    inputs(definitions, &given, |ty, value| literal(schema, ty, value, variables), schema)
}

/// Members of an input object or arguments of a field: what is not given has its default or is absent.
fn inputs<V>(
    definitions: &BTreeMap<String, Input>,
    given: &[(String, V)],
    coerce: impl Fn(&Type, &V) -> Result<Option<Value>, String>,
    schema: &Schema,
) -> Result<Coerced, String> {
    if let Some((unknown, _)) = given.iter().find(|(name, _)| !definitions.contains_key(name)) {
        return Err(format!("there is no argument or input field {unknown:?}"));
    }
    let mut coerced = Map::new();
    for (name, input) in definitions {
        let found = given.iter().find(|(given, _)| given == name);
        let value = found.map(|(_, value)| coerce(&input.ty, value)).transpose()?.flatten();
        let value = match (value, &input.default) {
            (Some(value), _) => Some(value),
            (None, Some(default)) => literal(schema, &input.ty, default, &Map::new())?,
            (None, None) if input.ty.nullable => None,
            (None, None) => return Err(format!("{name:?} is required")),
        };
        if let Some(value) = value {
            coerced.insert(name.clone(), value);
        }
    }
    Ok(coerced)
}

/// A value written in a document; nothing where it is a variable that was not given.
fn literal(
    schema: &Schema,
    ty: &Type,
    value: &Literal,
    variables: &Coerced,
) -> Result<Option<Value>, String> {
    if let Literal::Enum(name) = value
        && let Some(variable) = name.strip_prefix('$')
    {
        return match variables.get(variable) {
            Some(Value::Null) if !ty.nullable => Err(format!("${variable} is null where {ty} is asked for")),
            value => Ok(value.cloned()),
        };
    }
    let coerced = match (&ty.base, value) {
        (_, Literal::Null) if ty.nullable => Value::Null,
        (_, Literal::Null) => return Err(format!("null where {ty} is asked for")),
        (BaseType::List(inner), Literal::List(items)) => {
            let item = |item| Ok(literal(schema, inner, item, variables)?.unwrap_or_default());
            Value::Array(items.iter().map(item).collect::<Result<_, String>>()?)
        }
        (BaseType::List(inner), value) => {
            Value::Array(vec![literal(schema, inner, value, variables)?.unwrap_or_default()])
        }
        (BaseType::Named(name), Literal::Object(members)) if schema.kind(name) == Some(Kind::Input) => {
            let given: Vec<_> =
                members.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
            let coerce = |ty: &Type, value: &Literal| literal(schema, ty, value, variables);
            Value::Object(inputs(&schema.types[name.as_str()].inputs, &given, coerce, schema)?)
        }
        (BaseType::Named(name), Literal::Enum(value)) if schema.kind(name) == Some(Kind::Enum) => {
            enum_value(schema, name, value)?
        }
        (BaseType::Named(name), Literal::String(_)) if schema.kind(name) == Some(Kind::Enum) => {
            return Err(format!("a string where the enum {name} is asked for"));
        }
        (BaseType::Named(name), value) => leaf(schema, name, &plain(value, variables), From::Client)?,
    };
    Ok(Some(coerced))
}

/// A value of a variable.
fn json(schema: &Schema, ty: &Type, value: &Value, from: From) -> Result<Value, String> {
    match (&ty.base, value) {
        (_, Value::Null) if ty.nullable => Ok(Value::Null),
        (_, Value::Null) => Err(format!("null where {ty} is asked for")),
        (BaseType::List(inner), Value::Array(items)) => {
            items.iter().map(|item| json(schema, inner, item, from)).collect()
        }
        (BaseType::List(_), _) if from == From::Engine => Err(format!("no list where {ty} is asked for")),
        (BaseType::List(inner), value) => Ok(Value::Array(vec![json(schema, inner, value, from)?])),
        (BaseType::Named(name), Value::Object(members)) if schema.kind(name) == Some(Kind::Input) => {
            let given: Vec<_> = members.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
            let coerce = |ty: &Type, value: &Value| json(schema, ty, value, from).map(Some);
            inputs(&schema.types[name.as_str()].inputs, &given, coerce, schema).map(Value::Object)
        }
        (BaseType::Named(name), Value::String(value)) if schema.kind(name) == Some(Kind::Enum) => {
            enum_value(schema, name, value)
        }
        (BaseType::Named(name), value) => leaf(schema, name, value, from),
    }
}

fn enum_value(schema: &Schema, name: &str, value: &str) -> Result<Value, String> {
    match schema.types[name].values.iter().any(|known| known == value) {
        true => Ok(Value::from(value)),
        false => Err(format!("{value} is no value of {name}")),
    }
}

fn leaf(schema: &Schema, name: &str, value: &Value, from: From) -> Result<Value, String> {
    let wrong = || Err(format!("{value} where {name} is asked for"));
    match (name, value) {
        ("Int", Value::Number(number)) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) if i32::try_from(whole).is_ok() => Ok(value.clone()),
            (None, Some(float)) if from == From::Client && float.fract() == 0.0 => {
                Ok(Value::from(float as i64))
            }
            _ => wrong(),
        },
        ("Float", Value::Number(number)) => Ok(Value::from(number.as_f64().unwrap())),
        ("String" | "ID", Value::String(_)) | ("Boolean", Value::Bool(_)) => Ok(value.clone()),
        ("ID", Value::Number(number)) if from == From::Client && !number.is_f64() => {
            Ok(Value::from(number.to_string()))
        }
        ("Int" | "Float" | "String" | "ID" | "Boolean", _) => wrong(),
        // What is not in the schema is federation's own.
        (name, _) if matches!(schema.kind(name), None | Some(Kind::Scalar)) => Ok(sorted(value)),
        _ => wrong(),
    }
}

/// What stands in a document for a custom scalar.
fn plain(value: &Literal, variables: &Coerced) -> Value {
    match value {
        Literal::Enum(name) => match name.strip_prefix('$') {
            Some(variable) => variables.get(variable).cloned().unwrap_or_default(),
            None => Value::from(name.as_str()),
        },
        Literal::List(items) => items.iter().map(|item| plain(item, variables)).collect(),
        Literal::Object(members) => {
            members.iter().map(|(name, value)| (name.to_string(), plain(value, variables))).collect()
        }
        other => other.clone().into_json().unwrap(),
    }
}

/// The order of members says nothing.
pub fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::Object(members) => {
            let members: BTreeMap<_, _> =
                members.iter().map(|(name, value)| (name.clone(), sorted(value))).collect();
            members.into_iter().collect()
        }
        other => other.clone(),
    }
}
