//! Which roles run in this process: with its parts below, the only place that names the service crates, but for
//! their settings and what the command line tells of them.
//!
//! `databases` says where they keep their data, `services` opens them, `relays` carries their messages,
//! `paths` is what they answer over HTTP, `doors` what they answer to our other processes.

mod databases;
mod doors;
mod files;
mod invalidation;
mod keys;
mod measured;
mod messages;
mod paths;
mod relays;
mod sealing_key;
mod services;
mod switching;

use std::sync::Arc;
use std::time::Duration;

use auth::TokenVerifier;
use axum::Router;
use clock::Clock;
use database::Database;
use federation::{EntityCache, Settings};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Role};
use crate::current_engine::{self, CurrentEngine};
use crate::entities::Entities;
use crate::graph::OwnGraph;
use crate::guards::documents::OWN;
use crate::guards::{GuardError, Guards};
use crate::peers::clock::Follower;
use crate::peers::sessions::Sessions;
use crate::peers::{Hearing, Peers};
use crate::pipeline::{self, Answers, Door, Tokens};
use crate::subgraphs::Subgraphs;
use crate::{health, status, upkeep};

pub use databases::{SetUpError, migrate, provision, shortcomings as shortcomings_of_databases};
pub use files::{apply_catalogue, export_catalogue, subgraph_schemas};
pub use keys::{blind_index_key, key_uses, retire_keys, rotate_keys};
pub use messages::{dead_messages, replay_message};
pub use sealing_key::shortcomings as shortcomings_of_sealing;
use services::Services;
pub use switching::{closures, move_switch};

/// How long a stop waits for deliveries and databases, once nothing is answered any more.
const CLOSE_MAX: Duration = Duration::from_secs(10);

