//! The supergraph as composition would have made it, with its `join__` directives.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::{Guards, argument, arguments, graph, guard, head, is_used};
use crate::random::blueprint::{Blueprint, Field, GRAPH_NAMES, Graph, Home};

const LINKS: &str = r#"@link(url: "https://specs.apollo.dev/link/v1.0")
  @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION)
  @link(url: "https://specs.apollo.dev/inaccessible/v0.2", for: SECURITY)"#;

const GUARD_LINKS: &str = r#"
  @link(url: "https://specs.apollo.dev/requiresScopes/v0.1", for: SECURITY)
  @link(url: "https://specs.apollo.dev/authenticated/v0.1", for: SECURITY)"#;

const DEFINITIONS: &str = "
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false,
  resolvable: Boolean! = true, isInterfaceObject: Boolean! = false)
  repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR
directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String,
  external: Boolean, override: String, usedOverridden: Boolean)
  repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION
directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE
directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION
directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE
directive @inaccessible on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ENUM | ENUM_VALUE | SCALAR
  | INPUT_OBJECT | INPUT_FIELD_DEFINITION | ARGUMENT_DEFINITION
directive @authenticated on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | SCALAR | ENUM | INPUT_OBJECT
directive @requiresScopes(scopes: [[requiresScopes__Scope!]!]!)
  on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | SCALAR | ENUM | INPUT_OBJECT
scalar join__FieldSet
scalar link__Import
scalar requiresScopes__Scope
enum link__Purpose { SECURITY EXECUTION }
";

pub fn supergraph(blueprint: &Blueprint, guards: &Guards) -> String {
    let mutation = if blueprint.objects.contains_key("Mutation") { " mutation: Mutation" } else { "" };
    let guard_links = if guards.is_empty() { "" } else { GUARD_LINKS };
    let mut out = format!("schema {LINKS}{guard_links} {{ query: Query{mutation} }}\n{DEFINITIONS}\n");
    let graphs = (0..blueprint.graphs).map(|number| {
        let (spelled, name) = (graph(number), GRAPH_NAMES[number]);
        format!("  {spelled} @join__graph(name: \"{name}\", url: \"http://{name}.invalid\")\n")
    });
    out += &format!("enum join__Graph {{\n{}}}\n", graphs.collect::<String>());
    for (name, object) in &blueprint.objects {
        let interfaces: BTreeSet<&str> =
            object.homes.values().flat_map(|home| &home.interfaces).map(String::as_str).collect();
        let directives = format!("{}{}", homes(&object.homes), guard(guards, name));
        head(&mut out, "type", name, &interfaces.into_iter().collect::<Vec<_>>(), &directives);
        fields(&mut out, name, &object.homes, &object.fields, guards);
    }
    for (name, interface) in &blueprint.interfaces {
        let directives = format!("{}{}", homes(&interface.homes), guard(guards, name));
        head(&mut out, "interface", name, &[], &directives);
        fields(&mut out, name, &interface.homes, &interface.fields, guards);
    }
    unions(&mut out, blueprint, guards);
    leaves(&mut out, blueprint, guards);
    out
}

fn homes(homes: &BTreeMap<Graph, Home>) -> String {
    let mut out = String::new();
    for (number, home) in homes {
        let graph = graph(*number);
        let object = if home.interface_object { ", isInterfaceObject: true" } else { "" };
        if home.keys.is_empty() {
            out += &format!(" @join__type(graph: {graph})");
        }
        for key in &home.keys {
            let resolvable = if key.resolvable { "" } else { ", resolvable: false" };
            out += &format!(" @join__type(graph: {graph}, key: \"{}\"{resolvable}{object})", key.fields);
        }
    }
    for (number, home) in homes {
        for interface in &home.interfaces {
            out += &format!(" @join__implements(graph: {}, interface: \"{interface}\")", graph(*number));
        }
    }
    out
}

