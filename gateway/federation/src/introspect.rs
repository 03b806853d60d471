//! Answers `__schema` and `__type` from the public schema, as deep as the client asks and no deeper.

use std::cell::Cell;
use std::collections::HashMap;

use graphql_tools::static_graphql::{query, schema as ast};
use serde_json::Map;

use crate::coerce::literal;
use crate::error::{GraphQLError, PathSegment, VALIDATION_FAILED};
use crate::schema::{Schema, type_name};
use crate::selection::{Field, Item, Selections};
use crate::value::{Object, Value};

/// Adds the answers to the root fields that ask about the schema.
pub(crate) fn introspect(
    schema: &Schema,
    selections: &Selections,
    variables: &Map<String, serde_json::Value>,
    data: &mut Object,
) -> Vec<GraphQLError> {
    let mut errors = Vec::new();
    let mut introspection: Option<Introspection<'_>> = None;
    for item in &selections.items {
        let Item::Field(field) = item else { continue };
        if !matches!(field.name.as_str(), "__schema" | "__type") {
            continue;
        }
        let introspection = introspection.get_or_insert_with(|| Introspection::new(schema, variables));
        let mut value = match field.name.as_str() {
            "__schema" => introspection.object(Node::Schema, &field.selections),
            _ => match introspection.argument(field, "name").as_str() {
                Some(name) => introspection.named(name, &field.selections),
                None => Value::Null,
            },
        };
        if introspection.exhausted.get() {
            value = Value::Null;
            let error = GraphQLError::new(VALIDATION_FAILED, "The document asks for too much of the schema.");
            errors.push(error.at(vec![PathSegment::Key(field.response_key.clone())]));
        }
        data.insert(field.data_key.key().clone(), value);
    }
    errors
}

/// What an answer may hold for each definition of the schema. A tool that asks for everything takes about 20;
/// types lead to each other, so without an end a short document could ask for gigabytes.
const VALUES_PER_DEFINITION_MAX: usize = 50;

struct Introspection<'a> {
    schema: &'a Schema,
    types: HashMap<&'a str, &'a ast::TypeDefinition>,
    variables: &'a Map<String, serde_json::Value>,
    values_left: Cell<usize>,
    exhausted: Cell<bool>,
}

