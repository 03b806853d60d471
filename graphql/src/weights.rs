//! `@cost` and `@listSize` of IBM's cost specification, which async-graphql does not know: as type directives.
//!
//! `chassis::subgraph_sdl` turns their local definitions into the federation imports. What is said nowhere costs
//! one for an object and nothing for a leaf; a list has ten items, and a page as many as are asked for.

use async_graphql::TypeDirective;

/// What a field costs, instead of what its type does.
#[TypeDirective(name = "cost", location = "FieldDefinition", location = "Object")]
pub fn cost(weight: i32) {}

/// How long a list becomes when no argument says so.
#[TypeDirective(name = "listSize", location = "FieldDefinition")]
pub fn list_size(assumed_size: i32) {}
