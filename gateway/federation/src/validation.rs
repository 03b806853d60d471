//! The rules documents are held to: the validation crate's, and what they lack or get wrong.

mod merging;
mod single_root;

use graphql_tools::ast::{OperationVisitor, OperationVisitorContext};
use graphql_tools::parser::Pos;
use graphql_tools::static_graphql::query::{
    Field, FragmentDefinition, InlineFragment, TypeCondition, Value, VariableDefinition,
};
use graphql_tools::static_graphql::schema::TypeDefinition;
use graphql_tools::validation::rules::{ValidationRule, ValidationVisitor, default_rules_validation_plan};
use graphql_tools::validation::utils::{ValidationError, ValidationErrorContext};
use graphql_tools::validation::validate::ValidationPlan;

use self::merging::FieldsMerge;
use self::single_root::SingleRoot;

/// All rules a document is held to.
pub(crate) fn validation_plan() -> ValidationPlan {
    let mut plan = default_rules_validation_plan();
    let replaced = ["OverlappingFieldsCanBeMerged", "SingleFieldSubscriptions"];
    plan.rules.retain(|rule| !replaced.contains(&rule.error_code()));
    plan.add_rule(Box::new(FieldsMerge));
    plan.add_rule(Box::new(SingleRoot));
    plan.add_rule(Box::new(ObjectLiterals));
    plan.add_rule(Box::new(ReservedNames));
    plan
}

const SPECIFIED_SCALARS: [&str; 5] = ["Int", "Float", "String", "Boolean", "ID"];

/// An object is no value of a scalar that the specification defines, nor of an enum.
struct ObjectLiterals;

/// The crate lets every name pass that begins as those of introspection do.
struct ReservedNames;

type Context<'a> = OperationVisitorContext<'a>;
type Errors = ValidationErrorContext;

impl ValidationRule for ObjectLiterals {
    fn visitor<'doc>(&self) -> ValidationVisitor<'doc> {
        Box::new(ObjectLiterals)
    }

    fn error_code(&self) -> &'static str {
        "ObjectLiterals"
    }
}

impl<'doc> OperationVisitor<'doc, Errors> for ObjectLiterals {
    fn enter_object_value(
        &mut self,
        context: &mut Context<'doc>,
        errors: &mut Errors,
        _: &[(String, Value)],
    ) {
        let Some(ty) = context.current_input_type_literal() else { return };
        let wrong = match context.schema.type_by_name(ty.inner_type()) {
            Some(TypeDefinition::Scalar(scalar)) => SPECIFIED_SCALARS.contains(&scalar.name.as_str()),
            Some(TypeDefinition::Enum(_)) => true,
            _ => false,
        };
        if wrong {
            report(self, errors, format!("Expected value of type \"{ty}\", found an object."), None);
        }
    }
}

impl ValidationRule for ReservedNames {
    fn visitor<'doc>(&self) -> ValidationVisitor<'doc> {
        Box::new(ReservedNames)
    }

    fn error_code(&self) -> &'static str {
        "ReservedNames"
    }
}

impl<'doc> OperationVisitor<'doc, Errors> for ReservedNames {
    fn enter_field(&mut self, context: &mut Context<'doc>, errors: &mut Errors, field: &Field) {
        let Some(parent) = context.current_parent_type() else { return };
        let at_the_root = parent.name() == context.schema.query_type().name;
        let arguments: Vec<_> = field.arguments.iter().map(|(name, _)| name.as_str()).collect();
        let (known, fits) = match field.name.as_str() {
            "__typename" => (true, arguments.is_empty() && field.selection_set.items.is_empty()),
            "__schema" => (at_the_root, arguments.is_empty() && !field.selection_set.items.is_empty()),
            "__type" => (at_the_root, arguments == ["name"] && !field.selection_set.items.is_empty()),
            name => (!name.starts_with("__"), true),
        };
        let name = &field.name;
        if !known {
            let message = format!("Cannot query field \"{name}\" on type \"{}\".", parent.name());
            report(self, errors, message, Some(field.position));
        } else if !fits {
            let message = format!("Field \"{name}\" has other arguments or another selection than it takes.");
            report(self, errors, message, Some(field.position));
        }
    }

    fn enter_fragment_definition(
        &mut self,
        context: &mut Context<'doc>,
        errors: &mut Errors,
        fragment: &'doc FragmentDefinition,
    ) {
        let TypeCondition::On(name) = &fragment.type_condition;
        self.ty(context, errors, name, fragment.position);
    }

    fn enter_inline_fragment(
        &mut self,
        context: &mut Context<'doc>,
        errors: &mut Errors,
        fragment: &InlineFragment,
    ) {
        if let Some(TypeCondition::On(name)) = &fragment.type_condition {
            self.ty(context, errors, name, fragment.position);
        }
    }

    fn enter_variable_definition(
        &mut self,
        context: &mut Context<'doc>,
        errors: &mut Errors,
        definition: &'doc VariableDefinition,
    ) {
        self.ty(context, errors, definition.var_type.inner_type(), definition.position);
    }
}

impl ReservedNames {
    fn ty(&self, context: &Context<'_>, errors: &mut Errors, name: &str, position: Pos) {
        if name.starts_with("__") && context.schema.type_by_name(name).is_none() {
            report(self, errors, format!("Unknown type \"{name}\"."), Some(position));
        }
    }
}

fn report(rule: &dyn ValidationRule, errors: &mut Errors, message: String, position: Option<Pos>) {
    let locations = position.into_iter().collect();
    errors.report_error(ValidationError { error_code: rule.error_code(), message, locations });
}
