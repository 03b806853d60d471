//! The document as the planner is to see it: only what must be fetched, under names that cannot collide.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use graphql_tools::parser::Pos;
use graphql_tools::static_graphql::query;
use serde_json::{Map, Value};

use crate::authorize::{Denial, Denied, Rules};
use crate::cost::Costs;
use crate::data_keys::DataKeys;
use crate::document::{Document, OperationRef, condition_name, fragments, operations};
use crate::error::{BAD_USER_INPUT, GraphQLError, Judged};
use crate::planner::StandIns;
use crate::schema::{Kind, Schema};

/// The values of the variables that decide what is selected. They are put into the document before planning,
/// because the planner still asks for entities under a fragment that is switched off; so they are part of a
/// plan's key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Conditions(BTreeMap<String, bool>);

/// Everything that decides which selections count.
pub(crate) struct Scope<'a> {
    pub schema: &'a Schema,
    pub rules: &'a Rules,
    pub denied: &'a Denied,
    pub conditions: &'a Conditions,
    pub aliases: &'a DataKeys<'a>,
    pub costs: &'a Costs,
}

/// Renames aliases that could be taken for a field: the planner shows a key's value under such an alias when
/// the entity is missing, and reads required fields by name.
pub(crate) struct Aliases {
    fields: HashSet<String>,
    prefix: String,
    stand_ins: Arc<StandIns>,
}

impl Conditions {
    pub fn new(
        document: &Document,
        operation: &OperationRef<'_>,
        variables: &Map<String, Value>,
    ) -> Judged<Self> {
        let declared =
            operation.variables.iter().filter(|variable| document.conditions.contains(&variable.name));
        let value = |variable: &query::VariableDefinition| {
            let name = &variable.name;
            match variables.get(name).and_then(Value::as_bool) {
                Some(value) => Ok((name.clone(), value)),
                // A default lets a nullable variable stand here, and the client may still send null.
                None => {
                    let message =
                        format!("Variable \"${name}\" decides what is selected, so it must not be null.");
                    Err(vec![GraphQLError::new(BAD_USER_INPUT, message)])
                }
            }
        };
        declared.map(value).collect::<Judged<_>>().map(Conditions)
    }

    /// What they may turn out to be, before anybody asks: the defaults, or else false.
    pub fn likely(document: &Document, operation: &OperationRef<'_>) -> Self {
        let declared =
            operation.variables.iter().filter(|variable| document.conditions.contains(&variable.name));
        let value = |variable: &query::VariableDefinition| {
            let holds = matches!(variable.default_value, Some(query::Value::Boolean(true)));
            (variable.name.clone(), holds)
        };
        Conditions(declared.map(value).collect())
    }

    /// Whether `@skip` and `@include` leave a selection in.
    pub fn include(&self, directives: &[query::Directive]) -> bool {
        directives.iter().all(|directive| {
            let wanted = match directive.name.as_str() {
                "include" => true,
                "skip" => false,
                _ => return true,
            };
            let given = directive.arguments.iter().find(|(name, _)| name == "if").map(|(_, value)| value);
            let holds = match given {
                Some(query::Value::Boolean(value)) => *value,
                Some(query::Value::Variable(name)) => self.0.get(name).copied().unwrap_or_default(),
                _ => false,
            };
            holds == wanted
        })
    }
}

impl Aliases {
    /// Of all fields of the supergraph, so that inaccessible keys are known too.
    pub fn new(fields: HashSet<String>, stand_ins: Arc<StandIns>) -> Self {
        let mut prefix = String::from("as_");
        while fields.iter().any(|field| field.starts_with(&prefix)) {
            prefix.insert(0, 'x');
        }
        Aliases { fields, prefix, stand_ins }
    }

    /// The name a field has in subgraph answers.
    pub fn data_key(&self, field: &query::Field) -> String {
        match &field.alias {
            Some(alias) if *alias != field.name => {
                let collides =
                    self.fields.contains(alias) || alias.starts_with('_') || alias.starts_with(&self.prefix);
                if collides { format!("{}{alias}", self.prefix) } else { alias.clone() }
            }
            _ => field.name.clone(),
        }
    }

    /// A name for one of several fields a document has under one; a digit begins no name of a client's.
    pub fn numbered(&self, number: usize, alias: &str) -> String {
        format!("{}{number}_{alias}", self.prefix)
    }

