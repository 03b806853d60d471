//! `/graphiql`: the schema to click through, with a login of its own; sandbox only.
//!
//! The page is ours; GraphiQL itself comes from `make graphiql` (npm packages that need no bundler)
//! or, where that was not run, from its CDN.

use std::path::Path;

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use tower_http::services::ServeDir;

const PAGE: &str = include_str!("graphiql.html");
const CDN: [(&str, &str); 4] = [
    ("react.js", "https://unpkg.com/react@18.3.1/umd/react.production.min.js"),
    ("react-dom.js", "https://unpkg.com/react-dom@18.3.1/umd/react-dom.production.min.js"),
    ("graphiql.js", "https://unpkg.com/graphiql@3.8.3/graphiql.min.js"),
    ("graphiql.css", "https://unpkg.com/graphiql@3.8.3/graphiql.min.css"),
];

pub fn routes(assets: &Path) -> Router {
    let page = if assets.join("graphiql.js").is_file() { PAGE.to_owned() } else { from_cdn() };
    let page = get(move || async move { Html(page) });
    Router::new().route("/graphiql", page).nest_service("/graphiql/assets", ServeDir::new(assets))
}

fn from_cdn() -> String {
    CDN.iter().fold(PAGE.to_owned(), |page, (file, address)| {
        page.replace(&format!("/graphiql/assets/{file}"), address)
    })
}
