//! A subscription has one field at its root, under one name: the validation crate's own rule looks at the names
//! of fields and overlooks aliases.

use std::collections::{HashMap, HashSet};

use graphql_tools::ast::{OperationVisitor, OperationVisitorContext};
use graphql_tools::static_graphql::query::{
    Field, FragmentDefinition, OperationDefinition, Selection, SelectionSet,
};
use graphql_tools::validation::rules::{ValidationRule, ValidationVisitor};
use graphql_tools::validation::utils::{ValidationError, ValidationErrorContext};

pub(super) struct SingleRoot;

impl ValidationRule for SingleRoot {
    fn visitor<'doc>(&self) -> ValidationVisitor<'doc> {
        Box::new(SingleRoot)
    }

    fn error_code(&self) -> &'static str {
        "SingleRoot"
    }
}

impl<'doc> OperationVisitor<'doc, ValidationErrorContext> for SingleRoot {
    fn enter_operation_definition(
        &mut self,
        context: &mut OperationVisitorContext<'doc>,
        errors: &mut ValidationErrorContext,
        operation: &'doc OperationDefinition,
    ) {
        let OperationDefinition::Subscription(subscription) = operation else { return };
        let mut fields = Vec::new();
        collect(&subscription.selection_set, &context.known_fragments, &mut fields);
        let keys: HashSet<_> = fields.iter().map(|it| it.alias.as_ref().unwrap_or(&it.name)).collect();
        let reason = match fields.iter().any(|field| field.name.starts_with("__")) {
            true => "A subscription may not ask for introspection at its root.",
            false if keys.len() > 1 => "A subscription must select one field at its root.",
            false => return,
        };
        let locations = vec![subscription.position];
        errors.report_error(ValidationError {
            error_code: self.error_code(),
            message: reason.to_owned(),
            locations,
        });
    }
}

fn collect<'d>(
    set: &'d SelectionSet,
    fragments: &HashMap<&str, &'d FragmentDefinition>,
    fields: &mut Vec<&'d Field>,
) {
    for selection in &set.items {
        match selection {
            Selection::Field(field) => fields.push(field),
            Selection::InlineFragment(fragment) => collect(&fragment.selection_set, fragments, fields),
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = fragments.get(spread.fragment_name.as_str()) {
                    collect(&fragment.selection_set, fragments, fields);
                }
            }
        }
    }
}
