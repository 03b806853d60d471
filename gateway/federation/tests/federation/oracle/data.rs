//! What is true in a world: the value of every field of every object, whoever is asked.

use std::collections::BTreeMap;

use async_graphql::parser::types::{BaseType, SelectionSet, Type};
use serde_json::{Map, Value};

use super::arguments::{Coerced, sorted};
use super::evaluate::Evaluation;
use super::schema::{Kind, Schema};
use super::world::{Data, World};

pub struct Truth {
    /// What clients see.
    pub public: Schema,
    /// The public schema and what is inaccessible.
    pub whole: Schema,
    data: Data,
    /// The values of each enum that every part knows and clients see.
    values: BTreeMap<String, Vec<String>>,
}

#[derive(Clone, Debug)]
pub struct Object<'t> {
    /// The real type, whatever a part calls it.
    pub ty: String,
    pub address: String,
    members: &'t Map<String, Value>,
}

impl Truth {
    pub fn new(world: &World) -> Self {
        let public = Schema::parse(&world.monolith_sdl);
        let whole = Schema::parse(&world.supergraph_sdl);
        let parts: Vec<_> = world.parts.iter().map(|part| Schema::parse(&part.sdl)).collect();
        let mut values = BTreeMap::new();
        for (name, definition) in &public.types {
            let everywhere = |value: &&String| {
                let knows = |part: &Schema| part.get(name).is_none_or(|it| it.values.contains(value));
                parts.iter().all(knows)
            };
            values.insert(name.clone(), definition.values.iter().filter(everywhere).cloned().collect());
        }
        Truth { public, whole, data: world.data.clone(), values }
    }

