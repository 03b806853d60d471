//! Every SQL statement of the sandbox, by noun.

pub mod clock_offset;
pub mod generation;
pub mod grant;
pub mod order;
pub mod trigger;

use database::Migrations;

pub static MIGRATIONS: Migrations =
    database::migrations!("sandbox", "0001_sandbox", "0002_trigger", "0003_kbank");
