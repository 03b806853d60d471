//! A primary with its standby: writes never go astray, and a replica that is behind is not asked.

use std::time::{Duration, Instant};

use database::{Database, Server, args};

use super::{FIRST, target};

/// The address of the durable primary and its standby's folder, where `infra/servers up durable` ran.
fn servers() -> Option<(String, String)> {
    #[allow(clippy::disallowed_methods, reason = "test set-up, not configuration of the program")]
    let url = std::env::var("PRATU_TEST_POSTGRES_DURABLE").ok().filter(|url| !url.is_empty())?;
    let standby = url.split_once("?host=")?.1.split(',').next_back()?.to_owned();
    Some((url, standby))
}

/// A schema of this test's own; it goes with the server.
fn service() -> String {
    format!("things_{}", clock::Clock::system().uuid().simple())
}

#[tokio::test]
async fn a_standby_named_first_is_passed_over_for_the_primary() {
    let Some((url, standby)) = servers() else { return };
    let url = url.replace("?host=", &format!("?host={standby},"));
    let database =
        Database::open(&target(Server { url, ..Server::default() }), &service(), &[&FIRST]).await.unwrap();
    database.execute("insert into thing (id) values (1)", args![]).await.unwrap();
}

#[tokio::test]
async fn what_may_be_stale_comes_from_a_replica_while_it_keeps_up() {
    let Some((url, standby)) = servers() else { return };
    let mut server = Server { url, ..Server::default() };
    server.settings.replicas = vec![standby];
    let database = Database::open(&target(server), &service(), &[&FIRST]).await.unwrap();
    let from_replica = async || {
        let rows = database.rows_maybe_stale("select pg_is_in_recovery() as replica", args![]).await.unwrap();
        rows[0].get::<bool>("replica").unwrap()
    };
    let until = async |wanted: bool| {
        let begun = Instant::now();
        while from_replica().await != wanted {
            assert!(begun.elapsed() < Duration::from_secs(20), "still not {wanted}");
            // Measuring it takes a moment of real time.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    until(true).await;
    // A primary at rest makes no replica look old.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    until(true).await;
    let rows = database.rows("select pg_is_in_recovery() as replica", args![]).await.unwrap();
    assert!(!rows[0].get::<bool>("replica").unwrap(), "what must be true now comes from the primary");
}
