//! Many drafts that only wait to be submitted, of many people: a persona is reset again and again.
//!
//! People make them through the door as always. One party has twenty open drafts at most; who needs more has those that
//! are ready parked, straight in the database and by their status alone, until everyone's are there.

use anyhow::{Context, ensure};
use database::{Database, args};
use futures::{StreamExt, TryStreamExt, stream};
use graphql::PartyId;

use crate::filing::{DRAFTS_PER_PERSON_MAX, document, offering, prepared, submission};
use crate::installation::Installation;
use crate::operation::{Caller, Prepared};
use crate::people::{PERSONAS, Person, Place};

/// Drafts of one run at most.
const DRAFTS_MAX: usize = 1_000_000;
/// Drafts of one person that are made at once.
const AT_ONCE: usize = 4;
/// A status that no program knows: whoever parks a draft gives it back.
const PARK: &str =
    "update application set status = 'PARKED' where applicant_party_id = $1 and status = 'DRAFT'";
const GIVE_BACK: &str =
    "update application set status = 'DRAFT' where applicant_party_id = $1 and status = 'PARKED'";

/// Submissions in the order in which they are sent: everybody's first, then everybody's second.
pub struct Drafts {
    pub submissions: Vec<Prepared>,
    pub people: Vec<Person>,
}

impl Drafts {
    pub async fn make(installation: &Installation, wanted: usize, people_max: usize) -> anyhow::Result<Self> {
        ensure!((1..=DRAFTS_MAX).contains(&wanted), "from 1 to {DRAFTS_MAX} drafts can be made");
        let place = &installation.place;
        // No migrations: only a connection that may write.
        let database = Database::open(&installation.target, "applications", &[]).await?;
        let offering = offering(place).await?;
        let submit = document("SubmitApplication")?;
        let people = wanted.div_ceil(DRAFTS_PER_PERSON_MAX).min(people_max.max(1));
        let each = wanted.div_ceil(people);
        eprintln!("making {wanted} drafts of {people} people");
        let maker = Maker { place, database: &database, offering: &offering, submit: &submit, each };
        let of = async |nth: usize| {
            let persona = PERSONAS[nth];
            let mut all = Vec::new();
            for number in (nth..people).step_by(PERSONAS.len()) {
                all.push(maker.person(persona).await.with_context(|| format!("{persona}, person {number}"))?);
            }
            anyhow::Ok(all)
        };
        let made = stream::iter(0..PERSONAS.len()).map(of).buffered(PERSONAS.len());
        let made: Vec<Vec<(Person, Vec<Prepared>)>> = made.try_collect().await?;
        let (people, mut theirs): (Vec<_>, Vec<_>) =
            made.into_iter().flatten().map(|(person, submissions)| (person, submissions.into_iter())).unzip();
        for person in &people {
            maker.give_back(person).await?;
        }
        database.close().await;
        let mut submissions = Vec::new();
        for _ in 0..each {
            submissions.extend(theirs.iter_mut().filter_map(Iterator::next));
        }
        Ok(Self { submissions, people })
    }

    /// Gives everybody new tokens.
    pub async fn renew(&self, place: &Place) -> anyhow::Result<()> {
        let renewed = stream::iter(&self.people).map(|person| person.renew(place));
        renewed.buffer_unordered(AT_ONCE).try_collect().await
    }
}

struct Maker<'a> {
    place: &'a Place,
    database: &'a Database,
    offering: &'a str,
    submit: &'a str,
    /// Drafts of each person.
    each: usize,
}

impl Maker<'_> {
    /// The persona as somebody new, with drafts.
    async fn person(&self, persona: &str) -> anyhow::Result<(Person, Vec<Prepared>)> {
        let Self { place, offering, .. } = self;
        let reset = place.http.post(format!("{}/sandbox/personas/{persona}/reset", place.url));
        ensure!(reset.send().await?.status().is_success(), "the persona is not reset");
        let person = Person::log_in(place, persona).await?;
        let mut submissions = Vec::new();
        while submissions.len() < self.each {
            if !submissions.is_empty() {
                person.renew(place).await?;
            }
            let count = DRAFTS_PER_PERSON_MAX.min(self.each - submissions.len());
            let made = stream::iter(0..count).map(|_| prepared(place, &person, offering));
            let drafts: Vec<_> = made.buffered(AT_ONCE).try_collect().await?;
            let parked = self.database.execute(PARK, args![party(&person)]).await?;
            ensure!(parked == count as u64, "{parked} of {count} drafts were parked");
            submissions.extend(drafts.iter().map(|draft| {
                Prepared::graphql(self.submit, &submission(draft), Caller::Person(person.token.clone()))
            }));
        }
        Ok((person, submissions))
    }

    async fn give_back(&self, person: &Person) -> anyhow::Result<()> {
        let given = self.database.execute(GIVE_BACK, args![party(person)]).await?;
        ensure!(given == self.each as u64, "{given} of {} drafts were given back", self.each);
        Ok(())
    }
}

/// The party as the database knows it.
fn party(person: &Person) -> uuid::Uuid {
    let Ok(id) = person.party.parse::<PartyId>();
    id.uuid()
}
