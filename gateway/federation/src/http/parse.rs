//! Turns the JSON of an answer into an answer, whatever else it may be.

use bytes::Bytes;
use serde_json::Map;

use crate::error::PathSegment;
use crate::subgraph::{Answer, AnswerError, SubgraphError};
use crate::value::{Object, Value, read_json, to_json_bytes};

/// Errors of one answer that are read; the rest would say no more.
const ERRORS_MAX: usize = 1_000;

pub(super) fn answer(value: Value) -> Result<Answer, SubgraphError> {
    let Some(object) = value.as_object() else {
        return Err(SubgraphError::Malformed("the answer is not an object".to_owned()));
    };
    let errors = match object.get("errors") {
        None | Some(Value::Null) => &[],
        Some(Value::List(errors)) => &errors[..],
        // Some servers write an empty list as an empty object; anything else says that something is wrong.
        Some(Value::Object(errors)) if errors.is_empty() => &[],
        Some(other) => std::slice::from_ref(other),
    };
    let data = match object.get("data") {
        Some(data @ Value::Object(_)) => data.clone(),
        Some(Value::Null) => Value::Null,
        None if !errors.is_empty() => Value::Null,
        Some(_) => return Err(SubgraphError::Malformed("data is not an object".to_owned())),
        None => return Err(SubgraphError::Malformed("neither data nor errors".to_owned())),
    };
    let errors = errors.iter().take(ERRORS_MAX).map(answer_error).collect();
    Ok(Answer { data, errors })
}

/// One event, bare or in Apollo's envelope; nothing for a heartbeat.
pub(super) fn event(text: Bytes, depth_max: usize) -> Result<Option<Answer>, SubgraphError> {
    let value = read_json(text, depth_max).map_err(|error| SubgraphError::Malformed(error.to_string()))?;
    let Some(object) = value.as_object() else {
        return Err(SubgraphError::Malformed("the event is not an object".to_owned()));
    };
    if object.is_empty() {
        return Ok(None);
    }
    match object.get("payload") {
        Some(Value::Null) if object.get("errors").is_none() => Ok(None),
        Some(payload @ Value::Object(_)) => answer(payload.clone()).map(Some),
        _ => answer(value).map(Some),
    }
}

/// How much of one error's words and of its extensions is passed on: it may stand at many places.
const MESSAGE_CHARACTERS_MAX: usize = 2_000;
const EXTENSIONS_BYTES_MAX: usize = 16 * 1024;
/// No selection is as deep.
const PATH_SEGMENTS_MAX: usize = 200;

fn answer_error(error: &Value) -> AnswerError {
    let empty = Object::default();
    let error = error.as_object().unwrap_or(&empty);
    let mut message =
        error.get("message").and_then(plain_text).unwrap_or_else(|| "Unknown error.".to_owned());
    if let Some((end, _)) = message.char_indices().nth(MESSAGE_CHARACTERS_MAX) {
        message.truncate(end);
    }
    let path = error.get("path").and_then(Value::as_list).unwrap_or_default().iter().take(PATH_SEGMENTS_MAX);
    let path = path.filter_map(segment).collect();
    let extensions = error.get("extensions").map(to_json_bytes).filter(|it| it.len() <= EXTENSIONS_BYTES_MAX);
    let extensions = match extensions.and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
        Some(serde_json::Value::Object(extensions)) => extensions,
        _ => Map::new(),
    };
    AnswerError { message, path, extensions }
}

fn segment(value: &Value) -> Option<PathSegment> {
    match plain(value) {
        serde_json::Value::String(key) => Some(PathSegment::Key(key.into())),
        serde_json::Value::Number(index) => index.as_u64().map(|index| PathSegment::Index(index as usize)),
        _ => None,
    }
}

fn plain_text(value: &Value) -> Option<String> {
    match plain(value) {
        serde_json::Value::String(text) => Some(text),
        _ => None,
    }
}

fn plain(value: &Value) -> serde_json::Value {
    serde_json::from_slice(&to_json_bytes(value)).unwrap_or_default()
}
