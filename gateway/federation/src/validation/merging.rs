//! Whether all fields under one name in the answer are one field: the validation crate's own rule overlooks
//! fragments within fragments and lists of different length, and takes quadratic time.

use std::collections::{HashMap, HashSet};

use graphql_tools::ast::{OperationVisitor, OperationVisitorContext};
use graphql_tools::static_graphql::query::{
    Definition, Document, Field, FragmentDefinition, OperationDefinition, Selection, SelectionSet, Type,
    Value,
};
use graphql_tools::static_graphql::schema::TypeDefinition;
use graphql_tools::validation::rules::{ValidationRule, ValidationVisitor};
use graphql_tools::validation::utils::{ValidationError, ValidationErrorContext};
use indexmap::IndexMap;

use crate::document::{condition_name, fragments};

/// Conflicts that are reported; who mends them sees the next.
const CONFLICTS_MAX: usize = 10;
/// Fields that are looked at. On values of several types a field is looked at once for each, and the same again
/// below it, so that a short document could ask for a long look.
const FIELDS_MAX: usize = 200_000;

pub(super) struct FieldsMerge;

impl ValidationRule for FieldsMerge {
    fn visitor<'doc>(&self) -> ValidationVisitor<'doc> {
        Box::new(FieldsMerge)
    }

    fn error_code(&self) -> &'static str {
        "FieldsMerge"
    }
}

impl<'doc> OperationVisitor<'doc, ValidationErrorContext> for FieldsMerge {
    fn enter_document(
        &mut self,
        context: &mut OperationVisitorContext<'doc>,
        errors: &mut ValidationErrorContext,
        document: &'doc Document,
    ) {
        let types = context.schema.type_map();
        let (fragments, fields_left) = (fragments(document), FIELDS_MAX);
        let mut merging = Merging { types, fragments, conflicts: Vec::new(), fields_left };
        for definition in &document.definitions {
            let Definition::Operation(operation) = definition else { continue };
            let root = match operation {
                OperationDefinition::Mutation(_) => context.schema.mutation_type(),
                OperationDefinition::Subscription(_) => context.schema.subscription_type(),
                _ => Some(context.schema.query_type()),
            };
            let whole =
                [Part { parent: root.map(|root| root.name.as_str()), set: operation.selection_set() }];
            merging.same_shape(&whole);
            merging.same_fields(&whole);
        }
        let report = |(message, fields): (String, Vec<&Field>)| {
            let locations = fields.iter().map(|field| field.position).collect();
            errors.report_error(ValidationError { error_code: self.error_code(), message, locations });
        };
        merging.conflicts.into_iter().for_each(report);
    }
}

/// A selection set and the type it is on, if there is such a type.
#[derive(Clone, Copy)]
struct Part<'d> {
    parent: Option<&'d str>,
    set: &'d SelectionSet,
}

#[derive(Clone, Copy)]
struct Selected<'d> {
    parent: Option<&'d str>,
    field: &'d Field,
    ty: Option<&'d Type>,
}

struct Merging<'d> {
    types: HashMap<&'d str, &'d TypeDefinition>,
    fragments: HashMap<&'d str, &'d FragmentDefinition>,
    conflicts: Vec<(String, Vec<&'d Field>)>,
    fields_left: usize,
}

