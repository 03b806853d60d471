//! The three ways a blueprint is written down: for clients, for each part, and for the engine.

mod parts;
mod public;
mod supergraph;

use std::collections::BTreeMap;
use std::fmt::Write;

use super::blueprint::{Argument, Blueprint, Field, GRAPH_NAMES, Graph};
use crate::oracle::world::Guard;

pub use parts::part;
pub use public::public;
pub use supergraph::supergraph;

pub type Guards = BTreeMap<String, Guard>;

/// `interface I implements J & K` with what follows the name.
fn head(out: &mut String, kind: &str, name: &str, implements: &[&str], directives: &str) {
    out.push_str(kind);
    out.push(' ');
    out.push_str(name);
    if !implements.is_empty() {
        write!(out, " implements {}", implements.join(" & ")).expect("text can be written");
    }
    out.push_str(directives);
}

fn arguments(field: &Field) -> String {
    match field.arguments.is_empty() {
        true => String::new(),
        false => format!("({})", field.arguments.iter().map(argument).collect::<Vec<_>>().join(", ")),
    }
}

fn argument(argument: &Argument) -> String {
    let Argument { name, ty, default } = argument;
    let default = default.as_ref().map(|value| format!(" = {value}")).unwrap_or_default();
    format!("{name}: {ty}{default}")
}

fn guard(guards: &Guards, coordinate: &str) -> String {
    let Some(guard) = guards.get(coordinate) else { return String::new() };
    let mut text = String::new();
    if guard.authenticated {
        text.push_str(" @authenticated");
    }
    if !guard.scopes.is_empty() {
        let all = |all: &Vec<String>| {
            format!("[{}]", all.iter().map(|scope| format!("\"{scope}\"")).collect::<Vec<_>>().join(", "))
        };
        let any: Vec<_> = guard.scopes.iter().map(all).collect();
        write!(text, " @requiresScopes(scopes: [{}])", any.join(", ")).expect("text can be written");
    }
    text
}

/// How `join__Graph` spells a part.
fn graph(graph: Graph) -> String {
    GRAPH_NAMES[graph].to_uppercase()
}

/// Whether anybody knows a type that is not an object: unused ones are not written down.
fn is_used(blueprint: &Blueprint, name: &str) -> bool {
    blueprint.enums.get(name).is_none_or(|it| !it.graphs.is_empty())
        && blueprint.scalars.get(name).is_none_or(|it| !it.is_empty())
        && blueprint.inputs.get(name).is_none_or(|it| !it.graphs.is_empty())
}
