//! How long an answer may be kept, and for whom: what `@cacheControl` says of everything it shows.
//!
//! The lowest wins, and what says nothing is private and not kept. A leaf is as its object is, and so is an
//! object that says `inheritMaxAge`. What a type says holds for the fields of the subgraphs it is at home in; a
//! root field, and a field that another subgraph adds to the type, is public only when it says so itself.

mod entities;

use std::collections::{BTreeSet, HashMap};

use graphql_tools::static_graphql::{query, schema as ast};

use crate::authorize::Denial;
use crate::document::OperationKind;
use crate::schema::{Schema, type_name};
use crate::selection::{Item, Selections};

/// For how long an answer may be kept, and for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CachePolicy {
    pub max_age_s: u32,
    /// Whether it is the same for everyone to whom the same fields are open.
    pub public: bool,
}

impl CachePolicy {
    /// What nobody has said anything of.
    pub const PRIVATE: CachePolicy = CachePolicy { max_age_s: 0, public: false };

    /// Whether an answer may be kept at all, for everyone.
    pub fn is_kept(self) -> bool {
        self.public && self.max_age_s > 0
    }

    fn lower(self, other: CachePolicy) -> CachePolicy {
        CachePolicy { max_age_s: self.max_age_s.min(other.max_age_s), public: self.public && other.public }
    }
}

/// What one place of the schema says; several subgraphs may say it differently.
#[derive(Clone, Copy, Debug, Default)]
struct Hint {
    max_age_s: Option<u32>,
    public: Option<bool>,
    inherits: bool,
}

impl Hint {
    fn and(self, other: Hint) -> Hint {
        let lowest = |one: Option<u32>, other: Option<u32>| one.into_iter().chain(other).min();
        let both = |one: Option<bool>, other: Option<bool>| one.into_iter().chain(other).min();
        Hint {
            max_age_s: lowest(self.max_age_s, other.max_age_s),
            public: both(self.public, other.public),
            inherits: self.inherits || other.inherits,
        }
    }

    fn read(directives: &[ast::Directive]) -> Hint {
        let said = directives.iter().filter(|directive| directive.name == "cacheControl");
        said.map(Hint::of).fold(Hint::default(), Hint::and)
    }

    fn of(directive: &ast::Directive) -> Hint {
        let mut hint = Hint::default();
        for (name, value) in &directive.arguments {
            match (name.as_str(), value) {
                // A negative age is none.
                ("maxAge", query::Value::Int(age)) => {
                    hint.max_age_s = Some(age.as_i64().and_then(|age| age.try_into().ok()).unwrap_or(0));
                }
                ("scope", query::Value::Enum(scope)) => hint.public = Some(scope == "PUBLIC"),
                ("inheritMaxAge", query::Value::Boolean(inherits)) => hint.inherits = *inherits,
                _ => {}
            }
        }
        hint
    }
}

/// What a supergraph says of how long its parts may be kept.
#[derive(Default)]
pub(crate) struct CacheHints {
    of_type: HashMap<String, Hint>,
    of_field: HashMap<String, HashMap<String, Hint>>,
    /// Fields that not every subgraph gives in which their type is at home.
    foreign: HashMap<String, BTreeSet<String>>,
}

impl CacheHints {
    /// Reads them from the supergraph itself: the public schema has lost its directives.
    pub fn new(supergraph: &ast::Document) -> Self {
        let mut hints = CacheHints::default();
        for definition in &supergraph.definitions {
            let ast::Definition::TypeDefinition(definition) = definition else { continue };
            let (directives, fields): (&[ast::Directive], &[ast::Field]) = match definition {
                ast::TypeDefinition::Object(ty) => (&ty.directives, &ty.fields),
                ast::TypeDefinition::Interface(ty) => (&ty.directives, &ty.fields),
                ast::TypeDefinition::Union(ty) => (&ty.directives, &[]),
                _ => continue,
            };
            let name = type_name(definition);
            hints.of_type.insert(name.to_owned(), Hint::read(directives));
            let homes = homes(directives);
            for field in fields {
                let said = hints.of_field.entry(name.to_owned()).or_default();
                said.insert(field.name.clone(), Hint::read(&field.directives));
                let givers: BTreeSet<&str> = givers(&field.directives).collect();
                if !givers.is_empty() && !homes.is_subset(&givers) {
                    hints.foreign.entry(name.to_owned()).or_default().insert(field.name.clone());
                }
            }
        }
        hints
    }

    /// The policy of what an operation selects.
    pub fn policy(
        &self,
        schema: &Schema,
        kind: OperationKind,
        root: &str,
        selections: &Selections,
    ) -> CachePolicy {
        let lowest = match kind {
            OperationKind::Query => self.lowest(schema, root, selections, None),
            OperationKind::Mutation | OperationKind::Subscription => None,
        };
        lowest.unwrap_or(CachePolicy::PRIVATE)
    }

