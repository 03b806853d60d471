//! Facts about the worlds of the fixtures. Each is also what one server over the same data answers.

mod board;
mod gallery;
mod harbour;
mod kitchen;
mod media;
mod office;

use federation::{Grants, RequestContext};
use serde_json::{Map, Value};

use super::oracle::pair::{Outcome, Pair};
use super::oracle::part::Seen;
use super::oracle::world::World;

/// The answer, and what the parts were asked for it.
pub async fn ask(world: &str, query: &str) -> (Value, Vec<String>) {
    let pair = Pair::new(&World::read(world));
    match pair.ask(query, &Map::new()).await {
        Outcome::Same => {}
        Outcome::Invalid(why) => panic!("{why}"),
        Outcome::Different(difference) => panic!("{difference:#?}"),
    }
    let seen = Seen::default();
    let mut context = RequestContext::default();
    context.extensions.insert(seen.clone());
    let document = pair.engine.document(query).unwrap();
    let prepared = pair.engine.prepare(&document, None, Map::new(), &Grants::default()).unwrap();
    let answer = pair.engine.execute(&prepared, &context).await.to_value();
    let asked = std::mem::take(&mut seen.0.lock().unwrap().asked);
    (answer, asked)
}

pub async fn data(world: &str, query: &str) -> Value {
    ask(world, query).await.0["data"].take()
}
