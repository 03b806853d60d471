//! A new supergraph is written over the old one while people ask.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pratu::Config;
use pratu::alone::Options;
use serde_json::json;

use super::{Door, OPEN, subgraphs, supergraph};
use crate::installation::eventually;

#[tokio::test(flavor = "multi_thread")]
async fn a_new_supergraph_is_in_use_soon_and_no_request_fails() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("supergraph.graphql");
    let old = std::fs::read_to_string(supergraph()).unwrap();
    std::fs::write(&file, &old).unwrap();
    let (shelf, stars) = subgraphs::serve().await;
    let subgraphs = [("shelf".to_owned(), vec![shelf]), ("stars".to_owned(), vec![stars])].into();
    let options = Options { supergraph: file.clone(), subgraphs, introspection: true, ..Options::default() };
    let door = Arc::new(Door::open_over(Config::default(), options).await);
    let over = Arc::new(AtomicBool::new(false));
    let asking = {
        let (door, over) = (Arc::clone(&door), Arc::clone(&over));
        tokio::spawn(async move {
            while !over.load(Ordering::SeqCst) {
                assert_eq!(door.ask(OPEN).await["data"]["books"][0], json!({"title": "Nets", "stars": 5}));
            }
        })
    };
    let renamed = "{ __type(name: \"Book\") { fields { name description } } }";
    for word in ["first", "second", "third"] {
        // What cannot be served is passed over.
        std::fs::write(&file, "type Query {").unwrap();
        std::fs::write(&file, old.replace("  stars: Int", &format!("  \"The {word}.\"\n  stars: Int")))
            .unwrap();
        eventually("the new supergraph", async || {
            let answer = door.ask(renamed).await.to_string();
            answer.contains(&format!("The {word}.")).then_some(())
        })
        .await;
    }
    over.store(true, Ordering::SeqCst);
    asking.await.unwrap();
}
