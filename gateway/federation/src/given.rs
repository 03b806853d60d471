//! Which types' values a request holds: for doors that do not take every value in every way.

use std::collections::BTreeSet;

use graphql_tools::static_graphql::query;

use crate::authorize::types_within;
use crate::coerce::literal;
use crate::document::{condition_name, fragments, operations};
use crate::engine::{Engine, Prepared};
use crate::schema::Schema;

impl Engine {
    /// Whether a value of this input type was given, written in the document or in a variable. What stands in
    /// operations that were not chosen counts too: it was sent all the same.
    pub fn is_given(&self, prepared: &Prepared, type_name: &str) -> bool {
        let ast = &prepared.document.ast;
        let mut types = BTreeSet::new();
        for operation in operations(ast) {
            for variable in operation.variables {
                let name = variable.var_type.inner_type();
                let given = prepared.variables.get(&variable.name).cloned();
                let default = variable.default_value.as_ref().map(literal);
                for value in given.into_iter().chain(default) {
                    types_within(&self.schema, name, &value, &mut types);
                }
            }
            if let Ok(root) = operation.root_type(&self.schema) {
                collect(&self.schema, root, operation.selection_set, &mut types);
            }
        }
        for fragment in fragments(ast).into_values() {
            let parent = condition_name(&fragment.type_condition);
            collect(&self.schema, parent, &fragment.selection_set, &mut types);
        }
        types.contains(type_name)
    }
}

fn collect(schema: &Schema, parent: &str, set: &query::SelectionSet, types: &mut BTreeSet<String>) {
    for selection in &set.items {
        match selection {
            query::Selection::Field(field) => {
                let Some(definition) = schema.field(parent, &field.name) else { continue };
                for (name, value) in &field.arguments {
                    if let Some(input) = definition.arguments.get(name) {
                        types_within(schema, input.ty.name(), &literal(value), types);
                    }
                }
                collect(schema, definition.ty.name(), &field.selection_set, types);
            }
            query::Selection::InlineFragment(fragment) => {
                let parent = fragment.type_condition.as_ref().map_or(parent, condition_name);
                collect(schema, parent, &fragment.selection_set, types);
            }
            query::Selection::FragmentSpread(_) => {}
        }
    }
}
