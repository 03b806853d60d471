//! Wake-ups by topic, within the process and between processes.
//!
//! A wake-up says only that something happened; what, is read from where it is written down. One may be
//! lost (Redis is dead, a queue is full): whoever sleeps also looks from time to time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;
use futures::future::join_all;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc, watch};

use crate::connection::{Channel, Heard, Redis};

/// Wake-ups waiting to be said to other processes; beyond, they are not said.
const WAITING_MAX: usize = 4096;
/// Said at once.
const TOGETHER_MAX: usize = 64;

/// Wakes those who wait for a topic. Cloning shares it.
#[derive(Clone)]
pub struct Wake(Arc<Inner>);

struct Inner {
    topics: Mutex<HashMap<String, Topic>>,
    /// Tells this process's messages from others'.
    origin: u64,
    outgoing: Option<mpsc::Sender<String>>,
}

struct Topic {
    sender: watch::Sender<()>,
    /// How many wait for it. The sender's own count is late: a listener leaves it after the lock.
    listeners: usize,
}

/// Waits for one topic.
pub struct Listener {
    topic: String,
    woken: watch::Receiver<()>,
    wake: Wake,
}

impl Wake {
    /// With Redis it needs a Tokio runtime.
    pub fn new(redis: Option<Redis>) -> Self {
        let origin = rand::random();
        let outgoing = redis.as_ref().map(|redis| {
            let (sender, receiver) = mpsc::channel(WAITING_MAX);
            tokio::spawn(say(redis.clone(), origin, receiver));
            sender
        });
        let inner = Arc::new(Inner { topics: Mutex::default(), origin, outgoing });
        if let Some(redis) = redis {
            tokio::spawn(hear(Arc::downgrade(&inner), redis.hear(Channel::Wake)));
        }
        Self(inner)
    }

    /// Wakes everyone who waits for `topic`, here and in other processes. Never waits.
    pub fn wake(&self, topic: &str) {
        self.0.wake(topic);
        if let Some(outgoing) = &self.0.outgoing
            && outgoing.try_send(topic.to_owned()).is_err()
        {
            metrics::counter!("wake_unsaid_total").increment(1);
        }
    }

    /// Hears of `topic` from now on.
    pub fn listen(&self, topic: &str) -> Listener {
        let mut topics = self.0.topics();
        let entry = topics.entry(topic.to_owned());
        let entry = entry.or_insert_with(|| Topic { sender: watch::channel(()).0, listeners: 0 });
        entry.listeners += 1;
        Listener { topic: topic.to_owned(), woken: entry.sender.subscribe(), wake: self.clone() }
    }

    /// How many topics somebody waits for.
    pub fn topics(&self) -> usize {
        self.0.topics().len()
    }
}

impl Inner {
    fn topics(&self) -> MutexGuard<'_, HashMap<String, Topic>> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, topic: &str) {
        if let Some(topic) = self.topics().get(topic) {
            topic.sender.send_replace(());
        }
    }
}

impl Listener {
    /// Returns when the topic was woken since the last time, or since listening began.
    pub async fn woken(&mut self) {
        if self.woken.changed().await.is_err() {
            // The sender lives as long as there is a listener.
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut topics = self.wake.0.topics();
        let Some(topic) = topics.get_mut(&self.topic) else { return };
        topic.listeners -= 1;
        if topic.listeners == 0 {
            topics.remove(&self.topic);
        }
    }
}

async fn say(redis: Redis, origin: u64, mut outgoing: mpsc::Receiver<String>) {
    let mut topics = Vec::with_capacity(TOGETHER_MAX);
    while outgoing.recv_many(&mut topics, TOGETHER_MAX).await > 0 {
        let messages: Vec<Vec<u8>> =
            topics.drain(..).map(|topic| [&origin.to_be_bytes()[..], topic.as_bytes()].concat()).collect();
        // What cannot be said is found by those who look from time to time.
        join_all(messages.iter().map(|message| redis.say(Channel::Wake, message))).await;
    }
}

async fn hear(wake: Weak<Inner>, mut heard: broadcast::Receiver<Heard>) {
    loop {
        let next = heard.recv().await;
        let Some(wake) = wake.upgrade() else { return };
        match next {
            Ok(Heard::Message(message)) => {
                if let Some(topic) = topic_of(&message, wake.origin) {
                    wake.wake(topic);
                }
            }
            // Something may have been missed: everyone looks.
            Ok(Heard::Connected) | Err(RecvError::Lagged(_)) => {
                for topic in wake.topics().values() {
                    topic.sender.send_replace(());
                }
            }
            Err(RecvError::Closed) => return,
        }
    }
}

/// What another process woke.
fn topic_of(message: &Bytes, own: u64) -> Option<&str> {
    let (origin, topic) = message.split_first_chunk::<8>()?;
    (u64::from_be_bytes(*origin) != own).then(|| std::str::from_utf8(topic).ok()).flatten()
}
