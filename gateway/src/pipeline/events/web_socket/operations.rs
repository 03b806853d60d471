//! The operations that run on one connection.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::ws::Message;
use federation::GraphQLError;
use futures::stream::{BoxStream, SelectAll, Stream, StreamExt};
use graphql::ErrorCode;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::Instrument;

use super::close::Close;
use super::message;
use crate::pipeline::document::Asked;
use crate::pipeline::meters::Tally;
use crate::pipeline::respond::{Reply, log_operation};
use crate::pipeline::{Asker, Door, Refusal, prepare, run};

/// Operations one connection runs at once.
const OPERATIONS_MAX: usize = 100;

/// Operations by the client's ids, and what they have to tell.
#[derive(Default)]
pub struct Operations {
    running: HashMap<String, DropGuard>,
    frames: SelectAll<BoxStream<'static, Frame>>,
}

/// A message of one operation.
struct Frame {
    id: Arc<str>,
    message: Message,
    last: bool,
}

impl Operations {
    /// Starts an operation, or says at once that it cannot be; what else is wrong with it is told later.
    pub fn start(
        &mut self,
        door: &Arc<Door>,
        asker: Asker,
        id: String,
        asked: Asked,
    ) -> Result<Option<Message>, Close> {
        if self.running.contains_key(&id) {
            return Err(Close::duplicate(&id));
        }
        // Those that were ended and still have to notice count too: they hold memory.
        if self.frames.len() >= OPERATIONS_MAX {
            let message = format!("A connection runs {OPERATIONS_MAX} operations at once, no more.");
            let error = GraphQLError::new(ErrorCode::RateLimited.as_str(), message).with("retryable", true);
            let mut errors = [error];
            asker.id.mark(&mut errors);
            return Ok(Some(message::error(&id, &errors)));
        }
        let stopped = CancellationToken::new();
        let frames = frames(Arc::clone(door), asker, id.as_str().into(), asked);
        self.frames.push(frames.take_until(stopped.clone().cancelled_owned()).boxed());
        self.running.insert(id, stopped.drop_guard());
        Ok(None)
    }

    /// Ends an operation that the client wants no more; one that has ended already is no matter.
    pub fn end(&mut self, id: &str) {
        self.running.remove(id);
    }

    /// The next message; `None` while nothing runs.
    pub async fn next(&mut self) -> Option<Message> {
        let Frame { id, message, last } = self.frames.next().await?;
        if last {
            self.running.remove(&*id);
        }
        Some(message)
    }
}

/// All that one operation tells the client, from its first message to its last. It is polled only when
/// the connection can take more.
fn frames(door: Arc<Door>, asker: Asker, id: Arc<str>, asked: Asked) -> impl Stream<Item = Frame> + Send {
    async_stream::stream! {
        let frame = |message| Frame { id: id.clone(), message, last: false };
        let begun = Instant::now();
        let (request_id, span, tally) = (asker.id.clone(), asker.id.span(), Tally::new());
        let outcome = begin(&door, asker, asked, &tally).instrument(span.clone()).await;
        tally.count(&outcome, begun.elapsed());
        let errors = match &outcome {
            Ok(Reply::Answer(answer)) => &answer.errors[..],
            Err(refusal) => &refusal.errors[..],
            Ok(Reply::Public(_) | Reply::Events(_) | Reply::Upgrade(_)) => &[],
        };
        span.in_scope(|| log_operation(errors, begun.elapsed()));
        match outcome {
            Err(Refusal { mut errors, .. }) => {
                request_id.mark(&mut errors);
                yield Frame { last: true, ..frame(message::error(&id, &errors)) };
                return;
            }
            Ok(Reply::Answer(mut answer)) => {
                request_id.mark(&mut answer.errors);
                yield frame(message::next(&id, &answer));
            }
            Ok(Reply::Events(subscription)) => {
                let drains = door.stop.clone().cancelled_owned();
                let mut answers = std::pin::pin!(subscription.answers().take_until(drains));
                while let Some(answer) = answers.next().await {
                    yield frame(message::next(&id, &answer));
                }
                if door.stop.is_cancelled() {
                    // It is not complete: the line closes, and the client subscribes again elsewhere.
                    return;
                }
            }
            // Only a request of its own can ask for these.
            Ok(Reply::Public(_) | Reply::Upgrade(_)) => {}
        }
        yield Frame { last: true, ..frame(message::complete(&id)) };
    }
}

async fn begin(door: &Arc<Door>, asker: Asker, asked: Asked, tally: &Tally) -> Result<Reply, Refusal> {
    let prepared = prepare(door, &asker, asked, tally).await?;
    run(door, asker, prepared, None).await
}
