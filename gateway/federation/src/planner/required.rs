//! Gives required fields that take arguments names of their own, before the planner sees the supergraph.
//!
//! What `@requires(fields: "price(currency: EUR)")` asks for may stand beside `price` as a client asks for it,
//! and beside another requirement's `price(currency: THB)`. The planner then renames one of them in the answer
//! and forgets to where representations are made. So each required field with its arguments becomes a field of
//! the planner's supergraph, a stand-in without arguments, and is written out again in what it plans.

use std::collections::{BTreeMap, HashMap};

use graphql_tools::static_graphql::{query, schema as ast};

use super::join;
use crate::schema::type_name;
use crate::supergraph::field_names;

#[derive(Debug, Default)]
pub(crate) struct StandIns {
    prefix: String,
    by_name: HashMap<String, StandIn>,
}

#[derive(Debug)]
struct StandIn {
    field: String,
    /// `price(currency: EUR)`
    call: String,
}

/// The stand-in and the field, by the type the field is required of and the call.
type Wanted = BTreeMap<(String, String), (String, String)>;

impl StandIns {
    /// Rewrites every `requires:` of a supergraph and adds the fields it then speaks of.
    pub fn put_into(supergraph: &mut ast::Document) -> StandIns {
        let mut prefix = String::from("_required_");
        while field_names(supergraph).iter().any(|field| field.starts_with(&prefix)) {
            prefix.insert(0, '_');
        }
        let fields = Fields::new(supergraph);
        let mut wanted = Wanted::new();
        let mut own_name = |ty: &str, field: &str, call: String| {
            let number = wanted.len();
            let known = wanted.entry((ty.to_owned(), call));
            known.or_insert_with(|| (format!("{prefix}{number}"), field.to_owned())).0.clone()
        };
        for definition in join::definitions_mut(supergraph) {
            let ty = type_name(definition).to_owned();
            let all = join::fields_mut(definition).into_iter().flatten();
            for required in all.flat_map(requirements) {
                if let Some(renamed) = fields.rename(&ty, required, &mut own_name) {
                    *required = renamed;
                }
            }
        }
        let mut by_name = HashMap::new();
        for ((ty, call), (name, field)) in wanted {
            fields.add(supergraph, &ty, &field, &name);
            by_name.insert(name, StandIn { field, call });
        }
        StandIns { prefix, by_name }
    }

    /// The field a name stands for.
    pub fn field<'a>(&'a self, name: &'a str) -> &'a str {
        self.by_name.get(name).map_or(name, |stand_in| &stand_in.field)
    }

    /// An operation as a subgraph understands it.
    pub fn written_out(&self, operation: String) -> String {
        if self.by_name.is_empty() || !operation.contains(&self.prefix) {
            return operation;
        }
        let mut out = String::with_capacity(operation.len() * 2);
        let mut rest = operation.as_str();
        while let Some(next) = rest.find(|c: char| c == '"' || c == '_' || c.is_ascii_alphabetic()) {
            out.push_str(&rest[..next]);
            rest = &rest[next..];
            let (token, after) = rest.split_at(token_bytes(rest));
            match self.by_name.get(token) {
                // The planner has given it another alias.
                Some(stand_in) if out.trim_end().ends_with(':') => out.push_str(&stand_in.call),
                Some(stand_in) => out.extend([token, ": ", &stand_in.call]),
                None => out.push_str(token),
            }
            rest = after;
        }
        out.push_str(rest);
        out
    }
}

