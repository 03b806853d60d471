//! Many drafts that only wait to be submitted, of many people: a persona is reset again and again.

use std::time::Duration;

use anyhow::{Context, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::filing::{DRAFTS_PER_PERSON_MAX, offering, prepared, submission};
use crate::people::{PERSONAS, Person, Place};

/// A persona can be this many people, one after the other.
const PEOPLE_PER_PERSONA_MAX: usize = 1_000;
/// Drafts of one person that are made at once.
const AT_ONCE: usize = 4;
/// How long before their turn people's tokens are renewed.
const AHEAD: Duration = Duration::from_secs(30);

/// One draft and who submits it.
pub struct Submission {
    pub person: Person,
    pub variables: Value,
}

/// Drafts in the order in which they are submitted.
pub struct Prepared {
    pub submissions: Vec<Submission>,
    people: Vec<Person>,
}

impl Prepared {
    pub async fn make(place: &Place, drafts: usize) -> anyhow::Result<Self> {
        let people = drafts.div_ceil(DRAFTS_PER_PERSON_MAX);
        let most = PERSONAS.len() * PEOPLE_PER_PERSONA_MAX * DRAFTS_PER_PERSON_MAX;
        ensure!(
            people.div_ceil(PERSONAS.len()) < PEOPLE_PER_PERSONA_MAX,
            "at most {most} drafts can be made"
        );
        eprintln!("making {drafts} drafts of {people} people");
        let offering = offering(place).await?;
        let each = people.div_ceil(PERSONAS.len());
        let of = async |persona: &'static str| {
            let mut all = Vec::new();
            for nth in 0..each {
                all.push(one(place, persona, &offering).await.with_context(|| format!("{persona} {nth}"))?);
            }
            anyhow::Ok(all)
        };
        let made = stream::iter(PERSONAS).map(of).buffered(PERSONAS.len());
        let made: Vec<Vec<(Person, Vec<Submission>)>> = made.try_collect().await?;
        let mut prepared = Self { submissions: Vec::new(), people: Vec::new() };
        for (person, submissions) in made.into_iter().flatten() {
            prepared.people.push(person);
            prepared.submissions.extend(submissions);
        }
        Ok(prepared)
    }

    /// People whose turn comes at once.
    pub async fn renew_first(&self, place: &Place) -> anyhow::Result<()> {
        // As many as submit before `keep_ahead` comes to them, at any sensible rate.
        for person in self.people.iter().take(self.people.len().min(1_500)) {
            person.renew(place).await?;
        }
        Ok(())
    }

    /// Renews the others shortly before their turn, for as long as the load goes on.
    pub fn keep_ahead(&self, place: &Place, rate: f64) -> JoinHandle<()> {
        let per_s = rate / DRAFTS_PER_PERSON_MAX as f64;
        let skip = self.people.len().min(1_500);
        let people = self.people[skip..].to_vec();
        let place = place.clone();
        let begun = tokio::time::Instant::now();
        tokio::spawn(async move {
            for (nth, person) in people.into_iter().enumerate() {
                let turn = Duration::from_secs_f64((skip + nth) as f64 / per_s);
                tokio::time::sleep_until(begun + turn.saturating_sub(AHEAD)).await;
                if let Err(error) = person.renew(&place).await {
                    eprintln!("a token was not renewed: {error:#}");
                }
            }
        })
    }
}

/// The persona as somebody new, with as many drafts as one may have.
async fn one(place: &Place, persona: &str, offering: &str) -> anyhow::Result<(Person, Vec<Submission>)> {
    let reset = place.http.post(format!("{}/sandbox/personas/{persona}/reset", place.url));
    ensure!(reset.send().await?.status().is_success(), "the persona is not reset");
    let person = Person::log_in(place, persona).await?;
    let made = stream::iter(0..DRAFTS_PER_PERSON_MAX).map(|_| prepared(place, &person, offering));
    let drafts: Vec<_> = made.buffered(AT_ONCE).try_collect().await?;
    let submission = |draft| Submission { person: person.clone(), variables: submission(draft) };
    let submissions = drafts.iter().map(submission).collect();
    Ok((person, submissions))
}
