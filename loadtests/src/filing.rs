//! Applications made before the load begins: drafts that only wait to be submitted, and submitted ones to look at.

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::people::{Person, Place, ask_as_nobody};
use crate::report::root;

/// Filed without any upload and decided at once: the 20-baht train fare.
const SERVICE: &str = "MOT-01";
const AREA: &str = "1201";
/// Open drafts that one party may have.
pub const DRAFTS_PER_PERSON_MAX: usize = 20;

/// The document of one of our own clients' operations.
pub fn document(operation: &str) -> anyhow::Result<String> {
    let file = root().join(format!("graphql/operations/{operation}.graphql"));
    std::fs::read_to_string(&file).with_context(|| file.display().to_string())
}

pub fn key() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// The offering that is filed.
pub async fn offering(place: &Place) -> anyhow::Result<String> {
    let query = "query($code: String!, $area: String!) { publicService(code: $code) { offering(area: $area) { id } } }";
    let found = ask_as_nobody(place, query, json!({ "code": SERVICE, "area": AREA })).await?;
    let id = found["publicService"]["offering"]["id"].as_str();
    Ok(id.with_context(|| format!("{SERVICE} is not offered in {AREA}"))?.to_owned())
}

/// A draft with nothing missing.
#[derive(Clone)]
pub struct Draft {
    pub id: String,
    pub revision: i64,
}

/// Begins an application and answers what the state does not know.
pub async fn prepared(place: &Place, person: &Person, offering: &str) -> anyhow::Result<Draft> {
    let input = json!({ "idempotencyKey": key(), "offeringId": offering, "partyId": person.party });
    let mut started = person.ask(place, &document("StartApplication")?, json!({ "input": input })).await?;
    let started = started["startApplication"].take();
    let draft = &started["application"];
    let mut answers = draft["answers"].as_object().with_context(|| format!("no draft: {started}"))?.clone();
    answers.extend(answers_of_the_citizen());
    let input = json!({
        "idempotencyKey": key(), "applicationId": draft["id"], "revision": draft["revision"], "answers": answers,
    });
    let saved = person.ask(place, &document("SaveApplicationDraft")?, json!({ "input": input })).await?;
    let saved = &saved["saveApplicationDraft"];
    ensure!(saved["__typename"] == "DraftSaved", "the draft was not saved: {saved}");
    let id = draft["id"].as_str().context("a draft has an id")?.to_owned();
    let revision = saved["application"]["revision"].as_i64().context("a draft has a revision")?;
    Ok(Draft { id, revision })
}

/// What submits `draft`, under a key of its own.
pub fn submission(draft: &Draft) -> Value {
    json!({ "input": { "idempotencyKey": key(), "applicationId": draft.id, "revision": draft.revision } })
}

/// Files an application and gives its id.
pub async fn submitted(place: &Place, person: &Person, offering: &str) -> anyhow::Result<String> {
    let draft = prepared(place, person, offering).await?;
    let answer = person.ask(place, &document("SubmitApplication")?, submission(&draft)).await?;
    ensure!(answer["submitApplication"]["__typename"] == "ApplicationSubmitted", "not submitted: {answer}");
    Ok(draft.id)
}

fn answers_of_the_citizen() -> [(String, Value); 3] {
    [
        ("card_kind".to_owned(), json!("emv")),
        ("card_last_digits".to_owned(), json!("4242")),
        ("accepts_terms".to_owned(), json!(true)),
    ]
}
