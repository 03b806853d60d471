//! The subgraphs of a door alone: where they are, and what they learn of a request.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, Uri};
use chassis::telemetry::pass_on;
use federation::{
    Address, Connections, Http, HttpSettings, RequestContext, Sign, Subgraph, SubgraphLocation,
};

use super::Error;
use crate::pipeline::{Forwarded, REQUEST_ID};
use crate::subgraphs;

/// Ways to subgraphs. Those that stay where they are stay as they are when the supergraph is replaced: with
/// their connections, and with what is known of their addresses.
pub struct Ways {
    connections: Connections,
    /// Where subgraphs are, for those that are not where the supergraph says.
    elsewhere: BTreeMap<String, Vec<String>>,
    /// The path under which each address says whether it is ready.
    readiness: Option<PathAndQuery>,
    made: Made,
}

/// Ways by the subgraph's name and where it is.
type Made = HashMap<(String, Vec<Address>), Arc<Http>>;

impl Ways {
    pub fn new(elsewhere: BTreeMap<String, Vec<String>>, readiness: Option<&str>) -> Result<Self, Error> {
        let path = |path: &str| match path.parse() {
            Ok(parsed) if path.starts_with('/') => Ok(parsed),
            _ => Err(Error::Readiness(path.to_owned())),
        };
        let readiness = readiness.map(path).transpose()?;
        Ok(Self { connections: subgraphs::connections(), elsewhere, readiness, made: HashMap::new() })
    }

    /// What is made of the ways to the subgraphs of this supergraph. When it is something, others are forgotten.
    pub fn lead<T>(
        &mut self,
        sdl: &str,
        make: impl FnOnce(HashMap<String, Arc<dyn Subgraph>>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let ways = self.of(sdl)?;
        let each = ways.iter().map(|((name, _), way)| (name.clone(), Arc::clone(way) as Arc<dyn Subgraph>));
        let made = make(each.collect())?;
        self.made = ways;
        Ok(made)
    }

    fn of(&self, sdl: &str) -> Result<Made, Error> {
        let locations = federation::subgraph_locations(sdl)?;
        let unknown = |name: &&String| locations.iter().all(|known| known.name != **name);
        if let Some(name) = self.elsewhere.keys().find(unknown) {
            return Err(Error::UnknownSubgraph(name.clone()));
        }
        let mut made = Made::new();
        for SubgraphLocation { name, url } in locations {
            let urls = self.elsewhere.get(&name).cloned().unwrap_or_else(|| vec![url]);
            let addresses: Result<Vec<_>, _> = urls.iter().map(|url| self.address(&name, url)).collect();
            let key = (name, addresses?);
            let way = match self.made.get(&key) {
                Some(way) => Arc::clone(way),
                None => Arc::new(self.way(&key.0, key.1.clone())),
            };
            made.insert(key, way);
        }
        Ok(made)
    }

    fn way(&self, name: &str, addresses: Vec<Address>) -> Http {
        Http::new(name, self.connections.clone(), addresses, forward(), HttpSettings::default())
    }

    fn address(&self, name: &str, url: &str) -> Result<Address, Error> {
        let wrong = || Error::Address { name: name.to_owned(), url: url.to_owned() };
        let parsed = url::Url::parse(url).map_err(|_| wrong())?;
        let secrets = !parsed.username().is_empty() || parsed.password().is_some();
        if !matches!(parsed.scheme(), "http" | "https") || secrets {
            return Err(wrong());
        }
        let url: Uri = parsed.as_str().parse().map_err(|_| wrong())?;
        let ready = self.readiness.as_ref().map(|path| {
            let mut parts = url.clone().into_parts();
            parts.path_and_query = Some(path.clone());
            Uri::from_parts(parts).map_err(|_| wrong())
        });
        Ok(Address { url, ready: ready.transpose()? })
    }
}

/// What a subgraph learns of the request besides its own question: its id and the forwarded headers.
fn forward() -> Sign {
    Arc::new(|context: &RequestContext, _: &[u8]| {
        let mut headers: HeaderMap =
            context.extensions.get::<Forwarded>().map(|forwarded| forwarded.0.clone()).unwrap_or_default();
        if let Some(id) = subgraphs::request_id(context) {
            headers.insert(REQUEST_ID, id);
        }
        pass_on(&mut headers);
        headers
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_supergraph_that_cannot_be_served_takes_no_way_from_the_one_in_use() {
        let sdl = |port: u16| {
            let graph = format!("@join__graph(name: \"numbers\", url: \"http://127.0.0.1:{port}/\")");
            format!("enum join__Graph {{ NUMBERS {graph} }} type Query {{ number: Int }}")
        };
        let mut ways = Ways::new(BTreeMap::new(), None).unwrap();
        let way = |ways: HashMap<String, Arc<dyn Subgraph>>| Ok(Arc::clone(&ways["numbers"]));
        let first = ways.lead(&sdl(1), way).unwrap();
        let refused = ways.lead(&sdl(2), |_| Err::<(), _>(Error::UnknownSubgraph("numbers".to_owned())));
        assert!(refused.is_err());
        assert!(Arc::ptr_eq(&first, &ways.lead(&sdl(1), way).unwrap()));
        assert!(!Arc::ptr_eq(&first, &ways.lead(&sdl(2), way).unwrap()));
    }

    #[test]
    fn an_address_has_no_password() {
        let ways = Ways::new(BTreeMap::new(), None).unwrap();
        for url in ["http://a@10.0.0.7/", "http://:b@10.0.0.7/", "http://a:b@10.0.0.7/", "file:///x"] {
            assert!(ways.address("numbers", url).is_err(), "{url}");
        }
        assert!(ways.address("numbers", "http://10.0.0.7/").is_ok());
    }
}
