//! What the public schema says, in the shape the engine asks for it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use graphql_tools::static_graphql::{query, schema as ast};
use indexmap::IndexMap;

/// The public schema: no inaccessible part, no federation machinery.
pub struct Schema {
    pub query: String,
    pub mutation: Option<String>,
    pub subscription: Option<String>,
    /// As introspection answers it and validation reads it; holds the introspection types too.
    pub document: Arc<ast::Document>,
    types: HashMap<String, Type>,
}

pub struct Type {
    pub name: String,
    pub kind: Kind,
    pub fields: IndexMap<String, Field>,
    pub interfaces: Vec<String>,
    /// The object types a value of this type can have; its own name for an object.
    pub possible: HashSet<String>,
    pub enum_values: Arc<HashSet<String>>,
    pub inputs: IndexMap<String, Input>,
    pub one_of: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Scalar,
    Object,
    Interface,
    Union,
    Enum,
    InputObject,
}

pub struct Field {
    pub ty: TypeRef,
    pub arguments: IndexMap<String, Input>,
}

pub struct Input {
    pub ty: TypeRef,
    pub has_default: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeRef {
    Named(String),
    List(Box<TypeRef>),
    NonNull(Box<TypeRef>),
}

impl Schema {
    pub fn new(document: Arc<ast::Document>) -> Option<Self> {
        let query = document.query_type_name()?.clone();
        let mut types: HashMap<String, Type> = HashMap::new();
        for definition in &document.definitions {
            if let ast::Definition::TypeDefinition(definition) = definition {
                let ty = Type::new(definition);
                types.insert(ty.name.clone(), ty);
            }
        }
        let mut possible: HashMap<String, HashSet<String>> = HashMap::new();
        for ty in types.values().filter(|ty| ty.kind == Kind::Object) {
            for interface in &ty.interfaces {
                possible.entry(interface.clone()).or_default().insert(ty.name.clone());
            }
        }
        for (interface, members) in possible {
            if let Some(ty) = types.get_mut(&interface) {
                ty.possible = members;
            }
        }
        Some(Schema {
            query,
            mutation: document.mutation_type_name().cloned(),
            subscription: document.subscription_type_name().cloned(),
            document,
            types,
        })
    }

    pub fn get(&self, name: &str) -> Option<&Type> {
        self.types.get(name)
    }

    pub fn field(&self, parent: &str, name: &str) -> Option<&Field> {
        self.types.get(parent)?.fields.get(name)
    }

    /// Whether a value whose `__typename` is `runtime` may stand where `condition` is asked for. The runtime
    /// type can be an interface: that is how a subgraph with `@interfaceObject` names it.
    pub fn satisfies(&self, runtime: &str, condition: &str) -> bool {
        runtime == condition
            || self.types.get(condition).is_some_and(|ty| ty.possible.contains(runtime))
            || self.types.get(runtime).is_some_and(|ty| ty.interfaces.iter().any(|name| name == condition))
    }

    /// Whether every value of `scope` satisfies `condition`, so that the condition need not be looked at. It
    /// does not count which object types there are: a value may name an interface as its type.
    pub fn always_satisfies(&self, scope: &str, condition: &str) -> bool {
        scope == condition
            || self.types.get(scope).is_some_and(|ty| match ty.kind {
                Kind::Object => self.satisfies(scope, condition),
                _ => ty.interfaces.iter().any(|name| name == condition),
            })
    }

    /// Whether some object can be of both types.
    pub fn overlap(&self, one: &str, other: &str) -> bool {
        match (self.types.get(one), self.types.get(other)) {
            (Some(one), Some(other)) => one.name == other.name || !one.possible.is_disjoint(&other.possible),
            _ => false,
        }
    }

    pub fn is_object(&self, name: &str) -> bool {
        self.types.get(name).is_some_and(|ty| ty.kind == Kind::Object)
    }

