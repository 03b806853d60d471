//! Federation's `@authenticated`, which async-graphql does not know: as a type directive.
//!
//! `chassis::subgraph_sdl` turns its local definition into the federation import.

use async_graphql::TypeDirective;

/// Only for callers who are logged in.
#[TypeDirective(location = "FieldDefinition", location = "Object", location = "Interface")]
pub fn authenticated() {}