fn fields(
    out: &mut String,
    object: &str,
    homes: &BTreeMap<Graph, Home>,
    fields: &BTreeMap<String, Field>,
    guards: &Guards,
) {
    *out += " {\n";
    for (name, field) in fields {
        *out += &format!("  {name}{}: {}{}", arguments(field), field.ty, joins(field, homes));
        if field.inaccessible {
            *out += " @inaccessible";
        }
        *out += &guard(guards, &format!("{object}.{name}"));
        *out += "\n";
    }
    *out += "}\n";
}

/// Nothing where every part that knows the type has the field, and all in the same way.
fn joins(field: &Field, homes: &BTreeMap<Graph, Home>) -> String {
    let special = field.holders.values().any(|it| {
        it.non_null
            || it.external
            || it.overridden
            || it.requires.is_some()
            || it.provides.is_some()
            || it.overrides.is_some()
    });
    if !special && field.holders.len() == homes.len() {
        return String::new();
    }
    let differ = field.holders.values().any(|it| it.non_null);
    let mut out = String::new();
    for (number, holding) in field.holders.iter().filter(|(_, it)| !it.overridden) {
        out += &format!(" @join__field(graph: {}", graph(*number));
        if let Some(requires) = &holding.requires {
            out += &format!(", requires: \"{requires}\"");
        }
        if let Some(provides) = &holding.provides {
            out += &format!(", provides: \"{provides}\"");
        }
        if differ {
            let ty = if holding.non_null { field.ty.clone().non_null() } else { field.ty.clone() };
            out += &format!(", type: \"{ty}\"");
        }
        if holding.external {
            out += ", external: true";
        }
        if let Some(from) = holding.overrides {
            out += &format!(", override: \"{}\"", GRAPH_NAMES[from]);
        }
        out.push(')');
    }
    out
}

fn unions(out: &mut String, blueprint: &Blueprint, guards: &Guards) {
    for (name, union) in &blueprint.unions {
        *out += &format!("union {name}");
        for number in union.members.keys() {
            write!(out, " @join__type(graph: {})", graph(*number)).expect("text can be written");
        }
        for (number, members) in &union.members {
            for member in members {
                *out += &format!(" @join__unionMember(graph: {}, member: \"{member}\")", graph(*number));
            }
        }
        let members: BTreeSet<&str> = union.members.values().flatten().map(String::as_str).collect();
        let members: Vec<_> = members.into_iter().collect();
        *out += &format!("{} = {}\n", guard(guards, name), members.join(" | "));
    }
}

fn leaves(out: &mut String, blueprint: &Blueprint, guards: &Guards) {
    let joined = |graphs: &BTreeSet<Graph>| -> String {
        graphs.iter().map(|number| format!(" @join__type(graph: {})", graph(*number))).collect()
    };
    for (name, known) in blueprint.enums.iter().filter(|(name, _)| is_used(blueprint, name)) {
        *out += &format!("enum {name}{}{} {{\n", joined(&known.graphs), guard(guards, name));
        for (value, open) in &known.values {
            let graphs = known.graphs.iter();
            let holders = graphs.map(|number| format!(" @join__enumValue(graph: {})", graph(*number)));
            let hidden = if *open { "" } else { " @inaccessible" };
            *out += &format!("  {value}{}{hidden}\n", holders.collect::<String>());
        }
        *out += "}\n";
    }
    for (name, graphs) in blueprint.scalars.iter().filter(|(name, _)| is_used(blueprint, name)) {
        *out += &format!("scalar {name}{}{}\n", joined(graphs), guard(guards, name));
    }
    for (name, input) in blueprint.inputs.iter().filter(|(name, _)| is_used(blueprint, name)) {
        let fields: Vec<_> = input.fields.iter().map(argument).collect();
        let directives = format!("{}{}", joined(&input.graphs), guard(guards, name));
        *out += &format!("input {name}{directives} {{ {} }}\n", fields.join(" "));
    }
}