    /// The public schema as SDL, without what every schema has.
    pub fn sdl(&self) -> String {
        let built_in = |name: &str| name.starts_with("__") || BUILT_IN_SCALARS.contains(&name);
        let mut public = (*self.document).clone();
        public.definitions.retain(|definition| match definition {
            ast::Definition::TypeDefinition(definition) => !built_in(type_name(definition)),
            ast::Definition::DirectiveDefinition(directive) => {
                !BUILT_IN_DIRECTIVES.contains(&directive.name.as_str())
            }
            _ => true,
        });
        for definition in &mut public.definitions {
            if let ast::Definition::TypeDefinition(ast::TypeDefinition::Object(object)) = definition {
                object.fields.retain(|field| !field.name.starts_with("__"));
            }
        }
        public.to_string()
    }
}

const BUILT_IN_SCALARS: [&str; 5] = ["Boolean", "Float", "ID", "Int", "String"];
const BUILT_IN_DIRECTIVES: [&str; 5] = ["skip", "include", "deprecated", "specifiedBy", "oneOf"];

impl Type {
    fn new(definition: &ast::TypeDefinition) -> Self {
        let name = type_name(definition).to_owned();
        let mut ty = Type {
            kind: Kind::Scalar,
            fields: IndexMap::new(),
            interfaces: Vec::new(),
            possible: HashSet::new(),
            enum_values: Arc::default(),
            inputs: IndexMap::new(),
            one_of: false,
            name,
        };
        match definition {
            ast::TypeDefinition::Scalar(_) => {}
            ast::TypeDefinition::Object(object) => {
                ty.kind = Kind::Object;
                ty.fields = fields(&object.fields);
                ty.interfaces = object.implements_interfaces.clone();
                ty.possible.insert(ty.name.clone());
            }
            ast::TypeDefinition::Interface(interface) => {
                ty.kind = Kind::Interface;
                ty.fields = fields(&interface.fields);
                ty.interfaces = interface.implements_interfaces.clone();
            }
            ast::TypeDefinition::Union(union) => {
                ty.kind = Kind::Union;
                ty.possible = union.types.iter().cloned().collect();
            }
            ast::TypeDefinition::Enum(enumeration) => {
                ty.kind = Kind::Enum;
                ty.enum_values =
                    Arc::new(enumeration.values.iter().map(|value| value.name.clone()).collect());
            }
            ast::TypeDefinition::InputObject(input) => {
                ty.kind = Kind::InputObject;
                ty.inputs = inputs(&input.fields);
                ty.one_of = input.directives.iter().any(|directive| directive.name == "oneOf");
            }
        }
        ty
    }

    pub fn is_composite(&self) -> bool {
        matches!(self.kind, Kind::Object | Kind::Interface | Kind::Union)
    }
}

impl TypeRef {
    pub fn name(&self) -> &str {
        match self {
            TypeRef::Named(name) => name,
            TypeRef::List(inner) | TypeRef::NonNull(inner) => inner.name(),
        }
    }

    pub fn is_non_null(&self) -> bool {
        matches!(self, TypeRef::NonNull(_))
    }
}

impl From<&query::Type> for TypeRef {
    fn from(ty: &query::Type) -> Self {
        match ty {
            query::Type::NamedType(name) => TypeRef::Named(name.clone()),
            query::Type::ListType(inner) => TypeRef::List(Box::new(TypeRef::from(&**inner))),
            query::Type::NonNullType(inner) => TypeRef::NonNull(Box::new(TypeRef::from(&**inner))),
        }
    }
}

impl std::fmt::Display for TypeRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            TypeRef::Named(name) => f.write_str(name),
            TypeRef::List(inner) => write!(f, "[{inner}]"),
            TypeRef::NonNull(inner) => write!(f, "{inner}!"),
        }
    }
}

pub fn type_name(definition: &ast::TypeDefinition) -> &str {
    match definition {
        ast::TypeDefinition::Scalar(ty) => &ty.name,
        ast::TypeDefinition::Object(ty) => &ty.name,
        ast::TypeDefinition::Interface(ty) => &ty.name,
        ast::TypeDefinition::Union(ty) => &ty.name,
        ast::TypeDefinition::Enum(ty) => &ty.name,
        ast::TypeDefinition::InputObject(ty) => &ty.name,
    }
}

fn fields(fields: &[ast::Field]) -> IndexMap<String, Field> {
    let field = |field: &ast::Field| Field {
        ty: TypeRef::from(&field.field_type),
        arguments: inputs(&field.arguments),
    };
    fields.iter().map(|definition| (definition.name.clone(), field(definition))).collect()
}

fn inputs(inputs: &[ast::InputValue]) -> IndexMap<String, Input> {
    let input = |input: &ast::InputValue| Input {
        ty: TypeRef::from(&input.value_type),
        has_default: input.default_value.is_some(),
    };
    inputs.iter().map(|definition| (definition.name.clone(), input(definition))).collect()
}
