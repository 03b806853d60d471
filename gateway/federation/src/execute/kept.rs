//! Asks for entities, but not for those that are kept.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::Execution;
use crate::error::PathSegment;
use crate::identity::Digest;
use crate::plan::Fetch;
use crate::subgraph::{Answer, AnswerError};
use crate::value::{Key, Object, Value, write_json};

impl Execution<'_> {
    /// The entities of these representations: what is kept, and the rest from their subgraph.
    pub(super) async fn ask_entities(&self, fetch: &Fetch, representations: Vec<Value>) -> Option<Answer> {
        let cache = self.subgraphs.entity_cache.as_ref().filter(|_| self.takes_kept && fetch.kept_s > 0);
        let Some((schema, cache)) = cache else { return self.ask_all(fetch, representations).await };
        let mut looked = cache.look(self.keys(schema, fetch, &representations)).await;
        let mut entities = looked.found();
        let missing: Vec<usize> =
            (0..representations.len()).filter(|at| !matches!(entities.get(*at), Some(Some(_)))).collect();
        entities.resize(representations.len(), None);
        if missing.is_empty() {
            return Some(answer(entities, Vec::new()));
        }
        let asked = missing.iter().map(|at| representations[*at].clone()).collect();
        let Some(mut given) = self.ask_all(fetch, asked).await else {
            let spare = looked.spare();
            for at in missing {
                entities[at] = spare.get(at).cloned().flatten();
            }
            return entities.iter().any(Option::is_some).then(|| answer(entities, Vec::new()));
        };
        let list = given.data.as_object_mut().and_then(|data| data.get_mut("_entities")).map(std::mem::take);
        if let Some(Value::List(list)) = list {
            for (entity, at) in Arc::unwrap_or_clone(list).into_iter().zip(&missing) {
                entities[*at] = Some(entity);
            }
        }
        if given.errors.is_empty() {
            // What is absent may come to be, and may be absent only because somebody was in trouble.
            let made = missing.iter().filter_map(|at| Some((*at, entities[*at].clone()?)));
            let made = made.filter(|(_, entity)| matches!(entity, Value::Object(_))).collect();
            looked.keep(&self.subgraphs.by_number[fetch.subgraph].0, made, fetch.kept_s);
        }
        given.errors.iter_mut().for_each(|error| renumber(error, &missing));
        Some(answer(entities, given.errors))
    }

    async fn ask_all(&self, fetch: &Fetch, representations: Vec<Value>) -> Option<Answer> {
        let variables = vec![(Key::from("representations"), Value::list(representations))];
        self.ask(fetch.subgraph, &fetch.operation, variables).await
    }

    /// All that each entity depends on: the supergraph, what is asked of whom, and what it is known by. That the
    /// caller may see it is told by its being asked for at all.
    fn keys(&self, schema: &Digest, fetch: &Fetch, representations: &[Value]) -> Vec<Digest> {
        let mut common = Sha256::new_with_prefix(schema);
        let mut text = Vec::new();
        let part = |sha: &mut Sha256, part: &[u8]| {
            sha.update((part.len() as u64).to_le_bytes());
            sha.update(part);
        };
        part(&mut common, self.subgraphs.by_number[fetch.subgraph].0.as_bytes());
        part(&mut common, fetch.operation.text.as_bytes());
        for name in &fetch.operation.variables {
            // One that is absent is not one that is null.
            text.clear();
            if let Some(value) = self.variables.get(name) {
                write_json(&mut text, value);
            }
            part(&mut common, &text);
        }
        let keys = representations.iter().map(|representation| {
            let mut sha = common.clone();
            text.clear();
            write_json(&mut text, representation);
            part(&mut sha, &text);
            sha.finalize().into()
        });
        keys.collect()
    }
}

/// An answer as the subgraph would have given it. What is no entity stands for what is not there.
fn answer(entities: Vec<Option<Value>>, errors: Vec<AnswerError>) -> Answer {
    let entities = entities.into_iter().map(|entity| entity.unwrap_or(Value::Bool(false))).collect();
    let mut data = Object::with_capacity(1);
    data.push(Key::from("_entities"), Value::list(entities));
    Answer { data: Value::object(data), errors }
}

/// An error names an entity by its place among those that were asked for.
fn renumber(error: &mut AnswerError, missing: &[usize]) {
    if let Some(PathSegment::Index(index)) = error.path.get_mut(1)
        && let Some(at) = missing.get(*index)
    {
        *index = *at;
    }
}
