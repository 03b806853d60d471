//! The keys the planner is told of: one is enough where every subgraph that knows an entity knows that one.
//!
//! Given a choice the planner (2.10.11) chooses badly. For a field with `@requires` it comes back to a subgraph by
//! the dearest of its keys, whether or not the object is known by that where it stands, and panics when it is
//! not. A compound key it weighs like a detour over a plain one; of two such detours that cross each other it
//! makes a circle of fetches, in which it then runs for ever, whatever its time limit.

use std::collections::{BTreeMap, BTreeSet};

use graphql_tools::static_graphql::{query, schema as ast};

/// Drops the keys that lead nowhere another does not lead to.
pub(crate) fn drop_needless(supergraph: &mut ast::Document) {
    let interfaces = interfaces_with_keys(supergraph);
    for definition in &mut supergraph.definitions {
        let ast::Definition::TypeDefinition(ast::TypeDefinition::Object(object)) = definition else {
            continue;
        };
        // An object of an interface with keys is reached by those.
        if object.implements_interfaces.iter().any(|name| interfaces.contains(name)) {
            continue;
        }
        let joins: Vec<Join> = object.directives.iter().filter_map(Join::read).collect();
        if let Some(enough) = enough(&joins) {
            object.directives.retain(|directive| {
                Join::read(directive).is_none_or(|join| join.key.is_none_or(|key| key == enough))
            });
        }
    }
}

/// One `@join__type`.
struct Join {
    graph: String,
    key: Option<String>,
    resolvable: bool,
}

impl Join {
    fn read(directive: &ast::Directive) -> Option<Self> {
        if directive.name != "join__type" {
            return None;
        }
        let argument =
            |name: &str| directive.arguments.iter().find(|(given, _)| given == name).map(|(_, value)| value);
        let Some(query::Value::Enum(graph)) = argument("graph") else { return None };
        let key = match argument("key") {
            Some(query::Value::String(key)) => Some(spaced(key)),
            _ => None,
        };
        let resolvable = argument("resolvable") != Some(&query::Value::Boolean(false));
        Some(Join { graph: graph.clone(), key, resolvable })
    }
}

/// A field set in one way of writing it.
fn spaced(key: &str) -> String {
    let braces = key.replace('{', " { ").replace('}', " } ").replace(',', " ");
    braces.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The simplest key that every subgraph has, and by which each can be asked that can be asked at all.
fn enough(joins: &[Join]) -> Option<String> {
    let graphs: BTreeSet<&str> = joins.iter().map(|join| join.graph.as_str()).collect();
    let asked: BTreeSet<&str> = joins
        .iter()
        .filter(|join| join.key.is_some() && join.resolvable)
        .map(|join| join.graph.as_str())
        .collect();
    let mut known: BTreeMap<&str, (BTreeSet<&str>, BTreeSet<&str>)> = BTreeMap::new();
    for join in joins {
        if let Some(key) = &join.key {
            let (having, resolving) = known.entry(key).or_default();
            having.insert(&join.graph);
            if join.resolvable {
                resolving.insert(&join.graph);
            }
        }
    }
    let everywhere = known.iter().filter(|(_, (having, resolving))| *having == graphs && *resolving == asked);
    everywhere.map(|(key, _)| *key).min_by_key(|key| (key.split(' ').count(), key.len())).map(str::to_owned)
}

fn interfaces_with_keys(supergraph: &ast::Document) -> BTreeSet<String> {
    let interfaces = supergraph.definitions.iter().filter_map(|definition| match definition {
        ast::Definition::TypeDefinition(ast::TypeDefinition::Interface(interface)) => Some(interface),
        _ => None,
    });
    let has_key = |directive: &ast::Directive| Join::read(directive).is_some_and(|join| join.key.is_some());
    interfaces.filter(|it| it.directives.iter().any(has_key)).map(|it| it.name.clone()).collect()
}
