//! Leaves out the errors of what nobody asked for.
//!
//! One request to a subgraph can be for several objects, and be wanted in part of each: `... on Song { plays }`
//! may be asked of a film too, together with what is wanted of films. That the film fails at it is no news.

use crate::error::{GraphQLError, PathSegment};
use crate::schema::Schema;
use crate::selection::{Field, Item, Selections};
use crate::value::{Object, Value};

pub(crate) fn drop_stray(
    schema: &Schema,
    selections: &Selections,
    data: &Value,
    errors: &mut Vec<GraphQLError>,
) {
    errors.retain(|error| {
        let all = Sets { here: vec![selections], elsewhere: Vec::new() };
        !all.lead_elsewhere(schema, data, &error.path)
    });
}

/// What is selected of a value, and what is selected of others at the same place.
#[derive(Default)]
struct Sets<'s> {
    here: Vec<&'s Selections>,
    elsewhere: Vec<&'s Selections>,
}

impl<'s> Sets<'s> {
    /// Whether a path leads to a field that is selected, but not of the object it stands in. A path to what is
    /// not selected of any is none: it is to a key or a requirement, and tells why something is missing.
    fn lead_elsewhere(&self, schema: &Schema, value: &Value, path: &[PathSegment]) -> bool {
        match (path, value) {
            ([PathSegment::Index(index), rest @ ..], Value::List(items)) => {
                items.get(*index).is_some_and(|item| self.lead_elsewhere(schema, item, rest))
            }
            ([PathSegment::Key(key), rest @ ..], Value::Object(object)) => {
                let mut found = Found::default();
                self.here.iter().for_each(|set| found.look(schema, set, object, key, true));
                self.elsewhere.iter().for_each(|set| found.look(schema, set, object, key, false));
                let Some(field) = found.here.first() else { return !found.elsewhere.is_empty() };
                let inner = field.data_key.find(object).unwrap_or(&Value::Null);
                let sets = |fields: Vec<&'s Field>| fields.into_iter().map(|it| &it.selections).collect();
                let sets = Sets { here: sets(found.here), elsewhere: sets(found.elsewhere) };
                sets.lead_elsewhere(schema, inner, rest)
            }
            _ => false,
        }
    }
}

/// The fields of one name among selections.
#[derive(Default)]
struct Found<'s> {
    here: Vec<&'s Field>,
    elsewhere: Vec<&'s Field>,
}

impl<'s> Found<'s> {
    fn look(&mut self, schema: &Schema, set: &'s Selections, object: &Object, key: &str, here: bool) {
        for item in &set.items {
            match item {
                Item::Field(field) if *field.response_key != *key => {}
                Item::Field(field) if here => self.here.push(field),
                Item::Field(field) => self.elsewhere.push(field),
                Item::Branch { condition, selections } => {
                    // Where nobody knows the type it may be any.
                    let fits = object.typename().is_none_or(|runtime| schema.satisfies(runtime, condition));
                    self.look(schema, selections, object, key, here && fits);
                }
            }
        }
    }
}
