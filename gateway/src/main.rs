//! The command line of `pratu`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use pratu::alone::{JwksSource, Options, TokenOptions};
use pratu::config::Role;
use pratu::{Config, Server};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Pratu (ประตู): one door to the state.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// A TOML file with settings; `pratu.toml` in this folder when it is there.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs every role in this process, or some.
    Serve {
        /// The roles of this process, such as payments,applications; where the others are is said in the
        /// configuration (`peers`).
        #[arg(long, value_delimiter = ',', value_name = "ROLES")]
        roles: Vec<Role>,
        /// Where to listen, such as 127.0.0.1:4000.
        #[arg(long)]
        listen: Option<std::net::SocketAddr>,
        /// The folder that keeps everything.
        #[arg(long)]
        data: Option<PathBuf>,
    },
    /// Runs the door alone: a federation gateway over the subgraphs of any supergraph.
    Gateway(GatewayArguments),
    /// Says whether the configuration can be used, and shows what is in force, without secrets.
    CheckConfig,
    /// Brings the tables of all services up to date: a job before a new version serves.
    Migrate,
    /// Sets PostgreSQL up.
    #[command(subcommand)]
    Database(DatabaseCommand),
    /// Closes and opens public services, Digital ID providers and ways to pay: when the door is out of reach.
    #[command(subcommand)]
    Switch(pratu::SwitchCommand),
    /// Shows messages between services that were given up, and has them sent again.
    #[command(subcommand)]
    Outbox(pratu::OutboxCommand),
    /// Makes, shows and changes sealing keys.
    #[command(subcommand)]
    Keys(pratu::KeysCommand),
    /// Works on the service catalogue while nothing serves.
    #[command(subcommand)]
    Catalogue(CatalogueCommand),
    /// Writes the SDL of every subgraph into a folder, for composition.
    Schema { directory: PathBuf },
}

#[derive(Args)]
struct GatewayArguments {
    /// The composed supergraph, an SDL file.
    #[arg(long)]
    supergraph: PathBuf,
    /// Where to listen, such as 127.0.0.1:4000.
    #[arg(long)]
    listen: Option<std::net::SocketAddr>,
    /// Where a subgraph is, when it is not where the supergraph says: NAME=URL. Once for each address; a
    /// subgraph may have several.
    #[arg(long = "subgraph", value_name = "NAME=URL", value_parser = name_and_url)]
    subgraphs: Vec<(String, String)>,
    /// The path under which each address of a subgraph says, with a status of 2xx, that it wants requests,
    /// such as /readyz. It is asked each second.
    #[arg(long, value_name = "PATH")]
    readiness: Option<String>,
    /// A header of the clients' requests that goes to the subgraphs as it came; never cookies. Once for each.
    #[arg(long = "forward-header", value_name = "NAME")]
    forward: Vec<axum::http::HeaderName>,
    /// Public keys of the authorization server whose tokens open what the schema guards: a file or an
    /// address. Without it what is guarded stays closed.
    #[arg(long, value_name = "FILE OR URL", requires_all = ["issuer", "audience"])]
    jwks: Option<String>,
    /// Who issues the tokens (`iss`).
    #[arg(long, requires = "jwks")]
    issuer: Option<String>,
    /// For whom the tokens are (`aud`).
    #[arg(long, requires = "jwks")]
    audience: Option<String>,
    /// A label of progressive @override that is switched on. Once for each; `percent(5)` needs none.
    #[arg(long = "override-label", value_name = "LABEL")]
    override_labels: Vec<String>,
    /// Refuses questions about the schema.
    #[arg(long)]
    no_introspection: bool,
}

#[derive(Subcommand)]
enum DatabaseCommand {
    /// Makes the roles that `database_url` and `databases` name, one per service, each for its own schema,
    /// as `database_admin_url`; may be done again.
    Provision,
}

