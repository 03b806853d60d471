//! Asks for entities: each is represented once however often it stands in the answer, and lands everywhere.

use std::collections::HashMap;
use std::sync::Arc;

use super::representations::Known;
use super::{Execution, paths, paths::Target, rewrites};
use crate::error::{GraphQLError, PathSegment};
use crate::plan::{Batch, Fetch, Path, Requirement, Rewrite};
use crate::schema::Schema;
use crate::subgraph::{Answer, AnswerError};
use crate::value::{Key, Object, Value};

/// Places one failure is reported at; the answer shows the other nulls by itself.
const REPORTS_MAX: usize = 100;

/// What the representations of one request may come to, each object counted: a long key that one subgraph gave
/// can stand in thousands of them.
const REPRESENTATIONS_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The entities of one request, or of one alias of a batch.
#[derive(Default)]
struct Wanted {
    /// There are more than can be asked for.
    too_long: bool,
    representations: Vec<Value>,
    /// For each representation, where its entity belongs.
    targets: Vec<Vec<Target>>,
    /// The numbers of the representations, once for each target, in the order in which those were found.
    order: Vec<usize>,
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
        if wanted.too_long {
            return self.unavailable(&wanted, &fetch.keys, fetch.subgraph);
        }
        let representations = std::mem::take(&mut wanted.representations);
        match self.ask_entities(fetch, representations).await {
            Some(mut answer) => {
                self.land("_entities", &wanted, &fetch.output_rewrites, &fetch.keys, &mut answer, true)
            }
            None => self.unavailable(&wanted, &fetch.keys, fetch.subgraph),
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
        let unavailable = |all: &[Wanted]| {
            let each = batch.entities.iter().zip(all);
            each.flat_map(|(entities, wanted)| self.unavailable(wanted, &entities.keys, batch.subgraph))
                .collect()
        };
        if all.iter().any(|wanted| wanted.too_long) {
            return unavailable(&all);
        }
        let lists = all.iter_mut().map(|wanted| Value::list(std::mem::take(&mut wanted.representations)));
        let names = batch.entities.iter().map(|entities| Key::from(entities.variable.as_str()));
        let variables = names.zip(lists).collect();
        let answer = self.ask(batch.subgraph, &batch.operation, variables).await;
        let Some(mut answer) = answer else { return unavailable(&all) };
        let mut errors = Vec::new();
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
        let mut bytes = 0;
        let mut known = Known::default();
        for path in paths {
            paths::find(schema, &root, path, &mut |object, target| {
                if wanted.too_long {
                    return;
                }
                let number = known.number(schema, object, requires, input_rewrites);
                bytes += known.identity_bytes();
                wanted.too_long = bytes > REPRESENTATIONS_BYTES_MAX;
                let Some((number, new)) = number else { return };
                if let Some(representation) = new {
                    wanted.representations.push(representation);
                    wanted.targets.push(Vec::new());
                }
                wanted.targets[number].push(target.clone());
                wanted.order.push(number);
            });
        }
        if wanted.too_long {
            tracing::warn!("the representations of entities are too long to be sent");
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
        self.refuse_others(wanted, &mut entities);
        // Fewer entities than asked for, or something else, and no word why: no answer for those.
        let missing =
            |(index, _): &(usize, _)| !matches!(entities.get(*index), Some(Value::Object(_) | Value::Null));
        let missing = wanted.targets.iter().enumerate().filter(|it| silent && missing(it));
        let mut errors =
            self.unavailable_at(missing.map(|(_, targets)| targets), keys, &GraphQLError::unavailable());
        let root = self.data();
        let first = || {
            let first = wanted.targets.iter().flatten().next();
            first.map(|target| self.target_path(&root, target)).unwrap_or_default()
        };
        let told = own.iter().flat_map(|error| {
            let mut places = self.places(&root, wanted, &entities, &error.path[1..], output_rewrites);
            if places.is_empty() {
                places.push(first());
            }
            places.into_iter().map(|path| paths::client_error(error.clone(), path))
        });
        errors.extend(told.take(REPORTS_MAX));
        errors.extend(stray.into_iter().take(REPORTS_MAX).map(|error| paths::client_error(error, first())));
        drop(root);
        let mut root = self.data();
        for entity in entities.iter_mut() {
            rewrites::apply(&self.subgraphs.schema, output_rewrites, entity);
            keep_asked(entity, keys);
        }
        let typed = self.typed(&root, wanted, &entities);
        let mut targets: Vec<_> = wanted.targets.iter().map(|targets| targets.iter().enumerate()).collect();
        let place = |number: &usize| {
            let (nth, target) = targets[*number].next()?;
            Some((target, typed.get(&(*number, nth)).or_else(|| entities.get(*number))?))
        };
        let places: Vec<_> = wanted.order.iter().filter_map(place).collect();
        paths::merge_at(&mut root, &places);
        errors
    }

    /// What is no entity of the type it was asked for is no answer: it must not change what others gave.
    fn refuse_others(&self, wanted: &Wanted, entities: &mut [Value]) {
        let schema = &self.subgraphs.schema;
        let root = self.data();
        for (entity, targets) in entities.iter_mut().zip(&wanted.targets) {
            let given = entity.as_object().and_then(Object::typename);
            let known = targets.first().and_then(|target| paths::get(&root, target));
            let known = known.and_then(Value::as_object).and_then(Object::typename);
            let (Some(given), Some(known)) = (given, known) else { continue };
            if !schema.satisfies(given, known) && !schema.satisfies(known, given) {
                *entity = Value::Bool(false);
            }
        }
    }

    /// A subgraph with `@interfaceObject` names the interface; what is known to be more must stay so. Gives the
    /// entities that must be other than they came, by their number and their place among its places.
    fn typed(&self, root: &Value, wanted: &Wanted, entities: &[Value]) -> HashMap<(usize, usize), Value> {
        let mut typed = HashMap::new();
        if !self.subgraphs.interface_objects {
            return typed;
        }
        for (number, (entity, targets)) in entities.iter().zip(&wanted.targets).enumerate() {
            for (nth, target) in targets.iter().enumerate() {
                let mut own = entity.clone();
                let known = paths::get(root, target);
                if known.is_some_and(|known| keep_types(&self.subgraphs.schema, known, &mut own)) {
                    typed.insert((number, nth), own);
                }
            }
        }
        typed
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

    fn unavailable(&self, wanted: &Wanted, keys: &[String], subgraph: usize) -> Vec<GraphQLError> {
        self.unavailable_at(wanted.targets.iter(), keys, &self.subgraphs.unavailable(subgraph))
    }

    fn unavailable_at<'t>(
        &self,
        targets: impl Iterator<Item = &'t Vec<Target>>,
        keys: &[String],
        error: &GraphQLError,
    ) -> Vec<GraphQLError> {
        let root = self.data();
        let place = |target: &Target| {
            let mut path = self.target_path(&root, target);
            // One missing field can be named; of several, their object is.
            if let [key] = keys {
                path.push(paths::key(self.subgraphs.aliases.response_key(key)));
            }
            error.clone().at(path)
        };
        targets.flatten().take(REPORTS_MAX).map(place).collect()
    }
}

/// A subgraph gives what it was asked for: more would cover what others gave, and may be huge.
pub(super) fn keep_asked(entity: &mut Value, keys: &[String]) {
    let asked = |name: &[u8]| name == b"__typename" || keys.iter().any(|key| key.as_bytes() == name);
    if entity
        .as_object()
        .is_some_and(|object| object.iter().any(|(name, _)| !asked(name.as_str().as_bytes())))
        && let Some(object) = entity.as_object_mut()
    {
        object.retain(asked);
    }
}

/// Drops the type names of an entity, and of what is within it, that say less than is known. Says whether there
/// were any.
fn keep_types(schema: &Schema, known: &Value, entity: &mut Value) -> bool {
    let mut kept = false;
    match (known, entity) {
        (Value::List(known), Value::List(entities)) if known.len() == entities.len() => {
            for (index, known) in known.iter().enumerate() {
                let mut entity = entities[index].clone();
                if keep_types(schema, known, &mut entity) {
                    Arc::make_mut(entities)[index] = entity;
                    kept = true;
                }
            }
        }
        (Value::Object(known), Value::Object(entity)) => {
            if let (Some(exact), Some(given)) = (known.typename(), entity.typename())
                && exact != given
                && schema.satisfies(exact, given)
            {
                Arc::make_mut(entity).remove("__typename");
                kept = true;
            }
            for (name, known) in known.iter() {
                let Some(position) = entity.position(name) else { continue };
                let Some(mut inner) = entity.at(position).map(|(_, inner)| inner.clone()) else { continue };
                if keep_types(schema, known, &mut inner)
                    && let Some(place) = Arc::make_mut(entity).at_mut(position)
                {
                    *place = inner;
                    kept = true;
                }
            }
        }
        _ => {}
    }
    kept
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
