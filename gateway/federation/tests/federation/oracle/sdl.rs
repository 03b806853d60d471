//! A part's schema as a server of that part would have it: without directives, with `_entities`.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::schema::{Definition, Field, Input, Kind, Schema};

pub fn executable(schema: &Schema) -> String {
    let entities: Vec<_> = schema
        .types
        .iter()
        .filter(|(_, definition)| definition.kind == Kind::Object && definition.keys().next().is_some())
        .map(|(name, _)| name.as_str())
        .collect();
    let mut text = String::new();
    for (name, definition) in &schema.types {
        write_type(&mut text, name, definition, !entities.is_empty());
    }
    if !schema.types.contains_key("Query") {
        write_type(&mut text, "Query", &Definition { kind: Kind::Object, ..Definition::default() }, true);
    }
    if !entities.is_empty() {
        writeln!(text, "scalar _Any union _Entity = {}", entities.join(" | ")).unwrap();
    }
    let mutation = if schema.types.contains_key("Mutation") { "mutation: Mutation" } else { "" };
    writeln!(text, "schema {{ query: Query {mutation} }}").unwrap();
    // The validator takes these from the schema.
    writeln!(text, "directive @skip(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT").unwrap();
    writeln!(text, "directive @include(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT").unwrap();
    text
}

fn write_type(text: &mut String, name: &str, definition: &Definition, entities: bool) {
    let implements = match definition.interfaces.is_empty() {
        true => String::new(),
        false => format!("implements {}", join(&definition.interfaces, " & ")),
    };
    match definition.kind {
        Kind::Scalar => writeln!(text, "scalar {name}").unwrap(),
        Kind::Object | Kind::Interface => {
            let word = if definition.kind == Kind::Object { "type" } else { "interface" };
            writeln!(text, "{word} {name} {implements} {{").unwrap();
            definition.fields.iter().for_each(|(name, field)| write_field(text, name, field));
            if name == "Query" {
                writeln!(text, "  __typename_of_query: String").unwrap();
                if entities {
                    writeln!(text, "  _entities(representations: [_Any!]!): [_Entity]!").unwrap();
                }
            }
            writeln!(text, "}}").unwrap();
        }
        Kind::Union => writeln!(text, "union {name} = {}", join(&definition.members, " | ")).unwrap(),
        Kind::Enum => writeln!(text, "enum {name} {{ {} }}", definition.values.join(" ")).unwrap(),
        Kind::Input => {
            writeln!(text, "input {name} {{{}}}", inputs(&definition.inputs)).unwrap();
        }
    }
}

fn write_field(text: &mut String, name: &str, field: &Field) {
    match field.arguments.is_empty() {
        true => writeln!(text, "  {name}: {}", field.ty).unwrap(),
        false => writeln!(text, "  {name}({}): {}", inputs(&field.arguments), field.ty).unwrap(),
    }
}

fn inputs(inputs: &BTreeMap<String, Input>) -> String {
    let input = |(name, input): (&String, &Input)| match &input.default {
        Some(default) => format!("{name}: {} = {default}", input.ty),
        None => format!("{name}: {}", input.ty),
    };
    inputs.iter().map(input).collect::<Vec<_>>().join(" ")
}

fn join<'a>(names: impl IntoIterator<Item = &'a String>, by: &str) -> String {
    names.into_iter().map(String::as_str).collect::<Vec<_>>().join(by)
}
