//! What the generator writes is what composition would have made of the parts.

use std::path::Path;

use super::worlds::{Guarding, world};

/// Writes worlds for a composition tool to judge.
#[test]
#[ignore = "writes files for infra/compose to read"]
fn export() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("worlds");
    for seed in 0..400 {
        for guarding in [Guarding::Open, Guarding::Composed] {
            let world = world(seed, guarding);
            let folder = folder.join(format!("{seed}-{guarding:?}"));
            std::fs::create_dir_all(folder.join("parts")).unwrap();
            for part in &world.parts {
                std::fs::write(folder.join("parts").join(format!("{}.graphql", part.name)), &part.sdl)
                    .unwrap();
            }
            std::fs::write(folder.join("supergraph.graphql"), &world.supergraph_sdl).unwrap();
            std::fs::write(folder.join("public.graphql"), &world.monolith_sdl).unwrap();
        }
    }
}
