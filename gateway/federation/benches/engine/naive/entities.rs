//! Entities: found along a path, represented once each, laid over every place they stand at.

use std::collections::HashMap;

use hive_router_query_planner::ast::selection_item::SelectionItem;
use hive_router_query_planner::ast::selection_set::SelectionSet;
use hive_router_query_planner::planner::plan_nodes::FlattenNodePathSegment;
use serde_json::{Map, Value};

enum Step {
    Key(String),
    Index(usize),
}

#[derive(Default)]
pub struct Wanted {
    representations: Vec<Value>,
    /// Which representation the object at a path is known by.
    targets: Vec<(Vec<Step>, usize)>,
    known: HashMap<String, usize>,
}

impl Wanted {
    pub fn collect(&mut self, data: &Value, path: &[FlattenNodePathSegment], requires: &SelectionSet) {
        self.walk(data, path, requires, &mut Vec::new());
    }

    fn walk(
        &mut self,
        value: &Value,
        path: &[FlattenNodePathSegment],
        requires: &SelectionSet,
        at: &mut Vec<Step>,
    ) {
        match (value, path) {
            (Value::Array(items), [FlattenNodePathSegment::List, rest @ ..]) => {
                for (index, item) in items.iter().enumerate() {
                    at.push(Step::Index(index));
                    self.walk(item, rest, requires, at);
                    at.pop();
                }
            }
            (Value::Object(object), [FlattenNodePathSegment::Field(name), rest @ ..]) => {
                if let Some(inner) = object.get(name) {
                    at.push(Step::Key(name.clone()));
                    self.walk(inner, rest, requires, at);
                    at.pop();
                }
            }
            (Value::Object(object), [FlattenNodePathSegment::TypeCondition(types), rest @ ..]) => {
                let fits = |name: &str| types.iter().any(|ty| ty == name);
                if object.get("__typename").and_then(Value::as_str).is_none_or(fits) {
                    self.walk(value, rest, requires, at);
                }
            }
            (Value::Object(object), []) => self.target(object, requires, at),
            _ => {}
        }
    }

    fn target(&mut self, object: &Map<String, Value>, requires: &SelectionSet, at: &[Step]) {
        let representation = Value::Object(represent(object, requires));
        let text = serde_json::to_string(&representation).unwrap();
        let representations = &mut self.representations;
        let index = *self.known.entry(text).or_insert_with(|| {
            representations.push(representation);
            representations.len() - 1
        });
        let step = |step: &Step| match step {
            Step::Key(name) => Step::Key(name.clone()),
            Step::Index(index) => Step::Index(*index),
        };
        self.targets.push((at.iter().map(step).collect(), index));
    }

    pub fn take_representations(&mut self) -> Value {
        Value::Array(std::mem::take(&mut self.representations))
    }

    pub fn land(self, data: &mut Value, entities: Value) {
        for (path, index) in &self.targets {
            let place = path.iter().try_fold(&mut *data, |value, step| match step {
                Step::Key(name) => value.get_mut(name),
                Step::Index(index) => value.get_mut(index),
            });
            if let Some(place) = place {
                merge(place, entities[*index].clone());
            }
        }
    }
}

fn represent(object: &Map<String, Value>, requires: &SelectionSet) -> Map<String, Value> {
    let mut out = Map::new();
    for item in &requires.items {
        match item {
            SelectionItem::Field(field) => {
                if let Some(value) = object.get(&field.name) {
                    let value = match value {
                        Value::Object(inner) if !field.selections.items.is_empty() => {
                            Value::Object(represent(inner, &field.selections))
                        }
                        value => value.clone(),
                    };
                    out.insert(field.name.clone(), value);
                }
            }
            SelectionItem::InlineFragment(fragment) => {
                let runtime = object.get("__typename").and_then(Value::as_str);
                if runtime == Some(fragment.type_condition.as_str()) {
                    out.extend(represent(object, &fragment.selections));
                }
            }
            SelectionItem::FragmentSpread(_) => {}
        }
    }
    out
}

pub fn merge(mine: &mut Value, theirs: Value) {
    match (mine, theirs) {
        (_, Value::Null) => {}
        (Value::Object(mine), Value::Object(theirs)) => {
            for (key, value) in theirs {
                match mine.get_mut(&key) {
                    Some(known) => merge(known, value),
                    None => {
                        mine.insert(key, value);
                    }
                }
            }
        }
        (Value::Array(mine), Value::Array(theirs)) if mine.len() == theirs.len() => {
            for (known, value) in mine.iter_mut().zip(theirs) {
                merge(known, value);
            }
        }
        (mine, theirs) => *mine = theirs,
    }
}
