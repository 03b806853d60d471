//! Finds objects in the answer so far, merges into them, and tells the client where they are.

use std::borrow::Cow;
use std::sync::Arc;

use foldhash::HashMap;

use super::{Execution, rewrites};
use crate::error::{GraphQLError, INTERNAL, PathSegment};
use crate::plan::{PathStep, Rewrite};
use crate::schema::Schema;
use crate::subgraph::AnswerError;
use crate::value::{Object, Value};

/// Where an object is: positions of members and items from the root. Members are only ever added, so a
/// position stays true while subgraphs answer.
pub(super) type Target = Vec<u32>;

/// Shows all objects a path leads to, and where they are. What the path promises and the data does not hold is
/// passed over.
pub(super) fn find(
    schema: &Schema,
    data: &Value,
    path: &[PathStep],
    found: &mut dyn FnMut(&Arc<Object>, &Target),
) {
    walk(schema, data, path, &mut Vec::new(), found);
}

fn walk(
    schema: &Schema,
    value: &Value,
    path: &[PathStep],
    at: &mut Target,
    found: &mut dyn FnMut(&Arc<Object>, &Target),
) {
    // A path may say nothing of lists below a list of lists, so items are always looked into.
    if let Value::List(items) = value {
        let rest = if matches!(path.first(), Some(PathStep::Items)) { &path[1..] } else { path };
        for (index, item) in items.iter().enumerate() {
            at.push(index as u32);
            walk(schema, item, rest, at, found);
            at.pop();
        }
        return;
    }
    let Value::Object(object) = value else { return };
    match path.first() {
        None => found(object, at),
        Some(PathStep::Items) => walk(schema, value, &path[1..], at, found),
        Some(PathStep::On(types)) => {
            let fits = |runtime| types.iter().any(|name| schema.satisfies(runtime, name));
            // An object without a type name could not be asked for more than its static type allows.
            if object.typename().is_none_or(fits) {
                walk(schema, value, &path[1..], at, found);
            }
        }
        Some(PathStep::Only(types)) => {
            let fits = |runtime: &str| !schema.is_object(runtime) || types.iter().any(|name| name == runtime);
            if object.typename().is_none_or(fits) {
                walk(schema, value, &path[1..], at, found);
            }
        }
        Some(PathStep::Key(key)) => {
            if let Some(position) = key.position(object)
                && let Some((_, inner)) = object.at(position)
            {
                at.push(position as u32);
                walk(schema, inner, &path[1..], at, found);
                at.pop();
            }
        }
    }
}

pub(super) fn get<'v>(root: &'v Value, target: &[u32]) -> Option<&'v Value> {
    target.iter().try_fold(root, |value, position| match value {
        Value::List(items) => items.get(*position as usize),
        Value::Object(object) => object.at(*position as usize).map(|(_, value)| value),
        _ => None,
    })
}

/// Lays values over the objects at their places. Places found one after the other share most of their way,
/// which is then gone once for all of them.
pub(super) fn merge_at(root: &mut Value, places: &[(&Target, &Value)]) {
    merge_below(root, 0, places, &mut Merged::default());
}

fn merge_below(here: &mut Value, depth: usize, mut places: &[(&Target, &Value)], merged: &mut Merged) {
    while let [(target, value), others @ ..] = places {
        let Some(step) = target.get(depth) else {
            merged.merge(here, value);
            places = others;
            continue;
        };
        let same = places.iter().take_while(|(target, _)| target.get(depth) == Some(step)).count();
        let (below, others) = places.split_at(same);
        places = others;
        let inner = match here {
            Value::List(items) => Arc::make_mut(items).get_mut(*step as usize),
            Value::Object(object) => Arc::make_mut(object).at_mut(*step as usize),
            _ => None,
        };
        if let Some(inner) = inner {
            merge_below(inner, depth + 1, below, merged);
        }
    }
}

/// What came of the last merge of each value, and how many members were there before. One entity often stands
/// at many places where the same is known of it: they then share one object, which is made and written once.
#[derive(Default)]
struct Merged(HashMap<*const Value, (usize, Value)>);

impl Merged {
    fn merge(&mut self, here: &mut Value, value: &Value) {
        let Value::Object(before) = here else { return here.merge(value) };
        let members = before.len();
        if let Some((same_members, Value::Object(after))) = self.0.get(&std::ptr::from_ref(value))
            && *same_members == members
            && after.begins_as(before)
        {
            *here = Value::Object(after.clone());
            return;
        }
        here.merge(value);
        self.0.insert(value, (members, here.clone()));
    }
}

/// What servers add for their own operators, under the names they are known to give it.
const INTERNAL_EXTENSIONS: [&str; 10] = [
    "serviceName",
    "service",
    "subgraph",
    "subgraphName",
    "url",
    "stacktrace",
    "exception",
    "debug",
    "request",
    "response",
];

pub(super) fn key(key: &str) -> PathSegment {
    PathSegment::Key(key.into())
}

/// A subgraph's error for the client: its code and words, without what it tells about the subgraph itself.
pub(super) fn client_error(error: AnswerError, path: Vec<PathSegment>) -> GraphQLError {
    let mut extensions = error.extensions;
    extensions.retain(|name, _| !INTERNAL_EXTENSIONS.iter().any(|it| name.eq_ignore_ascii_case(it)));
    let code = match extensions.remove("code") {
        Some(serde_json::Value::String(code)) => Cow::Owned(code),
        _ => Cow::Borrowed(INTERNAL),
    };
    GraphQLError { message: error.message, code, path, locations: Vec::new(), extensions }
}

impl Execution<'_> {
    /// A path of a subgraph's answer in the client's names.
    pub(super) fn client_path(&self, path: &[PathSegment], output_rewrites: &[Rewrite]) -> Vec<PathSegment> {
        let mut path = path.to_vec();
        rewrites::rename_path(output_rewrites, &mut path);
        path.iter()
            .map(|segment| match segment {
                PathSegment::Key(name) => key(self.subgraphs.aliases.response_key(name)),
                PathSegment::Index(index) => PathSegment::Index(*index),
            })
            .collect()
    }

    pub(super) fn target_path(&self, root: &Value, target: &[u32]) -> Vec<PathSegment> {
        let mut path = Vec::with_capacity(target.len());
        let mut value = root;
        for position in target {
            let index = *position as usize;
            match value {
                Value::Object(object) => {
                    let Some((name, inner)) = object.at(index) else { break };
                    path.push(key(self.subgraphs.aliases.response_key(name.as_str())));
                    value = inner;
                }
                Value::List(items) => {
                    let Some(inner) = items.get(index) else { break };
                    path.push(PathSegment::Index(index));
                    value = inner;
                }
                _ => break,
            }
        }
        path
    }
}