impl<'d> Merging<'d> {
    /// Whatever type a value has: under one name there is one shape.
    fn same_shape(&mut self, parts: &[Part<'d>]) {
        for (key, fields) in self.by_key(parts) {
            let shape = fields.iter().find_map(|selected| selected.ty.map(|ty| (selected.field, ty)));
            if let Some((first, shape)) = shape {
                let differs = |it: &&Selected<'d>| it.ty.is_some_and(|ty| !self.alike(shape, ty));
                if let Some(Selected { field, ty: Some(ty), .. }) = fields.iter().find(differs) {
                    let message = format!(
                        "\"{key}\" is of type {shape} in one place and {ty} in another. Use different aliases."
                    );
                    self.conflict(message, first, field);
                    continue;
                }
            }
            self.same_shape(&parts_below(&fields));
        }
    }

    /// On a value of one type: under one name there is one field with one set of arguments.
    fn same_fields(&mut self, parts: &[Part<'d>]) {
        for (key, fields) in self.by_key(parts) {
            for fields in self.together(fields) {
                let first = fields[0].field;
                let other = |it: &&Selected<'d>| {
                    it.field.name != first.name || !same_arguments(&first.arguments, &it.field.arguments)
                };
                if let Some(Selected { field, .. }) = fields.iter().find(other) {
                    let message = match field.name == first.name {
                        true => {
                            format!("\"{key}\" is selected with different arguments. Use different aliases.")
                        }
                        false => format!(
                            "\"{key}\" stands for the fields {} and {}. Use different aliases.",
                            first.name, field.name
                        ),
                    };
                    self.conflict(message, first, field);
                    continue;
                }
                self.same_fields(&parts_below(&fields));
            }
        }
    }

    /// The fields that one value can have: those on its own type and those on no object type.
    fn together(&self, fields: Vec<Selected<'d>>) -> Vec<Vec<Selected<'d>>> {
        let object = |it: &Selected<'d>| {
            it.parent.filter(|name| matches!(self.types.get(name), Some(TypeDefinition::Object(_))))
        };
        let objects: HashSet<_> = fields.iter().filter_map(object).collect();
        if objects.len() < 2 {
            return vec![fields];
        }
        let own = |name: &str| {
            let fits = |it: &&Selected<'d>| object(it).is_none_or(|parent| parent == name);
            fields.iter().filter(fits).copied().collect()
        };
        objects.into_iter().map(own).collect()
    }

    fn by_key(&mut self, parts: &[Part<'d>]) -> IndexMap<&'d str, Vec<Selected<'d>>> {
        let mut fields = IndexMap::new();
        parts.iter().for_each(|part| self.collect(*part, &mut fields));
        fields
    }

    fn collect(&mut self, part: Part<'d>, fields: &mut IndexMap<&'d str, Vec<Selected<'d>>>) {
        for selection in &part.set.items {
            match selection {
                Selection::Field(field) => {
                    if self.fields_left == 0 {
                        return self.give_up(field);
                    }
                    self.fields_left -= 1;
                    let key = field.alias.as_ref().unwrap_or(&field.name);
                    let definition =
                        part.parent.and_then(|name| self.types.get(name)?.field_by_name(&field.name));
                    let ty = definition.map(|definition| &definition.field_type);
                    fields.entry(key).or_default().push(Selected { parent: part.parent, field, ty });
                }
                Selection::InlineFragment(fragment) => {
                    let parent = fragment.type_condition.as_ref().map(condition_name).or(part.parent);
                    self.collect(Part { parent, set: &fragment.selection_set }, fields);
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.fragments.get(spread.fragment_name.as_str()).copied() {
                        let parent = Some(condition_name(&fragment.type_condition));
                        self.collect(Part { parent, set: &fragment.selection_set }, fields);
                    }
                }
            }
        }
    }

    /// Lists and nulls as in the other, and the same at the end unless both are objects.
    fn alike(&self, one: &Type, other: &Type) -> bool {
        match (one, other) {
            (Type::NonNullType(one), Type::NonNullType(other))
            | (Type::ListType(one), Type::ListType(other)) => self.alike(one, other),
            (Type::NamedType(one), Type::NamedType(other)) => {
                let object =
                    |name: &str| self.types.get(name).is_none_or(|definition| definition.is_composite_type());
                one == other || (object(one) && object(other))
            }
            _ => false,
        }
    }

    fn conflict(&mut self, message: String, one: &'d Field, other: &'d Field) {
        if self.conflicts.len() < CONFLICTS_MAX {
            self.conflicts.push((message, vec![one, other]));
        }
    }

    fn give_up(&mut self, field: &'d Field) {
        let message = "The document selects the same names on too many types to be judged.";
        if self.conflicts.iter().all(|(known, _)| known != message) {
            self.conflicts.push((message.to_owned(), vec![field]));
        }
    }
}

fn parts_below<'d>(fields: &[Selected<'d>]) -> Vec<Part<'d>> {
    let part = |selected: &Selected<'d>| Part {
        parent: selected.ty.map(Type::inner_type),
        set: &selected.field.selection_set,
    };
    fields.iter().filter(|selected| !selected.field.selection_set.items.is_empty()).map(part).collect()
}

fn same_arguments(one: &[(String, Value)], other: &[(String, Value)]) -> bool {
    let known = |(name, value): &(String, Value)| {
        other.iter().any(|(other, given)| name == other && same_value(value, given))
    };
    one.len() == other.len() && one.iter().all(known)
}

fn same_value(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same_value(one, other))
        }
        (Value::Object(one), Value::Object(other)) => same_arguments(one, other),
        (one, other) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(text: &str) -> Vec<(String, Value)> {
        let text = format!("{{ f({text}) }}");
        let document = graphql_tools::parser::parse_query::<String>(&text).unwrap();
        match &document.into_static().definitions[..] {
            [Definition::Operation(operation)] => match &operation.selection_set().items[..] {
                [Selection::Field(field)] => field.arguments.clone(),
                _ => panic!("one field"),
            },
            _ => panic!("one operation"),
        }
    }

    #[test]
    fn arguments_are_the_same_in_any_order_and_only_to_their_end() {
        for (one, other) in [("a: 1 b: {c: 2 d: [X]}", "b: {d: [X], c: 2}, a: 1"), ("a: $x", "a: $x")] {
            assert!(same_arguments(&arguments(one), &arguments(other)), "{one} {other}");
        }
        for (one, other) in [
            ("a: []", "a: [1]"),
            ("a: [1]", "a: [1, 2]"),
            ("a: {}", "a: {b: 1}"),
            ("a: {b: 1}", "a: {c: 1}"),
            ("a: 1", "a: 1 b: 1"),
            ("a: 1", "a: 1.0"),
            ("a: X", "a: \"X\""),
            ("a: $x", "a: $y"),
        ] {
            assert!(!same_arguments(&arguments(one), &arguments(other)), "{one} {other}");
            assert!(!same_arguments(&arguments(other), &arguments(one)), "{other} {one}");
        }
    }
}
