//! Random rules about who may see what, and random callers.

use std::collections::{BTreeMap, HashSet};

use federation::Grants;

use super::blueprint::{Blueprint, Field};
use super::dice::Dice;
use super::sdl::Guards;
use crate::oracle::world::Guard;

const SCOPES: [&str; 3] = ["read", "write", "audit"];

/// What stands in the supergraph, and what each part put up of it.
#[derive(Default)]
pub struct Guarded {
    pub whole: Guards,
    pub parts: BTreeMap<usize, Guards>,
}

/// Rules where the directives' specifications allow them, and spread over the supergraph as composition does it:
/// an interface asks for what any of its types asks for, a field for what it requires.
pub fn composed(blueprint: &Blueprint, mut dice: Dice) -> Guarded {
    let mut guarded = Guarded::default();
    let coordinates = coordinates(blueprint);
    let closed: Vec<_> = coordinates.into_iter().filter(|(_, graphs)| !graphs.is_empty()).collect();
    for _ in 0..dice.between(1, 6) {
        let (coordinate, graphs) = dice.one(&closed).clone();
        let guard = guard(&mut dice);
        guarded.parts.entry(*dice.one(&graphs)).or_default().insert(coordinate.clone(), guard.clone());
        guarded.whole.insert(coordinate, guard);
    }
    // A coordinate drawn twice was guarded by two parts, and the second rule is the one in force here.
    for guards in guarded.parts.values_mut() {
        for (coordinate, guard) in guards {
            guard.clone_from(&guarded.whole[coordinate]);
        }
    }
    requirements(blueprint, &mut guarded);
    interfaces(blueprint, &mut guarded.whole);
    guarded
}

/// Rules anywhere at all: as older compositions left them, and on types the specifications do not name.
pub fn loose(blueprint: &Blueprint, mut dice: Dice) -> Guards {
    let mut all: Vec<String> = coordinates(blueprint).into_iter().map(|(coordinate, _)| coordinate).collect();
    for (name, interface) in &blueprint.interfaces {
        all.push(name.clone());
        all.extend(interface.fields.keys().map(|field| format!("{name}.{field}")));
        // Twice, because this is where rules differ between the ways to a field.
        all.extend(interface.fields.keys().map(|field| format!("{name}.{field}")));
        for implementor in blueprint.implementors(name) {
            all.extend(interface.fields.keys().map(|field| format!("{implementor}.{field}")));
        }
    }
    all.extend(blueprint.unions.keys().cloned());
    all.extend(blueprint.inputs.iter().filter(|(_, it)| !it.graphs.is_empty()).map(|(name, _)| name.clone()));
    let mut guards = Guards::new();
    for _ in 0..dice.between(1, 8) {
        guards.insert(dice.one(&all).clone(), guard(&mut dice));
    }
    guards
}

pub fn caller(dice: &mut Dice) -> Grants {
    let mut scopes = HashSet::new();
    for scope in SCOPES {
        if dice.percent(40) {
            scopes.insert(scope.to_owned());
        }
    }
    Grants { authenticated: dice.percent(50), scopes }
}

fn guard(dice: &mut Dice) -> Guard {
    let mut guard = Guard::default();
    let kind = dice.below(4);
    guard.authenticated = kind < 2;
    if kind > 0 {
        for _ in 0..dice.between(1, 2) {
            let mut all = dice.some(&SCOPES.map(str::to_owned), 1);
            all.truncate(2);
            if !guard.scopes.contains(&all) {
                guard.scopes.push(all);
            }
        }
    }
    guard
}

