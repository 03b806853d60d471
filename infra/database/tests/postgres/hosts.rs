//! When the host in use is gone, another one is: for those who wait, and for those who come.

use std::path::PathBuf;
use std::time::Duration;

use database::{Database, Error, Server, args};
use testkit::TestDatabase;
use tokio::net::{TcpListener, UnixStream};
use tokio::task::JoinHandle;

use super::{FIRST, server_of, target};

/// A host of its own: what comes in goes to the server's socket, until it is cut.
struct Host {
    at: String,
    running: JoinHandle<()>,
}

impl Host {
    async fn before(socket: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap().to_string();
        let running = tokio::spawn(async move {
            // Cut with the listener: they are its own.
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((mut near, _)) = listener.accept().await {
                let socket = socket.clone();
                connections.spawn(async move {
                    let mut far = UnixStream::connect(socket).await.unwrap();
                    _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                });
            }
        });
        Self { at, running }
    }

    async fn cut(self) {
        self.running.abort();
        _ = self.running.await;
    }
}

/// The folder of the server's socket, and its address under other hosts.
fn elsewhere(url: &str, hosts: &str) -> Option<(PathBuf, String)> {
    let (address, folder) = url.split_once("?host=")?;
    let url = address.replacen("localhost", hosts, 1);
    Some((PathBuf::from(folder).join(".s.PGSQL.5432"), url))
}

#[tokio::test]
async fn a_host_that_is_cut_off_is_left_for_another() {
    let Some(place) = TestDatabase::postgres().await else { return };
    let Some((socket, _)) = elsewhere(&server_of(&place).url, "") else { return };
    let (one, two) = (Host::before(socket.clone()).await, Host::before(socket).await);
    let hosts = format!("{},{}", one.at, two.at);
    let (_, url) = elsewhere(&server_of(&place).url, &hosts).unwrap();
    let mut server = Server { url, ..Server::default() };
    server.settings.connections_max = 2;
    let database = Database::open(&target(server), "things", &[&FIRST]).await.unwrap();
    let mut cut_off = database.begin().await.unwrap();
    cut_off.execute("insert into thing (id) values (1)", args![]).await.unwrap();
    one.cut().await;
    let lost = cut_off.execute("insert into thing (id) values (2)", args![]).await;
    assert!(matches!(lost, Err(Error::Unavailable(_))), "whoever was in the middle may try again: {lost:?}");
    drop(cut_off);
    for id in 3..8_i64 {
        let insert = database.execute("insert into thing (id) values ($1)", args![id]);
        tokio::time::timeout(Duration::from_secs(5), insert).await.unwrap().unwrap();
    }
    assert_eq!(database.rows("select id from thing", args![]).await.unwrap().len(), 5);
}

#[tokio::test]
async fn a_connection_that_died_in_the_pool_is_nobodys_trouble() {
    let Some(place) = TestDatabase::postgres().await else { return };
    let database = Database::open(&place.target, "things", &[&FIRST]).await.unwrap();
    let killer = Database::open(&place.target, "killer", &[]).await.unwrap();
    let kill = "select pg_terminate_backend(pid) from pg_stat_activity
                where application_name = 'pratu things' and datname = current_database()";
    killer.rows(kill, args![]).await.unwrap();
    assert!(database.rows("select id from thing", args![]).await.unwrap().is_empty());
    killer.rows(kill, args![]).await.unwrap();
    let mut tx = database.begin().await.unwrap();
    tx.execute("insert into thing (id) values (1)", args![]).await.unwrap();
    tx.commit().await.unwrap();
}
