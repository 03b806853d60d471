//! Subgraphs whose answers were made before: what is left to count is the gateway's own work.

use std::sync::{Arc, RwLock};

use async_graphql::Executor;
use async_trait::async_trait;
use bytes::Bytes;
use federation::value::{Value, read_json, to_json_bytes, write_json};
use federation::{Answer, RequestContext, Subgraph, SubgraphError, SubgraphRequest};
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::BoxStream;

/// Takes the JSON of a request and gives the JSON of the answer.
pub trait Ask: Send + Sync {
    fn ask(&self, body: Vec<u8>) -> BoxFuture<'_, Bytes>;
}

/// The first time a request is seen its subgraph answers it; from then on the same bytes are given again.
pub struct Canned<E> {
    schema: E,
    answers: RwLock<Vec<(Vec<u8>, Bytes)>>,
}

impl<E: Executor> Canned<E> {
    pub fn new(schema: E) -> Arc<Self> {
        Arc::new(Canned { schema, answers: RwLock::default() })
    }

    fn known(&self, body: &[u8]) -> Option<Bytes> {
        let answers = self.answers.read().unwrap();
        answers.iter().find(|(known, _)| known == body).map(|(_, answer)| answer.clone())
    }
}

impl<E: Executor> Ask for Canned<E> {
    fn ask(&self, body: Vec<u8>) -> BoxFuture<'_, Bytes> {
        async move {
            if let Some(answer) = self.known(&body) {
                return answer;
            }
            let request: async_graphql::Request = serde_json::from_slice(&body).unwrap();
            let answer = self.schema.execute(request).await;
            assert!(answer.errors.is_empty(), "{:?}", answer.errors);
            let answer = Bytes::from(serde_json::to_vec(&answer).unwrap());
            self.answers.write().unwrap().push((body, answer.clone()));
            answer
        }
        .boxed()
    }
}

#[async_trait]
impl<E: Executor> Subgraph for Canned<E> {
    async fn execute(&self, request: SubgraphRequest, _: &RequestContext) -> Result<Answer, SubgraphError> {
        let mut body = b"{\"query\":".to_vec();
        body.extend_from_slice(&to_json_bytes(&Value::text(&request.operation.text)));
        if !request.variables.is_empty() {
            body.extend_from_slice(b",\"variables\":");
            write_json(&mut body, &Value::object(request.variables));
        }
        body.push(b'}');
        let answer = read_json(self.ask(body).await, 64).unwrap();
        let data = answer.as_object().and_then(|answer| answer.get("data")).cloned();
        Ok(Answer { data: data.unwrap_or_default(), errors: Vec::new() })
    }

    async fn subscribe(
        &self,
        _: SubgraphRequest,
        _: &RequestContext,
    ) -> Result<BoxStream<'static, Result<Answer, SubgraphError>>, SubgraphError> {
        Err(SubgraphError::Timeout)
    }
}