    /// The client's name for a name in a subgraph's answer.
    pub fn response_key<'a>(&'a self, data_key: &'a str) -> &'a str {
        let Some(alias) = data_key.strip_prefix(self.prefix.as_str()) else {
            return self.stand_ins.field(data_key);
        };
        let numbered = alias.trim_start_matches(|c: char| c.is_ascii_digit());
        if numbered.len() < alias.len() { numbered.strip_prefix('_').unwrap_or(numbered) } else { alias }
    }
}

impl Scope<'_> {
    /// The document of one operation for the planner, or nothing when there is nothing to fetch.
    pub fn rewrite(
        &self,
        document: &Document,
        operation: &OperationRef<'_>,
        root: &str,
    ) -> Option<query::Document> {
        let rewriter = Rewriter { scope: self, fragments: fragments(&document.ast), root };
        let selection_set = rewriter.set(operation.selection_set, root, root);
        if selection_set.items.is_empty() {
            return None;
        }
        let position = Pos::default();
        let mut variable_definitions = operation.variables.to_vec();
        for definition in &mut variable_definitions {
            definition.name = wire_name(&definition.name).into_owned();
        }
        let directives = Vec::new();
        let name = None;
        let operation = match operation.kind {
            crate::OperationKind::Query => query::OperationDefinition::Query(query::Query {
                position,
                name,
                variable_definitions,
                directives,
                selection_set,
            }),
            crate::OperationKind::Mutation => query::OperationDefinition::Mutation(query::Mutation {
                position,
                name,
                variable_definitions,
                directives,
                selection_set,
            }),
            crate::OperationKind::Subscription => {
                query::OperationDefinition::Subscription(query::Subscription {
                    position,
                    name,
                    variable_definitions,
                    directives,
                    selection_set,
                })
            }
        };
        Some(query::Document { definitions: vec![query::Definition::Operation(operation)] })
    }
}

/// Writes one operation anew, its fragments in place: what a fragment means depends on where it stands.
struct Rewriter<'a> {
    scope: &'a Scope<'a>,
    fragments: HashMap<&'a str, &'a query::FragmentDefinition>,
    root: &'a str,
}

impl<'a> Rewriter<'a> {
    /// A selection set written on `parent`, for values of the type `value_type`, which is as narrow or narrower.
    fn set(&self, set: &'a query::SelectionSet, parent: &str, value_type: &str) -> query::SelectionSet {
        let mut items = Vec::with_capacity(set.items.len());
        let mut denied = false;
        for selection in &set.items {
            let (directives, condition, inner) = match selection {
                query::Selection::Field(field) => {
                    if self.scope.conditions.include(&field.directives) {
                        denied |= !self.field(field, parent, value_type, &mut items);
                    }
                    continue;
                }
                query::Selection::InlineFragment(fragment) => {
                    let condition = fragment.type_condition.as_ref().map_or(parent, condition_name);
                    (&fragment.directives, condition, &fragment.selection_set)
                }
                query::Selection::FragmentSpread(spread) => {
                    let Some(fragment) = self.fragments.get(spread.fragment_name.as_str()) else { continue };
                    (&spread.directives, condition_name(&fragment.type_condition), &fragment.selection_set)
                }
            };
            if !self.scope.conditions.include(directives) {
                continue;
            }
            // No object can be both: such a selection is valid inside a fragment on what they share.
            if !self.scope.schema.overlap(value_type, condition) {
                continue;
            }
            let known = self.scope.schema.always_satisfies(value_type, condition);
            let selection_set = self.set(inner, condition, if known { value_type } else { condition });
            match known {
                true => items.extend(selection_set.items),
                false if selection_set.items.is_empty() => {}
                false => items.push(inline(condition, selection_set)),
            }
        }
        // Whether the object is there and of what type must still be known, to say what was denied.
        if denied && parent != self.root {
            items.push(typename());
        }
        query::SelectionSet { span: set.span, items }
    }