/// Why a role did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the catalogue does not start")]
    Catalogue(#[from] catalogue::Error),
    #[error("identity does not start")]
    Identity(#[from] identity::Error),
    #[error("a database does not open")]
    Database(#[from] database::Error),
    #[error("applications does not start")]
    Applications(#[from] applications::OpenError),
    #[error("the sandbox does not start")]
    Sandbox(#[source] anyhow::Error),
    #[error(transparent)]
    Supergraph(#[from] current_engine::OwnError),
    #[error(transparent)]
    SealingKey(#[from] sealing::KeyError),
    #[error("the catalogue's messages cannot be delivered")]
    CatchUp(#[source] outbox::Error),
    #[error(transparent)]
    Guards(#[from] GuardError),
    #[error(transparent)]
    Redis(#[from] cache::BadAddress),
    #[error("the data folder")]
    Data(#[from] std::io::Error),
}

/// Everything that runs in this process.
pub struct Roles {
    /// None without the gateway.
    door: Option<Arc<Door>>,
    databases: Vec<(&'static str, Database)>,
    hearing: Hearing,
    routes: Router,
    tasks: JoinSet<()>,
    stop: CancellationToken,
}

/// What the roles of one process stand on.
struct Ground<'a> {
    config: &'a Config,
    /// The installation's; the sandbox can move it.
    clock: Clock,
    peers: Peers,
    hearing: Hearing,
    /// `None` where none is configured; dead is no reason not to start.
    redis: Option<cache::Redis>,
    /// What of the kept answers still holds.
    tags: cache::Tags,
    /// Values taken once, by whichever of our processes.
    seen: cache::Seen,
    wake: cache::Wake,
    graph: OwnGraph,
    stop: CancellationToken,
}

impl Roles {
    /// Opens every role of this process: infrastructure, services, the engine over them, the relays
    /// between them.
    pub async fn open(config: &Config, stop: CancellationToken) -> Result<Self, Error> {
        std::fs::create_dir_all(&config.data)?;
        let ground = Ground::lay(config, stop.clone()).await?;
        let services = Services::open(&ground).await?;
        let verifier = services.verifier(&ground);
        let subgraphs =
            services.subgraphs(Subgraphs::new(config, ground.peers.clock(), ground.seen.clone(), &stop));
        let doors = services.doors(&ground).merge(services.telling_of_ends(&ground, subgraphs.doors));
        let door = match verifier.clone() {
            Some(verifier) if config.runs(Role::Gateway) => {
                let settings = Settings {
                    introspection: config.environment.is_sandbox(),
                    mask_internal_errors: !config.environment.is_sandbox(),
                    unauthorized: config.unauthorized.into(),
                    ..Settings::default()
                };
                let own =
                    current_engine::Own::open(config, subgraphs.transports, settings, ground.entities())?;
                let door = ground.door(Arc::clone(&own.engine), verifier)?;
                own.keep_current(&door.guards.documents, &stop);
                Some(door)
            }
            _ => None,
        };
        let mut tasks = JoinSet::new();
        services.start_relays(&ground, &mut tasks).await?;
        services.keep_up(&mut tasks, &stop);
        services.keep_measuring(&mut tasks, &stop);
        ground.keep_hearing(&mut tasks).await;
        let databases = services.databases();
        let origins = door.as_ref().map(|door| &door.guards.origins);
        let mut routes = services.routes(&ground, verifier, origins).merge(doors);
        if let Some(door) = &door {
            let graph = services.telling_of_ends(&ground, pipeline::routes(Arc::clone(door)));
            routes = routes.merge(graph).merge(ground.status(&databases));
        }
        Ok(Self { door, databases, hearing: ground.hearing, routes, tasks, stop })
    }

    /// Everything this process answers.
    pub fn routes(&self) -> Router {
        let needed = health::Needed {
            databases: self.databases.clone(),
            hearing: self.hearing.clone(),
            stop: self.stop.clone(),
        };
        health::routes(needed, self.door.clone()).merge(self.routes.clone())
    }

    /// Ends the relays and closes the databases, after serving has ended. A message that is still being
    /// delivered comes again, and a statement that still runs is undone: neither keeps the process for ever.
    pub async fn close(mut self) {
        let closing = async {
            while self.tasks.join_next().await.is_some() {}
            for (_, database) in &self.databases {
                database.close().await;
            }
        };
        if tokio::time::timeout(CLOSE_MAX, closing).await.is_err() {
            tracing::warn!("some work had not ended: it is left behind");
        }
    }
}

impl<'a> Ground<'a> {
    async fn lay(config: &'a Config, stop: CancellationToken) -> Result<Self, Error> {
        let (clock, peers) = (Clock::system(), Peers::new(config));
        let elsewhere = config.roles_elsewhere();
        let checks_tokens = config.runs(Role::Gateway) || config.runs(Role::Applications);
        let hearing = Hearing {
            clock: elsewhere.contains(&Role::Sandbox).then(|| Follower::new(peers.clone(), clock.clone())),
            sessions: (checks_tokens && elsewhere.contains(&Role::Identity))
                .then(|| Sessions::new(peers.clone(), clock.clone())),
        };
        if let Some(follower) = &hearing.clock {
            follower.begin(&stop).await;
        }
        let redis = cache::Redis::open(&config.redis)?;
        let tags = cache::Tags::new(redis.clone(), clock.clone());
        let (seen, wake) = (cache::Seen::new(redis.clone()), cache::Wake::new(redis.clone()));
        Ok(Self { config, clock, peers, hearing, redis, tags, seen, wake, graph: OwnGraph::default(), stop })
    }

    /// The public door over the engine.
    fn door(&self, engine: Arc<CurrentEngine>, verifier: TokenVerifier) -> Result<Arc<Door>, Error> {
        self.graph.connect(&engine);
        let guards = Guards::open(self.config, OWN, self.redis.clone(), &self.clock, &self.stop)?;
        Ok(Arc::new(Door {
            engine,
            tokens: Tokens::Own(verifier),
            forward: Vec::new(),
            clock: self.clock.clone(),
            limits: self.config.limits.clone(),
            guards,
            answers: self.answers(),
            subscriptions: Arc::default(),
            continue_traces: self.config.traces.continue_clients,
            stop: self.stop.clone(),
        }))
    }

    /// What this gateway keeps of answers.
    fn answers(&self) -> Option<Answers> {
        let settings = self.config.answer_cache.clone();
        let wait_ms = self.config.limits.request_timeout_ms;
        settings.enabled.then(|| Answers::new(settings, self.tags.clone(), self.is_told(), wait_ms))
    }

    /// What it keeps of entities of subgraphs.
    fn entities(&self) -> Option<Arc<dyn EntityCache>> {
        let settings = &self.config.answer_cache;
        let kept = settings.enabled.then(|| Entities::new(settings, self.tags.clone(), self.is_told()))?;
        Some(Arc::new(kept))
    }

    /// Whether what changes is told to this process at once: through Redis, or because no other process can
    /// change it. An embedded database has one process; a server may have any number, each with all roles.
    fn is_told(&self) -> bool {
        self.redis.is_some() || (!self.config.is_split() && databases::are_embedded(self.config))
    }

    /// What the public can use now.
    fn status(&self, databases: &[(&'static str, Database)]) -> Router {
        status::routes(self.graph.clone(), self.peers.clone(), databases.to_vec(), self.clock.clone())
    }

    /// Hears the other processes, at once and then again and again.
    async fn keep_hearing(&self, tasks: &mut JoinSet<()>) {
        if self.hearing.clock.is_some() {
            let hearing = self.hearing.clone();
            tasks.spawn(upkeep::every(crate::peers::clock::FOLLOW, self.stop.clone(), move || {
                let hearing = hearing.clone();
                async move { hearing.follow_clock().await }
            }));
        }
        if self.hearing.sessions.is_some() {
            let hearing = self.hearing.clone();
            tasks.spawn(upkeep::every(upkeep::HEAR, self.stop.clone(), move || {
                let hearing = hearing.clone();
                async move { hearing.hear_sessions().await }
            }));
        }
    }
}
