//! The program under load: one process or several, with databases and a Redis of their own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, ensure};
use database::{Database, Target, args};
use serde::Deserialize;
use tempfile::TempDir;

use crate::address::free_port;
use crate::people::Place;
use crate::process::{Process, cores, http_client, on_all_cores};
use crate::proxy::Proxy;
use crate::report::root;

/// All roles, as `pratu serve --roles` knows them.
const ROLES: [&str; 6] = ["gateway", "catalogue", "identity", "applications", "payments", "sandbox"];

/// Where data is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Store {
    /// SQLite files, synchronous as in production.
    #[default]
    Sqlite,
    /// PostgreSQL with fsync and a synchronous standby.
    Durable,
}

/// What is started.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Wanted {
    pub store: Store,
    pub redis: bool,
    /// Processes and their roles: `door = ["gateway"]`; one with all roles when empty. Needs `durable`.
    pub processes: BTreeMap<String, Vec<String>>,
    /// Settings besides, as in `pratu.toml`.
    pub config: toml::Table,
}

/// A running installation.
pub struct Installation {
    pub place: Place,
    pub processes: Vec<Process>,
    /// In front of each process that others ask, by its name, and in front of `redis`.
    pub proxies: BTreeMap<String, Proxy>,
    pub redis: Option<Process>,
    pub target: Target,
    pub version: String,
    folder: TempDir,
}

impl Installation {
    pub async fn start(wanted: &Wanted, program: &Path) -> anyhow::Result<Self> {
        let program = std::path::absolute(program)?;
        ensure!(
            program.exists(),
            "there is no program {}: build it, or name it with --program",
            program.display()
        );
        let folder = TempDir::new()?;
        let data = folder.path().join("data");
        let target = store(wanted.store, &data).await?;
        let mut proxies = BTreeMap::new();
        let redis = if wanted.redis { Some(start_redis(folder.path(), &mut proxies).await?) } else { None };
        let said = Command::new(&program).arg("--version").output()?;
        let mut installation = Self {
            place: Place { url: String::new(), http: http_client()? },
            processes: Vec::new(),
            proxies,
            redis,
            target,
            version: String::from_utf8_lossy(&said.stdout).trim().to_owned(),
            folder,
        };
        installation.start_processes(wanted, &program, &data).await?;
        Ok(installation)
    }

    async fn start_processes(&mut self, wanted: &Wanted, program: &Path, data: &Path) -> anyhow::Result<()> {
        let all = || BTreeMap::from([("pratu".to_owned(), ROLES.map(str::to_owned).to_vec())]);
        let parts = if wanted.processes.is_empty() { all() } else { wanted.processes.clone() };
        let split = parts.len() > 1;
        ensure!(!split || wanted.store == Store::Durable, "several processes need store = \"durable\"");
        let mut ports = BTreeMap::new();
        for name in parts.keys() {
            let port = free_port()?;
            ports.insert(name.clone(), port);
            if split {
                let proxy = Proxy::start(([127, 0, 0, 1], port).into()).await?;
                self.proxies.insert(name.clone(), proxy);
            }
        }
        let door = parts.iter().find(|(_, roles)| roles.iter().any(|role| role == "gateway"));
        let door = door.context("no process has the role gateway")?.0.clone();
        self.place.url = format!("http://127.0.0.1:{}", ports[&door]);
        let base = self.settings(wanted, data)?;
        for (name, roles) in &parts {
            let mut settings = base.clone();
            settings.insert("listen".into(), format!("127.0.0.1:{}", ports[name]).into());
            if split {
                let roles: Vec<toml::Value> = roles.iter().map(|role| role.as_str().into()).collect();
                settings.insert("roles".into(), roles.into());
                settings.insert("peers".into(), self.peers(&parts, name).into());
            }
            let process = start_process(name, program, &settings, self.folder.path())?;
            self.processes.push(process);
        }
        for process in &mut self.processes {
            let ready = format!("http://127.0.0.1:{}/readyz", ports[&process.name]);
            let log = self.folder.path().join(format!("{}.log", process.name));
            let opened = process.opened(&self.place.http, &ready, None).await;
            opened.with_context(|| std::fs::read_to_string(log).unwrap_or_default())?;
        }
        Ok(())
    }

    fn settings(&self, wanted: &Wanted, data: &Path) -> anyhow::Result<toml::Table> {
        let mut settings = wanted.config.clone();
        let secret = || format!("{:032x}{:032x}", rand::random::<u128>(), rand::random::<u128>());
        settings.insert("public_url".into(), self.place.url.as_str().into());
        settings.insert("data".into(), data.display().to_string().into());
        settings.insert("log".into(), toml::Table::from_iter([("filter".into(), "warn".into())]).into());
        if let Target::Postgres { url } = &self.target {
            settings.insert("database_url".into(), url.as_str().into());
        }
        if wanted.processes.len() > 1 {
            use base64::Engine as _;
            let key = base64::engine::general_purpose::STANDARD.encode(rand::random::<[u8; 32]>());
            settings.insert("sealing_key".into(), key.into());
            settings.insert("subgraph_secret".into(), secret().into());
        }
        if let Some(proxy) = self.proxies.get("redis") {
            let urls = toml::Value::from(vec![format!("redis://{}", proxy.address)]);
            settings.insert("redis".into(), toml::Table::from_iter([("urls".into(), urls)]).into());
        }
        Ok(settings)
    }