    pub fn root(&self, name: &str) -> Object<'_> {
        let members = self.data.objects.get(name).unwrap_or_else(|| panic!("no {name} in the data"));
        Object { ty: name.to_owned(), address: name.to_owned(), members }
    }

    /// The object a value stands for; `at` is where it stands, for one that has no address of its own.
    pub fn object<'t>(&'t self, value: &'t Value, declared: &str, at: &str) -> Object<'t> {
        match value {
            Value::String(address) => {
                let members = self.data.objects.get(address);
                let members = members.unwrap_or_else(|| panic!("no {address} in the data, named by {at}"));
                let ty = address.split(':').next().unwrap_or_default().to_owned();
                Object { ty, address: address.clone(), members }
            }
            Value::Object(members) => {
                let ty = members.get("__typename").and_then(Value::as_str).unwrap_or(declared).to_owned();
                Object { ty, address: at.to_owned(), members }
            }
            other => panic!("{other} is no object, at {at}"),
        }
    }

    /// All objects that have an address of their own and are of this type.
    pub fn objects(&self, ty: &str) -> Vec<Object<'_>> {
        let mut objects = Vec::new();
        for (address, members) in &self.data.objects {
            let Some((real, _)) = address.split_once(':') else { continue };
            if self.whole.satisfies(real, ty) {
                objects.push(Object { ty: real.to_owned(), address: address.clone(), members });
            }
        }
        objects
    }

    /// A field's value as the data has it: addresses and failures are for the reader to see to.
    pub fn value(&self, object: &Object<'_>, field: &str, arguments: &Coerced, turn: Option<usize>) -> Value {
        let Object { ty, address, members } = object;
        let definition =
            self.whole.field(ty, field).unwrap_or_else(|| panic!("no {ty}.{field} in the whole"));
        let given = match members.get(field) {
            Some(given) => given.clone(),
            None => self.made_up(address, field, &definition.ty),
        };
        if definition.arguments.is_empty() && turn.is_none() {
            return given;
        }
        // A part may know arguments and input fields that clients do not, and fill their defaults in.
        let known = self.public.field(ty, field).unwrap_or(definition);
        let mut told = Map::new();
        for (name, input) in &known.arguments {
            if let Some(value) = arguments.get(name) {
                told.insert(name.clone(), self.canonical(&input.ty, value));
            }
        }
        if let Some(turn) = turn {
            told.insert("(turn)".to_owned(), turn.into());
        }
        let told = Value::Object(told).to_string();
        let hash = hash(&[address, field, &told]);
        match given.get("$choose").and_then(Value::as_array) {
            Some(values) => values[hash as usize % values.len()].clone(),
            None => self.bent(given, &definition.ty, hash, &told),
        }
    }

    /// The selection of a `@key` or `@requires`, as it is in truth.
    pub fn select(&self, object: &Object<'_>, set: &SelectionSet) -> Value {
        let (fragments, variables) = (Default::default(), Map::new());
        let mut evaluation = Evaluation::new(&self.whole, self, &fragments, &variables);
        let selected = evaluation.object(object, &object.ty, &[set], &Default::default());
        assert!(evaluation.errors.is_empty(), "a key or a requirement fails: {:?}", evaluation.errors);
        selected.map_or(Value::Null, Value::Object)
    }

    fn canonical(&self, ty: &Type, value: &Value) -> Value {
        match (&ty.base, value) {
            (BaseType::List(inner), Value::Array(items)) => {
                items.iter().map(|item| self.canonical(inner, item)).collect()
            }
            (BaseType::Named(name), Value::Object(members)) => match self.public.get(name) {
                Some(input) if input.kind == Kind::Input => {
                    let known = input.inputs.iter().filter_map(|(name, input)| {
                        Some((name.clone(), self.canonical(&input.ty, members.get(name)?)))
                    });
                    known.collect()
                }
                _ => sorted(value),
            },
            (_, value) => sorted(value),
        }
    }

    fn made_up(&self, address: &str, field: &str, ty: &Type) -> Value {
        let BaseType::Named(name) = &ty.base else {
            assert!(ty.nullable, "the list {address}.{field} is missing");
            return Value::Null;
        };
        let hash = hash(&[address, field]);
        match (self.whole.kind(name), name.as_str()) {
            (Some(Kind::Enum), name) => {
                let values = match self.values.get(name) {
                    Some(values) if !values.is_empty() => values,
                    _ => &self.whole.types[name].values,
                };
                Value::from(values[hash as usize % values.len()].as_str())
            }
            (_, "Int") => Value::from(hash % 1000),
            (_, "Float") => Value::from((hash % 1000) as f64 + 0.25),
            (_, "Boolean") => Value::from(hash.is_multiple_of(2)),
            (Some(Kind::Scalar), _) => Value::from(format!("{address}.{field}")),
            _ => {
                assert!(ty.nullable, "the object {address}.{field} is missing");
                Value::Null
            }
        }
    }

    fn bent(&self, value: Value, ty: &Type, hash: u64, told: &str) -> Value {
        match (&ty.base, value) {
            (_, Value::Null) => Value::Null,
            (_, Value::Object(members)) if members.contains_key("$fail") => Value::Object(members),
            (BaseType::List(inner), Value::Array(mut items)) => {
                if items.len() > 1 {
                    let turned = hash as usize % items.len();
                    items.rotate_left(turned);
                }
                if items.len() > 2 && hash & 64 != 0 {
                    items.pop();
                }
                items.into_iter().map(|item| self.bent(item, inner, hash, told)).collect()
            }
            (BaseType::Named(name), value) => match (name.as_str(), &value) {
                ("Int", Value::Number(number)) => {
                    Value::from(number.as_i64().unwrap() / 2 + (hash % 100_000) as i64)
                }
                ("Float", Value::Number(number)) => {
                    Value::from(number.as_f64().unwrap() + (hash % 1000) as f64)
                }
                ("Boolean", Value::Bool(bool)) => Value::from(*bool ^ (hash & 32 != 0)),
                (name, Value::String(text)) => match self.whole.kind(name) {
                    Some(Kind::Enum) => self.turned(name, text, hash),
                    Some(Kind::Scalar) => Value::from(format!("{text} {told}")),
                    _ => value,
                },
                _ => value,
            },
            (_, value) => value,
        }
    }

    fn turned(&self, name: &str, text: &str, hash: u64) -> Value {
        let values = self.values.get(name).map(Vec::as_slice).unwrap_or_default();
        match values.iter().position(|value| value == text) {
            Some(at) => Value::from(values[(at + hash as usize % values.len()) % values.len()].as_str()),
            None => Value::from(text),
        }
    }
}

/// FNV-1a: the same on every machine and in every version.
pub fn hash(texts: &[&str]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in texts.iter().flat_map(|text| text.bytes().chain([0xff])) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    // The low bits of FNV alone are weak.
    hash ^ (hash >> 29)
}
