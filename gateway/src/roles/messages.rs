//! Messages that were given up: seen and sent again from the command line.

use clock::Clock;
use database::Database;
use outbox::{Dead, Outbox, Replay};

use super::databases::{services, target};
use crate::config::{Config, Role};

/// Why nothing was shown or sent again.
#[derive(Debug, thiserror::Error)]
pub enum MessagesError {
    #[error("the database of {service} does not open (embedded: stop what serves first)")]
    Database { service: &'static str, source: database::Error },
    #[error("{0} sends no messages: those that do are catalogue, identity, applications and payments")]
    Unknown(String),
}

/// What was given up, of one service or of all, the oldest first; at most a hundred of each. It can be looked
/// at while everything serves.
pub async fn dead_messages(
    config: &Config,
    service: Option<&str>,
) -> Result<Vec<(&'static str, Dead)>, MessagesError> {
    let outbox = Outbox::new(Clock::system());
    let mut all = Vec::new();
    for (service, _) in senders(service)? {
        let failed = |source| MessagesError::Database { service, source };
        let database = Database::observe(&target(config), service).await.map_err(failed)?;
        let dead = outbox.dead(&database).await;
        database.close().await;
        all.extend(dead.map_err(failed)?.into_iter().map(|dead| (service, dead)));
    }
    Ok(all)
}

/// Has one tried again; false when no such message of `service` was given up.
pub async fn replay_message(
    config: &Config,
    service: &str,
    replay: Replay<'_>,
) -> Result<bool, MessagesError> {
    let (service, migrations) = senders(Some(service))?.remove(0);
    let failed = |source| MessagesError::Database { service, source };
    let database = Database::open(&target(config), service, &migrations).await.map_err(failed)?;
    let replayed = Outbox::new(Clock::system()).replay(&database, replay).await;
    database.close().await;
    replayed.map_err(failed)
}

type Sender = (&'static str, Vec<&'static database::Migrations>);

/// Those who send messages; at least one.
fn senders(wanted: Option<&str>) -> Result<Vec<Sender>, MessagesError> {
    let all = services().into_iter().filter(|(role, ..)| *role != Role::Sandbox);
    let wanted_ones = all.filter(|(_, name, _)| wanted.is_none_or(|wanted| wanted == *name));
    let senders: Vec<_> = wanted_ones.map(|(_, name, migrations)| (name, migrations)).collect();
    match (senders.is_empty(), wanted) {
        (true, Some(wanted)) => Err(MessagesError::Unknown(wanted.to_owned())),
        _ => Ok(senders),
    }
}

#[cfg(test)]
mod tests {
    use database::args;
    use uuid::Uuid;

    use super::*;

    #[tokio::test]
    async fn what_was_given_up_is_seen_and_sent_again_once() {
        let data = tempfile::tempdir().unwrap();
        let config = Config { data: data.path().to_owned(), ..Config::default() };
        let (_, migrations) = senders(Some("payments")).unwrap().remove(0);
        let (id, now) = (Uuid::from_u128(7), Clock::system().now());
        for (service, migrations) in senders(None).unwrap() {
            Database::open(&target(&config), service, &migrations).await.unwrap().close().await;
        }
        let database = Database::open(&target(&config), "payments", &migrations).await.unwrap();
        let dead = "insert into outbox_message
                        (id, topic, payload, created_at, not_before, attempts, last_error, dead_at)
                    values ($1, 'payments.paid', '{}', $2, $2, 30, 'nobody listens', $2)";
        database.execute(dead, args![id, now]).await.unwrap();
        // It is looked at while somebody serves.
        let seen = dead_messages(&config, None).await.unwrap();
        let told: Vec<_> =
            seen.iter().map(|(service, dead)| (*service, dead.id, &*dead.last_error)).collect();
        assert_eq!(told, [("payments", id, "nobody listens")]);
        assert!(dead_messages(&config, Some("identity")).await.unwrap().is_empty());
        let replay = Replay { message: id, by: "nanta", reason: "the receiver is mended" };
        assert!(matches!(
            replay_message(&config, "payments", replay).await,
            Err(MessagesError::Database { service: "payments", .. })
        ));
        database.close().await;
        assert!(replay_message(&config, "payments", replay).await.unwrap());
        assert!(!replay_message(&config, "payments", replay).await.unwrap(), "it is not dead any more");
        assert!(dead_messages(&config, None).await.unwrap().is_empty());
        assert!(matches!(dead_messages(&config, Some("gateway")).await, Err(MessagesError::Unknown(_))));
    }
}
