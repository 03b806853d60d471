//! What keeps a configuration from being used: production lists everything that is missing.

use crate::config::Limits;
use crate::{Config, roles};

/// Bytes of a secret that cannot be guessed.
const SECRET_BYTES_MIN: usize = 32;

/// One line each; empty when the configuration can be used.
pub fn of(config: &Config) -> Vec<String> {
    let mut found = if config.environment.is_sandbox() { of_sandbox(config) } else { of_production(config) };
    found.extend(of_subgraphs(config));
    found.extend(of_limits(&config.limits));
    found
}

fn of_sandbox(config: &Config) -> Vec<String> {
    let mut found = Vec::new();
    if !config.listen.ip().is_loopback() && !config.sandbox_beyond_loopback {
        found.push(format!(
            "the sandbox listens on loopback only: {} needs sandbox_beyond_loopback = true",
            config.listen
        ));
    }
    found
}

fn of_production(config: &Config) -> Vec<String> {
    let mut found = Vec::new();
    if !config.public_url.starts_with("https://") {
        found.push("public_url must be the public https address".to_owned());
    }
    if config.sealing_key.is_none() {
        found.push("sealing_key is missing: 32 random bytes in base64, from outside".to_owned());
    }
    match &config.identity {
        None => found.push("identity is missing: no Digital ID provider is set up".to_owned()),
        Some(identity) => found.extend(identity.missing_for_production()),
    }
    match &config.payments {
        None => found.push("payments is missing: no payment provider is set up".to_owned()),
        Some(payments) => found.extend(payments.missing_for_production()),
    }
    found.extend(config.applications.missing_for_production());
    found
}

pub fn of_limits(limits: &Limits) -> Vec<String> {
    let nothing = [
        ("body_bytes_max", limits.body_bytes_max == 0),
        ("request_timeout_ms", limits.request_timeout_ms == 0),
        ("keep_alive_ms", limits.keep_alive_ms == 0),
        ("header_timeout_ms", limits.header_timeout_ms == 0),
        ("write_timeout_ms", limits.write_timeout_ms == 0),
        ("connection_init_timeout_ms", limits.connection_init_timeout_ms == 0),
    ];
    let nothing = nothing.into_iter().filter(|(_, nothing)| *nothing);
    nothing.map(|(name, _)| format!("limits.{name} must be above zero")).collect()
}

fn of_subgraphs(config: &Config) -> Vec<String> {
    if config.subgraphs.is_empty() && !config.subgraph_doors {
        return Vec::new();
    }
    let mut found = Vec::new();
    let secret_bytes = config.subgraph_secret.as_ref().map_or(0, |secret| secret.reveal().len());
    if secret_bytes < SECRET_BYTES_MIN {
        found.push(format!(
            "subgraph_secret must have at least {SECRET_BYTES_MIN} bytes: subgraphs and subgraph_doors need it"
        ));
    }
    let known = roles::subgraph_schemas();
    for (name, address) in &config.subgraphs {
        if !known.iter().any(|(known, _)| known == name) {
            found.push(format!("subgraphs.{name}: there is no such subgraph"));
        }
        let address = url::Url::parse(address).ok();
        if !address.is_some_and(|address| matches!(address.scheme(), "http" | "https")) {
            found.push(format!("subgraphs.{name} must be an http or https address"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use chassis::Environment;

    #[test]
    fn the_default_configuration_is_a_usable_sandbox() {
        assert_eq!(of(&Config::default()), Vec::<String>::new());
    }

    #[test]
    fn the_sandbox_does_not_listen_to_the_world_by_accident() {
        let listen = "0.0.0.0:4000".parse().unwrap();
        assert_eq!(of(&Config { listen, ..Config::default() }).len(), 1);
        let config = Config { listen, sandbox_beyond_loopback: true, ..Config::default() };
        assert!(of(&config).is_empty());
    }

    #[test]
    fn production_lists_everything_that_is_missing() {
        let config = Config { environment: Environment::Production, ..Config::default() };
        assert_eq!(of(&config).len(), 4);
        let config = Config {
            identity: Some(identity::Config::default()),
            payments: Some(payments::Config::default()),
            ..config
        };
        let found = of(&config).join("\n");
        assert!(
            found.contains("identity.providers: thaid is") && found.contains("payments.scb.base_url"),
            "{found}"
        );
    }

    #[test]
    fn a_limit_of_nothing_is_no_limit_to_run_with() {
        let limits = Limits { keep_alive_ms: 0, ..Limits::default() };
        assert_eq!(of(&Config { limits, ..Config::default() }), ["limits.keep_alive_ms must be above zero"]);
    }

    #[test]
    fn subgraphs_over_http_need_a_secret_a_known_name_and_an_address() {
        let secret = Some("0123456789abcdef0123456789abcdef".into());
        let at = |name: &str, address: &str| [(name.to_owned(), address.to_owned())].into();
        let config = Config { subgraphs: at("payments", "http://127.0.0.1:4001/"), ..Config::default() };
        assert_eq!(of(&config).len(), 1, "no secret");
        assert_eq!(of(&Config { subgraph_secret: Some("short".into()), ..config.clone() }).len(), 1);
        assert!(of(&Config { subgraph_secret: secret.clone(), ..config.clone() }).is_empty());
        assert_eq!(of(&Config { subgraph_doors: true, ..Config::default() }).len(), 1, "no secret");
        let config = Config { subgraph_secret: secret, ..config };
        assert_eq!(of(&Config { subgraphs: at("ledger", "http://a/"), ..config.clone() }).len(), 1);
        assert_eq!(of(&Config { subgraphs: at("payments", "10.0.0.7:4000"), ..config }).len(), 1);
    }
}