    /// Adds a field where the caller may see it; says whether that is everywhere.
    fn field(
        &self,
        field: &'a query::Field,
        parent: &str,
        value_type: &str,
        items: &mut Vec<query::Selection>,
    ) -> bool {
        let Scope { rules, denied, schema, .. } = self.scope;
        // The engine answers these itself; the planner knows no subgraph for them.
        if parent == self.root && field.name.starts_with("__") {
            return true;
        }
        // The answer is written by the type an object names, whatever the client calls that.
        if field.name == "__typename" {
            items.push(typename());
            return true;
        }
        let selection = || query::Selection::Field(self.rewritten(field, parent));
        match rules.denial(denied, schema, parent, field) {
            Denial::Never => items.push(selection()),
            Denial::Always => return false,
            // Asked only of the types that are open, so that no subgraph gives it away.
            Denial::On(types) => {
                let possible = schema.get(value_type).into_iter().flat_map(|ty| &ty.possible);
                let mut allowed: Vec<_> = possible.filter(|name| !types.contains(*name)).collect();
                if allowed.len() == 1 && allowed[0] == value_type {
                    items.push(selection());
                    return true;
                }
                allowed.sort();
                let set = || query::SelectionSet { span: Default::default(), items: vec![selection()] };
                items.extend(allowed.into_iter().map(|name| inline(name, set())));
                return false;
            }
        }
        true
    }

    fn rewritten(&self, field: &'a query::Field, parent: &str) -> query::Field {
        let Scope { schema, aliases, .. } = self.scope;
        let returned = schema.field(parent, &field.name).map_or("", |definition| definition.ty.name());
        let mut selection_set = self.set(&field.selection_set, returned, returned);
        // Whether the object is there must still be known when all within it is skipped; and when something is
        // denied, which of the selections made elsewhere it meets.
        let skipped = selection_set.items.is_empty() && !field.selection_set.items.is_empty();
        let ambiguous = !self.scope.denied.is_empty()
            && schema.get(returned).is_some_and(|ty| ty.is_composite() && ty.kind != Kind::Object);
        if skipped || ambiguous {
            selection_set.items.push(typename());
        }
        let data_key = aliases.data_key(field);
        let argument =
            |(name, value): &(String, query::Value)| (name.clone(), with_wire_names(value.clone()));
        query::Field {
            position: field.position,
            alias: Some(data_key).filter(|key| *key != field.name),
            name: field.name.clone(),
            arguments: field.arguments.iter().map(argument).collect(),
            directives: Vec::new(),
            selection_set,
        }
    }
}

/// What a client's variable is called in requests to subgraphs, where one name is taken by the entities'.
pub(crate) fn wire_name(name: &str) -> Cow<'_, str> {
    match name.trim_start_matches('_') {
        "representations" => Cow::Owned(format!("_{name}")),
        _ => Cow::Borrowed(name),
    }
}

fn with_wire_names(value: query::Value) -> query::Value {
    match value {
        query::Value::Variable(name) => query::Value::Variable(wire_name(&name).into_owned()),
        query::Value::List(items) => query::Value::List(items.into_iter().map(with_wire_names).collect()),
        query::Value::Object(members) => query::Value::Object(
            members.into_iter().map(|(name, value)| (name, with_wire_names(value))).collect(),
        ),
        value => value,
    }
}

fn inline(parent: &str, selection_set: query::SelectionSet) -> query::Selection {
    query::Selection::InlineFragment(query::InlineFragment {
        position: Pos::default(),
        type_condition: Some(query::TypeCondition::On(parent.to_owned())),
        directives: Vec::new(),
        selection_set,
    })
}

fn typename() -> query::Selection {
    query::Selection::Field(query::Field {
        position: Pos::default(),
        alias: None,
        name: "__typename".to_owned(),
        arguments: Vec::new(),
        directives: Vec::new(),
        selection_set: query::SelectionSet { span: Default::default(), items: Vec::new() },
    })
}

/// The variables `@skip` and `@include` depend on, anywhere in a document.
pub(crate) fn condition_variables(document: &query::Document) -> HashSet<String> {
    let mut names = HashSet::new();
    let of_fragments = fragments(document).into_values().map(|fragment| &fragment.selection_set);
    let of_operations = operations(document).map(|operation| operation.selection_set);
    of_fragments.chain(of_operations).for_each(|set| collect_variables(set, &mut names));
    names
}

fn collect_variables(set: &query::SelectionSet, names: &mut HashSet<String>) {
    for selection in &set.items {
        let directives = match selection {
            query::Selection::Field(field) => {
                collect_variables(&field.selection_set, names);
                &field.directives
            }
            query::Selection::InlineFragment(fragment) => {
                collect_variables(&fragment.selection_set, names);
                &fragment.directives
            }
            query::Selection::FragmentSpread(spread) => &spread.directives,
        };
        for directive in directives.iter().filter(|it| matches!(it.name.as_str(), "skip" | "include")) {
            for (_, value) in &directive.arguments {
                if let query::Value::Variable(name) = value {
                    names.insert(name.clone());
                }
            }
        }
    }
}
