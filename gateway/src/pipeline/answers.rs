//! Whole answers of public operations: kept, made once for all who ask at the same time, and sent as they are.
//!
//! The engine says which operations are public, from `@cacheControl`; all others pass by. What is the same for
//! everyone is asked as nobody, so that a field that is called public by mistake gives nothing away. Answers with
//! errors are never kept.

mod answer;
mod headers;
mod key;
#[cfg(test)]
mod tests;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use auth::Principal;
use cache::{Cache, Failed, Found, Loaded, Policy, Tag, Tags};
use federation::{CachePolicy, GraphQLError, Prepared, Response};
use metrics::Histogram;

use super::classify::Form;
use super::respond::Reply;
use super::{Asker, Caller, Door, execute};
use crate::config::AnswerCache;
pub use answer::Answer;
pub use headers::Wanted;
use key::key;

/// How long an answer is kept where nobody tells this process of changes: less than a second, even a tenth
/// longer, as lifetimes are spread.
pub const UNTOLD: Duration = Duration::from_millis(800);
/// A handle, so that a request does not look it up.
static AGES: LazyLock<Histogram> = LazyLock::new(|| metrics::histogram!("graphql_answer_age_seconds"));
/// Bytes of one answer that is kept.
const ANSWER_BYTES_MAX: usize = 2 * 1024 * 1024;

/// The tag of all that came from one subgraph.
pub fn tag_of(subgraph: &str) -> Tag {
    Tag::new("subgraph", subgraph)
}

/// The answers this process keeps.
pub struct Answers {
    cache: Cache<Answer>,
    settings: AnswerCache,
    /// Whether this process hears at once what has changed.
    told: bool,
    key: fn(&Prepared) -> cache::Key,
}

/// A public answer.
pub enum Made {
    Kept(Found<Answer>),
    /// With errors, or of use to nobody else.
    Passing(Response),
}

/// An answer from here, and what of it to tell caches on the way.
pub struct Public {
    pub found: Found<Answer>,
    pub policy: CachePolicy,
    /// Whether it is open to everyone: else no cache between us and the client may have it.
    pub open: bool,
    pub wanted: Wanted,
    pub stale_while_revalidate_s: u64,
}

/// An answer with errors, on its way past the cache.
#[derive(Debug, thiserror::Error)]
#[error("the answer has errors")]
struct Flawed(Response);

impl Answers {
    /// `told` says whether every change of a subgraph reaches this process, by a message of its own or Redis.
    pub fn new(settings: AnswerCache, tags: Tags, told: bool, wait_ms: u64) -> Self {
        let bounds = cache::Settings {
            name: "answers",
            bytes_max: settings.bytes_max,
            value_bytes_max: ANSWER_BYTES_MAX,
            wait_ms,
        };
        Self { cache: Cache::new(bounds, tags), settings, told, key }
    }

    #[cfg(test)]
    pub fn tags(&self) -> &Tags {
        self.cache.tags()
    }

    /// The kept answer of a public operation, or what `make` gives.
    pub async fn of<F, L>(&self, prepared: &Prepared, make: F) -> Made
    where
        F: FnOnce() -> L + Send + 'static,
        L: Future<Output = Response> + Send + 'static,
    {
        let policy = self.policy(prepared);
        let load = move || async move {
            let response = make().await;
            if !response.errors.is_empty() {
                return Err(Flawed(response));
            }
            let text = response.to_json_bytes();
            Ok(match policy {
                Some(policy) => Loaded::Keep(Answer::kept(text), policy),
                None => Loaded::Share(Answer::passing(text)),
            })
        };
        match self.cache.get(&(self.key)(prepared), load).await {
            Ok(found) => Made::Kept(found),
            Err(failed) => Made::Passing(flawed(&failed)),
        }
    }

    /// How long to keep it; nothing for what is only shared by those who ask at once.
    fn policy(&self, prepared: &Prepared) -> Option<Policy> {
        if !prepared.cache_policy().is_kept() {
            return None;
        }
        let ttl = Duration::from_secs(prepared.cache_policy().max_age_s.into());
        let tags = prepared.subgraphs().iter().map(|name| tag_of(name)).collect();
        Some(Policy {
            ttl: if self.told { ttl } else { ttl.min(UNTOLD) },
            // At most as old again: what may be kept for a moment is not shown a minute later.
            stale_while_revalidate: match self.told {
                true => ttl.min(Duration::from_secs(self.settings.stale_while_revalidate_s)),
                false => Duration::ZERO,
            },
            stale_if_error: Duration::from_secs(self.settings.stale_if_error_s),
            tags,
        })
    }
}

/// The answer to a query or mutation, kept or new. Without `wanted` it goes to where headers do not.
pub async fn answer(door: &Arc<Door>, asker: Asker, prepared: Prepared, wanted: Option<Wanted>) -> Reply {
    let policy = prepared.cache_policy();
    let same_for_all = policy.public && asker.caller.forwarded.is_empty();
    let wanted = wanted.filter(|wanted| matches!(wanted.form, Form::GraphqlResponse | Form::Json));
    let (Some(answers), Some(wanted), true) = (&door.answers, wanted, same_for_all) else {
        return Reply::Answer(execute::execute(door, &asker, prepared).await);
    };
    let open = !prepared.is_guarded();
    let make = {
        let (door, prepared) = (Arc::clone(door), prepared.clone());
        move || async move {
            let asker = if open { asker.into_nobody() } else { asker };
            execute::execute(&door, &asker, prepared).await
        }
    };
    match answers.of(&prepared, make).await {
        Made::Kept(found) => {
            AGES.record(found.age.as_secs_f64());
            let stale_while_revalidate_s =
                answers.settings.stale_while_revalidate_s.min(policy.max_age_s.into());
            Reply::Public(Box::new(Public { found, policy, open, wanted, stale_while_revalidate_s }))
        }
        Made::Passing(response) => Reply::Answer(response),
    }
}

impl Asker {
    /// The same request, made by nobody.
    fn into_nobody(self) -> Self {
        let caller = Caller { principal: Principal::Nobody, ..self.caller };
        Self { caller, ..self }
    }
}

/// The errors that everyone who waited for one answer gets.
fn flawed(failed: &Failed) -> Response {
    if let Failed::Load(error) = failed
        && let Some(Flawed(response)) = error.downcast_ref()
    {
        return response.clone();
    }
    tracing::warn!(error = %failed, "an answer was not made in time");
    Response::from_errors(vec![GraphQLError::unavailable()])
}
