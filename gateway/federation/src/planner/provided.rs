//! Drops `@provides` where the planner would take it for another field's, before it sees the supergraph.
//!
//! The planner numbers what is provided by type, from one, and forgets of which type a number is. So what
//! `Product.reviews` provides of a review counts for `Query.latestReviews` too, and the subgraph is asked for what
//! it does not have. What a field provides only saves a request: without it the owner is asked.

use std::collections::BTreeSet;

use graphql_tools::static_graphql::{query, schema as ast};

use super::join::{self, text};
use crate::schema::type_name;

/// What the fields of one type provide in one subgraph: the types it is about.
struct Views {
    ty: String,
    graph: String,
    about: BTreeSet<String>,
    /// Whether others have all that is provided.
    spare: bool,
}

pub(super) fn drop_clashing(supergraph: &mut ast::Document) {
    let mut kept: Vec<Views> = Vec::new();
    for views in views(supergraph) {
        let clashes = |other: &Views| other.graph == views.graph && !other.about.is_disjoint(&views.about);
        if !views.spare || !kept.iter().any(clashes) {
            kept.push(views);
            continue;
        }
        let Some(definition) = join::definition_mut(supergraph, &views.ty) else { continue };
        for field in join::fields_mut(definition).into_iter().flatten() {
            for join in &mut field.directives {
                if join.name == "join__field" && text(join, "graph") == Some(&views.graph) {
                    join.arguments.retain(|(name, _)| name != "provides");
                }
            }
        }
    }
}

/// In the supergraph's order, so that the same are kept each time.
fn views(supergraph: &ast::Document) -> Vec<Views> {
    let mut all: Vec<Views> = Vec::new();
    for definition in join::definitions(supergraph) {
        let ty = type_name(definition);
        for field in join::fields(definition) {
            for directive in join::named(&field.directives, "join__field") {
                let (Some(graph), Some(provides)) = (text(directive, "graph"), text(directive, "provides"))
                else {
                    continue;
                };
                let known = all.iter().position(|views| views.ty == ty && views.graph == graph);
                let known = known.unwrap_or_else(|| {
                    let (ty, graph) = (ty.to_owned(), graph.to_owned());
                    all.push(Views { ty, graph, about: BTreeSet::new(), spare: true });
                    all.len() - 1
                });
                let returned = join::inner_name(&field.field_type);
                all[known].about.insert(returned.to_owned());
                if let Some(set) = join::field_set(provides) {
                    all[known].add(supergraph, returned, &set, false);
                }
            }
        }
    }
    all
}

impl Views {
    /// `had` says that another subgraph gives the whole object, so that it gives its fields too.
    fn add(&mut self, supergraph: &ast::Document, ty: &str, set: &query::SelectionSet, had: bool) {
        for selection in &set.items {
            match selection {
                query::Selection::Field(selected) => {
                    let Some(definition) = join::definition(supergraph, ty) else { continue };
                    let Some(field) = join::field(supergraph, ty, &selected.name) else { continue };
                    let had = had || self.is_elsewhere(definition, field);
                    self.spare &= had;
                    let returned = join::inner_name(&field.field_type);
                    if !selected.selection_set.items.is_empty() {
                        self.about.insert(returned.to_owned());
                    }
                    self.add(supergraph, returned, &selected.selection_set, had);
                }
                query::Selection::InlineFragment(fragment) => {
                    let on = join::condition(fragment, ty);
                    self.about.insert(on.to_owned());
                    self.add(supergraph, on, &fragment.selection_set, had);
                }
                query::Selection::FragmentSpread(_) => {}
            }
        }
    }

    /// Whether another subgraph can be asked for the field by key.
    fn is_elsewhere(&self, definition: &ast::TypeDefinition, field: &ast::Field) -> bool {
        let directives = join::directives(definition);
        join::named(directives, "join__type").any(|join| {
            let graph = text(join, "graph").unwrap_or_default();
            let asked = text(join, "key").is_some() && join::holds(join, "resolvable", true);
            let mut own = join::of_graph(&field.directives, "join__field", graph);
            let everywhere = join::named(&field.directives, "join__field").next().is_none();
            let has = everywhere || own.any(|join| !join::holds(join, "external", false));
            graph != self.graph && asked && has
        })
    }
}
