//! A subgraph's SDL as composition wants it.

use async_graphql::{ObjectType, SDLExportOptions, Schema, SubscriptionType};

/// Exports the SDL and repairs what async-graphql does not know: `@authenticated` is imported from
/// the federation specification instead of defined locally.
pub fn subgraph_sdl<Q, M, S>(schema: &Schema<Q, M, S>) -> String
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    let options = SDLExportOptions::new().federation().include_specified_by().use_space_ident();
    let exported = schema.sdl_with_options(options);
    let mut sdl = String::with_capacity(exported.len());
    let mut authenticated = false;
    for line in exported.lines() {
        if line.trim_start().starts_with("directive @authenticated") {
            authenticated = true;
            continue;
        }
        sdl.push_str(line.trim_end());
        sdl.push('\n');
    }
    if authenticated {
        sdl = sdl.replacen("import: [", "import: [\"@authenticated\", ", 1);
    }
    let mut tidy = sdl.trim_end().to_owned();
    tidy.push('\n');
    tidy
}
