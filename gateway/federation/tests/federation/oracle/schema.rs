//! A schema read from SDL: the whole one, the public one, or a subgraph's with its federation directives.

use std::collections::{BTreeMap, BTreeSet};

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, ConstDirective, FieldDefinition, InputValueDefinition, Type, TypeKind, TypeSystemDefinition,
};
use async_graphql::{Positioned, Value as ConstValue};

#[derive(Debug, Default)]
pub struct Schema {
    pub types: BTreeMap<String, Definition>,
}

/// One type, with everything its extensions add.
#[derive(Debug, Default)]
pub struct Definition {
    pub kind: Kind,
    pub fields: BTreeMap<String, Field>,
    pub interfaces: BTreeSet<String>,
    /// Of a union.
    pub members: BTreeSet<String>,
    /// Of an enum.
    pub values: Vec<String>,
    /// Of an input object.
    pub inputs: BTreeMap<String, Input>,
    pub directives: Vec<Directive>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    #[default]
    Scalar,
    Object,
    Interface,
    Union,
    Enum,
    Input,
}

#[derive(Debug)]
pub struct Field {
    pub ty: Type,
    pub arguments: BTreeMap<String, Input>,
    pub directives: Vec<Directive>,
}

#[derive(Debug)]
pub struct Input {
    pub ty: Type,
    pub default: Option<ConstValue>,
}

#[derive(Debug)]
pub struct Directive {
    pub name: String,
    pub arguments: BTreeMap<String, ConstValue>,
}

impl Schema {
    /// Whatever belongs to federation's own machinery is passed over.
    pub fn parse(sdl: &str) -> Self {
        let document = parse_schema(sdl).unwrap_or_else(|error| panic!("{error}\n{sdl}"));
        let mut schema = Schema::default();
        for name in ["Int", "Float", "String", "Boolean", "ID"] {
            schema.types.insert(name.to_owned(), Definition::default());
        }
        for definition in document.definitions {
            let TypeSystemDefinition::Type(definition) = definition else { continue };
            let definition = definition.node;
            let name = definition.name.node.to_string();
            let machinery = ["_Any", "_Entity", "_Service", "FieldSet", "federation__FieldSet"];
            if name.starts_with("join__") || name.starts_with("link__") || machinery.contains(&&*name) {
                continue;
            }
            let known = schema.types.entry(name).or_default();
            known.directives.extend(directives(definition.directives));
            match definition.kind {
                TypeKind::Scalar => known.kind = Kind::Scalar,
                TypeKind::Object(object) => {
                    known.kind = Kind::Object;
                    known.interfaces.extend(object.implements.iter().map(|name| name.node.to_string()));
                    known.fields.extend(fields(object.fields));
                }
                TypeKind::Interface(interface) => {
                    known.kind = Kind::Interface;
                    known.interfaces.extend(interface.implements.iter().map(|name| name.node.to_string()));
                    known.fields.extend(fields(interface.fields));
                }
                TypeKind::Union(union) => {
                    known.kind = Kind::Union;
                    known.members.extend(union.members.iter().map(|name| name.node.to_string()));
                }
                TypeKind::Enum(values) => {
                    known.kind = Kind::Enum;
                    known.values.extend(values.values.iter().map(|it| it.node.value.node.to_string()));
                }
                TypeKind::InputObject(input) => {
                    known.kind = Kind::Input;
                    known.inputs.extend(inputs(input.fields));
                }
            }
        }
        schema
    }

    pub fn get(&self, name: &str) -> Option<&Definition> {
        self.types.get(name)
    }

    pub fn kind(&self, name: &str) -> Option<Kind> {
        self.get(name).map(|definition| definition.kind)
    }

    pub fn field(&self, ty: &str, field: &str) -> Option<&Field> {
        self.get(ty)?.fields.get(field)
    }

    pub fn is_composite(&self, name: &str) -> bool {
        matches!(self.kind(name), Some(Kind::Object | Kind::Interface | Kind::Union))
    }

    /// Whether a value of the type `name` is also one of `condition`.
    pub fn satisfies(&self, name: &str, condition: &str) -> bool {
        name == condition
            || self.get(name).is_some_and(|it| it.interfaces.contains(condition))
            || self.get(condition).is_some_and(|it| it.members.contains(name))
    }

    /// The object types a value of this type can have.
    pub fn possible(&self, name: &str) -> impl Iterator<Item = &str> {
        let object = |(_, definition): &(&String, &Definition)| definition.kind == Kind::Object;
        self.types
            .iter()
            .filter(object)
            .map(|(object, _)| object.as_str())
            .filter(move |object| self.satisfies(object, name))
    }
}

impl Definition {
    pub fn has(&self, directive: &str) -> bool {
        self.directives.iter().any(|it| it.name == directive)
    }

    /// The `fields:` of each `@key`, with whether a subgraph can be asked for an entity by it.
    pub fn keys(&self) -> impl Iterator<Item = (&str, bool)> {
        self.directives.iter().filter(|directive| directive.name == "key").filter_map(|directive| {
            let resolvable = directive.arguments.get("resolvable") != Some(&ConstValue::Boolean(false));
            Some((directive.text("fields")?, resolvable))
        })
    }
}

impl Field {
    pub fn has(&self, directive: &str) -> bool {
        self.directives.iter().any(|it| it.name == directive)
    }

    /// One text argument of one directive.
    pub fn says(&self, directive: &str, argument: &str) -> Option<&str> {
        self.directives.iter().find(|it| it.name == directive)?.text(argument)
    }
}

impl Directive {
    fn text(&self, argument: &str) -> Option<&str> {
        match self.arguments.get(argument) {
            Some(ConstValue::String(text)) => Some(text),
            _ => None,
        }
    }
}

/// The name within any lists.
pub fn named(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name.as_str(),
        BaseType::List(inner) => named(inner),
    }
}

fn directives(all: Vec<Positioned<ConstDirective>>) -> Vec<Directive> {
    let directive = |directive: Positioned<ConstDirective>| Directive {
        name: directive.node.name.node.to_string(),
        arguments: directive
            .node
            .arguments
            .into_iter()
            .map(|(name, value)| (name.node.to_string(), value.node))
            .collect(),
    };
    all.into_iter().map(directive).collect()
}

fn fields(all: Vec<Positioned<FieldDefinition>>) -> impl Iterator<Item = (String, Field)> {
    all.into_iter().map(|field| {
        let FieldDefinition { name, arguments, ty, directives: given, .. } = field.node;
        let arguments = inputs(arguments).collect();
        (name.node.to_string(), Field { ty: ty.node, arguments, directives: directives(given) })
    })
}

fn inputs(all: Vec<Positioned<InputValueDefinition>>) -> impl Iterator<Item = (String, Input)> {
    all.into_iter().map(|input| {
        let InputValueDefinition { name, ty, default_value, .. } = input.node;
        (name.node.to_string(), Input { ty: ty.node, default: default_value.map(|value| value.node) })
    })
}
