//! Who may see which field: the rules `@authenticated` and `@requiresScopes` put on the schema.

use std::collections::{BTreeSet, HashMap, HashSet};

use graphql_tools::static_graphql::{query, schema as ast};

use crate::schema::{Schema, type_name};

/// What the caller has proved.
#[derive(Clone, Debug, Default)]
pub struct Grants {
    pub authenticated: bool,
    pub scopes: HashSet<String>,
}

/// What happens to a document that selects what its caller may not see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unauthorized {
    /// The field is null and reported; the rest is answered.
    #[default]
    NullTheField,
    RefuseAll,
}

/// One condition on the caller. Equal conditions are kept once and known by their number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Rule {
    Authenticated,
    /// Any of these sets, and all scopes within it.
    Scopes(Vec<Vec<String>>),
}

pub(crate) type RuleId = u16;

/// All rules of one supergraph.
#[derive(Default)]
pub(crate) struct Rules {
    rules: Vec<Rule>,
    of_type: HashMap<String, Vec<RuleId>>,
    of_field: HashMap<String, HashMap<String, Vec<RuleId>>>,
}

/// The rules one caller fails.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Denied(BTreeSet<RuleId>);

/// For whom a field, reached through one type, is denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Denial {
    Never,
    Always,
    /// Only when the object turns out to be one of these types.
    On(HashSet<String>),
}

impl Rules {
    /// Reads them from the supergraph itself: the public schema has lost its directives.
    pub fn new(supergraph: &ast::Document) -> Self {
        let names = Names::of(supergraph);
        let mut rules = Rules::default();
        for definition in &supergraph.definitions {
            let ast::Definition::TypeDefinition(definition) = definition else { continue };
            let (directives, fields): (&[ast::Directive], &[ast::Field]) = match definition {
                ast::TypeDefinition::Scalar(ty) => (&ty.directives, &[]),
                ast::TypeDefinition::Object(ty) => (&ty.directives, &ty.fields),
                ast::TypeDefinition::Interface(ty) => (&ty.directives, &ty.fields),
                ast::TypeDefinition::Union(ty) => (&ty.directives, &[]),
                ast::TypeDefinition::Enum(ty) => (&ty.directives, &[]),
                ast::TypeDefinition::InputObject(ty) => (&ty.directives, &[]),
            };
            let name = type_name(definition).to_owned();
            let ids = rules.intern(&names, directives);
            if !ids.is_empty() {
                rules.of_type.insert(name.clone(), ids);
            }
            for field in fields {
                let ids = rules.intern(&names, &field.directives);
                if !ids.is_empty() {
                    rules.of_field.entry(name.clone()).or_default().insert(field.name.clone(), ids);
                }
            }
        }
        rules
    }

    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rules this caller fails, of those a document touches.
    pub fn denied(&self, touched: &BTreeSet<RuleId>, grants: &Grants) -> Denied {
        let fails = |id: &RuleId| match &self.rules[usize::from(*id)] {
            Rule::Authenticated => !grants.authenticated,
            Rule::Scopes(any) => !any.iter().any(|all| all.iter().all(|scope| grants.scopes.contains(scope))),
        };
        Denied(touched.iter().copied().filter(fails).collect())
    }

    /// Whom the caller's failures cost this field, selected with these arguments on this type.
    pub fn denial(&self, denied: &Denied, schema: &Schema, parent: &str, field: &query::Field) -> Denial {
        if denied.0.is_empty() {
            return Denial::Never;
        }
        let fails = |parent: &str| self.on(schema, parent, field).any(|id| denied.0.contains(&id));
        if fails(parent) {
            return Denial::Always;
        }
        let possible = schema.get(parent).map(|ty| &ty.possible);
        let on: HashSet<String> =
            possible.into_iter().flatten().filter(|name| fails(name)).cloned().collect();
        match on.len() {
            0 => Denial::Never,
            count if possible.is_some_and(|all| all.len() == count) => Denial::Always,
            _ => Denial::On(on),
        }
    }

