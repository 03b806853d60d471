//! What the command line does with files: the catalogue's, and the schemas of subgraphs.

use std::path::Path;

use clock::Clock;

use super::databases::target;
use crate::config::Config;

/// The SDL of every subgraph, by name.
pub fn subgraph_schemas() -> Vec<(&'static str, String)> {
    vec![
        ("catalogue", catalogue::sdl()),
        ("identity", identity::sdl()),
        ("applications", applications::sdl()),
        ("payments", payments::sdl()),
    ]
}

/// Publishes the catalogue files of a folder.
pub async fn apply_catalogue(
    config: &Config,
    directory: &Path,
    edits: catalogue::Edits,
) -> Result<catalogue::Applied, catalogue::Error> {
    let catalogue = catalogue::Service::open(&target(config), Clock::system(), config.environment).await?;
    catalogue.apply_directory(directory, edits).await
}

/// Writes what the catalogue has published into a folder of files.
pub async fn export_catalogue(
    config: &Config,
    directory: &Path,
    overwrite: bool,
) -> Result<catalogue::Exported, catalogue::Error> {
    let catalogue = catalogue::Service::open(&target(config), Clock::system(), config.environment).await?;
    catalogue.export_directory(directory, overwrite).await
}
