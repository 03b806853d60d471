//! The types at which operations begin, and what each operation of a document selects there.

use graphql_tools::static_graphql::{query, schema as ast};

use crate::OperationKind;

/// Empty names where a supergraph has none.
#[derive(Default)]
pub(super) struct Roots {
    query: String,
    mutation: String,
    subscription: String,
}

impl Roots {
    pub fn new(supergraph: &ast::Document) -> Self {
        let name = |name: Option<&String>| name.cloned().unwrap_or_default();
        Roots {
            query: name(supergraph.query_type_name()),
            mutation: name(supergraph.mutation_type_name()),
            subscription: name(supergraph.subscription_type_name()),
        }
    }

    pub fn of(&self, kind: OperationKind) -> &str {
        match kind {
            OperationKind::Query => &self.query,
            OperationKind::Mutation => &self.mutation,
            OperationKind::Subscription => &self.subscription,
        }
    }

    /// Of each operation that names its kind, its root type and its selection.
    pub fn selections<'d>(
        &'d self,
        document: &'d mut query::Document,
    ) -> impl Iterator<Item = (&'d str, &'d mut query::SelectionSet)> {
        document.definitions.iter_mut().filter_map(|definition| {
            let query::Definition::Operation(operation) = definition else { return None };
            match operation {
                query::OperationDefinition::Query(it) => Some((&*self.query, &mut it.selection_set)),
                query::OperationDefinition::Mutation(it) => Some((&*self.mutation, &mut it.selection_set)),
                query::OperationDefinition::Subscription(it) => {
                    Some((&*self.subscription, &mut it.selection_set))
                }
                query::OperationDefinition::SelectionSet(_) => None,
            }
        })
    }
}
