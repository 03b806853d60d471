//! What subgraphs are told of entities: the members they are known by.

use std::sync::Arc;

use foldhash::HashMap;

use super::rewrites;
use crate::plan::{Requirement, Rewrite};
use crate::schema::Schema;
use crate::value::{Object, Value, write_json};

/// The representations of one request so far. Most objects of a long answer stand for an entity that is
/// known, so what is required of them is compared before anything is made of it.
#[derive(Default)]
pub(super) struct Known {
    /// By what `identify` writes; nothing for objects that cannot be represented.
    by_identity: HashMap<Vec<u8>, Option<usize>>,
    /// Objects that stand at several places.
    by_object: HashMap<*const Object, Option<usize>>,
    /// By their text, when they are rewritten: that can make two objects one.
    by_text: HashMap<Vec<u8>, usize>,
    identity: Vec<u8>,
    count: usize,
}

impl Known {
    /// The number of an object's representation, and the representation itself when it is a new one.
    pub fn number(
        &mut self,
        schema: &Schema,
        object: &Arc<Object>,
        requires: &[Requirement],
        input_rewrites: &[Rewrite],
    ) -> Option<(usize, Option<Value>)> {
        self.identity.clear();
        if Arc::strong_count(object) == 1 {
            return self.number_of(schema, object, requires, input_rewrites);
        }
        if let Some(known) = self.by_object.get(&Arc::as_ptr(object)) {
            return known.map(|number| (number, None));
        }
        let found = self.number_of(schema, object, requires, input_rewrites);
        self.by_object.insert(Arc::as_ptr(object), found.as_ref().map(|(number, _)| *number));
        found
    }

    /// How much had to be compared for the object asked of last.
    pub fn identity_bytes(&self) -> usize {
        self.identity.len()
    }

    fn number_of(
        &mut self,
        schema: &Schema,
        object: &Object,
        requires: &[Requirement],
        input_rewrites: &[Rewrite],
    ) -> Option<(usize, Option<Value>)> {
        identify(schema, object, requires, &mut self.identity);
        if let Some(known) = self.by_identity.get(&self.identity) {
            return known.map(|number| (number, None));
        }
        let found = represent(schema, object, requires).map(|mut representation| {
            let mut number = self.count;
            if !input_rewrites.is_empty() {
                rewrites::apply(schema, input_rewrites, &mut representation);
                let mut text = Vec::new();
                write_json(&mut text, &representation);
                number = *self.by_text.entry(text).or_insert(number);
            }
            (number, (number == self.count).then_some(representation))
        });
        if let Some((number, _)) = found {
            self.count = self.count.max(number + 1);
        }
        self.by_identity.insert(self.identity.clone(), found.as_ref().map(|(number, _)| *number));
        found
    }
}

/// Writes what is required of an object, in the order of the requirements: the same for two objects when they
/// have the same representation. No JSON value begins as the marks between do, so that it can be read one way.
fn identify(schema: &Schema, object: &Object, requires: &[Requirement], out: &mut Vec<u8>) {
    for requirement in requires {
        match requirement {
            Requirement::On { condition, inner } => {
                if object.typename().is_none_or(|runtime| schema.satisfies(runtime, condition)) {
                    out.push(b'+');
                    identify(schema, object, inner, out);
                } else {
                    out.push(b'!');
                }
            }
            Requirement::Field { data_key, key, inner } => {
                match data_key.find(object).or_else(|| object.get(key.as_str())) {
                    Some(value) => identify_value(schema, value, inner, out),
                    None => out.push(b'?'),
                }
            }
        }
    }
}

fn identify_value(schema: &Schema, value: &Value, requires: &[Requirement], out: &mut Vec<u8>) {
    match value {
        Value::List(items) if !requires.is_empty() => {
            out.push(b'[');
            for item in items.iter() {
                identify_value(schema, item, requires, out);
            }
            out.push(b']');
        }
        Value::Object(object) if !requires.is_empty() => {
            out.push(b'{');
            identify(schema, object, requires, out);
            out.push(b'}');
        }
        value => write_json(out, value),
    }
    out.push(b',');
}

/// What a subgraph is told of an entity, or nothing when nothing it must be told is there.
fn represent(schema: &Schema, object: &Object, requires: &[Requirement]) -> Option<Value> {
    // Without a type name nobody knows which entity this is.
    object.typename()?;
    let mut out = Object::default();
    let found = fill(schema, object, requires, &mut out);
    // All that is required may be required of other types only.
    (found != Some(false) && out.get("__typename").is_some()).then(|| Value::object(out))
}

/// Adds the required members. Says whether any of them was found; nothing if none besides the type name was
/// required, because `@key(fields: "__typename")` is a key too. A null is something to tell; a gap, which a
/// failure left, is not. Several fields are asked for together: where one lacks what it requires, the others are
/// still to be had.
fn fill(schema: &Schema, object: &Object, requires: &[Requirement], out: &mut Object) -> Option<bool> {
    let mut found = None;
    let mut note = |here: bool| found = Some(found.unwrap_or_default() || here);
    for requirement in requires {
        match requirement {
            Requirement::On { condition, inner } => {
                let runtime = object.typename();
                if runtime.is_none_or(|runtime| schema.satisfies(runtime, condition))
                    && let Some(here) = fill(schema, object, inner, out)
                {
                    note(here);
                }
            }
            Requirement::Field { data_key, key, inner } => {
                let value = data_key.find(object).or_else(|| object.get(key.as_str()));
                let meta = key.as_str() == "__typename";
                if let Some(value) = value {
                    out.insert(key.clone(), narrow(schema, value, inner));
                }
                if !meta {
                    note(value.is_some());
                }
            }
        }
    }
    found
}

fn narrow(schema: &Schema, value: &Value, requires: &[Requirement]) -> Value {
    match value {
        value if requires.is_empty() => value.clone(),
        Value::List(items) => Value::list(items.iter().map(|item| narrow(schema, item, requires)).collect()),
        Value::Object(object) => {
            let mut out = Object::default();
            fill(schema, object, requires, &mut out);
            Value::object(out)
        }
        value => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::read_json;

    fn field(name: &str) -> Requirement {
        Requirement::Field { data_key: name.into(), key: name.into(), inner: Vec::new() }
    }

    #[test]
    fn objects_are_one_entity_only_when_all_that_is_required_is_the_same() {
        let schema = graphql_tools::parser::parse_schema::<String>("type Query { a: Int }").unwrap();
        let schema = Schema::new(Arc::new(schema.into_static())).unwrap();
        let inner = Vec::from(["a", "b", "c"].map(field));
        let within = Requirement::Field { data_key: "at".into(), key: "at".into(), inner };
        let requires = [field("__typename"), within];
        let mut known = Known::default();
        let mut number = |text: &'static str| {
            let object = read_json(text.into(), 8).unwrap();
            let Value::Object(object) = object else { panic!("an object") };
            let number = known.number(&schema, &object, &requires, &[]);
            number.map(|(number, new)| (number, new.is_some()))
        };
        assert_eq!(number(r#"{"__typename": "T", "at": {"b": 1, "c": -2}}"#), Some((0, true)));
        assert_eq!(number(r#"{"__typename": "T", "at": {"a": -1, "c": 2}}"#), Some((1, true)));
        assert_eq!(number(r#"{"at": {"c": -2, "more": 3, "b": 1}, "__typename": "T"}"#), Some((0, false)));
        assert_eq!(number(r#"{"__typename": "T", "at": {"a": null, "b": 1, "c": -2}}"#), Some((2, true)));
        assert_eq!(number(r#"{"at": {"a": 1}}"#), None);
    }
}