#[derive(Subcommand)]
enum CatalogueCommand {
    /// Publishes the files of a folder as new revisions, all of them or none.
    Apply {
        directory: PathBuf,
        /// Also where officers have changed an offering since; without it nothing is published then, and
        /// the offerings are told.
        #[arg(long)]
        undo_edits: bool,
    },
    /// Writes what is published into a folder, as files that `apply` takes.
    Export {
        directory: PathBuf,
        /// Replaces files in a folder that is not empty.
        #[arg(long)]
        overwrite: bool,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pratu: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    let mut config = Config::load(arguments.config.as_deref()).context("the configuration cannot be read")?;
    if let Command::Serve { roles, listen, data } = &arguments.command {
        if !roles.is_empty() {
            config.roles.clone_from(roles);
        }
        config.listen = listen.unwrap_or(config.listen);
        config.data = data.clone().unwrap_or(config.data);
    }
    let runtime = tokio::runtime::Runtime::new().context("the runtime does not start")?;
    match arguments.command {
        Command::Serve { .. } => runtime.block_on(serve(config)),
        Command::Gateway(arguments) => runtime.block_on(serve_alone(config, arguments)),
        Command::CheckConfig => check_config(&config),
        Command::Catalogue(CatalogueCommand::Apply { directory, undo_edits }) => {
            let edits = if undo_edits { catalogue::Edits::Undo } else { catalogue::Edits::Keep };
            runtime.block_on(apply_catalogue(&config, &directory, edits))
        }
        Command::Catalogue(CatalogueCommand::Export { directory, overwrite }) => {
            runtime.block_on(export_catalogue(&config, &directory, overwrite))
        }
        Command::Migrate => runtime.block_on(migrate(&config)),
        Command::Database(DatabaseCommand::Provision) => runtime.block_on(provision(&config)),
        Command::Switch(command) => runtime.block_on(command.run(&config)),
        Command::Outbox(command) => runtime.block_on(command.run(&config)),
        Command::Keys(command) => runtime.block_on(command.run(&config)),
        Command::Schema { directory } => write_schema(&directory),
    }
}

async fn migrate(config: &Config) -> anyhow::Result<()> {
    let done = pratu::migrate(config).await?;
    println!("Up to date: {}.", done.join(", "));
    Ok(())
}

async fn provision(config: &Config) -> anyhow::Result<()> {
    let done = pratu::provision(config).await?;
    println!("{} owns the tables.", done.owner);
    for (schema, role) in &done.services {
        println!("{role} reads and writes {schema}.");
    }
    Ok(())
}

async fn serve(config: Config) -> anyhow::Result<()> {
    let traces = config.traces_of_this_process();
    let traces = chassis::telemetry::init(config.log.format, &config.log.filter, &traces);
    let sandbox = config.environment.is_sandbox();
    let (data, all, has_gateway) =
        (config.data.clone(), config.roles_elsewhere().is_empty(), config.runs(Role::Gateway));
    let roles: Vec<&str> = config.own_roles().into_iter().map(Role::name).collect();
    let server = Server::start(config).await?;
    let url = &server.public_url;
    if all {
        println!("Pratu is open at {url} (data in {})", data.display());
    } else {
        println!("Pratu runs {} at http://{} for {url}", roles.join(", "), server.address);
    }
    if has_gateway {
        println!("  GraphQL   {url}/graphql");
    }
    if sandbox && has_gateway {
        println!("  GraphiQL  {url}/graphiql   click here first");
        println!("  Sandbox   {url}/sandbox/   personas, bank and clock: nothing here is real");
    }
    stop_signal().await;
    println!("Closing.");
    server.stop().await;
    traces.close().await;
    Ok(())
}

async fn serve_alone(mut config: Config, arguments: GatewayArguments) -> anyhow::Result<()> {
    let traces = config.traces_of_this_process();
    let traces = chassis::telemetry::init(config.log.format, &config.log.filter, &traces);
    config.listen = arguments.listen.unwrap_or(config.listen);
    let jwks = |source: String| match url::Url::parse(&source) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => JwksSource::Url(url),
        _ => JwksSource::File(source.into()),
    };
    let tokens = arguments.jwks.map(|source| TokenOptions {
        jwks: jwks(source),
        issuer: arguments.issuer.unwrap_or_default(),
        audience: arguments.audience.unwrap_or_default(),
    });
    let mut subgraphs = std::collections::BTreeMap::<String, Vec<String>>::new();
    for (name, url) in arguments.subgraphs {
        subgraphs.entry(name).or_default().push(url);
    }
    let options = Options {
        supergraph: arguments.supergraph,
        subgraphs,
        readiness: arguments.readiness,
        forward: arguments.forward,
        tokens,
        introspection: !arguments.no_introspection,
        override_labels: arguments.override_labels.into_iter().collect(),
    };
    let server = Server::start_alone(config, &options).await?;
    println!("The gateway is open at http://{}/graphql", server.address);
    stop_signal().await;
    println!("Closing.");
    server.stop().await;
    traces.close().await;
    Ok(())
}

fn name_and_url(text: &str) -> Result<(String, String), String> {
    let (name, url) = text.split_once('=').ok_or("it is not NAME=URL")?;
    Ok((name.to_owned(), url.to_owned()))
}

fn check_config(config: &Config) -> anyhow::Result<()> {
    println!("{}", config.shown());
    let found = pratu::shortcomings(config);
    if found.is_empty() {
        println!("# usable");
        return Ok(());
    }
    anyhow::bail!("the configuration cannot be used:\n  - {}", found.join("\n  - "))
}

async fn apply_catalogue(
    config: &Config,
    directory: &std::path::Path,
    edits: catalogue::Edits,
) -> anyhow::Result<()> {
    let applied = pratu::apply_catalogue(config, directory, edits).await?;
    let counts = [
        ("agencies", applied.agencies.len()),
        ("public services", applied.services.len()),
        ("offerings", applied.offerings.len()),
        ("life events", applied.life_events.len()),
    ];
    for (what, count) in counts {
        println!("{count} {what} changed");
    }
    Ok(())
}

async fn export_catalogue(
    config: &Config,
    directory: &std::path::Path,
    overwrite: bool,
) -> anyhow::Result<()> {
    let exported = pratu::export_catalogue(config, directory, overwrite).await?;
    println!(
        "{} agencies, {} public services and {} life events written to {}",
        exported.agencies,
        exported.services,
        exported.life_events,
        directory.display()
    );
    for file in &exported.left {
        println!("{file} is not published; it was left as it is");
    }
    Ok(())
}

fn write_schema(directory: &std::path::Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(directory)?;
    for (name, sdl) in pratu::subgraph_schemas() {
        let file = directory.join(format!("{name}.graphql"));
        std::fs::write(&file, sdl).with_context(|| file.display().to_string())?;
    }
    Ok(())
}

/// Waits for Ctrl-C or SIGTERM.
async fn stop_signal() {
    let mut terminate = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(terminate) => terminate,
        Err(error) => {
            tracing::warn!(%error, "SIGTERM is not heard");
            return tokio::signal::ctrl_c().await.unwrap_or_default();
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
