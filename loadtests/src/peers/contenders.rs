//! How each gateway is started on a supergraph; what is not installed does not take part.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::address::free_port;
use crate::process::Process;
use crate::report::root;

/// A gateway and how it is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The same fetches without a gateway.
    Floor,
    Pratu,
    /// Our engine and the subgraphs in one process.
    InProcess,
    HiveRouter,
    /// With its sharing of fetches in flight switched off.
    HiveRouterUnshared,
    HiveGateway,
    Apollo,
}

/// Where things are.
pub struct Place<'a> {
    pub folder: &'a Path,
    pub supergraph: &'a Path,
    pub fetches: &'a Path,
    pub program: &'a Path,
    pub hive_router: Option<&'a Path>,
    /// The core of gateways.
    pub core: usize,
}

/// A gateway that runs.
pub struct Contender {
    pub kind: Kind,
    pub process: Process,
    pub url: String,
    pub version: String,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Floor => "floor (no gateway)",
            Kind::Pratu => "pratu gateway",
            Kind::InProcess => "our engine, in process",
            Kind::HiveRouter => "hive-router",
            Kind::HiveRouterUnshared => "hive-router, sharing off",
            Kind::HiveGateway => "@graphql-hive/gateway",
            Kind::Apollo => "@apollo/gateway",
        }
    }

    pub fn is_node(self) -> bool {
        matches!(self, Kind::HiveGateway | Kind::Apollo)
    }

    /// Starts it; none when it is not installed.
    pub async fn start(self, place: &Place<'_>) -> anyhow::Result<Option<Contender>> {
        let port = free_port()?;
        let Some((command, version)) = self.command(place, port)? else {
            eprintln!("{} is not installed: it is left out", self.name());
            return Ok(None);
        };
        let log = place.folder.join(format!("{self:?}.log"));
        let mut process = Process::start(self.name(), &command, Some(place.core), &log)?;
        let path = if self == Kind::Apollo { "" } else { "graphql" };
        let url = format!("http://127.0.0.1:{port}/{path}");
        let http = crate::process::http_client()?;
        let opened = process.opened(&http, &url, Some(crate::shop::QUERY)).await;
        let said = || std::fs::read_to_string(&log).unwrap_or_default();
        opened.with_context(|| format!("{} said: {}", self.name(), said()))?;
        Ok(Some(Contender { kind: self, process, url, version }))
    }

    fn command(self, place: &Place<'_>, port: u16) -> anyhow::Result<Option<(Command, String)>> {
        let listen = format!("127.0.0.1:{port}");
        let ourselves = || Command::new(std::env::current_exe().unwrap_or_default());
        Ok(match self {
            Kind::Floor => {
                let mut command = ourselves();
                command.args(["floor", "--listen", &listen]).arg(place.fetches);
                Some((command, "this program".to_owned()))
            }
            Kind::InProcess => {
                let mut command = ourselves();
                command.args(["together", "--listen", &listen]);
                Some((command, "this program".to_owned()))
            }
            Kind::Pratu => {
                let mut command = Command::new(place.program);
                command.args([
                    "gateway",
                    "--listen",
                    &listen,
                    "--forward-header",
                    "authorization",
                    "--supergraph",
                ]);
                command.arg(place.supergraph).current_dir(place.folder).env("PRATU_LOG__FILTER", "warn");
                // The query is dearer than the door lets through, and the others count no cost unless told to.
                command.env("PRATU_DOOR__COST__ANONYMOUS_MAX", "0");
                Some((command, version(place.program)))
            }
            Kind::HiveRouter | Kind::HiveRouterUnshared => {
                let Some(router) = place.hive_router.map(Path::to_owned).or_else(|| on_path("hive_router"))
                else {
                    return Ok(None);
                };
                let settings = place.folder.join(format!("hive-router-{port}.yaml"));
                std::fs::write(&settings, hive_router_settings(place, port, self == Kind::HiveRouter))?;
                let mut command = Command::new(&router);
                command.env("ROUTER_CONFIG_FILE_PATH", &settings).current_dir(place.folder);
                Some((command, installed_version(&router)))
            }
            Kind::HiveGateway => node("@graphql-hive/gateway")?.map(|(bin, version)| {
                let mut command = Command::new(bin.join("hive-gateway"));
                command.arg("supergraph").arg(place.supergraph).args(["--host", "127.0.0.1", "--port"]);
                command.args([
                    &port.to_string(),
                    "--fork",
                    "1",
                    "--jit",
                    "--config-path",
                    "gateway.config.mjs",
                ]);
                command.current_dir(peers()).env("NODE_ENV", "production");
                (command, version)
            }),
            Kind::Apollo => node("@apollo/gateway")?.map(|(_, version)| {
                let mut command = Command::new("node");
                command.arg("apollo.mjs").arg(place.supergraph).arg(port.to_string());
                command.current_dir(peers()).env("NODE_ENV", "production");
                (command, version)
            }),
        })
    }
}

fn hive_router_settings(place: &Place<'_>, port: u16, shares: bool) -> String {
    let supergraph = place.supergraph.display();
    let settings = serde_json::json!({
        "supergraph": { "source": "file", "path": supergraph.to_string() },
        "http": { "host": "127.0.0.1", "port": port },
        "log": { "level": "warn" },
        "headers": { "all": { "request": [{ "propagate": { "named": "authorization" } }] } },
        "traffic_shaping": { "all": { "dedupe_enabled": shares } },
    });
    // YAML takes JSON as it is.
    settings.to_string()
}

fn peers() -> PathBuf {
    root().join("loadtests/peers")
}

/// The folder of the programs of installed packages, and the version of one of them.
fn node(package: &str) -> anyhow::Result<Option<(PathBuf, String)>> {
    let manifest = peers().join("node_modules").join(package).join("package.json");
    let Ok(text) = std::fs::read_to_string(&manifest) else { return Ok(None) };
    let manifest: serde_json::Value = serde_json::from_str(&text)?;
    let version = manifest["version"].as_str().unwrap_or("unknown");
    Ok(Some((peers().join("node_modules/.bin"), version.to_owned())))
}

fn on_path(program: &str) -> Option<PathBuf> {
    let found = Command::new("which").arg(program).output().ok()?;
    let path = String::from_utf8(found.stdout).ok()?;
    (!path.trim().is_empty()).then(|| path.trim().into())
}

fn version(program: &Path) -> String {
    let said = Command::new(program).arg("--version").output().ok();
    let said = said.map(|said| String::from_utf8_lossy(&said.stdout).trim().to_owned());
    let built =
        if program.components().any(|part| part.as_os_str() == "release") { "release" } else { "debug" };
    format!("{} ({built})", said.unwrap_or_default())
}

/// What `cargo install` wrote down beside the folder of the program.
fn installed_version(program: &Path) -> String {
    let list = program.parent().and_then(Path::parent).map(|root| root.join(".crates.toml"));
    let text = list.and_then(|list| std::fs::read_to_string(list).ok()).unwrap_or_default();
    let line = text.lines().find(|line| line.contains("hive-router "));
    line.and_then(|line| line.split(' ').nth(1)).unwrap_or("unknown").to_owned()
}
