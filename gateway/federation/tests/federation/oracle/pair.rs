//! One world answered twice: by the engine over its parts, and by the monolith.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use federation::{Engine, Grants, RequestContext, Settings, Subgraph, Unauthorized};
use serde_json::{Map, Value};

use super::data::Truth;
use super::evaluate::HIDDEN;
use super::monolith::{self, Answered};
use super::overheard::Ears;
use super::part::{PartOf, Report, Seen};
use super::schema::Schema;
use super::sight::Caller;
use super::world::{Guard, World};

pub struct Pair {
    pub engine: Arc<Engine>,
    pub truth: Arc<Truth>,
    guards: BTreeMap<String, Guard>,
    unauthorized: Unauthorized,
    ears: Ears,
}

/// What came of one document.
#[derive(Debug)]
pub enum Outcome {
    /// The engine's validation refuses it.
    Invalid(String),
    Same,
    Different(Box<Difference>),
}

#[derive(Debug)]
pub struct Difference {
    /// What is wrong, in short.
    pub what: Vec<String>,
    pub federated: Value,
    pub monolith: Value,
    pub asked: Vec<String>,
}

/// The engine tells a client no more errors than this.
const ERRORS_MAX: usize = 100;

impl Pair {
    pub fn new(world: &World) -> Self {
        Pair::with(world, Unauthorized::NullTheField)
    }

    pub fn with(world: &World, unauthorized: Unauthorized) -> Self {
        let truth = Arc::new(Truth::new(world));
        let part = |part: &super::world::Part| {
            let subgraph: Arc<dyn Subgraph> = Arc::new(PartOf::new(world, part, truth.clone()));
            (part.name.clone(), subgraph)
        };
        let parts: HashMap<_, _> = world.parts.iter().map(part).collect();
        // Every document is new, so nothing is worth keeping.
        let settings = Settings { plans_max: 10, documents_max: 10, unauthorized, ..Settings::default() };
        let engine = Engine::new(&world.supergraph_sdl, parts, settings)
            .unwrap_or_else(|error| panic!("the world {}: {error}", world.name));
        let parts = world.parts.iter().map(|part| (part.name.clone(), Schema::parse(&part.sdl))).collect();
        let ears = Ears::new(Schema::parse(&world.supergraph_sdl), parts);
        Pair { engine: Arc::new(engine), truth, guards: world.guards.clone(), unauthorized, ears }
    }

    pub async fn ask(&self, query: &str, variables: &Map<String, Value>) -> Outcome {
        self.ask_as(query, variables, &Grants::default()).await
    }

    pub async fn ask_as(&self, query: &str, variables: &Map<String, Value>, grants: &Grants) -> Outcome {
        let document = match self.engine.document(query) {
            Ok(document) => document,
            Err(errors) => return Outcome::Invalid(errors[0].message.clone()),
        };
        let seen = Seen::default();
        let mut context = RequestContext::default();
        context.extensions.insert(seen.clone());
        let federated = match self.engine.prepare(&document, None, variables.clone(), grants) {
            Ok(prepared) => self.engine.execute(&prepared, &context).await,
            Err(errors) => federation::Response::from_errors(errors),
        };
        let mut report = std::mem::take(&mut *seen.0.lock().unwrap());
        let caller = Caller { guards: &self.guards, grants };
        report.complaints.extend(self.ears.overheard(query, &report.requests, caller));
        let monolith = monolith::answer(&self.truth, query, variables, caller);
        if self.unauthorized == Unauthorized::RefuseAll
            && let Ok(Answered { refused, .. }) = &monolith
            && !refused.is_empty()
        {
            return compare_refusal(federated.to_value(), refused, report);
        }
        compare(federated.to_value(), monolith, report)
    }
}

/// Nobody may have been asked, and every place is named.
fn compare_refusal(federated: Value, refused: &BTreeSet<Vec<String>>, report: Report) -> Outcome {
    let mut what = Vec::new();
    if federated.get("data").is_some() || !report.asked.is_empty() {
        what.push("it was not refused".to_owned());
    }
    let told: BTreeSet<_> = errors_of(&federated, true).iter().map(|path| dotted(path)).collect();
    let due: BTreeSet<_> = refused.iter().map(|path| format!("$.{}", path.join("."))).collect();
    if told != due && due.len() < ERRORS_MAX {
        what.push(format!("refused for {told:?}, not for {due:?}"));
    }
    if what.is_empty() {
        return Outcome::Same;
    }
    let monolith = serde_json::json!({"refused": refused});
    Outcome::Different(Box::new(Difference { what, federated, monolith, asked: report.asked }))
}

