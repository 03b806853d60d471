//! How long the entities of one request to a subgraph may be kept.

use std::collections::HashMap;

use graphql_tools::static_graphql::query;

use super::{CacheHints, CachePolicy};
use crate::document::{condition_name, fragments};
use crate::plan::SubgraphOperation;
use crate::schema::Schema;

type Fragments<'d> = HashMap<&'d str, &'d query::FragmentDefinition>;

impl CacheHints {
    /// For how many seconds, when all that is asked of them is the same for everyone; else none.
    pub fn kept_s(&self, schema: &Schema, operation: &SubgraphOperation) -> u32 {
        let Ok(ast) = graphql_tools::parser::parse_query::<String>(&operation.text) else { return 0 };
        let ast = ast.into_static();
        let fragments = fragments(&ast);
        let root = ast.definitions.iter().find_map(|definition| match definition {
            query::Definition::Operation(query::OperationDefinition::Query(query)) => {
                Some(&query.selection_set)
            }
            query::Definition::Operation(query::OperationDefinition::SelectionSet(set)) => Some(set),
            _ => None,
        });
        let Some([query::Selection::Field(entities)]) = root.map(|root| &root.items[..]) else { return 0 };
        let mut lowest: Option<CachePolicy> = None;
        for selection in &entities.selection_set.items {
            let (ty, set) = match selection {
                query::Selection::InlineFragment(fragment) => {
                    (fragment.type_condition.as_ref().map_or("", condition_name), &fragment.selection_set)
                }
                query::Selection::FragmentSpread(spread) => match fragments.get(&*spread.fragment_name) {
                    Some(fragment) => (condition_name(&fragment.type_condition), &fragment.selection_set),
                    None => return 0,
                },
                query::Selection::Field(field) if field.name == "__typename" => continue,
                query::Selection::Field(_) => return 0,
            };
            let hint = self.type_hint(ty);
            let own =
                CachePolicy { max_age_s: hint.max_age_s.unwrap_or(0), public: hint.public.unwrap_or(false) };
            let all = self.lowest_of(schema, &fragments, ty, set, own);
            lowest = Some(lowest.map_or(all, |lowest| lowest.lower(all)));
        }
        lowest.filter(|lowest| lowest.is_kept()).map_or(0, |lowest| lowest.max_age_s)
    }

    fn lowest_of(
        &self,
        schema: &Schema,
        fragments: &Fragments<'_>,
        ty: &str,
        set: &query::SelectionSet,
        holder: CachePolicy,
    ) -> CachePolicy {
        let below = set.items.iter().map(|selection| match selection {
            query::Selection::Field(field) if field.name == "__typename" => holder,
            query::Selection::Field(field) => {
                let own = self.of_field(schema, ty, &field.name, Some(holder));
                let returned = schema.field(ty, &field.name).map_or("", |definition| definition.ty.name());
                self.lowest_of(schema, fragments, returned, &field.selection_set, own)
            }
            query::Selection::InlineFragment(fragment) => {
                let ty = fragment.type_condition.as_ref().map_or(ty, condition_name);
                self.lowest_of(schema, fragments, ty, &fragment.selection_set, holder)
            }
            query::Selection::FragmentSpread(spread) => match fragments.get(&*spread.fragment_name) {
                Some(fragment) => {
                    let ty = condition_name(&fragment.type_condition);
                    self.lowest_of(schema, fragments, ty, &fragment.selection_set, holder)
                }
                None => CachePolicy::PRIVATE,
            },
        });
        below.fold(holder, CachePolicy::lower)
    }
}
