//! The schema of one part, as its own team would write it.

use super::{Guards, argument, arguments, guard, head};
use crate::random::blueprint::{Blueprint, Field, GRAPH_NAMES, Graph, Home, Type};

const LINK: &str = "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.5\", import: [\"@key\", \
    \"@shareable\", \"@external\", \"@requires\", \"@provides\", \"@override\", \"@inaccessible\", \
    \"@interfaceObject\", \"@authenticated\", \"@requiresScopes\"])\n";

/// `guards` are those this part puts up: composition gathers them from all.
pub fn part(blueprint: &Blueprint, graph: Graph, guards: &Guards) -> String {
    let mut out = LINK.to_owned();
    for (name, object) in &blueprint.objects {
        let Some(home) = object.homes.get(&graph) else { continue };
        let held: Vec<_> =
            object.fields.iter().filter(|(_, field)| field.holders.contains_key(&graph)).collect();
        if held.is_empty() {
            continue;
        }
        let interfaces: Vec<_> = home.interfaces.iter().map(String::as_str).collect();
        let directives = format!("{}{}", keys(home), guard(guards, name));
        head(&mut out, "type", name, &interfaces, &directives);
        fields(&mut out, graph, name, &held, guards, true);
    }
    for (name, interface) in &blueprint.interfaces {
        let Some(home) = interface.homes.get(&graph) else { continue };
        let held: Vec<_> =
            interface.fields.iter().filter(|(_, field)| field.holders.contains_key(&graph)).collect();
        let kind = if home.interface_object { "type" } else { "interface" };
        let object = if home.interface_object { " @interfaceObject" } else { "" };
        head(&mut out, kind, name, &[], &format!("{}{object}", keys(home)));
        fields(&mut out, graph, name, &held, guards, home.interface_object);
    }
    for (name, union) in &blueprint.unions {
        if let Some(members) = union.members.get(&graph) {
            let members: Vec<_> = members.iter().map(String::as_str).collect();
            out += &format!("union {name} = {}\n", members.join(" | "));
        }
    }
    for (name, known) in blueprint.enums.iter().filter(|(_, it)| it.graphs.contains(&graph)) {
        let value = |(value, open): &(String, bool)| match open {
            true => value.clone(),
            false => format!("{value} @inaccessible"),
        };
        let values: Vec<_> = known.values.iter().map(value).collect();
        out += &format!("enum {name}{} {{ {} }}\n", guard(guards, name), values.join(" "));
    }
    for name in blueprint.scalars.iter().filter(|(_, it)| it.contains(&graph)).map(|(name, _)| name) {
        out += &format!("scalar {name}{}\n", guard(guards, name));
    }
    for (name, input) in blueprint.inputs.iter().filter(|(_, it)| it.graphs.contains(&graph)) {
        let fields: Vec<_> = input.fields.iter().map(argument).collect();
        out += &format!("input {name} {{ {} }}\n", fields.join(" "));
    }
    out
}

fn keys(home: &Home) -> String {
    let key = |key: &crate::random::blueprint::Key| {
        let resolvable = if key.resolvable { "" } else { ", resolvable: false" };
        format!(" @key(fields: \"{}\"{resolvable})", key.fields)
    };
    home.keys.iter().map(key).collect()
}

fn fields(
    out: &mut String,
    graph: Graph,
    object: &str,
    held: &[(&String, &Field)],
    guards: &Guards,
    of_object: bool,
) {
    *out += " {\n";
    for (name, field) in held {
        let holding = &field.holders[&graph];
        let ty: Type = if holding.non_null { field.ty.clone().non_null() } else { field.ty.clone() };
        *out += &format!("  {name}{}: {ty}", arguments(field));
        if of_object && field.owners().count() > 1 && !holding.external && !holding.overridden {
            *out += " @shareable";
        }
        if holding.external {
            *out += " @external";
        }
        if let Some(fields) = &holding.requires {
            *out += &format!(" @requires(fields: \"{fields}\")");
        }
        if let Some(fields) = &holding.provides {
            *out += &format!(" @provides(fields: \"{fields}\")");
        }
        if let Some(from) = holding.overrides {
            *out += &format!(" @override(from: \"{}\")", GRAPH_NAMES[from]);
        }
        if field.inaccessible && !holding.external {
            *out += " @inaccessible";
        }
        *out += &guard(guards, &format!("{object}.{name}"));
        *out += "\n";
    }
    *out += "}\n";
}
