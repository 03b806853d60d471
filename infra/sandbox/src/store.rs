//! Every SQL statement of the sandbox, by noun.

pub mod clock_offset;
pub mod grant;
pub mod order;

use database::Migrations;

pub static MIGRATIONS: Migrations = database::migrations!("sandbox", "0001_sandbox");
