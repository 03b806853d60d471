//! Who may see which field: the rules `@authenticated` and `@requiresScopes` put on the schema.
//!
//! A rule judges selections, each by itself. A selection of a field is written on one type and meets objects of
//! that or another type. It is denied when its caller fails a rule of either type, of the field on either, of
//! what the field returns on either, or of a type of which its arguments hold a value (a null holds nothing).
//! A type's name is no data of the type: `__typename` is told of every object that is shown.
//!
//! A denied selection is left out of what subgraphs are asked, with all that stands below it. Several selections
//! of one field meet under one name in the answer: what is open through one of them is shown, so that a field
//! denied on an interface is there when it is selected on a type that is open, and the reverse. What only denied
//! selections ask for, at the field itself or below it, is null and reported.
//!
//! Keys, and what a `@requires` names, pass between subgraphs whatever the caller may see: the engine asks for
//! them, and no answer shows them unless the caller may see them. A rule that should hold for a field made of
//! other fields stands on that field; composition insists on it.

use std::collections::{BTreeSet, HashMap, HashSet};

use graphql_tools::static_graphql::{query, schema as ast};
use serde_json::{Map, Value};

use crate::coerce::literal;
use crate::error::SupergraphError;
use crate::schema::{Schema, TypeRef, type_name};

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

pub(crate) type RuleId = usize;

/// All rules of one supergraph.
#[derive(Default)]
pub(crate) struct Rules {
    rules: Vec<Rule>,
    of_type: HashMap<String, Vec<RuleId>>,
    of_field: HashMap<String, HashMap<String, Vec<RuleId>>>,
    /// Whether a type that can be given has rules: only then need variables be looked into.
    on_inputs: bool,
}

/// The rules one caller fails, and the variables whose values hold what the caller may not use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Denied {
    rules: BTreeSet<RuleId>,
    variables: BTreeSet<String>,
}

impl Denied {
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.variables.is_empty()
    }
}

/// For whom a field, reached through one type, is denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Denial {
    Never,
    Always,
    /// Only when the object turns out to be one of these types.
    On(BTreeSet<String>),
}

impl Rules {
    /// Reads them from the supergraph itself: the public schema has lost its directives.
    pub fn new(supergraph: &ast::Document) -> Result<Self, SupergraphError> {
        let names = Names::of(supergraph)?;
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
                rules.on_inputs |= matches!(
                    definition,
                    ast::TypeDefinition::Scalar(_)
                        | ast::TypeDefinition::Enum(_)
                        | ast::TypeDefinition::InputObject(_)
                );
            }
            for field in fields {
                let ids = rules.intern(&names, &field.directives);
                if !ids.is_empty() {
                    rules.of_field.entry(name.clone()).or_default().insert(field.name.clone(), ids);
                }
            }
        }
        Ok(rules)
    }

    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether something that can be given has rules.
    pub fn are_on_inputs(&self) -> bool {
        self.on_inputs
    }

    /// What this caller is denied, of the rules a document touches and of what its variables hold.
    pub fn denied(
        &self,
        schema: &Schema,
        touched: &BTreeSet<RuleId>,
        definitions: &[query::VariableDefinition],
        variables: &Map<String, Value>,
        grants: &Grants,
    ) -> Denied {
        let mut denied = Denied {
            rules: touched.iter().copied().filter(|id| self.fails(*id, grants)).collect(),
            variables: BTreeSet::new(),
        };
        if self.on_inputs {
            for definition in definitions {
                let mut types = BTreeSet::new();
                if let Some(value) = variables.get(&definition.name) {
                    types_within(schema, TypeRef::from(&definition.var_type).name(), value, &mut types);
                }
                let rules = types.iter().filter_map(|name| self.of_type.get(name)).flatten();
                if rules.copied().any(|id| self.fails(id, grants)) {
                    denied.variables.insert(definition.name.clone());
                }
            }
        }
        denied
    }

    /// The rules a document touches, in words, and whether the caller meets each.
    pub fn outcome(&self, touched: &BTreeSet<RuleId>, denied: &Denied) -> Vec<String> {
        let rules = touched.iter().map(|id| format!("{:?} {}", self.rules[*id], !denied.rules.contains(id)));
        let variables = denied.variables.iter().map(|name| format!("denied ${name}"));
        rules.chain(variables).collect()
    }

    /// What was denied by another supergraph's rules, by the same rules of this one.
    pub fn as_here(&self, others: &Rules, denied: &Denied) -> Denied {
        let here = |id: &RuleId| self.rules.iter().position(|rule| *rule == others.rules[*id]);
        Denied { rules: denied.rules.iter().filter_map(here).collect(), variables: denied.variables.clone() }
    }

    fn fails(&self, id: RuleId, grants: &Grants) -> bool {
        match &self.rules[id] {
            Rule::Authenticated => !grants.authenticated,
            Rule::Scopes(any) => !any.iter().any(|all| all.iter().all(|scope| grants.scopes.contains(scope))),
        }
    }

    /// Whom the caller's failures cost this field, selected with these arguments on this type.
    pub fn denial(&self, denied: &Denied, schema: &Schema, parent: &str, field: &query::Field) -> Denial {
        if denied.is_empty() {
            return Denial::Never;
        }
        let fails = |parent: &str| self.on(schema, parent, field).iter().any(|id| denied.rules.contains(id));
        let given = |(_, value): &(String, query::Value)| uses_any(value, &denied.variables);
        if fails(parent) || field.arguments.iter().any(given) {
            return Denial::Always;
        }
        let possible = schema.get(parent).map(|ty| &ty.possible);
        let on: BTreeSet<String> =
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
    fn on(&self, schema: &Schema, parent: &str, field: &query::Field) -> Vec<RuleId> {
        let mut types = BTreeSet::new();
        // The type name is no data of the type: without it an interface could not be read at all.
        if !field.name.starts_with("__") {
            types.insert(parent.to_owned());
        }
        if let Some(definition) = schema.field(parent, &field.name) {
            types.insert(definition.ty.name().to_owned());
            for (name, value) in &field.arguments {
                if let Some(input) = definition.arguments.get(name) {
                    types_within(schema, input.ty.name(), &literal(value), &mut types);
                }
            }
        }
        let of_field = self.of_field.get(parent).and_then(|fields| fields.get(&field.name));
        let of_types = types.iter().filter_map(|name| self.of_type.get(name));
        of_field.into_iter().chain(of_types).flatten().copied().collect()
    }

    fn intern(&mut self, names: &Names, directives: &[ast::Directive]) -> Vec<RuleId> {
        let mut ids = Vec::new();
        for rule in directives.iter().filter_map(|directive| names.rule(directive)) {
            let known = self.rules.iter().position(|other| *other == rule);
            let index = known.unwrap_or_else(|| {
                self.rules.push(rule);
                self.rules.len() - 1
            });
            ids.push(index);
        }
        ids
    }
}

