//! What an installation of several processes needs besides.

use crate::Config;
use crate::config::Role;

/// Bytes of a secret that cannot be guessed.
const SECRET_BYTES_MIN: usize = 32;

/// One line each; none where everything runs in one process.
pub fn of_split(config: &Config) -> Vec<String> {
    let mut found = of_addresses(config);
    if config.roles.contains(&Role::Sandbox) && !config.environment.is_sandbox() {
        found.push("roles: there is no sandbox in production".to_owned());
    }
    if !config.is_split() {
        return found;
    }
    let secret_bytes = config.subgraph_secret.as_ref().map_or(0, |secret| secret.reveal().len());
    if secret_bytes < SECRET_BYTES_MIN {
        found.push(format!(
            "subgraph_secret must have at least {SECRET_BYTES_MIN} bytes: our processes sign to each other with it"
        ));
    }
    let elsewhere = config.roles_elsewhere();
    if elsewhere.is_empty() {
        return found;
    }
    for role in elsewhere {
        if config.addresses_of(role).is_empty() {
            found.push(format!("peers.{role} is missing: {role} does not run in this process"));
        }
    }
    if config.public_url.is_empty() {
        found.push("public_url is missing: it is the address of all processes together".to_owned());
    }
    let keeps_data = config.own_roles().into_iter().any(|role| role != Role::Gateway);
    if keeps_data && config.database_url.is_none() && config.databases.is_empty() {
        found.push("database_url is missing: services in several processes need PostgreSQL".to_owned());
    }
    let has_key = config.sealing_key.is_some() || !config.sealing_keys.is_empty();
    if config.seals() && !has_key && config.environment.is_sandbox() {
        found.push("sealing_key is missing: the processes must have the same".to_owned());
    }
    let is_reached_through_others = config.runs(Role::Identity) && !config.runs(Role::Gateway);
    if is_reached_through_others && !config.listen.ip().is_loopback() && config.proxies.trusted.is_empty() {
        found.push(
            "proxies.trusted is missing: all logins would seem to come from the gateway's address".to_owned(),
        );
    }
    found
}

fn of_addresses(config: &Config) -> Vec<String> {
    let mut found = Vec::new();
    for (name, addresses) in &config.peers {
        if name.parse::<Role>().is_err() {
            found.push(format!("peers.{name}: there is no such role"));
        }
        for address in addresses {
            let address = url::Url::parse(address).ok();
            if !address.is_some_and(|address| matches!(address.scheme(), "http" | "https")) {
                found.push(format!("peers.{name} must be http or https addresses"));
            }
        }
        if name == Role::Sandbox.name() && addresses.len() > 1 {
            found.push("peers.sandbox must be one address: there is one pretended world".to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shortcomings::of;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn at(name: &str, address: &str) -> (String, Vec<String>) {
        (name.to_owned(), vec![address.to_owned()])
    }

    #[test]
    fn other_processes_need_a_secret_a_known_role_and_an_address() {
        let secret = Some(SECRET.into());
        let with = |name, address| [at(name, address)].into();
        let config = Config { peers: with("payments", "http://127.0.0.1:4001/"), ..Config::default() };
        assert_eq!(of(&config).len(), 1, "no secret");
        assert_eq!(of(&Config { subgraph_secret: Some("short".into()), ..config.clone() }).len(), 1);
        assert!(of(&Config { subgraph_secret: secret.clone(), ..config.clone() }).is_empty());
        assert_eq!(of(&Config { subgraph_doors: true, ..Config::default() }).len(), 1, "no secret");
        let config = Config { subgraph_secret: secret, ..config };
        assert_eq!(of(&Config { peers: with("ledger", "http://a/"), ..config.clone() }).len(), 1);
        assert_eq!(of(&Config { peers: with("payments", "10.0.0.7:4000"), ..config }).len(), 1);
    }

    #[test]
    fn a_split_installation_lists_everything_that_is_missing() {
        let config = Config { roles: vec![Role::Identity], ..Config::default() };
        let found = of(&config).join("\n");
        let peers = ["gateway", "catalogue", "applications", "payments", "sandbox"];
        for missing in peers.map(|role| format!("peers.{role} ")).iter().map(String::as_str).chain([
            "subgraph_secret",
            "public_url",
            "database_url",
            "sealing_key",
        ]) {
            assert!(found.contains(missing), "{missing}: {found}");
        }
        assert!(!found.contains("peers.identity"));
        let key = sealing::Keys::generate();
        let changing = Config { sealing_keys: vec![key.as_str().into()], ..config };
        assert!(
            !of(&changing).join("\n").contains("sealing_key"),
            "while it is being changed it is in a list"
        );
    }

    #[test]
    fn what_a_process_needs_is_what_its_roles_need() {
        let peers = ["catalogue", "identity", "applications", "payments", "sandbox"];
        let config = Config {
            roles: vec![Role::Gateway],
            peers: peers.map(|role| at(role, "http://127.0.0.1:4001")).into(),
            subgraph_secret: Some(SECRET.into()),
            public_url: "http://127.0.0.1:4000".to_owned(),
            ..Config::default()
        };
        assert_eq!(of(&config), Vec::<String>::new());
        // Each service under its own database role, and a ring of keys: enough.
        let (in_force, opens) = (sealing::Keys::generate(), sealing::Keys::generate());
        let mut applications = Config {
            roles: vec![Role::Applications],
            databases: [("applications".to_owned(), "postgres://applications@db/pratu".into())].into(),
            sealing_keys: vec![in_force.as_str().into(), opens.as_str().into()],
            blind_index_key: Some(opens.as_str().into()),
            ..config.clone()
        };
        applications.peers.extend([at("gateway", "http://127.0.0.1:4001")]);
        assert_eq!(of(&applications), Vec::<String>::new());
        let identity = Config {
            roles: vec![Role::Identity, Role::Sandbox],
            listen: "10.0.0.7:4000".parse().unwrap(),
            sandbox_beyond_loopback: true,
            ..config
        };
        let found = of(&identity).join("\n");
        assert!(found.contains("proxies.trusted") && found.contains("peers.gateway"), "{found}");
    }
}
