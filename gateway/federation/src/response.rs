//! The answer to a client.

use bytes::Bytes;
use serde_json::Map;

use crate::error::GraphQLError;

#[derive(Clone, Debug, Default)]
pub struct Response {
    /// JSON text: an object or null. Nothing when the request did not come to be executed.
    pub data: Option<Bytes>,
    pub errors: Vec<GraphQLError>,
    pub extensions: Map<String, serde_json::Value>,
}

impl Response {
    pub fn from_errors(errors: Vec<GraphQLError>) -> Self {
        Response { data: None, errors, extensions: Map::new() }
    }

    pub fn to_json_bytes(&self) -> Bytes {
        let data_bytes = self.data.as_ref().map_or(0, Bytes::len);
        let mut out = Vec::with_capacity(data_bytes + 64 + self.errors.len() * 256);
        out.push(b'{');
        // Errors first, as the specification advises: they are seen without searching a long answer.
        if !self.errors.is_empty() {
            out.extend_from_slice(b"\"errors\":[");
            for (index, error) in self.errors.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                error.write(&mut out);
            }
            out.push(b']');
        }
        if let Some(data) = &self.data {
            separate(&mut out);
            out.extend_from_slice(b"\"data\":");
            out.extend_from_slice(data);
        }
        if !self.extensions.is_empty() {
            separate(&mut out);
            out.extend_from_slice(b"\"extensions\":");
            // A map of JSON values always has a JSON text.
            out.extend_from_slice(serde_json::to_string(&self.extensions).unwrap_or_default().as_bytes());
        }
        out.push(b'}');
        Bytes::from(out)
    }

    pub fn to_value(&self) -> serde_json::Value {
        serde_json::from_slice(&self.to_json_bytes()).unwrap_or_default()
    }
}

fn separate(out: &mut Vec<u8>) {
    if out.len() > 1 {
        out.push(b',');
    }
}