/// What can carry a rule of its own, and the parts in which it can be written.
fn coordinates(blueprint: &Blueprint) -> Vec<(String, Vec<usize>)> {
    let mut all: Vec<(String, Vec<usize>)> = Vec::new();
    for (name, object) in &blueprint.objects {
        if !["Query", "Mutation"].contains(&name.as_str()) {
            all.push((name.clone(), object.homes.keys().copied().collect()));
        }
        for (field_name, field) in &object.fields {
            all.push((format!("{name}.{field_name}"), field.owners().collect()));
        }
    }
    for (name, known) in &blueprint.enums {
        all.push((name.clone(), known.graphs.iter().copied().collect()));
    }
    for (name, graphs) in &blueprint.scalars {
        all.push((name.clone(), graphs.iter().copied().collect()));
    }
    all.retain(|(_, graphs)| !graphs.is_empty());
    all
}

fn interfaces(blueprint: &Blueprint, guards: &mut Guards) {
    for (name, interface) in &blueprint.interfaces {
        for implementor in blueprint.implementors(name) {
            demand(guards, name, implementor);
            for field in interface.fields.keys() {
                demand(guards, &format!("{name}.{field}"), &format!("{implementor}.{field}"));
            }
        }
    }
}

/// Makes one coordinate ask for everything another asks for.
fn demand(guards: &mut Guards, coordinate: &str, other: &str) {
    let Some(other) = guards.get(other).cloned() else { return };
    let guard = guards.entry(coordinate.to_owned()).or_default();
    *guard = both(guard, &other);
}

fn both(one: &Guard, other: &Guard) -> Guard {
    let scopes = match (one.scopes.is_empty(), other.scopes.is_empty()) {
        (true, _) => other.scopes.clone(),
        (_, true) => one.scopes.clone(),
        _ => {
            let pairs = one.scopes.iter().flat_map(|one| other.scopes.iter().map(move |other| (one, other)));
            let merged = pairs.map(|(one, other)| {
                let mut all = one.clone();
                all.extend(other.iter().filter(|scope| !one.contains(scope)).cloned());
                all
            });
            merged.collect()
        }
    };
    Guard { authenticated: one.authenticated || other.authenticated, scopes }
}

/// Composition refuses a field that is open while what it requires is not.
fn requirements(blueprint: &Blueprint, guarded: &mut Guarded) {
    for (name, object) in &blueprint.objects {
        for (field_name, field) in &object.fields {
            for (graph, holding) in &field.holders {
                let Some(requires) = &holding.requires else { continue };
                let mut needed = Guard::default();
                let mut demand = |coordinate: &str| {
                    if let Some(guard) = guarded.whole.get(coordinate) {
                        needed = both(&needed, guard);
                    }
                };
                demanded(blueprint, object_field(blueprint, name), name, requires, &mut demand);
                if needed == Guard::default() {
                    continue;
                }
                let coordinate = format!("{name}.{field_name}");
                let own = guarded.whole.get(&coordinate).cloned().unwrap_or_default();
                let all = both(&own, &needed);
                for guards in guarded.parts.values_mut() {
                    guards.remove(&coordinate);
                }
                guarded.parts.entry(*graph).or_default().insert(coordinate.clone(), all.clone());
                guarded.whole.insert(coordinate, all);
            }
        }
    }
}

fn object_field<'b>(blueprint: &'b Blueprint, object: &str) -> impl Fn(&str) -> &'b Field {
    let object = &blueprint.objects[object];
    move |field| &object.fields[field]
}

/// Names all that `a b { c }`, required of an object, leads to.
fn demanded<'b>(
    blueprint: &'b Blueprint,
    field: impl Fn(&str) -> &'b Field,
    name: &str,
    requires: &str,
    demand: &mut impl FnMut(&str),
) {
    let words: Vec<&str> = requires.split_whitespace().collect();
    let mut position = 0;
    while position < words.len() {
        let word = words[position];
        let ty = field(word).ty.name();
        demand(&format!("{name}.{word}"));
        demand(ty);
        position += 1;
        if words.get(position) == Some(&"{") {
            let inner = words[position + 1];
            let inner_field = &blueprint.objects[ty].fields[inner];
            demand(&format!("{ty}.{inner}"));
            demand(inner_field.ty.name());
            position += 3;
        }
    }
}
