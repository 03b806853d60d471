//! A shop whose schema four subgraphs share: people, their reviews, the products reviewed, what is in stock.
//! Everything comes from memory, and each review leads on to a product and to a person, so that queries can
//! go back and forth between subgraphs as deep as they like.

pub mod accounts;
pub mod inventory;
pub mod products;
pub mod reviews;

use async_graphql::SDLExportOptions;

pub const SUPERGRAPH: &str = include_str!("../shop.graphql");

pub const USERS: usize = 6;
pub const PRODUCTS: usize = 10;
pub const REVIEWS: usize = 24;

/// Each subgraph's SDL, to be composed into the supergraph beside this folder.
pub fn exports() -> [(&'static str, String); 4] {
    let options = || SDLExportOptions::new().federation();
    [
        ("accounts", accounts::schema().sdl_with_options(options())),
        ("inventory", inventory::schema().sdl_with_options(options())),
        ("products", products::schema().sdl_with_options(options())),
        ("reviews", reviews::schema().sdl_with_options(options())),
    ]
}

/// The number in an id such as `p7`, when there is such a thing.
fn number(id: &str, prefix: char, count: usize) -> Option<usize> {
    let number = id.strip_prefix(prefix)?.parse().ok()?;
    (1..=count).contains(&number).then_some(number)
}
