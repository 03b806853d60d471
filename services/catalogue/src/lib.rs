//! The service catalogue: which public services there are, who offers them, at what fee, by which form.
//!
//! Services are written as files (`public_services/<code>.toml`), checked by [`model`] and published by
//! [`Service::apply`] as immutable revisions, each with a message for those who pin them; `files` writes them
//! back. `search` finds them.

mod events;
mod files;
mod loader;
pub mod model;
mod schema;
mod search;
mod service;
mod store;

pub use events::TOPICS_OF_CHANGES;
pub use files::Exported;
pub use model::{Catalogue, Findings, SourceFile, offering_id};
pub use schema::{CatalogueSchema, sdl};
pub use service::{Error, MIGRATED, Service};
pub use store::{Applied, Edits, is_published};

/// The files of this repository, embedded by `build.rs`: path below the crate, and text.
const EMBEDDED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// The tables of the catalogue.
pub static MIGRATIONS: database::Migrations =
    database::migrations!("catalogue", "0001_catalogue", "0002_offering_edit");
