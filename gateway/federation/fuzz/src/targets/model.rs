//! A schema as the fuzzer reads it: small, in one order, and not the engine's own reading.

use std::collections::BTreeMap;

use graphql_tools::static_graphql::schema::{Definition, Document, Field, InputValue, Type, TypeDefinition};

pub struct Model {
    types: BTreeMap<String, TypeDefinition>,
    /// The names of the object types an abstract type can be.
    possible: BTreeMap<String, Vec<String>>,
}

impl Model {
    pub fn new(sdl: &str) -> Self {
        let document: Document =
            graphql_tools::parser::parse_schema::<String>(sdl).expect("the schema is valid").into_static();
        let mut types = BTreeMap::new();
        let mut possible: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for definition in document.definitions {
            let Definition::TypeDefinition(definition) = definition else { continue };
            let name = definition.name().to_owned();
            match &definition {
                TypeDefinition::Object(object) => {
                    for interface in &object.implements_interfaces {
                        possible.entry(interface.clone()).or_default().push(name.clone());
                    }
                }
                TypeDefinition::Union(union) => {
                    possible.insert(name.clone(), union.types.clone());
                }
                _ => {}
            }
            types.insert(name, definition);
        }
        Model { types, possible }
    }

    pub fn names(&self) -> Vec<&str> {
        self.types.keys().map(String::as_str).collect()
    }

    pub fn get(&self, name: &str) -> Option<&TypeDefinition> {
        self.types.get(name)
    }

    pub fn is_object(&self, name: &str) -> bool {
        matches!(self.get(name), Some(TypeDefinition::Object(_)))
    }

    pub fn is_composite(&self, name: &str) -> bool {
        self.get(name).is_some_and(TypeDefinition::is_composite_type)
    }

    pub fn fields(&self, name: &str) -> &[Field] {
        match self.get(name) {
            Some(TypeDefinition::Object(object)) => &object.fields,
            Some(TypeDefinition::Interface(interface)) => &interface.fields,
            _ => &[],
        }
    }

    pub fn field(&self, parent: &str, name: &str) -> Option<&Field> {
        self.fields(parent).iter().find(|field| field.name == name)
    }

    pub fn inputs(&self, name: &str) -> &[InputValue] {
        match self.get(name) {
            Some(TypeDefinition::InputObject(input)) => &input.fields,
            _ => &[],
        }
    }

    pub fn values(&self, name: &str) -> Vec<&str> {
        match self.get(name) {
            Some(TypeDefinition::Enum(values)) => values.values.iter().map(|it| it.name.as_str()).collect(),
            _ => Vec::new(),
        }
    }

    /// The object types a value of this type can be, the type itself if it is one.
    pub fn possible(&self, name: &str) -> Vec<&str> {
        match self.possible.get(name) {
            Some(names) => names.iter().map(String::as_str).collect(),
            None => self.types.get_key_value(name).map(|(name, _)| name.as_str()).into_iter().collect(),
        }
    }

    /// Whether an object of type `runtime` is also of type `condition`.
    pub fn is(&self, runtime: &str, condition: &str) -> bool {
        runtime == condition || self.possible(condition).contains(&runtime)
    }
}

pub fn named(ty: &Type) -> &str {
    match ty {
        Type::NamedType(name) => name,
        Type::ListType(inner) | Type::NonNullType(inner) => named(inner),
    }
}
