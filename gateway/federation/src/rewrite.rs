//! The document as the planner is to see it: only what must be fetched, under names that cannot collide.

use std::collections::{BTreeMap, HashMap, HashSet};

use graphql_tools::parser::Pos;
use graphql_tools::static_graphql::query;
use serde_json::{Map, Value};

use crate::authorize::{Denial, Denied, Rules};
use crate::document::{Document, OperationRef, condition_name, fragments, operations};
use crate::schema::Schema;

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
    pub aliases: &'a Aliases,
}

/// Renames aliases that could be taken for a field: the planner shows a key's value under such an alias when
/// the entity is missing, and reads required fields by name.
pub(crate) struct Aliases {
    fields: HashSet<String>,
    prefix: String,
}

impl Conditions {
    pub fn new(document: &Document, operation: &OperationRef<'_>, variables: &Map<String, Value>) -> Self {
        let value = |name: &str| variables.get(name).and_then(Value::as_bool).unwrap_or_default();
        let declared =
            operation.variables.iter().filter(|variable| document.conditions.contains(&variable.name));
        Conditions(declared.map(|variable| (variable.name.clone(), value(&variable.name))).collect())
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
    pub fn new(fields: HashSet<String>) -> Self {
        let mut prefix = String::from("as_");
        while fields.iter().any(|field| field.starts_with(&prefix)) {
            prefix.insert(0, 'x');
        }
        Aliases { fields, prefix }
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

    /// The client's name for a name in a subgraph's answer.
    pub fn response_key<'a>(&self, data_key: &'a str) -> &'a str {
        data_key.strip_prefix(self.prefix.as_str()).unwrap_or(data_key)
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
        let known = fragments(&document.ast);
        let mut used = HashMap::new();
        let selection_set = self.set(operation.selection_set, root, root, &known, &mut used);
        if selection_set.items.is_empty() {
            return None;
        }
        let position = Pos::default();
        let variable_definitions = operation.variables.to_vec();
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
        let fragments = used.into_values().flatten().map(query::Definition::Fragment);
        let mut definitions = vec![query::Definition::Operation(operation)];
        definitions.extend(fragments);
        Some(query::Document { definitions })
    }

    fn set<'d>(
        &self,
        set: &'d query::SelectionSet,
        parent: &str,
        root: &str,
        known: &HashMap<&'d str, &'d query::FragmentDefinition>,
        used: &mut HashMap<&'d str, Option<query::FragmentDefinition>>,
    ) -> query::SelectionSet {
        let mut items = Vec::with_capacity(set.items.len());
        for selection in &set.items {
            match selection {
                query::Selection::Field(field) if self.conditions.include(&field.directives) => {
                    // The engine answers these itself; the planner knows no subgraph for them.
                    if parent == root && field.name.starts_with("__") {
                        continue;
                    }
                    let denial = self.rules.denial(self.denied, self.schema, parent, field);
                    if denial == Denial::Always {
                        continue;
                    }
                    let selection = query::Selection::Field(self.field(field, parent, root, known, used));
                    match denial {
                        Denial::On(denied) => items.extend(self.on_allowed(parent, &denied, &selection)),
                        _ => items.push(selection),
                    }
                }
                query::Selection::InlineFragment(fragment)
                    if self.conditions.include(&fragment.directives) =>
                {
                    let parent = fragment.type_condition.as_ref().map_or(parent, condition_name);
                    let selection_set = self.set(&fragment.selection_set, parent, root, known, used);
                    if !selection_set.items.is_empty() {
                        items.push(inline(parent, selection_set));
                    }
                }
                query::Selection::FragmentSpread(spread) if self.conditions.include(&spread.directives) => {
                    let Some((name, fragment)) = known.get_key_value(spread.fragment_name.as_str()) else {
                        continue;
                    };
                    if !used.contains_key(name) {
                        let parent = condition_name(&fragment.type_condition);
                        let selection_set = self.set(&fragment.selection_set, parent, root, known, used);
                        let rewritten = query::FragmentDefinition {
                            directives: Vec::new(),
                            selection_set,
                            ..fragment_head(fragment)
                        };
                        used.insert(name, Some(rewritten).filter(|it| !it.selection_set.items.is_empty()));
                    }
                    if used.get(name).is_some_and(Option::is_some) {
                        let directives = Vec::new();
                        items.push(query::Selection::FragmentSpread(query::FragmentSpread {
                            directives,
                            ..spread.clone()
                        }));
                    }
                }
                _ => {}
            }
        }
        query::SelectionSet { span: set.span, items }
    }

    fn field<'d>(
        &self,
        field: &'d query::Field,
        parent: &str,
        root: &str,
        known: &HashMap<&'d str, &'d query::FragmentDefinition>,
        used: &mut HashMap<&'d str, Option<query::FragmentDefinition>>,
    ) -> query::Field {
        let returned = self.schema.field(parent, &field.name).map_or("", |definition| definition.ty.name());
        let mut selection_set = self.set(&field.selection_set, returned, root, known, used);
        if selection_set.items.is_empty() && !field.selection_set.items.is_empty() {
            // Whether the object is there must still be known when all within it is skipped or denied.
            selection_set.items.push(typename());
        }
        let data_key = self.aliases.data_key(field);
        query::Field {
            position: field.position,
            alias: Some(data_key).filter(|key| *key != field.name),
            name: field.name.clone(),
            arguments: field.arguments.clone(),
            directives: Vec::new(),
            selection_set,
        }
    }

    /// A field some types of an interface deny is asked only of the others, so that no subgraph gives it away.
    fn on_allowed(
        &self,
        parent: &str,
        denied: &HashSet<String>,
        selection: &query::Selection,
    ) -> Vec<query::Selection> {
        let possible = self.schema.get(parent).map(|ty| &ty.possible);
        let mut allowed: Vec<_> =
            possible.into_iter().flatten().filter(|name| !denied.contains(*name)).collect();
        allowed.sort();
        let set = || query::SelectionSet { span: Default::default(), items: vec![selection.clone()] };
        allowed.into_iter().map(|name| inline(name, set())).collect()
    }
}

fn fragment_head(fragment: &query::FragmentDefinition) -> query::FragmentDefinition {
    query::FragmentDefinition {
        position: fragment.position,
        name: fragment.name.clone(),
        type_condition: fragment.type_condition.clone(),
        directives: Vec::new(),
        selection_set: query::SelectionSet { span: fragment.selection_set.span, items: Vec::new() },
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
