//! Subscriptions: one subgraph gives the events, the rest of the plan completes each.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream::BoxStream;

use crate::document::OperationKind;
use crate::engine::{Engine, Prepared};
use crate::error::{GraphQLError, VALIDATION_FAILED};
use crate::execute::Execution;
use crate::response::Response;
use crate::subgraph::{Answer, RequestContext, SubgraphError};
use crate::value::Value;
use crate::warm::come_back;

impl Engine {
    /// Opens a subscription. The stream ends when its subgraph's does, or with a word when this engine retires;
    /// the context's deadline bounds the opening, not the stream.
    pub async fn subscribe(
        self: &Arc<Self>,
        prepared: Prepared,
        context: RequestContext,
    ) -> Result<BoxStream<'static, Response>, Vec<GraphQLError>> {
        if prepared.kind() != OperationKind::Subscription {
            let message = "Only a subscription is answered by a stream of events.";
            return Err(vec![GraphQLError::new(VALIDATION_FAILED, message)]);
        }
        let Some(source) = &prepared.operation.plan.subscription else {
            // All of it was skipped or denied: there is one answer, and no event will change it.
            let response = self.respond(&prepared, Value::object(Default::default()), Vec::new());
            return Ok(futures::stream::once(async { response }).boxed());
        };
        let (name, subgraph) = &self.subgraphs.by_number[source.subgraph];
        let events = {
            let execution = Execution::new(&self.subgraphs, &prepared.values, &context, Value::Null);
            let request = execution.request(&source.operation, Vec::new());
            let limit = request.limit;
            tokio::time::timeout_at(limit, subgraph.subscribe(request, &context))
                .await
                .unwrap_or(Err(SubgraphError::Timeout))
        };
        let mut events = events.map_err(|error| {
            tracing::warn!(subgraph = %name, %error, "a subscription could not be opened");
            vec![self.subgraphs.unavailable(source.subgraph)]
        })?;
        let engine = self.clone();
        let mut context = context;
        // It belonged to the request that opened the stream.
        context.deadline = None;
        Ok(async_stream::stream! {
            loop {
                let event = tokio::select! {
                    biased;
                    () = engine.is_retired() => {
                        yield come_back();
                        return;
                    }
                    event = events.next() => event,
                };
                let Some(event) = event else { return };
                let broken = event.is_err();
                yield engine.event(&prepared, &context, event).await;
                if broken {
                    return;
                }
            }
        }
        .boxed())
    }

    async fn event(
        &self,
        prepared: &Prepared,
        context: &RequestContext,
        event: Result<Answer, SubgraphError>,
    ) -> Response {
        let plan = &prepared.operation.plan;
        let answer = event.inspect_err(|error| tracing::warn!(%error, "a subscription broke off")).ok();
        let empty = Execution::new(&self.subgraphs, &prepared.values, context, Value::Null);
        let (data, mut errors) = match &plan.subscription {
            Some(source) => empty.root_answer(source, answer),
            None => (Value::Null, Vec::new()),
        };
        let execution = Execution::new(&self.subgraphs, &prepared.values, context, data);
        if let Some(node) = &plan.node {
            errors.extend(execution.run(node).await);
        }
        self.respond(prepared, execution.into_data(), errors)
    }
}
