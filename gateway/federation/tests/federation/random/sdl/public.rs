//! The schema clients see: nothing inaccessible, nothing of federation.

use std::collections::BTreeSet;

use super::{argument, arguments, head, is_used};
use crate::random::blueprint::{Blueprint, Field};

pub fn public(blueprint: &Blueprint) -> String {
    let mut out = String::new();
    for (name, object) in &blueprint.objects {
        let interfaces: BTreeSet<&str> =
            object.homes.values().flat_map(|home| &home.interfaces).map(String::as_str).collect();
        head(&mut out, "type", name, &interfaces.into_iter().collect::<Vec<_>>(), "");
        fields(&mut out, object.fields.iter());
    }
    for (name, interface) in &blueprint.interfaces {
        head(&mut out, "interface", name, &[], "");
        fields(&mut out, interface.fields.iter());
    }
    for (name, union) in &blueprint.unions {
        let members: BTreeSet<&str> = union.members.values().flatten().map(String::as_str).collect();
        out += &format!("union {name} = {}\n", members.into_iter().collect::<Vec<_>>().join(" | "));
    }
    for (name, known) in blueprint.enums.iter().filter(|(name, _)| is_used(blueprint, name)) {
        let values = known.values.iter().filter(|(_, open)| *open).map(|(value, _)| value.as_str());
        out += &format!("enum {name} {{ {} }}\n", values.collect::<Vec<_>>().join(" "));
    }
    for name in blueprint.scalars.keys().filter(|name| is_used(blueprint, name)) {
        out += &format!("scalar {name}\n");
    }
    for (name, input) in blueprint.inputs.iter().filter(|(name, _)| is_used(blueprint, name)) {
        let fields: Vec<_> = input.fields.iter().map(argument).collect();
        out += &format!("input {name} {{ {} }}\n", fields.join(" "));
    }
    out
}

fn fields<'f>(out: &mut String, fields: impl Iterator<Item = (&'f String, &'f Field)>) {
    *out += " {\n";
    for (name, field) in fields.filter(|(_, field)| !field.inaccessible) {
        *out += &format!("  {name}{}: {}\n", arguments(field), field.ty);
    }
    *out += "}\n";
}
