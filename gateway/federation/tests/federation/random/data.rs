//! Random data for a blueprint: nulls, shared objects, circles, and fields that fail.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::blueprint::{Blueprint, Field, Type};
use super::dice::Dice;
use super::schema::Made;
use crate::oracle::world::Data;

const NULLS_PERCENT: usize = 12;
const FAILURES_PERCENT: usize = 4;

pub fn data(made: &Made, dice: Dice) -> Data {
    let mut filler =
        Filler { blueprint: &made.blueprint, needed: &made.needed, dice, addresses: BTreeMap::new() };
    for name in made.blueprint.objects.keys().filter(|name| !is_root(name)) {
        let count = filler.dice.between(2, 4);
        let addresses = (1..=count).map(|number| format!("{name}:{number}")).collect();
        filler.addresses.insert(name.clone(), addresses);
    }
    let mut objects = BTreeMap::new();
    for name in made.blueprint.objects.keys() {
        let addresses = match filler.addresses.get(name) {
            Some(addresses) => addresses.clone(),
            None => vec![name.clone()],
        };
        for address in addresses {
            objects.insert(address, filler.object(name, 0));
        }
    }
    Data { objects }
}

fn is_root(name: &str) -> bool {
    ["Query", "Mutation"].contains(&name)
}

struct Filler<'b> {
    blueprint: &'b Blueprint,
    needed: &'b BTreeSet<(String, String)>,
    dice: Dice,
    /// Of each object type, all objects there are.
    addresses: BTreeMap<String, Vec<String>>,
}

/// What is to be kept in mind while one field's value is made.
struct Wanted {
    /// The types an object here can have: those that every part that holds the field knows.
    possible: Vec<String>,
    may_fail: bool,
    /// Of a key: no other object may have the same.
    unique: bool,
    depth: usize,
}

impl Filler<'_> {
    fn object(&mut self, name: &str, depth: usize) -> Map<String, Value> {
        let mut members = Map::new();
        for (field_name, field) in &self.blueprint.objects[name].fields {
            let needed = self.needed.contains(&(name.to_owned(), field_name.clone()));
            let strict = field.holders.values().any(|it| it.non_null);
            let wanted = Wanted {
                possible: self.possible(field),
                may_fail: !needed && !strict && depth == 0,
                unique: needed && field_name == "ref",
                depth,
            };
            let nullable = !strict && !field.ty.is_non_null();
            // Most leaves are made up from their place, which keeps keys apart.
            let leaf = !self.blueprint.is_composite(field.ty.name()) && !field.ty.is_list();
            if leaf && (!nullable || (needed && self.dice.percent(50)) || self.dice.percent(70)) {
                if wanted.may_fail && self.dice.percent(FAILURES_PERCENT) {
                    members.insert(field_name.clone(), failure(field_name));
                }
                continue;
            }
            let ty = if strict { field.ty.clone().non_null() } else { field.ty.clone() };
            let value = match !field.arguments.is_empty() && !leaf && !field.ty.is_list() {
                true => json!({"$choose": [self.value(&ty, &wanted), self.value(&ty, &wanted)]}),
                false => self.value(&ty, &wanted),
            };
            members.insert(field_name.clone(), value);
        }
        members
    }

    fn possible(&self, field: &Field) -> Vec<String> {
        let mut possible: Option<BTreeSet<String>> = None;
        for graph in field.holders.keys() {
            let here = self.blueprint.possible_in(*graph, field.ty.name());
            possible = Some(match possible {
                Some(known) => known.intersection(&here).cloned().collect(),
                None => here,
            });
        }
        possible.unwrap_or_default().into_iter().collect()
    }

    fn value(&mut self, ty: &Type, wanted: &Wanted) -> Value {
        if wanted.may_fail && self.dice.percent(FAILURES_PERCENT) {
            return failure("this");
        }
        match ty {
            Type::NonNull(inner) => match &**inner {
                Type::List(inner) => self.list(inner, wanted),
                _ => self.named(inner.name(), wanted),
            },
            _ if self.dice.percent(NULLS_PERCENT) => Value::Null,
            Type::List(inner) => self.list(inner, wanted),
            Type::Named(name) if self.blueprint.is_composite(name) && wanted.possible.is_empty() => {
                Value::Null
            }
            Type::Named(name) => self.named(name, wanted),
        }
    }

    fn list(&mut self, inner: &Type, wanted: &Wanted) -> Value {
        let count = self.dice.between(0, 3);
        (0..count).map(|_| self.value(inner, wanted)).collect()
    }

    fn named(&mut self, name: &str, wanted: &Wanted) -> Value {
        if !self.blueprint.is_composite(name) {
            return self.leaf(name);
        }
        let real = self.dice.one(&wanted.possible).clone();
        let value_object = !self.blueprint.objects[&real].is_entity();
        if value_object && (wanted.unique || (wanted.depth < 1 && self.dice.percent(25))) {
            let mut members = self.object(&real, wanted.depth + 1);
            if wanted.unique {
                members.retain(|name, _| name != "x");
            }
            members.insert("__typename".to_owned(), Value::from(real));
            return Value::Object(members);
        }
        Value::from(self.dice.one(&self.addresses[&real]).clone())
    }

    fn leaf(&mut self, name: &str) -> Value {
        if let Some(known) = self.blueprint.enums.get(name) {
            let open: Vec<_> = known.values.iter().filter(|(_, open)| *open).collect();
            return Value::from(self.dice.one(&open).0.clone());
        }
        let number = self.dice.below(100);
        match name {
            "Int" => Value::from(number as i64 - 50),
            "Float" => Value::from(number as f64 + 0.5),
            "Boolean" => Value::from(number.is_multiple_of(2)),
            "ID" => Value::from(format!("id {number}")),
            "String" => {
                let texts =
                    ["", "plain", "ü ไทย \u{1f600}", "a \"quote\" and a \\", "two\nlines", "__typename"];
                Value::from(*self.dice.one(&texts))
            }
            _ => match number % 4 {
                0 => json!({"any": [1, {"thing": null}], "id": "no key"}),
                1 => json!([[], "x", 1.5]),
                2 => json!(number),
                _ => json!(format!("scalar {number}")),
            },
        }
    }
}

fn failure(place: &str) -> Value {
    json!({"$fail": format!("{place} is broken")})
}
