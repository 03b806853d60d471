//! The whole schema in one server: what it answers is the truth.

use std::collections::BTreeSet;

use async_graphql::parser::parse_query;
use async_graphql::parser::types::OperationType;
use serde_json::{Map, Value};

use super::arguments::{self, From};
use super::data::Truth;
use super::evaluate::{Evaluation, Reached};
use super::refusal::refused;
use super::sight::{Caller, Sight};

#[derive(Debug, Default)]
pub struct Answered {
    pub data: Value,
    /// Paths, with why.
    pub errors: Vec<(Vec<Value>, String)>,
    pub journal: Vec<String>,
    /// The paths for which a door that is strict would refuse the whole.
    pub refused: BTreeSet<Vec<String>>,
}

/// Answers a document with one operation; `Err` says why it is no valid request.
pub fn answer(
    truth: &Truth,
    query: &str,
    given: &Map<String, Value>,
    caller: Caller<'_>,
) -> Result<Answered, String> {
    let document = parse_query(query).map_err(|error| error.to_string())?;
    let mut operations = document.operations.iter();
    let (Some((_, operation)), None) = (operations.next(), operations.next()) else {
        return Err("not one operation".to_owned());
    };
    let definitions = &operation.node.variable_definitions;
    let variables = arguments::variables(&truth.public, definitions, given, From::Client)?;
    let sight = Sight::new(&truth.public, caller, &document, given);
    let mut evaluation = Evaluation::new(&truth.public, truth, &document.fragments, &variables);
    evaluation.sight = Some(&sight);
    let root = match operation.node.ty {
        OperationType::Mutation => "Mutation",
        _ => "Query",
    };
    let set = &operation.node.selection_set.node;
    let data = evaluation.object(&truth.root(root), root, &[set], &Reached::default());
    if let Some(complaint) = evaluation.complaints.pop() {
        return Err(complaint);
    }
    let Evaluation { errors, journal, .. } = evaluation;
    let refused = refused(&truth.public, &sight, &document, &variables);
    Ok(Answered { data: data.map_or(Value::Null, Value::Object), errors, journal, refused })
}