/// The types a given value is made of, as far as it holds anything of them.
pub(crate) fn types_within(schema: &Schema, name: &str, value: &Value, types: &mut BTreeSet<String>) {
    if value.is_null() {
        return;
    }
    types.insert(name.to_owned());
    match value {
        Value::Array(items) => items.iter().for_each(|item| types_within(schema, name, item, types)),
        Value::Object(members) => {
            let fields = schema.get(name).map(|ty| &ty.inputs);
            for (field, value) in members {
                if let Some(input) = fields.and_then(|fields| fields.get(field)) {
                    types_within(schema, input.ty.name(), value, types);
                }
            }
        }
        _ => {}
    }
}

fn uses_any(value: &query::Value, variables: &BTreeSet<String>) -> bool {
    match value {
        query::Value::Variable(name) => variables.contains(name),
        query::Value::List(items) => items.iter().any(|item| uses_any(item, variables)),
        query::Value::Object(members) => members.iter().any(|(_, value)| uses_any(value, variables)),
        _ => false,
    }
}

/// What the two directives are called here: a supergraph may import them under other names.
struct Names {
    authenticated: String,
    requires_scopes: String,
}

impl Names {
    fn of(supergraph: &ast::Document) -> Result<Self, SupergraphError> {
        let mut names =
            Names { authenticated: "authenticated".into(), requires_scopes: "requiresScopes".into() };
        let links = supergraph.definitions.iter().filter_map(|definition| match definition {
            ast::Definition::SchemaDefinition(schema) => Some(&schema.directives),
            _ => None,
        });
        for link in links.flatten().filter(|directive| directive.name == "link") {
            let argument =
                |name: &str| link.arguments.iter().find(|(given, _)| given == name).map(|(_, value)| value);
            let Some(query::Value::String(url)) = argument("url") else { continue };
            let guards =
                matches!(argument("for"), Some(query::Value::Enum(purpose)) if purpose == "SECURITY");
            let (feature, name) = match url.trim_end_matches('/').rsplit('/').nth(1) {
                Some("authenticated") => ("@authenticated", &mut names.authenticated),
                Some("requiresScopes") => ("@requiresScopes", &mut names.requires_scopes),
                // The planner leaves out of the public schema what is inaccessible.
                Some("inaccessible") => continue,
                // To serve it without what guards it would open it to everyone.
                _ if guards => return Err(SupergraphError::UnknownGuard(url.clone())),
                _ => continue,
            };
            if let Some(renamed) = imported_as(argument("import"), feature) {
                *name = renamed;
            } else if let Some(query::Value::String(renamed)) = argument("as") {
                *name = renamed.clone();
            }
        }
        Ok(names)
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

/// The name an import gives a directive: `import: [{ name: "@feature", as: "@other" }]`.
pub(crate) fn imported_as(import: Option<&query::Value>, feature: &str) -> Option<String> {
    let Some(query::Value::List(imports)) = import else { return None };
    imports.iter().find_map(|import| {
        let query::Value::Object(import) = import else { return None };
        let text = |name: &str| match import.iter().find(|(given, _)| given == name) {
            Some((_, query::Value::String(text))) => Some(text),
            _ => None,
        };
        let renamed = text("as").filter(|_| text("name").is_some_and(|name| name == feature))?;
        Some(renamed.trim_start_matches('@').to_owned())
    })
}
