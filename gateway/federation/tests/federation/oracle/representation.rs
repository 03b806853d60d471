//! Entities, as a part is asked for them: who is meant, and whether the engine told the truth about them.

use async_graphql::Value as Literal;
use async_graphql::parser::types::{Field, Selection, SelectionSet};
use serde_json::{Map, Value};

use super::data::Object;
use super::evaluate::{Evaluation, Reached};
use super::part::Rules;

/// What the engine said of an entity.
pub type Told = Map<String, Value>;

impl<'a> Evaluation<'a> {
    pub(super) fn entities(&mut self, fields: &[&Field]) -> Value {
        let given = fields[0].get_argument("representations").map(|value| value.node.clone());
        let variable = |name: async_graphql::Name| {
            let value = self.variables.get(name.as_str()).cloned().unwrap_or_default();
            Literal::from_json(value).map_err(drop)
        };
        let given = given.and_then(|it| it.into_const_with(variable).ok()).and_then(|it| it.into_json().ok());
        let Some(Value::Array(representations)) = given else {
            self.complaints.push("no representations".to_owned());
            return Value::Null;
        };
        let sets: Vec<_> = fields.iter().map(|field| &field.selection_set.node).collect();
        let mut entities = Vec::new();
        for (index, representation) in representations.iter().enumerate() {
            if representations[..index].contains(representation) {
                self.complaints.push(format!("asked twice: {representation}"));
            }
        }
        for (index, representation) in representations.iter().enumerate() {
            entities.push(self.within(index, |evaluation| evaluation.entity(representation, &sets)));
        }
        Value::Array(entities)
    }

    fn entity(&mut self, representation: &Value, sets: &[&SelectionSet]) -> Value {
        let (Some(rules), Some(told)) = (self.rules, representation.as_object()) else { return Value::Null };
        let found = match self.find(rules, told) {
            Ok(found) => found,
            Err(complaint) => {
                self.complaints.push(format!("{complaint}: {representation}"));
                return Value::Null;
            }
        };
        let Some(object) = found else { return Value::Null };
        let declared = told["__typename"].as_str().unwrap_or_default();
        let Some(name) = self.name_of(&object, declared) else {
            self.complaints.push(format!("{} is no {declared}", object.address));
            return Value::Null;
        };
        let reached = Reached { provided: Vec::new(), told: Some(told) };
        self.object(&object, &name, sets, &reached).map_or(Value::Null, Value::Object)
    }

    /// The object a representation means, or nothing where a null is all that is known of it.
    fn find(&self, rules: &Rules, told: &Told) -> Result<Option<Object<'a>>, &'static str> {
        let name = told.get("__typename").and_then(Value::as_str).ok_or("no type name")?;
        let keys = rules.keys.get(name).map(Vec::as_slice).unwrap_or_default();
        if keys.is_empty() {
            return Err("no entity");
        }
        let known =
            keys.iter().flat_map(|key| names(&key.set)).chain(rules.required(name)).collect::<Vec<_>>();
        if told.keys().any(|told| told != "__typename" && !known.contains(&told.as_str())) {
            return Err("more than it needs to know");
        }
        let mut found: Option<Object<'_>> = None;
        let mut complete = false;
        for key in keys.iter().filter(|key| key.resolvable) {
            let values: Option<Vec<_>> = names(&key.set).into_iter().map(|name| told.get(name)).collect();
            let Some(values) = values else { continue };
            complete = true;
            if values.into_iter().any(has_null) {
                continue;
            }
            let truth = self.truth;
            let mut objects = truth.objects(name).into_iter();
            let meant = objects.find(|object| agrees(&truth.select(object, &key.set), told, false));
            let meant = meant.ok_or("nobody has this key")?;
            if found.is_some_and(|found| found.address != meant.address) {
                return Err("two keys mean two objects");
            }
            found = Some(meant);
        }
        if complete { Ok(found) } else { Err("none of its keys is whole") }
    }

    /// What was said wrongly, or not at all, of that which a field requires. Where something failed before, what
    /// is required may have gone with it.
    pub(super) fn untrue(
        &self,
        object: &Object<'_>,
        name: &str,
        field: &str,
        reached: &Reached<'_>,
    ) -> Option<String> {
        let required = self.rules?.requires.get(&(name.to_owned(), field.to_owned()))?;
        let truth = self.truth.select(object, required);
        let told = reached.told?;
        let untrue = !agrees(&truth, told, self.after_failure);
        untrue
            .then(|| format!("{name}.{field} requires {truth} and was told {}", Value::Object(told.clone())))
    }
}

/// Whether all that is true was said; more may have been. Of some of it nothing may be known.
fn agrees(truth: &Value, told: &Told, or_unknown: bool) -> bool {
    let Value::Object(truth) = truth else { return false };
    truth.iter().all(|(name, truth)| match (truth, told.get(name)) {
        (_, None) => or_unknown,
        (truth, Some(told)) => same(truth, told, or_unknown),
    })
}

fn same(truth: &Value, told: &Value, or_unknown: bool) -> bool {
    match (truth, told) {
        (_, Value::Null) if or_unknown => true,
        (Value::Array(truth), Value::Array(told)) => {
            let same = |(truth, told)| same(truth, told, or_unknown);
            truth.len() == told.len() && truth.iter().zip(told).all(same)
        }
        (Value::Object(_), Value::Object(told)) => agrees(truth, told, or_unknown),
        (truth, told) => truth == told,
    }
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(members) => members.values().any(has_null),
        _ => false,
    }
}

/// The names at the top of a field set, whatever type they are on.
pub(super) fn names(set: &SelectionSet) -> Vec<&str> {
    let mut found = Vec::new();
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => found.push(field.node.name.node.as_str()),
            Selection::InlineFragment(fragment) => found.extend(names(&fragment.node.selection_set.node)),
            Selection::FragmentSpread(_) => {}
        }
    }
    found
}
