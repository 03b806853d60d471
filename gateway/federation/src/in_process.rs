//! A subgraph in this process: the parsed document goes straight into its schema, no JSON in between.

use std::sync::Arc;

use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Executor, PathSegment as ResolverSegment, Request, Response, ServerError, Variables};
use async_trait::async_trait;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use moka::sync::Cache;
use serde_json::Map;

use crate::error::PathSegment;
use crate::subgraph::{Answer, AnswerError, RequestContext, Subgraph, SubgraphError, SubgraphRequest};
use crate::value::{Value, from_resolver, to_resolver};

/// Parsed operations one subgraph keeps, by the KiB of their text: literals of a client's stand in them.
const DOCUMENTS_KIB_MAX: u64 = 4_000;

type Attach = dyn Fn(Request, &RequestContext) -> Request + Send + Sync;

pub struct InProcess<E> {
    executor: E,
    attach: Box<Attach>,
    documents: Cache<u64, Arc<(String, ExecutableDocument)>>,
}

impl<E: Executor> InProcess<E> {
    /// `attach` puts what resolvers need of the caller into the request.
    pub fn new(
        executor: E,
        attach: impl Fn(Request, &RequestContext) -> Request + Send + Sync + 'static,
    ) -> Self {
        let documents = Cache::builder()
            .max_capacity(DOCUMENTS_KIB_MAX)
            .weigher(|_, known: &Arc<(String, ExecutableDocument)>| {
                u32::try_from(1 + known.0.len() / 1024).unwrap_or(u32::MAX)
            })
            .build();
        InProcess { executor, attach: Box::new(attach), documents }
    }

    fn request(&self, request: &SubgraphRequest, context: &RequestContext) -> Result<Request, SubgraphError> {
        let mut made = Request::new("").variables(Variables::default());
        made.set_parsed_query(self.document(request)?.1.clone());
        for (name, value) in request.variables.iter() {
            made.variables.insert(async_graphql::Name::new(name.as_str()), to_resolver(value));
        }
        Ok((self.attach)(made, context))
    }

    fn document(
        &self,
        request: &SubgraphRequest,
    ) -> Result<Arc<(String, ExecutableDocument)>, SubgraphError> {
        let text = &request.operation.text;
        // Two texts can share a hash, so the text is compared.
        if let Some(known) = self.documents.get(&request.operation.hash).filter(|known| known.0 == *text) {
            return Ok(known);
        }
        let parsed = async_graphql::parser::parse_query(text)
            .map_err(|error| SubgraphError::Malformed(format!("the planned operation: {error}")))?;
        let known = Arc::new((text.clone(), parsed));
        self.documents.insert(request.operation.hash, known.clone());
        Ok(known)
    }
}

#[async_trait]
impl<E: Executor> Subgraph for InProcess<E> {
    async fn execute(
        &self,
        request: SubgraphRequest,
        context: &RequestContext,
    ) -> Result<Answer, SubgraphError> {
        let request = self.request(&request, context)?;
        // A resolver that panics costs its own answer, as a process that dies would.
        match std::panic::AssertUnwindSafe(self.executor.execute(request)).catch_unwind().await {
            Ok(response) => Ok(answer(response)),
            Err(_) => Err(panicked()),
        }
    }

    async fn subscribe(
        &self,
        request: SubgraphRequest,
        context: &RequestContext,
    ) -> Result<BoxStream<'static, Result<Answer, SubgraphError>>, SubgraphError> {
        let request = self.request(&request, context)?;
        let events = std::panic::AssertUnwindSafe(self.executor.execute_stream(request, None)).catch_unwind();
        Ok(events.map(|event| event.map(answer).map_err(|_| panicked())).boxed())
    }
}

fn panicked() -> SubgraphError {
    SubgraphError::Unreachable("a resolver panicked".to_owned())
}

fn answer(response: Response) -> Answer {
    let data = match from_resolver(response.data) {
        data @ Value::Object(_) => data,
        _ => Value::Null,
    };
    Answer { data, errors: response.errors.into_iter().map(answer_error).collect() }
}

fn answer_error(error: ServerError) -> AnswerError {
    let path = error.path.into_iter().map(|segment| match segment {
        ResolverSegment::Field(name) => PathSegment::Key(name.into()),
        ResolverSegment::Index(index) => PathSegment::Index(index),
    });
    let extensions = match serde_json::to_value(error.extensions) {
        Ok(serde_json::Value::Object(extensions)) => extensions,
        _ => Map::new(),
    };
    AnswerError { message: error.message, path: path.collect(), extensions }
}
