//! Random arguments: literals, variables of every kind, and input objects with variables inside.

use std::collections::BTreeMap;

use async_graphql::parser::types::{BaseType, Type};
use serde_json::{Value, json};

use super::document::Variable;
use crate::oracle::schema::{Input, Kind, Schema};
use crate::random::dice::Dice;

pub struct Values<'s> {
    schema: &'s Schema,
    dice: Dice,
    pub variables: Vec<Variable>,
}

const NAMES: [&str; 6] = ["id", "representations", "a", "if", "_v", "first"];
const TEXTS: [&str; 6] = ["", "a", "TH", "9100001", "say \"ประตู\"\n\\", "$a {b}"];
const DEPTH_MAX: usize = 3;

impl<'s> Values<'s> {
    pub fn new(schema: &'s Schema, dice: Dice) -> Self {
        Values { schema, dice, variables: Vec::new() }
    }

    pub fn arguments(&mut self, definitions: &'s BTreeMap<String, Input>) -> Vec<(String, String)> {
        let mut given = Vec::new();
        for (name, input) in definitions {
            if required(input) || self.dice.percent(60) {
                given.push((name.clone(), self.argument(input, 0)));
            }
        }
        given
    }

    /// What `@skip` and `@include` depend on.
    pub fn condition(&mut self) -> String {
        match self.dice.below(4) {
            0 => "true".to_owned(),
            1 => "false".to_owned(),
            _ => self.variable(&Type::new("Boolean!").unwrap(), false),
        }
    }

    fn argument(&mut self, input: &Input, depth: usize) -> String {
        match self.dice.percent(40) {
            true => self.variable(&input.ty, input.default.is_some()),
            false => self.literal(&input.ty, depth),
        }
    }

    fn literal(&mut self, ty: &Type, depth: usize) -> String {
        if ty.nullable && self.dice.percent(10) {
            return "null".to_owned();
        }
        match &ty.base {
            BaseType::List(inner) if !matches!(inner.base, BaseType::List(_)) && self.dice.percent(15) => {
                // One value stands for a list of one; null would stand for no list.
                self.literal(&Type { nullable: false, ..(**inner).clone() }, depth)
            }
            BaseType::List(inner) => {
                let items: Vec<_> = (0..self.dice.below(3))
                    .map(|_| match self.dice.percent(20) {
                        true => self.variable(inner, false),
                        false => self.literal(inner, depth),
                    })
                    .collect();
                format!("[{}]", items.join(", "))
            }
            BaseType::Named(name) => match self.schema.kind(name) {
                Some(Kind::Input) => self.object(name, depth),
                _ => written(&self.leaf(name, true), self.schema.kind(name) == Some(Kind::Enum)),
            },
        }
    }

    fn object(&mut self, name: &str, depth: usize) -> String {
        let mut members = Vec::new();
        let schema = self.schema;
        for (name, input) in &schema.types[name].inputs {
            if required(input) || (depth < DEPTH_MAX && self.dice.percent(50)) {
                members.push(format!("{name}: {}", self.argument(input, depth + 1)));
            }
        }
        format!("{{{}}}", members.join(", "))
    }

    /// A variable that may stand where `ty` is asked for, known already or new. Where there is a default, one
    /// that may be null may stand for one that may not, but must not be null.
    fn variable(&mut self, ty: &Type, default: bool) -> String {
        let text = ty.to_string();
        let known = self.variables.iter().filter(|it| it.ty == text || it.ty == format!("{text}!"));
        let known: Vec<_> = known.map(|it| it.name.clone()).collect();
        if !known.is_empty() && self.dice.percent(50) {
            return format!("${}", self.dice.one(&known));
        }
        let mut stricter = ty.clone();
        if self.dice.percent(30) {
            stricter.nullable = false;
        }
        let looser = !stricter.nullable && self.dice.percent(25);
        let declared = Type { nullable: stricter.nullable || looser, ..stricter.clone() };
        let constant = looser || self.dice.percent(20);
        let value = match (stricter.nullable, self.dice.below(10)) {
            (true, 0) => Some(Value::Null),
            (true, 1 | 2) => None,
            // What has a default may be left out.
            (false, 0..4) if constant || (looser && default) => None,
            _ => Some(self.value(&stricter, 0)),
        };
        let default = constant.then(|| {
            let value = self.value(&stricter, 0);
            self.written_as(&stricter, &value)
        });
        let base = *self.dice.one(&NAMES);
        let name = match self.variables.iter().any(|it| it.name == base) {
            true => format!("{base}{}", self.variables.len()),
            false => base.to_owned(),
        };
        self.variables.push(Variable { name: name.clone(), ty: declared.to_string(), default, value });
        format!("${name}")
    }

