//! Where a document selects what its caller may not see, whatever the data: for a door that refuses the whole.

use std::collections::BTreeSet;

use async_graphql::parser::types::{ExecutableDocument, Field, Selection, SelectionSet};
use async_graphql::{Name, Positioned, Value as Literal};
use serde_json::{Map, Value};

use super::schema::{Schema, named};
use super::sight::Sight;

/// The paths, without list positions, of all selections that some object they can meet hides; what stands below
/// one is not looked at.
pub fn refused(
    schema: &Schema,
    sight: &Sight<'_>,
    document: &ExecutableDocument,
    variables: &Map<String, Value>,
) -> BTreeSet<Vec<String>> {
    let mut judge = Judge { schema, sight, document, variables, path: Vec::new(), refused: BTreeSet::new() };
    for (_, operation) in document.operations.iter() {
        let root = if operation.node.ty.to_string() == "mutation" { "Mutation" } else { "Query" };
        judge.set(&operation.node.selection_set.node, &BTreeSet::from([root.to_owned()]));
    }
    judge.refused
}

struct Judge<'a> {
    schema: &'a Schema,
    sight: &'a Sight<'a>,
    document: &'a ExecutableDocument,
    variables: &'a Map<String, Value>,
    path: Vec<String>,
    refused: BTreeSet<Vec<String>>,
}

impl Judge<'_> {
    /// `types` are the object types that can be met.
    fn set(&mut self, set: &SelectionSet, types: &BTreeSet<String>) {
        for selection in &set.items {
            if !self.included(selection) {
                continue;
            }
            let (condition, inner) = match &selection.node {
                Selection::Field(field) => {
                    self.field(&field.node, types);
                    continue;
                }
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    (condition.map(|it| it.node.on.node.as_str()), &fragment.node.selection_set.node)
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = &self.document.fragments[&spread.node.fragment_name.node].node;
                    (Some(fragment.type_condition.node.on.node.as_str()), &fragment.selection_set.node)
                }
            };
            let fits = |ty: &&String| condition.is_none_or(|name| self.schema.satisfies(ty, name));
            let narrowed: BTreeSet<String> = types.iter().filter(fits).cloned().collect();
            if !narrowed.is_empty() {
                self.set(inner, &narrowed);
            }
        }
    }

    fn field(&mut self, field: &Field, types: &BTreeSet<String>) {
        self.path.push(field.response_key().node.to_string());
        if types.iter().any(|name| self.sight.hides(name, field)) {
            self.refused.insert(self.path.clone());
        } else {
            let returned = types.iter().filter_map(|name| self.schema.field(name, &field.name.node));
            let returned: BTreeSet<String> = returned
                .flat_map(|definition| self.schema.possible(named(&definition.ty)))
                .map(str::to_owned)
                .collect();
            self.set(&field.selection_set.node, &returned);
        }
        self.path.pop();
    }

    fn included(&self, selection: &Positioned<Selection>) -> bool {
        selection.node.directives().iter().all(|directive| {
            let variable = |name: Name| {
                let value = self.variables.get(name.as_str()).cloned().unwrap_or_default();
                Literal::from_json(value).map_err(drop)
            };
            let given = directive.node.get_argument("if").map(|value| value.node.clone());
            let holds =
                given.and_then(|it| it.into_const_with(variable).ok()) == Some(Literal::Boolean(true));
            holds == (directive.node.name.node == "include")
        })
    }
}