    /// `holder` is the policy of the object these are selected on; nothing at the root.
    fn lowest(
        &self,
        schema: &Schema,
        ty: &str,
        selections: &Selections,
        holder: Option<CachePolicy>,
    ) -> Option<CachePolicy> {
        let lower = |lowest: Option<CachePolicy>, next: CachePolicy| {
            Some(lowest.map_or(next, |lowest| lowest.lower(next)))
        };
        selections.items.iter().fold(None, |lowest, item| match item {
            Item::Branch { condition, selections } => {
                let below = self.lowest(schema, condition, selections, holder);
                below.map_or(lowest, |below| lower(lowest, below))
            }
            // It is asked of nobody. That it is missing is an error, and answers with errors are not kept.
            Item::Field(field) if field.denial == Denial::Always => lowest,
            Item::Field(field) if field.name == "__typename" => lowest,
            Item::Field(field) if field.name.starts_with("__") => lower(lowest, CachePolicy::PRIVATE),
            Item::Field(field) => {
                let own = self.of_field(schema, ty, &field.name, holder);
                let below = self.lowest(schema, field.ty.name(), &field.selections, Some(own));
                lower(lowest, below.map_or(own, |below| own.lower(below)))
            }
        })
    }

    /// The lowest of what holds for a field, on every type its object may have and for every type it may return.
    fn of_field(&self, schema: &Schema, ty: &str, field: &str, holder: Option<CachePolicy>) -> CachePolicy {
        let mut lowest: Option<CachePolicy> = None;
        for owner in these(schema, ty) {
            let own = self.field_hint(ty, field).and(self.field_hint(owner, field));
            let is_foreign = |ty: &str| self.foreign.get(ty).is_some_and(|fields| fields.contains(field));
            let foreign = holder.is_none() || is_foreign(ty) || is_foreign(owner);
            let definition = schema.field(owner, field).or_else(|| schema.field(ty, field));
            let Some(returned) = definition.map(|definition| definition.ty.name()) else {
                return CachePolicy::PRIVATE;
            };
            let leaf = schema.get(returned).is_none_or(|returned| !returned.is_composite());
            for value in these(schema, returned) {
                let hint = own.and(self.type_hint(returned)).and(self.type_hint(value));
                let as_holder = holder.filter(|_| (leaf || hint.inherits) && !foreign);
                let policy = CachePolicy {
                    max_age_s: hint.max_age_s.or(as_holder.map(|it| it.max_age_s)).unwrap_or(0),
                    public: match (own.public, hint.public) {
                        (None, Some(true)) => !foreign,
                        (_, Some(public)) => public,
                        (_, None) => as_holder.is_some_and(|it| it.public),
                    },
                };
                lowest = Some(lowest.map_or(policy, |lowest| lowest.lower(policy)));
            }
        }
        lowest.unwrap_or(CachePolicy::PRIVATE)
    }

    fn field_hint(&self, ty: &str, field: &str) -> Hint {
        self.of_field.get(ty).and_then(|fields| fields.get(field)).copied().unwrap_or_default()
    }

    fn type_hint(&self, ty: &str) -> Hint {
        self.of_type.get(ty).copied().unwrap_or_default()
    }
}

/// The types a value of this one may have; the name itself for a leaf.
fn these<'s>(schema: &'s Schema, name: &'s str) -> impl Iterator<Item = &'s str> {
    let possible = schema.get(name).map(|ty| &ty.possible).filter(|possible| !possible.is_empty());
    let itself = possible.is_none().then_some(name);
    possible.into_iter().flatten().map(String::as_str).chain(itself)
}

/// The subgraphs that can be asked for a type, or all that know it when it has no key.
fn homes(directives: &[ast::Directive]) -> BTreeSet<&str> {
    let joins = || directives.iter().filter(|directive| directive.name == "join__type");
    let asked = joins().filter(|join| {
        argument(join, "key").is_some() && argument(join, "resolvable") != Some(&query::Value::Boolean(false))
    });
    let asked: BTreeSet<&str> = asked.filter_map(graph).collect();
    if asked.is_empty() { joins().filter_map(graph).collect() } else { asked }
}

fn givers(directives: &[ast::Directive]) -> impl Iterator<Item = &str> {
    let joins = directives.iter().filter(|directive| directive.name == "join__field");
    let own = joins.filter(|join| argument(join, "external") != Some(&query::Value::Boolean(true)));
    own.filter_map(graph)
}

fn graph(join: &ast::Directive) -> Option<&str> {
    match argument(join, "graph") {
        Some(query::Value::Enum(graph)) => Some(graph),
        _ => None,
    }
}

fn argument<'a>(directive: &'a ast::Directive, name: &str) -> Option<&'a query::Value> {
    directive.arguments.iter().find(|(given, _)| given == name).map(|(_, value)| value)
}