/// How long the string or the name is that a text begins with.
fn token_bytes(text: &str) -> usize {
    let bytes = text.as_bytes();
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    if bytes[0] != b'"' {
        return bytes.iter().position(|byte| !is_name(byte)).unwrap_or(bytes.len());
    }
    if text.starts_with("\"\"\"") {
        let mut at = 3;
        while let Some(found) = text[at..].find("\"\"\"") {
            at += found + 3;
            if bytes[at - 4] != b'\\' {
                return at;
            }
        }
        return bytes.len();
    }
    let mut at = 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

/// What must be known of fields to rename some.
struct Fields {
    /// What each returns, and whether it takes arguments.
    known: HashMap<(String, String), (String, bool)>,
    /// The types that have an interface's fields.
    implement: HashMap<String, Vec<String>>,
}

impl Fields {
    fn new(supergraph: &ast::Document) -> Self {
        let mut fields = Fields { known: HashMap::new(), implement: HashMap::new() };
        for definition in join::definitions(supergraph) {
            let ty = type_name(definition);
            if let ast::TypeDefinition::Object(object) = definition {
                for interface in &object.implements_interfaces {
                    fields.implement.entry(interface.clone()).or_default().push(ty.to_owned());
                }
            }
            for field in join::fields(definition) {
                let known = (join::inner_name(&field.field_type).to_owned(), !field.arguments.is_empty());
                fields.known.insert((ty.to_owned(), field.name.clone()), known);
            }
        }
        fields
    }

    /// A field set with stand-ins, or nothing when it needs none.
    fn rename(
        &self,
        ty: &str,
        text: &str,
        own_name: &mut impl FnMut(&str, &str, String) -> String,
    ) -> Option<String> {
        let mut set = join::field_set(text)?;
        if !self.rename_in(ty, &mut set, own_name) {
            return None;
        }
        let set = query::Definition::Operation(query::OperationDefinition::SelectionSet(set));
        let text = query::Document { definitions: vec![set] }.to_string();
        let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?;
        Some(inner.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    fn rename_in(
        &self,
        ty: &str,
        set: &mut query::SelectionSet,
        own_name: &mut impl FnMut(&str, &str, String) -> String,
    ) -> bool {
        let mut renamed = false;
        for selection in &mut set.items {
            match selection {
                query::Selection::Field(field) => {
                    let known = self.known.get(&(ty.to_owned(), field.name.clone()));
                    let Some((returned, takes_arguments)) = known else { continue };
                    renamed |= self.rename_in(returned, &mut field.selection_set, own_name);
                    if *takes_arguments {
                        let given = field.arguments.drain(..);
                        let given: Vec<_> = given.map(|(name, value)| format!("{name}: {value}")).collect();
                        let call = match given.is_empty() {
                            true => field.name.clone(),
                            false => format!("{}({})", field.name, given.join(", ")),
                        };
                        field.name = own_name(ty, &field.name, call);
                        renamed = true;
                    }
                }
                query::Selection::InlineFragment(fragment) => {
                    let on = join::condition(fragment, ty).to_owned();
                    renamed |= self.rename_in(&on, &mut fragment.selection_set, own_name);
                }
                query::Selection::FragmentSpread(_) => {}
            }
        }
        renamed
    }

    /// Adds a stand-in for a field of a type and of those that implement it.
    fn add(&self, supergraph: &mut ast::Document, ty: &str, field: &str, stand_in: &str) {
        let implement = self.implement.get(ty).map(Vec::as_slice).unwrap_or_default();
        for definition in join::definitions_mut(supergraph) {
            let owner = type_name(definition);
            if owner != ty && !implement.iter().any(|name| name == owner) {
                continue;
            }
            let stood_for = join::fields(definition).iter().find(|known| known.name == field).cloned();
            let (Some(mut added), Some(all)) = (stood_for, join::fields_mut(definition)) else { continue };
            added.name = stand_in.to_owned();
            added.arguments.clear();
            // What guards the field does not guard what subgraphs need of each other.
            added.directives.retain(|directive| directive.name == "join__field");
            added.directives.push(join::directive("inaccessible", Vec::new()));
            all.push(added);
        }
    }
}

/// The field sets a field requires, one for each subgraph that has it.
fn requirements(field: &mut ast::Field) -> impl Iterator<Item = &mut String> {
    let directives = field.directives.iter_mut().filter(|directive| directive.name == "join__field");
    let arguments = directives.flat_map(|directive| directive.arguments.iter_mut());
    arguments.filter_map(|(name, value)| match value {
        query::Value::String(text) if name == "requires" => Some(text),
        _ => None,
    })
}
