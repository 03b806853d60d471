//! What is said of a document that is refused as a whole because its caller may not see all it selects.

use std::collections::{BTreeSet, HashMap};

use graphql_tools::static_graphql::query;

use crate::PathSegment;
use crate::authorize::Denial;
use crate::document::{Document, OperationRef, condition_name, fragments};
use crate::error::{GraphQLError, UNAUTHORIZED};
use crate::rewrite::Scope;

/// One error for each selection that is denied for some object it can meet, without list positions.
pub(crate) fn refusals(
    scope: &Scope<'_>,
    document: &Document,
    operation: &OperationRef<'_>,
    root: &str,
) -> Vec<GraphQLError> {
    if scope.denied.is_empty() {
        return Vec::new();
    }
    let (path, refused) = (Vec::new(), Vec::new());
    let mut walk = Walk { scope, fragments: fragments(&document.ast), path, refused };
    walk.set(operation.selection_set, root, &BTreeSet::from([root]));
    let error = |path| GraphQLError::new(UNAUTHORIZED, "You may not see this part of the answer.").at(path);
    walk.refused.into_iter().map(error).collect()
}

/// Errors of one answer; whoever mends the first hundred sees the next.
const REFUSED_MAX: usize = 100;

struct Walk<'a> {
    scope: &'a Scope<'a>,
    fragments: HashMap<&'a str, &'a query::FragmentDefinition>,
    path: Vec<PathSegment>,
    refused: Vec<Vec<PathSegment>>,
}

impl<'a> Walk<'a> {
    /// A selection set written on one type, for objects of these types.
    fn set(&mut self, set: &'a query::SelectionSet, written_on: &str, types: &BTreeSet<&'a str>) {
        for selection in &set.items {
            if self.refused.len() >= REFUSED_MAX {
                return;
            }
            let (directives, condition, inner) = match selection {
                query::Selection::Field(field) => {
                    if self.scope.conditions.include(&field.directives) {
                        self.field(field, written_on, types);
                    }
                    continue;
                }
                query::Selection::InlineFragment(fragment) => {
                    let condition = fragment.type_condition.as_ref().map_or(written_on, condition_name);
                    (&fragment.directives, condition, &fragment.selection_set)
                }
                query::Selection::FragmentSpread(spread) => {
                    let Some(fragment) = self.fragments.get(spread.fragment_name.as_str()) else { continue };
                    (&spread.directives, condition_name(&fragment.type_condition), &fragment.selection_set)
                }
            };
            let fits = |name: &&&str| self.scope.schema.satisfies(name, condition);
            let narrowed: BTreeSet<&str> = types.iter().filter(fits).copied().collect();
            if !narrowed.is_empty() && self.scope.conditions.include(directives) {
                self.set(inner, condition, &narrowed);
            }
        }
    }

    fn field(&mut self, field: &'a query::Field, written_on: &str, types: &BTreeSet<&'a str>) {
        let Scope { rules, denied, schema, .. } = *self.scope;
        self.path.push(PathSegment::Key(field.alias.as_ref().unwrap_or(&field.name).as_str().into()));
        let denied = match rules.denial(denied, schema, written_on, field) {
            Denial::Never => false,
            Denial::Always => true,
            Denial::On(on) => types.iter().any(|name| on.contains(*name)),
        };
        if !denied {
            let returned =
                types.iter().filter_map(|name| schema.get(schema.field(name, &field.name)?.ty.name()));
            let returned = returned.flat_map(|ty| ty.possible.iter().map(String::as_str)).collect();
            let inner = schema.field(written_on, &field.name).map_or("", |definition| definition.ty.name());
            self.set(&field.selection_set, inner, &returned);
        } else if !self.refused.contains(&self.path) {
            self.refused.push(self.path.clone());
        }
        self.path.pop();
    }
}
