//! The checked-in supergraph is made from the subgraphs as they are.

use std::path::Path;

use super::subgraphs::{Log, accounts, options, products, reviews, with_authenticated};

pub const SUPERGRAPH: &str = include_str!("../fixtures/supergraph.graphql");

/// When this fails, copy the files it names to `tests/fixtures` and compose them again with `compose.mjs`.
#[test]
fn the_fixture_is_composed_from_the_subgraphs_as_they_are() {
    let log = Log::default();
    let exports = [
        ("accounts", accounts::schema(log.clone()).sdl_with_options(options())),
        ("products", products::schema(log.clone()).sdl_with_options(options())),
        ("reviews", reviews::schema(log).sdl_with_options(options())),
    ];
    let mut stale = Vec::new();
    for (name, sdl) in exports {
        let sdl = with_authenticated(sdl);
        let file = format!("{name}.graphql");
        let checked_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(&file);
        if std::fs::read_to_string(checked_in).unwrap_or_default() != sdl {
            let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).join(&file);
            std::fs::write(&fresh, sdl).unwrap();
            stale.push(fresh);
        }
    }
    assert!(stale.is_empty(), "stale: {stale:?}");
}
