//! What the client wants: by which method, and in which form it takes the answer.

use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use federation::OperationKind;
use graphql::ErrorCode;

use super::Refusal;

/// The form of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `application/graphql-response+json`: the status says whether there is data.
    GraphqlResponse,
    /// `application/json`: 200 for every well-formed request.
    Json,
    /// `text/event-stream`: GraphQL over SSE, distinct connections.
    EventStream,
    /// Nothing that we can write.
    Other,
}

/// Method and form of one request.
#[derive(Clone, Debug)]
pub struct Wish {
    method: Method,
    pub form: Form,
    /// Whether an event stream is welcome, first choice or not.
    events: bool,
}

impl Wish {
    pub fn of(request: &Request) -> Self {
        let accepted = request.headers().get_all(header::ACCEPT).iter();
        let accepted: Vec<&str> = accepted.filter_map(|value| value.to_str().ok()).collect();
        let forms = Form::accepted(&accepted.join(","));
        let events = forms.iter().any(|(form, _)| *form == Form::EventStream);
        Self { method: request.method().clone(), form: Form::best(&forms), events }
    }

    /// Refuses methods and forms that GraphQL over HTTP does not have.
    pub fn check(&self) -> Result<(), Refusal> {
        if !matches!(self.method, Method::GET | Method::POST) {
            let message = "GraphQL is asked with GET or POST.";
            let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::BadUserInput, message);
            return Err(Refusal { allow: Some("GET, POST"), ..refusal });
        }
        if self.form == Form::Other {
            let message = "The answer comes as application/graphql-response+json, application/json or \
                           text/event-stream.";
            return Err(Refusal::new(StatusCode::NOT_ACCEPTABLE, ErrorCode::BadUserInput, message));
        }
        Ok(())
    }

    /// Refuses operations that this method or form cannot carry.
    pub fn check_kind(&self, kind: OperationKind) -> Result<(), Refusal> {
        if kind == OperationKind::Mutation && self.method == Method::GET {
            let message = "Mutations are sent with POST.";
            let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::BadUserInput, message);
            return Err(Refusal { allow: Some("POST"), ..refusal });
        }
        if kind == OperationKind::Subscription && !self.events {
            let message = "Subscriptions are answered as text/event-stream.";
            return Err(Refusal::new(StatusCode::NOT_ACCEPTABLE, ErrorCode::BadUserInput, message));
        }
        Ok(())
    }
}

impl Form {
    /// The forms an `Accept` header takes, with their qualities, in its order.
    fn accepted(accept: &str) -> Vec<(Self, f32)> {
        let mut accepted = Vec::new();
        let ranges = if accept.trim().is_empty() { "*/*" } else { accept };
        for range in ranges.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let form = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
                "application/graphql-response+json" => Self::GraphqlResponse,
                "application/json" | "application/*" | "*/*" => Self::Json,
                "text/event-stream" => Self::EventStream,
                _ => continue,
            };
            let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0_f32);
            if quality > 0.0 {
                accepted.push((form, quality));
            }
        }
        accepted
    }

    /// The first of the best.
    fn best(accepted: &[(Self, f32)]) -> Self {
        let first = (Self::Other, 0.0);
        accepted.iter().fold(first, |best, one| if one.1 > best.1 { *one } else { best }).0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_acceptable_form_is_taken() {
        for (accept, form) in [
            ("", Form::Json),
            ("*/*", Form::Json),
            ("application/graphql-response+json, application/json;q=0.9", Form::GraphqlResponse),
            ("application/json;q=0.1, application/graphql-response+json;q=0.9", Form::GraphqlResponse),
            ("text/event-stream", Form::EventStream),
            ("text/html", Form::Other),
            ("application/json;q=0", Form::Other),
        ] {
            assert_eq!(Form::best(&Form::accepted(accept)), form, "{accept}");
        }
    }
}
