//! Asks for entities: each is represented once however often it stands in the answer, and lands everywhere.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::{Execution, paths, paths::Target, rewrites};
use crate::error::{GraphQLError, PathSegment};
use crate::plan::{Batch, Fetch, Path, Requirement, Rewrite};
use crate::schema::Schema;
use crate::subgraph::{Answer, AnswerError};
use crate::value::{Key, Object, Value, write_json};

/// Places one failure is reported at; the answer shows the other nulls by itself.
const REPORTS_MAX: usize = 100;

/// The entities of one request, or of one alias of a batch.
#[derive(Default)]
struct Wanted {
    representations: Vec<Value>,
    /// For each representation, where its entity belongs.
    targets: Vec<Vec<Target>>,
}

impl Execution<'_> {
    pub(super) async fn fetch_entities(
        &self,
        path: &Path,
        fetch: &Fetch,
        requires: &[Requirement],
    ) -> Vec<GraphQLError> {
        let mut wanted = self.want(std::slice::from_ref(path), requires, &fetch.input_rewrites);
        if wanted.representations.is_empty() {
            return Vec::new();
        }
        let representations = Value::list(std::mem::take(&mut wanted.representations));
        let variables = vec![(Key::from("representations"), representations)];
        match self.ask(fetch.subgraph, &fetch.operation, variables).await {
            Some(mut answer) => {
                self.land("_entities", &wanted, &fetch.output_rewrites, &fetch.keys, &mut answer, true)
            }
            None => self.unavailable(&wanted, &fetch.keys),
        }
    }

    pub(super) async fn fetch_batch(&self, batch: &Batch) -> Vec<GraphQLError> {
        let mut all: Vec<Wanted> = batch
            .entities
            .iter()
            .map(|entities| self.want(&entities.paths, &entities.requires, &entities.input_rewrites))
            .collect();
        if all.iter().all(|wanted| wanted.representations.is_empty()) {
            return Vec::new();
        }
        let lists = all.iter_mut().map(|wanted| Value::list(std::mem::take(&mut wanted.representations)));
        let names = batch.entities.iter().map(|entities| Key::from(entities.variable.as_str()));
        let variables = names.zip(lists).collect();
        let answer = self.ask(batch.subgraph, &batch.operation, variables).await;
        let mut errors = Vec::new();
        let Some(mut answer) = answer else {
            for (entities, wanted) in batch.entities.iter().zip(&all) {
                errors.extend(self.unavailable(wanted, &entities.keys));
            }
            return errors;
        };
        let last = batch.entities.len().saturating_sub(1);
        for (index, (entities, wanted)) in batch.entities.iter().zip(&all).enumerate() {
            // What names no alias of the batch is told once, with the last.
            let rewrites = &entities.output_rewrites;
            errors.extend(self.land(
                &entities.alias,
                wanted,
                rewrites,
                &entities.keys,
                &mut answer,
                index == last,
            ));
        }
        errors
    }

    fn want(&self, paths: &[Path], requires: &[Requirement], input_rewrites: &[Rewrite]) -> Wanted {
        let schema = &self.subgraphs.schema;
        let root = self.data();
        let mut wanted = Wanted::default();
        let mut known: HashMap<Vec<u8>, usize> = HashMap::new();
        for target in paths.iter().flat_map(|path| paths::find(schema, &root, path)) {
            let object = paths::get(&root, &target).and_then(Value::as_object);
            let Some(mut representation) = object.and_then(|object| represent(schema, object, requires))
            else {
                continue;
            };
            rewrites::apply(schema, input_rewrites, &mut representation);
            let mut text = Vec::new();
            write_json(&mut text, &representation);
            match known.entry(text) {
                Entry::Occupied(entry) => wanted.targets[*entry.get()].push(target),
                Entry::Vacant(entry) => {
                    entry.insert(wanted.representations.len());
                    wanted.representations.push(representation);
                    wanted.targets.push(vec![target]);
                }
            }
        }
        wanted
    }

    /// Merges what came back under `alias` and says at which objects of the answer its errors belong. Errors
    /// of other aliases stay; those of none are taken with the last.
    fn land(
        &self,
        alias: &str,
        wanted: &Wanted,
        output_rewrites: &[Rewrite],
        keys: &[String],
        answer: &mut Answer,
        last: bool,
    ) -> Vec<GraphQLError> {
        let entities = answer.data.as_object_mut().and_then(|data| data.get_mut(alias)).map(std::mem::take);
        let mut entities = match entities {
            Some(Value::List(entities)) => std::sync::Arc::unwrap_or_clone(entities),
            _ => Vec::new(),
        };
        let belongs = |error: &AnswerError| match error.path.first() {
            Some(PathSegment::Key(key)) => **key == *alias,
            _ => false,
        };
        let (own, mut rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut answer.errors).into_iter().partition(belongs);
        let stray = if last { std::mem::take(&mut rest) } else { Vec::new() };
        answer.errors = rest;
        let silent = own.is_empty() && stray.is_empty();
        // Fewer entities than asked for and no word why: no answer for the missing ones.
        let missing = wanted.targets.get(entities.len()..).filter(|_| silent).unwrap_or_default();
        let mut errors = self.unavailable_at(missing, keys);
        let root = self.data();
        let told = own.iter().flat_map(|error| {
            let places = self.places(&root, wanted, &entities, &error.path[1..], output_rewrites);
            places.into_iter().map(|path| paths::client_error(error.clone(), path))
        });
        errors.extend(told.take(REPORTS_MAX));
        for error in stray.into_iter().take(REPORTS_MAX) {
            let first = wanted.targets.iter().flatten().next();
            let path = first.map(|target| self.target_path(&root, target)).unwrap_or_default();
            errors.push(paths::client_error(error, path));
        }
        drop(root);
        for (entity, targets) in entities.iter_mut().zip(&wanted.targets) {
            rewrites::apply(&self.subgraphs.schema, output_rewrites, entity);
            let mut entity = std::mem::take(entity);
            let mut root = self.data();
            if let Some(known) = targets.first().and_then(|target| paths::get(&root, target)) {
                self.keep_type(known, &mut entity);
            }
            let Some((final_target, others)) = targets.split_last() else { continue };
            for target in others {
                paths::merge_at(&mut root, target, entity.clone());
            }
            paths::merge_at(&mut root, final_target, entity);
        }
        errors
    }

    /// A subgraph with `@interfaceObject` names the interface; what is known to be more must stay so.
    fn keep_type(&self, known: &Value, entity: &mut Value) {
        let Some(known) = known.as_object().and_then(Object::typename) else { return };
        let wider = |name: &str| name != known && self.subgraphs.schema.satisfies(known, name);
        if entity.as_object().and_then(Object::typename).is_some_and(wider)
            && let Some(entity) = entity.as_object_mut()
        {
            entity.remove("__typename");
        }
    }

    /// The client's paths for an error at `path` below the entities: `[index, "field", …]`. async-graphql
    /// leaves the index out; the error is then any entity's that has nothing at that place.
    fn places(
        &self,
        root: &Value,
        wanted: &Wanted,
        entities: &[Value],
        path: &[PathSegment],
        output_rewrites: &[Rewrite],
    ) -> Vec<Vec<PathSegment>> {
        let (indices, below): (Vec<usize>, &[PathSegment]) = match path {
            [PathSegment::Index(index), below @ ..] => (vec![*index], below),
            below => {
                let all = 0..wanted.targets.len();
                let lacks = |index: &usize| entities.get(*index).is_none_or(|entity| lacks(entity, below));
                let lacking: Vec<_> = all.clone().filter(lacks).collect();
                (if lacking.is_empty() { all.collect() } else { lacking }, below)
            }
        };
        let below = self.client_path(below, output_rewrites);
        let targets =
            indices.iter().filter_map(|index| wanted.targets.get(*index)).flatten().take(REPORTS_MAX);
        let place = |target: &Target| {
            let mut place = self.target_path(root, target);
            place.extend(below.iter().cloned());
            place
        };
        targets.map(place).collect()
    }

    fn unavailable(&self, wanted: &Wanted, keys: &[String]) -> Vec<GraphQLError> {
        self.unavailable_at(&wanted.targets, keys)
    }

    fn unavailable_at(&self, targets: &[Vec<Target>], keys: &[String]) -> Vec<GraphQLError> {
        let root = self.data();
        let place = |target: &Target| {
            let mut path = self.target_path(&root, target);
            // One missing field can be named; of several, their object is.
            if let [key] = keys {
                path.push(paths::key(self.subgraphs.aliases.response_key(key)));
            }
            GraphQLError::unavailable().at(path)
        };
        targets.iter().flatten().take(REPORTS_MAX).map(place).collect()
    }
}

