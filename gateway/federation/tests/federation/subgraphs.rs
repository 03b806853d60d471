//! The three subgraphs of the fixture and the data they share.

pub mod accounts;
pub mod products;
pub mod reviews;

use std::sync::{Arc, Mutex};

use async_graphql::{SDLExportOptions, TypeDirective};

/// What mutations of every subgraph write to, so that their order can be seen.
pub type Log = Arc<Mutex<Vec<String>>>;

/// Who asks, as the transports bring it to the resolvers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Caller(pub String);

#[TypeDirective(location = "FieldDefinition", location = "Object", location = "Interface", location = "Enum")]
pub fn authenticated() {}

pub fn options() -> SDLExportOptions {
    SDLExportOptions::new().federation()
}

/// async-graphql does not know `@authenticated`: its own definition makes room for the import.
pub fn with_authenticated(sdl: String) -> String {
    let lines = sdl.lines().filter(|line| !line.starts_with("directive @authenticated"));
    let sdl = lines.collect::<Vec<_>>().join("\n");
    sdl.replacen("import: [", "import: [\"@authenticated\", ", 1) + "\n"
}

pub fn note(log: &Log, text: String) -> i32 {
    let mut log = log.lock().unwrap();
    log.push(text);
    log.len() as i32
}