    /// Adds the rules that can matter to this field, on its type and on every type its object may have.
    pub fn touch(&self, touched: &mut BTreeSet<RuleId>, schema: &Schema, parent: &str, field: &query::Field) {
        touched.extend(self.on(schema, parent, field));
        for possible in schema.get(parent).into_iter().flat_map(|ty| &ty.possible) {
            touched.extend(self.on(schema, possible, field));
        }
    }

    /// The rules of a type, of its field, of what the field returns and of the arguments given to it.
    fn on<'a>(
        &'a self,
        schema: &'a Schema,
        parent: &'a str,
        field: &'a query::Field,
    ) -> impl Iterator<Item = RuleId> + 'a {
        // The type name is no data of the type: without it an interface could not be read at all.
        let meta = field.name.starts_with("__");
        let definition = schema.field(parent, &field.name);
        let given = field.arguments.iter().filter_map(move |(name, _)| definition?.arguments.get(name));
        let types =
            definition.map(|definition| &definition.ty).into_iter().chain(given.map(|input| &input.ty));
        let of_field = self.of_field.get(parent).and_then(|fields| fields.get(&field.name));
        let of_parent = self.of_type.get(parent).filter(|_| !meta);
        let of_types = types.filter_map(|ty| self.of_type.get(ty.name()));
        of_field.into_iter().chain(of_parent).chain(of_types).flatten().copied()
    }

    fn intern(&mut self, names: &Names, directives: &[ast::Directive]) -> Vec<RuleId> {
        let mut ids = Vec::new();
        for rule in directives.iter().filter_map(|directive| names.rule(directive)) {
            let known = self.rules.iter().position(|other| *other == rule);
            let index = known.unwrap_or_else(|| {
                self.rules.push(rule);
                self.rules.len() - 1
            });
            ids.extend(RuleId::try_from(index));
        }
        ids
    }
}

/// What the two directives are called here: a supergraph may import them under other names.
struct Names {
    authenticated: String,
    requires_scopes: String,
}

impl Names {
    fn of(supergraph: &ast::Document) -> Self {
        let mut names =
            Names { authenticated: "authenticated".into(), requires_scopes: "requiresScopes".into() };
        let links = supergraph.definitions.iter().filter_map(|definition| match definition {
            ast::Definition::SchemaDefinition(schema) => Some(&schema.directives),
            _ => None,
        });
        for link in links.flatten().filter(|directive| directive.name == "link") {
            let text = |name: &str| {
                link.arguments.iter().find_map(|(argument, value)| match value {
                    query::Value::String(text) if argument == name => Some(text.as_str()),
                    _ => None,
                })
            };
            match (text("url"), text("as")) {
                (Some(url), Some(renamed)) if url.contains("/authenticated/") => {
                    names.authenticated = renamed.to_owned();
                }
                (Some(url), Some(renamed)) if url.contains("/requiresScopes/") => {
                    names.requires_scopes = renamed.to_owned();
                }
                _ => {}
            }
        }
        names
    }

    fn rule(&self, directive: &ast::Directive) -> Option<Rule> {
        if directive.name == self.authenticated {
            return Some(Rule::Authenticated);
        }
        if directive.name != self.requires_scopes {
            return None;
        }
        let text = |value: &query::Value| match value {
            query::Value::String(text) => vec![text.clone()],
            _ => Vec::new(),
        };
        let all = |value: &query::Value| match value {
            query::Value::List(scopes) => scopes.iter().flat_map(text).collect(),
            value => text(value),
        };
        let scopes = directive.arguments.iter().find(|(name, _)| name == "scopes").map(|(_, value)| value);
        Some(Rule::Scopes(match scopes {
            Some(query::Value::List(any)) => any.iter().map(all).collect(),
            _ => Vec::new(),
        }))
    }
}
