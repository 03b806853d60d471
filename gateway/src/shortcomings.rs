//! What keeps a configuration from being used: production lists everything that is missing.

mod door;
mod split;

use crate::config::{Limits, Role};
use crate::{Config, roles};

/// One line each; empty when the configuration can be used.
pub fn of(config: &Config) -> Vec<String> {
    let mut found = if config.environment.is_sandbox() { of_sandbox(config) } else { of_production(config) };
    found.extend(split::of_split(config));
    found.extend(of_limits(&config.limits));
    found.extend(door::of_door(&config.door));
    found.extend(roles::shortcomings_of_databases(config));
    found.extend(roles::shortcomings_of_sealing(config));
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
    let sealing = config.sealing_key.is_some() || !config.sealing_keys.is_empty();
    if !sealing && config.seals() {
        found.push("sealing_key is missing: 32 random bytes in base64, from outside".to_owned());
    }
    match &config.identity {
        _ if !config.runs(Role::Identity) => {}
        None => found.push("identity is missing: no Digital ID provider is set up".to_owned()),
        Some(identity) => found.extend(identity.missing_for_production()),
    }
    match &config.payments {
        _ if !config.runs(Role::Payments) => {}
        None => found.push("payments is missing: no payment provider is set up".to_owned()),
        Some(payments) => found.extend(payments.missing_for_production()),
    }
    if config.runs(Role::Applications) {
        found.extend(config.applications.missing_for_production());
    }
    found
}

/// The same for a door alone.
pub fn of_alone(config: &Config) -> Vec<String> {
    let mut found = of_limits(&config.limits);
    found.extend(door::of_door_alone(config));
    found
}

fn of_limits(limits: &Limits) -> Vec<String> {
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
}
