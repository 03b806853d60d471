//! What a supergraph says of itself besides its types: its subgraphs and where they are.

use std::collections::HashSet;

use graphql_tools::static_graphql::{query, schema as ast};

use crate::error::SupergraphError;

/// One subgraph as `join__Graph` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubgraphLocation {
    pub name: String,
    /// Where the one who composed the supergraph says it is; may be empty.
    pub url: String,
}

/// The subgraphs of a supergraph, in its order.
pub fn subgraph_locations(supergraph_sdl: &str) -> Result<Vec<SubgraphLocation>, SupergraphError> {
    let document = graphql_tools::parser::parse_schema::<String>(supergraph_sdl)
        .map_err(|error| SupergraphError::Syntax(error.to_string()))?
        .into_static();
    Ok(subgraphs(&document))
}

pub(crate) fn subgraphs(supergraph: &ast::Document) -> Vec<SubgraphLocation> {
    let graphs = supergraph.definitions.iter().find_map(|definition| match definition {
        ast::Definition::TypeDefinition(ast::TypeDefinition::Enum(graphs))
            if graphs.name == "join__Graph" =>
        {
            Some(&graphs.values)
        }
        _ => None,
    });
    let location = |graph: &ast::EnumValue| {
        let directive = graph.directives.iter().find(|directive| directive.name == "join__graph")?;
        let text = |name: &str| {
            directive.arguments.iter().find_map(|(argument, value)| match value {
                query::Value::String(text) if argument == name => Some(text.clone()),
                _ => None,
            })
        };
        Some(SubgraphLocation { name: text("name")?, url: text("url").unwrap_or_default() })
    };
    graphs.into_iter().flatten().filter_map(location).collect()
}

/// Every field name there is, inaccessible ones too.
pub(crate) fn field_names(supergraph: &ast::Document) -> HashSet<String> {
    let mut names = HashSet::new();
    for definition in &supergraph.definitions {
        if let ast::Definition::TypeDefinition(definition) = definition {
            let fields = match definition {
                ast::TypeDefinition::Object(ty) => &ty.fields,
                ast::TypeDefinition::Interface(ty) => &ty.fields,
                _ => continue,
            };
            names.extend(fields.iter().map(|field| field.name.clone()));
        }
    }
    names
}

/// What federation's own types begin with.
const MACHINERY: [&str; 2] = ["join__", "link__"];

/// Drops what a public schema says of types it does not have: union members and interfaces that are
/// inaccessible, which the planner leaves where they are named; and types of the machinery it does not know.
pub(crate) fn without_strangers(mut schema: ast::Document) -> ast::Document {
    schema.definitions.retain(|definition| match definition {
        ast::Definition::TypeDefinition(definition) => {
            let name = crate::schema::type_name(definition);
            !MACHINERY.iter().any(|prefix| name.starts_with(prefix))
        }
        _ => true,
    });
    let mut known = HashSet::new();
    for definition in &schema.definitions {
        if let ast::Definition::TypeDefinition(definition) = definition {
            known.insert(crate::schema::type_name(definition).to_owned());
        }
    }
    for definition in &mut schema.definitions {
        if let ast::Definition::TypeDefinition(definition) = definition {
            match definition {
                ast::TypeDefinition::Union(union) => union.types.retain(|name| known.contains(name)),
                ast::TypeDefinition::Object(ty) => {
                    ty.implements_interfaces.retain(|name| known.contains(name));
                }
                ast::TypeDefinition::Interface(ty) => {
                    ty.implements_interfaces.retain(|name| known.contains(name));
                }
                _ => {}
            }
        }
    }
    schema
}
