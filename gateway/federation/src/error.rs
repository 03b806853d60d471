//! What goes wrong, as the client sees it and as the operator does.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, json};

use crate::value::write_text;

/// One entry of `errors`. It never names a subgraph or an address.
#[derive(Clone, Debug)]
pub struct GraphQLError {
    pub message: String,
    pub code: Cow<'static, str>,
    pub path: Vec<PathSegment>,
    pub locations: Vec<Location>,
    /// Everything of `extensions` but the code.
    pub extensions: Map<String, serde_json::Value>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PathSegment {
    Key(Arc<str>),
    Index(usize),
}

/// What it takes to go on with a request, or all that is wrong with it.
pub(crate) type Judged<T> = Result<T, Vec<GraphQLError>>;

/// A place in the client's document, counted from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location {
    pub line: usize,
    pub column: usize,
}

/// Why a supergraph cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum SupergraphError {
    #[error("the supergraph is not valid SDL: {0}")]
    Syntax(String),
    #[error("the supergraph has no query type")]
    NoQueryType,
    #[error("the supergraph names subgraph {0:?}, which was not given")]
    MissingSubgraph(String),
    #[error("the supergraph is guarded by {0:?}, which this engine does not know")]
    UnknownGuard(String),
    #[error("the supergraph cannot be planned over: {0}")]
    Planner(String),
}

pub const PARSE_FAILED: &str = "GRAPHQL_PARSE_FAILED";
pub const VALIDATION_FAILED: &str = "GRAPHQL_VALIDATION_FAILED";
pub const BAD_USER_INPUT: &str = "BAD_USER_INPUT";
pub const UNAUTHORIZED: &str = "UNAUTHORIZED_FIELD_OR_TYPE";
pub const UNAVAILABLE: &str = "UNAVAILABLE";
pub const INTERNAL: &str = "INTERNAL_SERVER_ERROR";

impl GraphQLError {
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        GraphQLError {
            message: message.into(),
            code: Cow::Borrowed(code),
            path: Vec::new(),
            locations: Vec::new(),
            extensions: Map::new(),
        }
    }

    pub fn at(mut self, path: Vec<PathSegment>) -> Self {
        self.path = path;
        self
    }

    pub fn with(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.extensions.insert(name.to_owned(), value.into());
        self
    }

    /// A part of the answer that could not be had just now.
    pub fn unavailable() -> Self {
        GraphQLError::new(UNAVAILABLE, "This part of the answer is unavailable right now.")
            .with("retryable", true)
    }

    /// Takes the words out of an error whose author meant them for no client.
    pub(crate) fn mask_internal(&mut self) {
        if self.code == INTERNAL {
            tracing::debug!(message = self.message, "the words of an internal error are kept back");
            self.message = "Something went wrong on our side.".to_owned();
            self.extensions.clear();
        }
    }

    pub fn to_value(&self) -> serde_json::Value {
        let mut bytes = Vec::new();
        self.write(&mut bytes);
        serde_json::from_slice(&bytes).unwrap_or_else(|_| json!({ "message": self.message }))
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"message\":");
        write_text(out, &self.message);
        if !self.locations.is_empty() {
            out.extend_from_slice(b",\"locations\":[");
            for (index, Location { line, column }) in self.locations.iter().enumerate() {
                let comma = if index > 0 { "," } else { "" };
                out.extend_from_slice(format!("{comma}{{\"line\":{line},\"column\":{column}}}").as_bytes());
            }
            out.push(b']');
        }
        if !self.path.is_empty() {
            out.extend_from_slice(b",\"path\":[");
            for (index, segment) in self.path.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                match segment {
                    PathSegment::Key(key) => write_text(out, key),
                    PathSegment::Index(index) => out.extend_from_slice(index.to_string().as_bytes()),
                }
            }
            out.push(b']');
        }
        out.extend_from_slice(b",\"extensions\":{\"code\":");
        write_text(out, &self.code);
        for (name, value) in &self.extensions {
            out.push(b',');
            write_text(out, name);
            out.push(b':');
            out.extend_from_slice(value.to_string().as_bytes());
        }
        out.extend_from_slice(b"}}");
    }
}