#[derive(Clone, Copy)]
enum Node<'a> {
    Schema,
    Type(&'a ast::TypeDefinition),
    Wrapped(&'a query::Type),
    Field(&'a ast::Field),
    Input(&'a ast::InputValue),
    EnumValue(&'a ast::EnumValue),
    Directive(&'a ast::DirectiveDefinition),
}

impl<'a> Introspection<'a> {
    fn new(schema: &'a Schema, variables: &'a Map<String, serde_json::Value>) -> Self {
        let types = schema.document.definitions.iter().filter_map(|definition| match definition {
            ast::Definition::TypeDefinition(definition) => Some((type_name(definition), definition)),
            _ => None,
        });
        let types: HashMap<_, _> = types.collect();
        let definitions: usize = types.values().map(|definition| 1 + parts(definition)).sum();
        let values_left = Cell::new(definitions * VALUES_PER_DEFINITION_MAX);
        Introspection { schema, types, variables, values_left, exhausted: Cell::new(false) }
    }

    fn object(&self, node: Node<'a>, selections: &Selections) -> Value {
        match self.values_left.get().checked_sub(1 + selections.items.len()) {
            Some(left) => self.values_left.set(left),
            None => {
                self.exhausted.set(true);
                return Value::Null;
            }
        }
        let mut object = Object::with_capacity(selections.items.len());
        // The introspection types are all concrete, so there are no branches.
        for item in &selections.items {
            if let Item::Field(field) = item
                && field.name != "__typename"
            {
                object.push(field.data_key.key().clone(), self.field(node, field));
            }
        }
        Value::object(object)
    }

    fn field(&self, node: Node<'a>, field: &Field) -> Value {
        match node {
            Node::Schema => self.schema_field(field),
            Node::Type(definition) => self.type_field(definition, field),
            Node::Wrapped(ty) => self.wrapped_field(ty, field),
            Node::Field(definition) => match field.name.as_str() {
                "name" => Value::text(&definition.name),
                "description" => optional(definition.description.as_deref()),
                "args" => self.inputs(&definition.arguments, field),
                "type" => self.ty(&definition.field_type, field),
                _ => deprecation(&definition.directives, field),
            },
            Node::Input(definition) => match field.name.as_str() {
                "name" => Value::text(&definition.name),
                "description" => optional(definition.description.as_deref()),
                "type" => self.ty(&definition.value_type, field),
                "defaultValue" => {
                    optional(definition.default_value.as_ref().map(ToString::to_string).as_deref())
                }
                _ => deprecation(&definition.directives, field),
            },
            Node::EnumValue(definition) => match field.name.as_str() {
                "name" => Value::text(&definition.name),
                "description" => optional(definition.description.as_deref()),
                _ => deprecation(&definition.directives, field),
            },
            Node::Directive(definition) => match field.name.as_str() {
                "name" => Value::text(&definition.name),
                "description" => optional(definition.description.as_deref()),
                "locations" => {
                    Value::list(definition.locations.iter().map(|it| Value::text(it.as_str())).collect())
                }
                "args" => self.inputs(&definition.arguments, field),
                "isRepeatable" => Value::Bool(definition.repeatable),
                _ => Value::Null,
            },
        }
    }

    fn schema_field(&self, field: &Field) -> Value {
        let root = |name: Option<&str>| name.map_or(Value::Null, |name| self.named(name, &field.selections));
        let definitions = self.schema.document.definitions.iter();
        match field.name.as_str() {
            "types" => list(definitions.filter_map(|definition| match definition {
                ast::Definition::TypeDefinition(it) => Some(self.object(Node::Type(it), &field.selections)),
                _ => None,
            })),
            "directives" => list(definitions.filter_map(|definition| match definition {
                ast::Definition::DirectiveDefinition(it) => {
                    Some(self.object(Node::Directive(it), &field.selections))
                }
                _ => None,
            })),
            "queryType" => root(Some(&self.schema.query)),
            "mutationType" => root(self.schema.mutation.as_deref()),
            "subscriptionType" => root(self.schema.subscription.as_deref()),
            _ => Value::Null,
        }
    }

    fn type_field(&self, definition: &'a ast::TypeDefinition, field: &Field) -> Value {
        let name = type_name(definition);
        let (kind, description, directives) = head(definition);
        match field.name.as_str() {
            "kind" => Value::text(kind),
            "name" => Value::text(name),
            "description" => optional(description),
            "specifiedByURL" => optional(directive_text(directives, "specifiedBy", "url")),
            "isOneOf" if kind == "INPUT_OBJECT" => {
                Value::Bool(directives.iter().any(|directive| directive.name == "oneOf"))
            }
            "fields" => match fields(definition) {
                Some(fields) => list(
                    fields
                        .iter()
                        .filter(|it| !it.name.starts_with("__") && self.shown(&it.directives, field))
                        .map(|it| self.object(Node::Field(it), &field.selections)),
                ),
                None => Value::Null,
            },
            "interfaces" => match definition {
                ast::TypeDefinition::Object(ast::ObjectType { implements_interfaces: names, .. })
                | ast::TypeDefinition::Interface(ast::InterfaceType {
                    implements_interfaces: names, ..
                }) => list(names.iter().map(|name| self.named(name, &field.selections))),
                _ => Value::Null,
            },
            "possibleTypes" => match definition {
                ast::TypeDefinition::Interface(_) | ast::TypeDefinition::Union(_) => {
                    let possible = self.schema.get(name).into_iter().flat_map(|ty| &ty.possible);
                    let mut possible: Vec<_> = possible.collect();
                    possible.sort();
                    list(possible.into_iter().map(|name| self.named(name, &field.selections)))
                }
                _ => Value::Null,
            },
            "enumValues" => match definition {
                ast::TypeDefinition::Enum(enumeration) => list(
                    enumeration
                        .values
                        .iter()
                        .filter(|it| self.shown(&it.directives, field))
                        .map(|it| self.object(Node::EnumValue(it), &field.selections)),
                ),
                _ => Value::Null,
            },
            "inputFields" => match definition {
                ast::TypeDefinition::InputObject(input) => self.inputs(&input.fields, field),
                _ => Value::Null,
            },
            _ => Value::Null,
        }
    }

    fn wrapped_field(&self, ty: &'a query::Type, field: &Field) -> Value {
        let (kind, inner) = match ty {
            query::Type::ListType(inner) => ("LIST", inner),
            query::Type::NonNullType(inner) => ("NON_NULL", inner),
            query::Type::NamedType(_) => return Value::Null,
        };
        match field.name.as_str() {
            "kind" => Value::text(kind),
            "ofType" => self.ty(inner, field),
            _ => Value::Null,
        }
    }

    fn ty(&self, ty: &'a query::Type, field: &Field) -> Value {
        match ty {
            query::Type::NamedType(name) => self.named(name, &field.selections),
            wrapped => self.object(Node::Wrapped(wrapped), &field.selections),
        }
    }

    fn named(&self, name: &str, selections: &Selections) -> Value {
        self.types.get(name).map_or(Value::Null, |definition| self.object(Node::Type(definition), selections))
    }

    fn inputs(&self, inputs: &'a [ast::InputValue], field: &Field) -> Value {
        let shown = inputs.iter().filter(|input| self.shown(&input.directives, field));
        list(shown.map(|input| self.object(Node::Input(input), &field.selections)))
    }

    fn shown(&self, directives: &[ast::Directive], field: &Field) -> bool {
        !directives.iter().any(|directive| directive.name == "deprecated")
            || self.argument(field, "includeDeprecated").as_bool().unwrap_or_default()
    }

    fn argument(&self, field: &Field, name: &str) -> serde_json::Value {
        let given = field.arguments.iter().find(|(argument, _)| argument == name).map(|(_, value)| value);
        match given {
            Some(query::Value::Variable(variable)) => {
                self.variables.get(variable).cloned().unwrap_or_default()
            }
            Some(value) => literal(value),
            None => serde_json::Value::Null,
        }
    }
}

/// Whether a selection asks about the schema, which a setting can forbid.
pub(crate) fn asks_about_schema(selections: &Selections) -> bool {
    selections.items.iter().any(
        |item| matches!(item, Item::Field(field) if matches!(field.name.as_str(), "__schema" | "__type")),
    )
}

fn head(definition: &ast::TypeDefinition) -> (&'static str, Option<&str>, &[ast::Directive]) {
    match definition {
        ast::TypeDefinition::Scalar(it) => ("SCALAR", it.description.as_deref(), &it.directives),
        ast::TypeDefinition::Object(it) => ("OBJECT", it.description.as_deref(), &it.directives),
        ast::TypeDefinition::Interface(it) => ("INTERFACE", it.description.as_deref(), &it.directives),
        ast::TypeDefinition::Union(it) => ("UNION", it.description.as_deref(), &it.directives),
        ast::TypeDefinition::Enum(it) => ("ENUM", it.description.as_deref(), &it.directives),
        ast::TypeDefinition::InputObject(it) => ("INPUT_OBJECT", it.description.as_deref(), &it.directives),
    }
}

/// How many fields, arguments and values a definition has.
fn parts(definition: &ast::TypeDefinition) -> usize {
    match definition {
        ast::TypeDefinition::Enum(it) => it.values.len(),
        ast::TypeDefinition::InputObject(it) => it.fields.len(),
        _ => fields(definition).into_iter().flatten().map(|field| 1 + field.arguments.len()).sum(),
    }
}

fn fields(definition: &ast::TypeDefinition) -> Option<&[ast::Field]> {
    match definition {
        ast::TypeDefinition::Object(object) => Some(&object.fields),
        ast::TypeDefinition::Interface(interface) => Some(&interface.fields),
        _ => None,
    }
}

fn deprecation(directives: &[ast::Directive], field: &Field) -> Value {
    let deprecated = directives.iter().any(|directive| directive.name == "deprecated");
    match field.name.as_str() {
        "isDeprecated" => Value::Bool(deprecated),
        "deprecationReason" if deprecated => {
            Value::text(directive_text(directives, "deprecated", "reason").unwrap_or("No longer supported"))
        }
        _ => Value::Null,
    }
}

fn directive_text<'a>(directives: &'a [ast::Directive], name: &str, argument: &str) -> Option<&'a str> {
    let directive = directives.iter().find(|directive| directive.name == name)?;
    directive.arguments.iter().find_map(|(given, value)| match value {
        query::Value::String(text) if given == argument => Some(text.as_str()),
        _ => None,
    })
}

fn optional(text: Option<&str>) -> Value {
    text.map_or(Value::Null, Value::text)
}

fn list(items: impl Iterator<Item = Value>) -> Value {
    Value::list(items.collect())
}
