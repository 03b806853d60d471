//! Addresses of PostgreSQL, with one host or several, and what every connection says of itself.

use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

use crate::{Error, Settings};

/// Seconds until the server asks a silent client whether it is still there, between such questions, and
/// the number of them: a client that was cut off gives its locks back within a minute.
const KEEPALIVE: [(&str, &str); 3] =
    [("tcp_keepalives_idle", "30"), ("tcp_keepalives_interval", "10"), ("tcp_keepalives_count", "3")];

/// One address for each host of `url`, in order. As libpq takes them: `postgres://user@a:1,b:2/name`, and
/// for sockets `?host=/folder/a,/folder/b`.
pub(crate) fn hosts(url: &str) -> Result<Vec<PgConnectOptions>, Error> {
    each_host(url).iter().map(|url| PgConnectOptions::from_str(url).map_err(|_| Error::Address)).collect()
}

/// The same server's database under the same name at another host.
pub(crate) fn elsewhere(like: &PgConnectOptions, host: &str) -> Result<PgConnectOptions, Error> {
    if host.starts_with('/') {
        return Ok(like.clone().socket(host));
    }
    let (host, port) = match host.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().map_err(|_| Error::Address)?),
        None => (host, like.get_port()),
    };
    // A socket would win over the host.
    if like.get_socket().is_some() {
        return Err(Error::Address);
    }
    Ok(like.clone().host(host).port(port))
}

/// What a session of `service` is, and how long it may take.
pub(crate) fn session(like: PgConnectOptions, service: &str, settings: &Settings) -> PgConnectOptions {
    let ms = |value: u64| value.to_string();
    like.application_name(&format!("pratu {service}"))
        .options([("search_path", quoted(service).as_str()), ("client_min_messages", "warning")])
        .options([
            ("statement_timeout", ms(settings.statement_timeout_ms)),
            ("lock_timeout", ms(settings.lock_timeout_ms)),
            ("idle_in_transaction_session_timeout", ms(settings.idle_in_transaction_timeout_ms)),
        ])
        .options(KEEPALIVE)
}

/// A session that changes definitions: it may take as long as it needs.
pub(crate) fn unbounded(like: PgConnectOptions, service: &str) -> PgConnectOptions {
    like.application_name(&format!("pratu migrate {service}"))
        .options([("search_path", quoted(service).as_str()), ("client_min_messages", "warning")])
        .options([("statement_timeout", "0")])
        .options(KEEPALIVE)
}

/// A name as SQL quotes it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn each_host(url: &str) -> Vec<String> {
    let Some((scheme, rest)) = url.split_once("://") else { return vec![url.to_owned()] };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (user, hosts) = authority.rsplit_once('@').map_or(("", authority), |(user, hosts)| (user, hosts));
    let user = if user.is_empty() { String::new() } else { format!("{user}@") };
    let (path, parameters) = path.split_once('?').unwrap_or((path, ""));
    let parameters: Vec<_> = parameters
        .split('&')
        // We look for the primary in any case.
        .filter(|parameter| !parameter.is_empty() && !parameter.starts_with("target_session_attrs="))
        .collect();
    let sockets = parameters.iter().find_map(|parameter| parameter.strip_prefix("host="));
    let one = |host: &str, socket: Option<&str>| {
        let parameters: Vec<_> = parameters
            .iter()
            .map(|parameter| match socket {
                Some(socket) if parameter.starts_with("host=") => format!("host={socket}"),
                _ => (*parameter).to_owned(),
            })
            .collect();
        let mark = if parameters.is_empty() { "" } else { "?" };
        format!("{scheme}://{user}{host}{path}{mark}{}", parameters.join("&"))
    };
    match sockets {
        Some(sockets) => sockets.split(',').map(|socket| one(hosts, Some(socket))).collect(),
        None => hosts.split(',').map(|host| one(host, None)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_with_several_hosts_is_one_address_for_each() {
        let url = "postgres://pay:a%2Cb@db1:5432,db2/pratu?target_session_attrs=read-write&sslmode=require";
        let hosts = hosts(url).unwrap();
        let named: Vec<_> = hosts.iter().map(|one| (one.get_host(), one.get_port())).collect();
        assert_eq!(named, [("db1", 5432), ("db2", 5432)]);
        assert_eq!(hosts[1].get_database(), Some("pratu"));
        assert_eq!(hosts[1].get_username(), "pay");
    }

    #[test]
    fn an_address_with_several_sockets_is_one_address_for_each() {
        let hosts = hosts("postgres://pratu@localhost/postgres?host=/run/a,/run/b").unwrap();
        let sockets: Vec<_> =
            hosts.iter().map(|one| one.get_socket().unwrap().display().to_string()).collect();
        assert_eq!(sockets, ["/run/a", "/run/b"]);
    }

    #[test]
    fn a_replica_is_the_same_database_at_another_host() {
        let primary = &hosts("postgres://pay@db1:5432/pratu").unwrap()[0];
        let replica = elsewhere(primary, "db2:5433").unwrap();
        assert_eq!((replica.get_host(), replica.get_port()), ("db2", 5433));
        assert_eq!(replica.get_username(), "pay");
        assert!(elsewhere(primary, "db2:port").is_err());
    }
}
