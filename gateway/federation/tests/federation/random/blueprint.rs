//! A federated schema before it is written down: who knows which type, and who holds which field.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A part, by its number.
pub type Graph = usize;

pub const GRAPH_NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

#[derive(Clone, Debug, Default)]
pub struct Blueprint {
    pub graphs: usize,
    pub objects: BTreeMap<String, Object>,
    pub interfaces: BTreeMap<String, Interface>,
    pub unions: BTreeMap<String, Union>,
    pub enums: BTreeMap<String, Enum>,
    pub scalars: BTreeMap<String, BTreeSet<Graph>>,
    pub inputs: BTreeMap<String, Input>,
}

/// An entity has keys, a value object has none; the roots are objects too.
#[derive(Clone, Debug, Default)]
pub struct Object {
    pub homes: BTreeMap<Graph, Home>,
    pub fields: BTreeMap<String, Field>,
}

/// What one part says about a type.
#[derive(Clone, Debug, Default)]
pub struct Home {
    pub keys: Vec<Key>,
    pub interfaces: BTreeSet<String>,
    /// It knows the interface as one object, and nothing of the types behind it.
    pub interface_object: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    pub fields: String,
    pub resolvable: bool,
}

#[derive(Clone, Debug, Default)]
pub struct Interface {
    pub homes: BTreeMap<Graph, Home>,
    pub fields: BTreeMap<String, Field>,
}

/// Members by part: not every part knows all.
#[derive(Clone, Debug, Default)]
pub struct Union {
    pub members: BTreeMap<Graph, BTreeSet<String>>,
}

#[derive(Clone, Debug, Default)]
pub struct Enum {
    pub graphs: BTreeSet<Graph>,
    /// Each with whether clients may know it.
    pub values: Vec<(String, bool)>,
}

#[derive(Clone, Debug, Default)]
pub struct Input {
    pub graphs: BTreeSet<Graph>,
    pub fields: Vec<Argument>,
}

#[derive(Clone, Debug)]
pub struct Field {
    pub ty: Type,
    pub arguments: Vec<Argument>,
    pub holders: BTreeMap<Graph, Holding>,
    pub inaccessible: bool,
}

/// How one part has a field.
#[derive(Clone, Debug, Default)]
pub struct Holding {
    /// Where the part promises more than the whole schema does: never null.
    pub non_null: bool,
    pub external: bool,
    pub requires: Option<String>,
    pub provides: Option<String>,
    /// It takes the field over from this part.
    pub overrides: Option<Graph>,
    /// Another part took the field over; it is still written here and never asked for.
    pub overridden: bool,
}

#[derive(Clone, Debug)]
pub struct Argument {
    pub name: String,
    pub ty: Type,
    pub default: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    Named(String),
    List(Box<Type>),
    NonNull(Box<Type>),
}

impl Type {
    pub fn of(name: &str) -> Self {
        Type::Named(name.to_owned())
    }

    pub fn list(self) -> Self {
        Type::List(Box::new(self))
    }

    pub fn non_null(self) -> Self {
        match self {
            Type::NonNull(_) => self,
            ty => Type::NonNull(Box::new(ty)),
        }
    }

    pub fn name(&self) -> &str {
        match self {
            Type::Named(name) => name,
            Type::List(inner) | Type::NonNull(inner) => inner.name(),
        }
    }

    pub fn is_non_null(&self) -> bool {
        matches!(self, Type::NonNull(_))
    }

    pub fn is_list(&self) -> bool {
        match self {
            Type::Named(_) => false,
            Type::List(_) => true,
            Type::NonNull(inner) => inner.is_list(),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Named(name) => f.write_str(name),
            Type::List(inner) => write!(f, "[{inner}]"),
            Type::NonNull(inner) => write!(f, "{inner}!"),
        }
    }
}

impl Field {
    pub fn new(ty: Type) -> Self {
        Field { ty, arguments: Vec::new(), holders: BTreeMap::new(), inaccessible: false }
    }

    pub fn held_by(mut self, graphs: impl IntoIterator<Item = Graph>) -> Self {
        self.holders.extend(graphs.into_iter().map(|graph| (graph, Holding::default())));
        self
    }

    /// The parts that answer it wherever they are asked for it.
    pub fn owners(&self) -> impl Iterator<Item = Graph> {
        self.holders.iter().filter(|(_, it)| !it.external && !it.overridden).map(|(graph, _)| *graph)
    }
}

impl Object {
    pub fn is_entity(&self) -> bool {
        self.homes.values().any(|home| !home.keys.is_empty())
    }
}

impl Blueprint {
    pub fn is_composite(&self, name: &str) -> bool {
        self.objects.contains_key(name)
            || self.interfaces.contains_key(name)
            || self.unions.contains_key(name)
    }

    /// The object types a value of this type can have in the eyes of one part.
    pub fn possible_in(&self, graph: Graph, name: &str) -> BTreeSet<String> {
        if let Some(union) = self.unions.get(name) {
            return union.members.get(&graph).cloned().unwrap_or_default();
        }
        if self.objects.get(name).is_some_and(|object| object.homes.contains_key(&graph)) {
            return BTreeSet::from([name.to_owned()]);
        }
        let interface_object = self.interfaces.get(name).and_then(|it| it.homes.get(&graph));
        if interface_object.is_some_and(|home| home.interface_object) {
            return self.implementors(name).map(str::to_owned).collect();
        }
        let implements =
            |object: &Object| object.homes.get(&graph).is_some_and(|home| home.interfaces.contains(name));
        self.objects.iter().filter(|(_, it)| implements(it)).map(|(name, _)| name.clone()).collect()
    }

    /// The object types that implement an interface in any part.
    pub fn implementors(&self, interface: &str) -> impl Iterator<Item = &str> {
        let implements =
            move |object: &Object| object.homes.values().any(|home| home.interfaces.contains(interface));
        self.objects.iter().filter(move |(_, it)| implements(it)).map(|(name, _)| name.as_str())
    }
}