    /// Where `name` finds the roles that it does not have: behind the proxies, so that ways can be slowed.
    fn peers(&self, parts: &BTreeMap<String, Vec<String>>, name: &str) -> toml::Table {
        let mut peers = toml::Table::new();
        for (other, roles) in parts.iter().filter(|(other, _)| *other != name) {
            for role in roles.iter().filter(|role| !parts[name].contains(role)) {
                let address = format!("http://{}", self.proxies[other].address);
                peers.insert(role.clone(), toml::Value::from(vec![address]));
            }
        }
        peers
    }

    /// The process of that name.
    pub fn process(&self, name: &str) -> Option<&Process> {
        let own = self.processes.iter().find(|process| process.name == name);
        own.or_else(|| self.redis.as_ref().filter(|_| name == "redis"))
    }

    /// CPU time of all our processes so far.
    pub fn cpu_s(&self) -> f64 {
        self.processes.iter().filter_map(|process| process.cpu_s().ok()).sum()
    }

    /// Memory of all our processes now, in MiB.
    pub fn memory_mib(&self) -> f64 {
        self.processes.iter().filter_map(|process| process.memory_mib().ok()).map(|(now, _)| now).sum()
    }

    /// A service's tables, to read while it serves.
    pub async fn observe(&self, service: &str) -> anyhow::Result<Database> {
        Ok(Database::observe(&self.target, service).await?)
    }

    /// Asks every process to end. What does not is killed, and says so: figures are not lost for it.
    pub fn close(mut self) {
        for process in self.processes.drain(..) {
            if let Err(error) = process.end() {
                eprintln!("{error:#}: it was killed");
            }
        }
    }
}

/// Databases of this run.
static DATABASES: Mutex<Vec<(Database, String)>> = Mutex::new(Vec::new());

/// Removes the databases of this run, however it has ended; after the programs that use them.
pub async fn drop_databases() {
    let made = std::mem::take(&mut *DATABASES.lock().unwrap_or_else(PoisonError::into_inner));
    for (admin, name) in made {
        if let Err(error) = admin.execute(&format!("drop database {name} with (force)"), args![]).await {
            eprintln!("the database {name} is left: {error}");
        }
    }
}

fn start_process(
    name: &str,
    program: &Path,
    settings: &toml::Table,
    folder: &Path,
) -> anyhow::Result<Process> {
    let file = folder.join(format!("{name}.toml"));
    std::fs::write(&file, toml::to_string(settings)?)?;
    let mut command = Command::new(program);
    command.arg("--config").arg(&file).arg("serve").current_dir(folder);
    // The load has the first core, the program the others.
    let core = (cores() == 2).then_some(1);
    Process::start(name, &command, core, &folder.join(format!("{name}.log")))
}

/// An empty database.
async fn store(store: Store, data: &Path) -> anyhow::Result<Target> {
    match store {
        Store::Sqlite => Ok(Target::embedded(data)),
        Store::Durable => {
            let server = servers("durable")?;
            let admin = Database::open(&Target::Postgres { url: server.clone() }, "public", &[]).await?;
            let name = format!("load_{:016x}", rand::random::<u64>());
            admin.execute(&format!("create database {name}"), args![]).await?;
            let mut url = url::Url::parse(&server)?;
            url.set_path(&name);
            DATABASES.lock().unwrap_or_else(PoisonError::into_inner).push((admin, name));
            Ok(Target::Postgres { url: url.into() })
        }
    }
}

/// Starts a server of `infra/servers` when it does not run, and gives its address.
fn servers(name: &str) -> anyhow::Result<String> {
    let output = on_all_cores(&root().join("infra/servers")).args(["up", name]).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// A Redis of this run's own, which may be stopped and killed, behind a proxy.
async fn start_redis(folder: &Path, proxies: &mut BTreeMap<String, Proxy>) -> anyhow::Result<Process> {
    let server = match redis_server() {
        Some(server) => server,
        // It may come from a wheel, which is on no PATH: the one that runs tells where it is.
        None => executable_of(&servers("redis")?).await?,
    };
    let port = free_port()?;
    let mut command = Command::new(server);
    command.args([
        "--port",
        &port.to_string(),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
        "--dir",
    ]);
    command.arg(folder);
    let process = Process::start("redis", &command, None, &folder.join("redis.log"))?;
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    for _ in 0..100 {
        if tokio::net::TcpStream::connect(address).await.is_ok() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    ensure!(tokio::net::TcpStream::connect(address).await.is_ok(), "Redis does not open at {address}");
    proxies.insert("redis".to_owned(), Proxy::start(address).await?);
    Ok(process)
}

/// The program of the Redis at `address`.
async fn executable_of(address: &str) -> anyhow::Result<PathBuf> {
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    let address = address.trim_start_matches("redis://");
    let mut stream = tokio::net::TcpStream::connect(address).await.with_context(|| address.to_owned())?;
    stream.write_all(b"info server\r\nquit\r\n").await?;
    let mut lines = BufReader::new(stream).lines();
    while let Some(line) = lines.next_line().await? {
        if let Some(path) = line.strip_prefix("executable:") {
            return Ok(path.into());
        }
    }
    anyhow::bail!("the Redis at {address} does not tell its program")
}

fn redis_server() -> Option<PathBuf> {
    let found = Command::new("which").arg("redis-server").output().ok()?;
    let path = String::from_utf8(found.stdout).ok()?;
    (!path.trim().is_empty()).then(|| path.trim().into())
}
