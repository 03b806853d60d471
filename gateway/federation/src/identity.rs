//! What an answer depends on besides its variables, as digests that are the same in every process.

use graphql_tools::static_graphql::query;
use sha2::{Digest as _, Sha256};

use crate::authorize::{Denied, Rules};
use crate::cache_policy::CachePolicy;
use crate::document::{Document, OperationKind, OperationRef, condition_name, fragments};
use crate::engine::Prepared;
use crate::overrides::Lot;
use crate::settings::Settings;

/// A digest that nobody can find another text for.
pub type Digest = [u8; 32];

/// All that two requests must have in common, with their variables, to have one answer. Made once per plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The supergraph, and the settings that change answers.
    pub schema: Digest,
    /// The operation, however it is spaced, and its fragments.
    pub operation: Digest,
    /// The conditions on the caller that its fields touch, and which of them the caller meets.
    pub outcome: Digest,
}

impl Prepared {
    /// How long an answer without errors may be kept, and for whom.
    pub fn cache_policy(&self) -> CachePolicy {
        self.operation.cache_policy
    }

    /// What the answer depends on besides the variables, where its policy says that it is public.
    pub fn identity(&self) -> &Identity {
        &self.operation.identity
    }

    /// Whether who asks can change which of its fields are open.
    pub fn is_guarded(&self) -> bool {
        // A variable can hold what not everyone may give, which its document does not tell.
        let given = self.engine().rules.are_on_inputs() && !self.variables.is_empty();
        given || !self.document.rules.is_empty()
    }

    /// The names of the subgraphs that may be asked.
    pub fn subgraphs(&self) -> &[String] {
        &self.operation.subgraphs
    }
}

/// Of a supergraph and the settings that change what it answers.
pub(crate) fn of_schema(supergraph: &str, settings: &Settings) -> Digest {
    let mut writer = Writer::default();
    writer.text(supergraph);
    writer.text(&format!("{:?} {}", settings.unauthorized, settings.introspection));
    let mut labels: Vec<&String> = settings.override_labels.iter().collect();
    labels.sort();
    labels.into_iter().for_each(|label| writer.text(label));
    writer.end()
}

pub(crate) fn of_operation(document: &Document, operation: &OperationRef<'_>, lot: Lot) -> Digest {
    let mut writer = Writer::default();
    writer.text(match operation.kind {
        OperationKind::Query => "query",
        OperationKind::Mutation => "mutation",
        OperationKind::Subscription => "subscription",
    });
    writer.count(operation.variables.len());
    for variable in operation.variables {
        writer.text(&variable.name);
        writer.text(&variable.var_type.to_string());
    }
    writer.set(operation.selection_set);
    let mut fragments: Vec<_> = fragments(&document.ast).into_iter().collect();
    fragments.sort_by_key(|(name, _)| *name);
    writer.count(fragments.len());
    for (name, fragment) in fragments {
        writer.text(name);
        writer.text(condition_name(&fragment.type_condition));
        writer.directives(&fragment.directives);
        writer.set(&fragment.selection_set);
    }
    writer.text(&lot.number().to_string());
    writer.end()
}

pub(crate) fn of_outcome(rules: &Rules, document: &Document, denied: &Denied) -> Digest {
    let mut writer = Writer::default();
    rules.outcome(&document.rules, denied).iter().for_each(|line| writer.text(line));
    writer.end()
}

/// Writes a tree so that it can be read in one way only.
#[derive(Default)]
struct Writer(Sha256);

impl Writer {
    fn end(self) -> Digest {
        self.0.finalize().into()
    }

    fn count(&mut self, count: usize) {
        self.0.update((count as u64).to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.update(text);
    }

    fn set(&mut self, set: &query::SelectionSet) {
        self.count(set.items.len());
        for selection in &set.items {
            match selection {
                query::Selection::Field(field) => {
                    self.text("field");
                    self.text(field.alias.as_deref().unwrap_or_default());
                    self.text(&field.name);
                    self.arguments(&field.arguments);
                    self.directives(&field.directives);
                    self.set(&field.selection_set);
                }
                query::Selection::InlineFragment(fragment) => {
                    self.text("inline");
                    self.text(fragment.type_condition.as_ref().map_or("", condition_name));
                    self.directives(&fragment.directives);
                    self.set(&fragment.selection_set);
                }
                query::Selection::FragmentSpread(spread) => {
                    self.text("spread");
                    self.text(&spread.fragment_name);
                    self.directives(&spread.directives);
                }
            }
        }
    }

    fn directives(&mut self, directives: &[query::Directive]) {
        self.count(directives.len());
        for directive in directives {
            self.text(&directive.name);
            self.arguments(&directive.arguments);
        }
    }

    fn arguments(&mut self, arguments: &[(String, query::Value)]) {
        self.count(arguments.len());
        for (name, value) in arguments {
            self.text(name);
            self.value(value);
        }
    }

    fn value(&mut self, value: &query::Value) {
        match value {
            query::Value::Variable(name) => self.kind("variable", name),
            query::Value::Null => self.text("null"),
            query::Value::Int(number) => self.kind("int", &format!("{number:?}")),
            query::Value::Float(number) => self.kind("float", &number.to_bits().to_string()),
            query::Value::String(text) => self.kind("string", text),
            query::Value::Boolean(bool) => self.text(if *bool { "true" } else { "false" }),
            query::Value::Enum(name) => self.kind("enum", name),
            query::Value::List(items) => {
                self.text("list");
                self.count(items.len());
                items.iter().for_each(|item| self.value(item));
            }
            query::Value::Object(members) => {
                self.text("object");
                self.count(members.len());
                for (name, value) in members {
                    self.text(name);
                    self.value(value);
                }
            }
        }
    }

    fn kind(&mut self, kind: &str, text: &str) {
        self.text(kind);
        self.text(text);
    }
}