    fn value(&mut self, ty: &Type, depth: usize) -> Value {
        if ty.nullable && self.dice.percent(15) {
            return Value::Null;
        }
        match &ty.base {
            BaseType::List(inner) if !matches!(inner.base, BaseType::List(_)) && self.dice.percent(15) => {
                self.value(&Type { nullable: false, ..(**inner).clone() }, depth)
            }
            BaseType::List(inner) => (0..self.dice.below(3)).map(|_| self.value(inner, depth)).collect(),
            BaseType::Named(name) if self.schema.kind(name) == Some(Kind::Input) => {
                let schema = self.schema;
                let mut members = serde_json::Map::new();
                for (name, input) in &schema.types[name.as_str()].inputs {
                    if required(input) || (depth < DEPTH_MAX && self.dice.percent(50)) {
                        members.insert(name.clone(), self.value(&input.ty, depth + 1));
                    }
                }
                Value::Object(members)
            }
            BaseType::Named(name) => self.leaf(name, false),
        }
    }

    /// A value of a scalar or an enum; some only a variable can have.
    fn leaf(&mut self, name: &str, literal: bool) -> Value {
        if let Some(known) = self.schema.get(name).filter(|known| known.kind == Kind::Enum) {
            return Value::from(self.dice.one(&known.values).as_str());
        }
        let whole = self.dice.below(2000) as i64 - 1000;
        match name {
            "Int" if !literal && self.dice.percent(10) => json!(whole as f64),
            "Int" => json!(whole),
            "Float" if self.dice.percent(30) => json!(whole),
            "Float" => json!(whole as f64 / 8.0),
            "Boolean" => json!(whole % 2 == 0),
            "ID" if self.dice.percent(20) => json!(whole),
            "String" | "ID" => json!(*self.dice.one(&TEXTS)),
            _ => match self.dice.below(4) {
                0 => json!(whole),
                1 => json!(*self.dice.one(&TEXTS)),
                2 => json!({"b": [whole, {"a": null}], "a": true}),
                _ => json!([]),
            },
        }
    }

    fn written_as(&self, ty: &Type, value: &Value) -> String {
        match (&ty.base, value) {
            (_, Value::Null) => "null".to_owned(),
            (BaseType::List(inner), Value::Array(items)) => {
                let items: Vec<_> = items.iter().map(|item| self.written_as(inner, item)).collect();
                format!("[{}]", items.join(", "))
            }
            (BaseType::List(inner), value) => self.written_as(inner, value),
            (BaseType::Named(name), Value::Object(members))
                if self.schema.kind(name) == Some(Kind::Input) =>
            {
                let inputs = &self.schema.types[name.as_str()].inputs;
                let member = |(name, value): (&String, &Value)| {
                    format!("{name}: {}", self.written_as(&inputs[name].ty, value))
                };
                format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "))
            }
            (BaseType::Named(name), value) => match (name.as_str(), value.as_f64()) {
                // 3.0 is no whole number in a document.
                ("Int", Some(number)) => format!("{}", number as i64),
                (name, _) => written(value, self.schema.kind(name) == Some(Kind::Enum)),
            },
        }
    }
}

fn required(input: &Input) -> bool {
    !input.ty.nullable && input.default.is_none()
}

/// JSON as GraphQL writes it.
fn written(value: &Value, is_enum: bool) -> String {
    match value {
        Value::String(text) if is_enum => text.clone(),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(|item| written(item, false)).collect::<Vec<_>>().join(", "))
        }
        Value::Object(members) => {
            let member = |(name, value)| format!("{name}: {}", written(value, false));
            format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}