/// Whether the value has nothing at a path, or at some item of a list on it.
fn lacks(value: &Value, path: &[PathSegment]) -> bool {
    match (value, path) {
        (Value::Null, _) => true,
        (_, []) => false,
        (Value::List(items), [PathSegment::Index(index), rest @ ..]) => {
            items.get(*index).is_none_or(|item| lacks(item, rest))
        }
        (Value::List(items), path) => items.iter().any(|item| lacks(item, path)),
        (Value::Object(object), [PathSegment::Key(key), rest @ ..]) => {
            object.get(key).is_none_or(|inner| lacks(inner, rest))
        }
        _ => false,
    }
}

/// What a subgraph is told of an entity, or nothing when nothing it is known by is there.
fn represent(schema: &Schema, object: &Object, requires: &[Requirement]) -> Option<Value> {
    // Without a type name nobody knows which entity this is.
    object.typename()?;
    let mut out = Object::default();
    let found = fill(schema, object, requires, &mut out);
    // All that is required may be required of other types only.
    (found != Some(false) && out.get("__typename").is_some()).then(|| Value::object(out))
}

/// Adds the required members. Says whether one besides the type name was found; nothing if none was required,
/// because `@key(fields: "__typename")` is a key too. A null that is required is sent, a gap is not.
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
                let value = object.get(data_key).or_else(|| object.get(key));
                let meta = &**key == "__typename";
                if let Some(value) = value {
                    out.insert(Key::Shared(key.clone()), narrow(schema, value, inner));
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