fn compare(federated: Value, monolith: Result<Answered, String>, report: Report) -> Outcome {
    let Report { asked, mut complaints, journal, .. } = report;
    let mut what = std::mem::take(&mut complaints);
    let monolith = match monolith {
        Ok(answered) => answered,
        Err(why) => {
            what.push(format!("the monolith refuses: {why}"));
            Answered::default()
        }
    };
    match federated.get("data") {
        None => what.push("no data at all".to_owned()),
        Some(data) if *data != monolith.data => {
            what.push(format!("the data differs at {}", first_difference(data, &monolith.data)));
        }
        Some(data) if as_text(data) != as_text(&monolith.data) => {
            what.push("the members of the data are in another order".to_owned());
        }
        Some(_) => {}
    }
    let errors = federated["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    if errors.len() < ERRORS_MAX {
        let path = |error: &Value| error["path"].as_array().cloned().unwrap_or_default();
        let told: BTreeSet<_> = errors.iter().map(|error| place(&federated["data"], &path(error))).collect();
        let due: BTreeSet<_> = monolith.errors.iter().map(|(path, _)| place(&monolith.data, path)).collect();
        for missing in due.difference(&told) {
            what.push(format!("no error for {missing}"));
        }
        for needless in told.difference(&due) {
            what.push(format!("an error nobody has for {needless}"));
        }
    }
    what.extend(hidden_differences(&federated, &monolith));
    if journal != monolith.journal {
        what.push(format!("mutations ran as {journal:?}, not {:?}", monolith.journal));
    }
    if what.is_empty() {
        return Outcome::Same;
    }
    let errors: Vec<Value> = monolith
        .errors
        .into_iter()
        .map(|(path, message)| serde_json::json!({"message": message, "path": path}))
        .collect();
    let monolith = serde_json::json!({"errors": errors, "data": monolith.data});
    Outcome::Different(Box::new(Difference { what, federated, monolith, asked }))
}

/// What is told to be hidden must be, at its very place. What is hidden is told as such wherever its null shows;
/// within another null any error of several will do.
fn hidden_differences(federated: &Value, monolith: &Answered) -> Vec<String> {
    let hidden = monolith.errors.iter().filter(|(_, why)| why == HIDDEN).map(|(path, _)| path);
    let due: BTreeSet<String> = hidden.clone().map(|path| dotted(path)).collect();
    let shown = hidden.filter(|path| place(&monolith.data, path) == dotted(path));
    let shown: BTreeSet<String> = shown.map(|path| dotted(path)).collect();
    let told: BTreeSet<String> = errors_of(federated, true).iter().map(|path| dotted(path)).collect();
    let mut what: Vec<_> = told.difference(&due).map(|path| format!("{path} is not hidden")).collect();
    if federated["errors"].as_array().is_none_or(|errors| errors.len() < ERRORS_MAX) {
        what.extend(shown.difference(&told).map(|path| format!("{path} is not told to be hidden")));
    }
    what
}

/// The paths of an answer's errors: of those that keep something from the caller, or of the others.
fn errors_of(federated: &Value, hidden: bool) -> Vec<Vec<Value>> {
    let errors = federated["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let wanted = |error: &&Value| (error["extensions"]["code"] == "UNAUTHORIZED_FIELD_OR_TYPE") == hidden;
    let path = |error: &Value| error["path"].as_array().cloned().unwrap_or_default();
    errors.iter().filter(wanted).map(path).collect()
}

fn dotted(path: &[Value]) -> String {
    let step = |step: &Value| format!(".{}", step.as_str().map_or_else(|| step.to_string(), str::to_owned));
    format!("${}", path.iter().map(step).collect::<String>())
}

/// Where an error shows: its path up to the null it left. Several errors under one null are one for the client,
/// who may be told of any of them; so are the errors of an entity that was fetched twice.
fn place(data: &Value, path: &[Value]) -> String {
    let mut value = data;
    let mut place = String::from("$");
    for step in path {
        if value.is_null() {
            break;
        }
        let inner = match step {
            Value::String(key) => value.get(key),
            step => value.get(step.as_u64().unwrap_or_default() as usize),
        };
        value = inner.unwrap_or(&Value::Null);
        place.push_str(&format!(".{}", step.as_str().map_or_else(|| step.to_string(), str::to_owned)));
    }
    place
}

fn first_difference(one: &Value, other: &Value) -> String {
    match (one, other) {
        (Value::Object(members), Value::Object(others)) => {
            let differ = |(name, value): &(&String, &Value)| others.get(*name) != Some(*value);
            match members.iter().find(differ) {
                Some((name, value)) => {
                    format!(".{name}{}", first_difference(value, others.get(name).unwrap_or(&Value::Null)))
                }
                None => " (a member is missing)".to_owned(),
            }
        }
        (Value::Array(items), Value::Array(others)) if items.len() == others.len() => {
            let mut pairs = items.iter().zip(others).enumerate();
            match pairs.find(|(_, (item, other))| item != other) {
                Some((index, (item, other))) => format!(".{index}{}", first_difference(item, other)),
                None => String::new(),
            }
        }
        (one, other) => format!(": {one} instead of {other}"),
    }
}

/// In which the order of members counts.
fn as_text(data: &Value) -> String {
    data.to_string()
}
