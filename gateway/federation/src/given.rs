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
        let document = &prepared.document;
        if document.given.get_or_init(|| self.written(&document.ast)).contains(type_name) {
            return true;
        }
        let mut types = BTreeSet::new();
        for variable in operations(&document.ast).flat_map(|operation| operation.variables) {
            if let Some(value) = prepared.variables.get(&variable.name) {
                types_within(&self.schema, variable.var_type.inner_type(), value, &mut types);
            }
        }
        types.contains(type_name)
    }

    /// The types of which a document itself holds a value.
    fn written(&self, ast: &query::Document) -> BTreeSet<String> {
        let mut types = BTreeSet::new();
        for operation in operations(ast) {
            for variable in operation.variables {
                if let Some(default) = &variable.default_value {
                    let name = variable.var_type.inner_type();
                    types_within(&self.schema, name, &literal(default), &mut types);
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
        types
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
