//! Reads and writes the `join__` directives of a supergraph, before the planner sees it.

use std::collections::HashMap;

use graphql_tools::static_graphql::{query, schema as ast};

use crate::schema::type_name;

pub(super) fn definitions(supergraph: &ast::Document) -> impl Iterator<Item = &ast::TypeDefinition> {
    supergraph.definitions.iter().filter_map(|definition| match definition {
        ast::Definition::TypeDefinition(definition) => Some(definition),
        _ => None,
    })
}

pub(super) fn definitions_mut(
    supergraph: &mut ast::Document,
) -> impl Iterator<Item = &mut ast::TypeDefinition> {
    supergraph.definitions.iter_mut().filter_map(|definition| match definition {
        ast::Definition::TypeDefinition(definition) => Some(definition),
        _ => None,
    })
}

pub(super) fn definition<'a>(supergraph: &'a ast::Document, name: &str) -> Option<&'a ast::TypeDefinition> {
    definitions(supergraph).find(|definition| type_name(definition) == name)
}

pub(super) fn definition_mut<'a>(
    supergraph: &'a mut ast::Document,
    name: &str,
) -> Option<&'a mut ast::TypeDefinition> {
    definitions_mut(supergraph).find(|definition| type_name(definition) == name)
}

/// The fields of an object or an interface.
pub(super) fn fields(definition: &ast::TypeDefinition) -> &[ast::Field] {
    match definition {
        ast::TypeDefinition::Object(ty) => &ty.fields,
        ast::TypeDefinition::Interface(ty) => &ty.fields,
        _ => &[],
    }
}

pub(super) fn fields_mut(definition: &mut ast::TypeDefinition) -> Option<&mut Vec<ast::Field>> {
    match definition {
        ast::TypeDefinition::Object(ty) => Some(&mut ty.fields),
        ast::TypeDefinition::Interface(ty) => Some(&mut ty.fields),
        _ => None,
    }
}

pub(super) fn field<'a>(supergraph: &'a ast::Document, ty: &str, name: &str) -> Option<&'a ast::Field> {
    fields(definition(supergraph, ty)?).iter().find(|field| field.name == name)
}

pub(super) fn directives(definition: &ast::TypeDefinition) -> &[ast::Directive] {
    match definition {
        ast::TypeDefinition::Scalar(ty) => &ty.directives,
        ast::TypeDefinition::Object(ty) => &ty.directives,
        ast::TypeDefinition::Interface(ty) => &ty.directives,
        ast::TypeDefinition::Union(ty) => &ty.directives,
        ast::TypeDefinition::Enum(ty) => &ty.directives,
        ast::TypeDefinition::InputObject(ty) => &ty.directives,
    }
}

pub(super) fn directives_mut(definition: &mut ast::TypeDefinition) -> &mut Vec<ast::Directive> {
    match definition {
        ast::TypeDefinition::Scalar(ty) => &mut ty.directives,
        ast::TypeDefinition::Object(ty) => &mut ty.directives,
        ast::TypeDefinition::Interface(ty) => &mut ty.directives,
        ast::TypeDefinition::Union(ty) => &mut ty.directives,
        ast::TypeDefinition::Enum(ty) => &mut ty.directives,
        ast::TypeDefinition::InputObject(ty) => &mut ty.directives,
    }
}

/// What a directive of some name says of one subgraph; there may be several.
pub(super) fn of_graph<'a>(
    directives: &'a [ast::Directive],
    name: &'a str,
    graph: &'a str,
) -> impl Iterator<Item = &'a ast::Directive> {
    named(directives, name).filter(move |directive| text(directive, "graph") == Some(graph))
}

pub(super) fn named<'a>(
    directives: &'a [ast::Directive],
    name: &'a str,
) -> impl Iterator<Item = &'a ast::Directive> {
    directives.iter().filter(move |directive| directive.name == name)
}

/// An argument that is a string or the name of an enum value.
pub(super) fn text<'a>(directive: &'a ast::Directive, argument: &str) -> Option<&'a str> {
    directive.arguments.iter().find_map(|(name, value)| match value {
        query::Value::String(text) | query::Value::Enum(text) if name == argument => Some(text.as_str()),
        _ => None,
    })
}

/// An argument that is a boolean and may be left out.
pub(super) fn holds(directive: &ast::Directive, argument: &str, otherwise: bool) -> bool {
    let given = directive.arguments.iter().find_map(|(name, value)| match value {
        query::Value::Boolean(value) if name == argument => Some(*value),
        _ => None,
    });
    given.unwrap_or(otherwise)
}

pub(super) fn directive(name: &str, arguments: Vec<(&str, query::Value)>) -> ast::Directive {
    let arguments = arguments.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    ast::Directive { position: Default::default(), name: name.to_owned(), arguments }
}

pub(super) fn graph(name: &str) -> query::Value {
    query::Value::Enum(name.to_owned())
}

/// The selection a field set stands for.
pub(super) fn field_set(text: &str) -> Option<query::SelectionSet> {
    let text = format!("{{{text}}}");
    let document = graphql_tools::parser::parse_query::<String>(&text).ok()?.into_static();
    document.definitions.into_iter().find_map(|definition| match definition {
        query::Definition::Operation(query::OperationDefinition::SelectionSet(set)) => Some(set),
        _ => None,
    })
}

/// The type an inline fragment is on.
pub(super) fn condition<'a>(fragment: &'a query::InlineFragment, otherwise: &'a str) -> &'a str {
    fragment.type_condition.as_ref().map_or(otherwise, crate::document::condition_name)
}

/// The name within any lists.
pub(super) fn inner_name(ty: &query::Type) -> &str {
    match ty {
        query::Type::NamedType(name) => name,
        query::Type::ListType(inner) | query::Type::NonNullType(inner) => inner_name(inner),
    }
}

/// The names of subgraphs, by what directives call them.
pub(super) fn graph_names(supergraph: &ast::Document) -> HashMap<String, String> {
    let Some(ast::TypeDefinition::Enum(graphs)) = definition(supergraph, "join__Graph") else {
        return HashMap::new();
    };
    let name = |value: &ast::EnumValue| {
        let join = named(&value.directives, "join__graph").next()?;
        Some((value.name.clone(), text(join, "name")?.to_owned()))
    };
    graphs.values.iter().filter_map(name).collect()
}
