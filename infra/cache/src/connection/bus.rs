//! What other processes say: one pub/sub connection per process, found again when it is lost.

use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use redis::Client;
use tokio::sync::broadcast;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::{Inner, Redis};

/// Messages that wait for a slow listener; one that falls behind is told so.
const WAITING_MAX: usize = 4096;
/// How often the connection is asked whether it lives, and how long it may take to say so.
const PING: Duration = Duration::from_secs(1);
const OPEN_MAX: Duration = Duration::from_secs(2);
/// Between two tries to find it again.
const RETRY: Duration = Duration::from_millis(100);

/// A topic of its own between processes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Channel {
    Tags,
    Wake,
}

/// What a listener of one channel hears.
#[derive(Clone, Debug)]
pub enum Heard {
    Message(Bytes),
    /// From here on everything is heard; what was said before may have been missed.
    Connected,
}

pub struct Bus {
    members: Vec<Client>,
    heard: OnceLock<Ears>,
}

/// Whoever listens, by channel: many messages of one do not crowd out the other's.
type Ears = [broadcast::Sender<Heard>; 2];

impl Channel {
    const ALL: [Self; 2] = [Self::Tags, Self::Wake];

    fn name(self, prefix: &str) -> String {
        match self {
            Self::Tags => format!("{prefix}:tags"),
            Self::Wake => format!("{prefix}:wake"),
        }
    }
}

impl Bus {
    pub fn new(members: Vec<Client>) -> Self {
        Self { members, heard: OnceLock::new() }
    }
}

impl Redis {
    /// Hears what is said on a channel from now on; the first listener opens the connection. Needs a Tokio runtime.
    pub(crate) fn hear(&self, channel: Channel) -> broadcast::Receiver<Heard> {
        let ears = self.0.bus.heard.get_or_init(|| {
            let ears: Ears = Channel::ALL.map(|_| broadcast::channel(WAITING_MAX).0);
            tokio::spawn(listen(Arc::downgrade(&self.0), ears.clone()));
            ears
        });
        ears[channel as usize].subscribe()
    }

    /// Says it to every process that listens, this one included. Nobody is waited for.
    pub(crate) async fn say(&self, channel: Channel, message: &[u8]) -> Result<(), super::Absent> {
        let mut command = redis::cmd("PUBLISH");
        command.arg(channel.name(self.prefix())).arg(message);
        // In a Cluster the members pass it on to each other.
        self.query::<i64>(&command).await.map(|_| ())
    }
}

/// Listens until nothing holds Redis any more: to each member in turn.
async fn listen(redis: Weak<Inner>, ears: Ears) {
    let mut turn = 0;
    while let Some(inner) = redis.upgrade() {
        let client = inner.bus.members[turn % inner.bus.members.len()].clone();
        let names = Channel::ALL.map(|channel| channel.name(&inner.prefix));
        drop(inner);
        if let Some(error) = attend(&client, &names, &redis, &ears).await {
            tracing::debug!(%error, "the connection that hears of other processes is lost");
        }
        metrics::gauge!("cache_redis_bus_connected").set(0.0);
        turn += 1;
        tokio::time::sleep(RETRY).await;
    }
}

/// Hears one member for as long as it lives.
async fn attend(client: &Client, names: &[String; 2], redis: &Weak<Inner>, ears: &Ears) -> Option<String> {
    let open = async {
        let mut connection = client.get_async_pubsub().await?;
        for name in names {
            connection.subscribe(name).await?;
        }
        redis::RedisResult::Ok(connection)
    };
    let connection = match timeout(OPEN_MAX, open).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return Some(error.to_string()),
        Err(_) => return Some("it does not open in time".to_owned()),
    };
    metrics::gauge!("cache_redis_bus_connected").set(1.0);
    // Nobody listening is no error.
    ears.iter().for_each(|ear| _ = ear.send(Heard::Connected));
    let (mut sink, mut messages) = connection.split();
    let mut ping = interval(PING);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            message = messages.next() => {
                let Some(message) = message else { return Some("it was closed".to_owned()) };
                let ear = names.iter().zip(ears).find(|(name, _)| *name == message.get_channel_name());
                if let Some((_, ear)) = ear {
                    _ = ear.send(Heard::Message(Bytes::copy_from_slice(message.get_payload_bytes())));
                }
            }
            _ = ping.tick() => {
                if redis.strong_count() == 0 {
                    return None;
                }
                match timeout(PING, sink.ping::<redis::Value>()).await {
                    Ok(Ok(_)) => {}
                    Ok(Err(error)) => return Some(error.to_string()),
                    Err(_) => return Some("it hangs".to_owned()),
                }
            }
        }
    }
}
