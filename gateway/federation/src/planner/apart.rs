//! Sets fields that require something apart, before the planner sees the supergraph.
//!
//! The planner has a way of its own with `@requires`, and it goes wrong when the field lies deeper in a request
//! than the first entity of its type, when two fields require one field with different arguments, when it
//! belongs to an `@interfaceObject`. Its way with keys is sound. So a field with `@requires(fields: "weight")` on
//! a type with the key `id` becomes a plain field of a further subgraph, in which the type has the key
//! `id weight`. What is then planned for the further subgraph goes to the old one, whose name it is in truth.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use graphql_tools::static_graphql::{query, schema as ast};

use super::join::{self, text};
use crate::schema::type_name;

/// The names of the subgraphs that were added, and of those they are.
pub(super) type OtherNames = HashMap<String, String>;

/// Fields of one type in one subgraph that require the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    ty: String,
    /// As `join__Graph` spells it in directives.
    graph: String,
    requires: String,
}

pub(super) fn set_apart(supergraph: &mut ast::Document) -> OtherNames {
    let mut groups: BTreeMap<Group, Vec<String>> = BTreeMap::new();
    for definition in join::definitions(supergraph) {
        for field in join::fields(definition) {
            for directive in join::named(&field.directives, "join__field") {
                if let (Some(graph), Some(requires)) = (text(directive, "graph"), text(directive, "requires"))
                {
                    let ty = type_name(definition).to_owned();
                    let group = Group { ty, graph: graph.to_owned(), requires: requires.to_owned() };
                    groups.entry(group).or_default().push(field.name.clone());
                }
            }
        }
    }
    let mut names = OtherNames::new();
    for (number, (group, fields)) in groups.iter().enumerate() {
        let to = format!("{}__{number}", group.graph);
        let mut room = Room { from: &group.graph, to: &to, types: BTreeSet::new() };
        // The type's fields there may be reached by key alone, so nothing may lead back to it.
        if fields.iter().all(|field| room.hold(supergraph, group, field))
            && let Some((other, real)) = add_graph(supergraph, &group.graph, &to)
        {
            room.furnish(supergraph, group, fields);
            names.insert(other, real);
        }
    }
    names
}

/// Adds one more subgraph; gives its name and that of the subgraph it is.
fn add_graph(supergraph: &mut ast::Document, from: &str, to: &str) -> Option<(String, String)> {
    let Some(ast::TypeDefinition::Enum(graphs)) = join::definition_mut(supergraph, "join__Graph") else {
        return None;
    };
    let known = graphs.values.iter().find(|value| value.name == from)?;
    let real = join::named(&known.directives, "join__graph").find_map(|join| text(join, "name"))?.to_owned();
    if graphs.values.iter().any(|value| value.name == to) {
        return None;
    }
    // No composition gives a name with a blank, so no subgraph has it.
    let other = format!("{real} {to}");
    let name = query::Value::String(other.clone());
    let url = query::Value::String(String::new());
    graphs.values.push(ast::EnumValue {
        position: known.position,
        description: None,
        name: to.to_owned(),
        directives: vec![join::directive("join__graph", vec![("name", name), ("url", url)])],
    });
    Some((other, real))
}

/// A further subgraph while it is made.
struct Room<'a> {
    from: &'a str,
    to: &'a str,
    /// The types its fields lead to. Of an entity only the keys are here: the subgraph itself knows the rest.
    types: BTreeSet<String>,
}

impl Room<'_> {
    /// Takes in what a field leads to; says whether that leaves its own type out.
    fn hold(&mut self, supergraph: &ast::Document, group: &Group, field: &str) -> bool {
        if let Some(field) = join::field(supergraph, &group.ty, field) {
            self.visit(supergraph, join::inner_name(&field.field_type));
        }
        !self.types.contains(&group.ty)
    }

    fn visit(&mut self, supergraph: &ast::Document, name: &str) {
        let Some(definition) = join::definition(supergraph, name) else { return };
        if !self.types.insert(name.to_owned()) || !self.keys(definition).is_empty() {
            return;
        }
        if let ast::TypeDefinition::Union(union) = definition {
            let members = join::of_graph(&union.directives, "join__unionMember", self.from);
            members.filter_map(|it| text(it, "member")).for_each(|member| self.visit(supergraph, member));
        }
        if let ast::TypeDefinition::Interface(_) = definition {
            for object in join::definitions(supergraph) {
                let mut all = join::of_graph(join::directives(object), "join__implements", self.from);
                if all.any(|it| text(it, "interface") == Some(name)) {
                    self.visit(supergraph, type_name(object));
                }
            }
        }
        for field in join::fields(definition) {
            if self.resolves(definition, field) {
                self.visit(supergraph, join::inner_name(&field.field_type));
            }
        }
    }

    fn keys(&self, definition: &ast::TypeDefinition) -> Vec<String> {
        let joins = join::of_graph(join::directives(definition), "join__type", self.from);
        joins.filter_map(|join| text(join, "key")).map(str::to_owned).collect()
    }

    /// Whether the subgraph resolves the field wherever it meets the type.
    fn resolves(&self, definition: &ast::TypeDefinition, field: &ast::Field) -> bool {
        if join::named(&field.directives, "join__field").next().is_none() {
            return join::of_graph(join::directives(definition), "join__type", self.from).next().is_some();
        }
        join::of_graph(&field.directives, "join__field", self.from)
            .any(|join| text(join, "requires").is_none() && !join::holds(join, "external", false))
    }

    fn furnish(&self, supergraph: &mut ast::Document, group: &Group, fields: &[String]) {
        let Some(definition) = join::definition(supergraph, &group.ty) else { return };
        let joins = join::of_graph(join::directives(definition), "join__type", self.from);
        let joins: Vec<_> = joins.filter(|join| join::holds(join, "resolvable", true)).cloned().collect();
        for key in joins.iter().filter_map(|join| text(join, "key")) {
            self.add_field_set(supergraph, &group.ty, key, false);
        }
        self.add_field_set(supergraph, &group.ty, &group.requires, true);
        for name in &self.types {
            self.add_what_is_held(supergraph, name);
        }
        self.add_leaves(supergraph);
        let Some(definition) = join::definition_mut(supergraph, &group.ty) else { return };
        for known in joins {
            let Some(key) = text(&known, "key") else { continue };
            let key = query::Value::String(format!("{key} {}", group.requires));
            let mut arguments = vec![("graph", join::graph(self.to)), ("key", key)];
            if join::holds(&known, "isInterfaceObject", false) {
                arguments.push(("isInterfaceObject", query::Value::Boolean(true)));
            }
            join::directives_mut(definition).push(join::directive("join__type", arguments));
        }
        let all = join::fields_mut(definition).into_iter().flatten();
        for directive in all.filter(|it| fields.contains(&it.name)).flat_map(|field| &mut field.directives) {
            if directive.name == "join__field" && text(directive, "graph") == Some(self.from) {
                // What it provides of entities is not to be had here, and only saves a request.
                directive.arguments.retain(|(name, _)| name != "requires" && name != "provides");
                self.move_in(directive);
            }
        }
    }

    /// Makes the fields of a field set known.
    fn add_field_set(&self, supergraph: &mut ast::Document, ty: &str, fields: &str, external: bool) {
        if let Some(set) = join::field_set(fields) {
            self.add_selection(supergraph, ty, &set, external);
        }
    }

    fn add_selection(
        &self,
        supergraph: &mut ast::Document,
        ty: &str,
        set: &query::SelectionSet,
        external: bool,
    ) {
        for selection in &set.items {
            let (inner_type, inner) = match selection {
                query::Selection::Field(field) => {
                    let Some(known) = join::field(supergraph, ty, &field.name) else { continue };
                    let returned = join::inner_name(&known.field_type).to_owned();
                    self.add_field(supergraph, ty, &field.name, external);
                    (returned, &field.selection_set)
                }
                query::Selection::InlineFragment(fragment) => {
                    (join::condition(fragment, ty).to_owned(), &fragment.selection_set)
                }
                query::Selection::FragmentSpread(_) => continue,
            };
            if !inner.items.is_empty() {
                self.add_type(supergraph, &inner_type);
                self.add_selection(supergraph, &inner_type, inner, external);
            }
        }
    }

    fn add_field(&self, supergraph: &mut ast::Document, ty: &str, field: &str, external: bool) {
        let Some(definition) = join::definition_mut(supergraph, ty) else { return };
        say_where(definition);
        let mut all = join::fields_mut(definition).into_iter().flatten();
        let Some(field) = all.find(|it| it.name == field) else { return };
        let here = |it: &ast::Directive| it.name == "join__field" && text(it, "graph") == Some(self.to);
        if let Some(join) = field.directives.iter_mut().find(|it| here(it)) {
            // Required of one object and resolved for another: of a type without keys both are true.
            join.arguments.retain(|(name, _)| external || name != "external");
            return;
        }
        let known = join::of_graph(&field.directives, "join__field", self.from).next().cloned();
        let mut join = known.unwrap_or_else(|| join::directive("join__field", Vec::new()));
        join.arguments.retain(|(name, _)| name == "type" || (name == "provides" && !external));
        self.move_in(&mut join);
        if external {
            join.arguments.push(("external".to_owned(), query::Value::Boolean(true)));
        }
        field.directives.push(join);
    }

    /// Makes a type known with what the subgraph says of it, but none of its fields.
    fn add_type(&self, supergraph: &mut ast::Document, name: &str) {
        let Some(definition) = join::definition_mut(supergraph, name) else { return };
        if join::of_graph(join::directives(definition), "join__type", self.to).next().is_some() {
            return;
        }
        say_where(definition);
        let mut copies = Vec::new();
        for name in ["join__implements", "join__unionMember"] {
            copies.extend(join::of_graph(join::directives(definition), name, self.from).cloned());
        }
        copies.iter_mut().for_each(|copy| self.move_in(copy));
        let interface_object = join::of_graph(join::directives(definition), "join__type", self.from)
            .any(|join| join::holds(join, "isInterfaceObject", false));
        let mut arguments = vec![("graph", join::graph(self.to))];
        if interface_object {
            arguments.push(("isInterfaceObject", query::Value::Boolean(true)));
        }
        copies.push(join::directive("join__type", arguments));
        join::directives_mut(definition).extend(copies);
    }

    fn add_what_is_held(&self, supergraph: &mut ast::Document, name: &str) {
        let Some(definition) = join::definition(supergraph, name) else { return };
        let keys = self.keys(definition);
        let fields = join::fields(definition).iter().filter(|field| self.resolves(definition, field));
        let fields: Vec<_> = fields.map(|field| field.name.clone()).collect();
        self.add_type(supergraph, name);
        match keys.is_empty() {
            true => fields.iter().for_each(|field| self.add_field(supergraph, name, field, false)),
            false => keys.iter().for_each(|key| self.add_field_set(supergraph, name, key, false)),
        }
    }

    /// All scalars, enums and input objects.
    fn add_leaves(&self, supergraph: &mut ast::Document) {
        for definition in join::definitions_mut(supergraph) {
            let composite = matches!(
                definition,
                ast::TypeDefinition::Object(_)
                    | ast::TypeDefinition::Interface(_)
                    | ast::TypeDefinition::Union(_)
            );
            let known = join::of_graph(join::directives(definition), "join__type", self.from).next().cloned();
            let (Some(mut known), false) = (known, composite) else { continue };
            self.move_in(&mut known);
            join::directives_mut(definition).push(known);
            if let ast::TypeDefinition::Enum(values) = definition {
                for value in &mut values.values {
                    let known = join::of_graph(&value.directives, "join__enumValue", self.from).next();
                    if let Some(mut known) = known.cloned() {
                        self.move_in(&mut known);
                        value.directives.push(known);
                    }
                }
            }
        }
    }

    fn move_in(&self, directive: &mut ast::Directive) {
        directive.arguments.retain(|(name, _)| name != "graph");
        directive.arguments.insert(0, ("graph".to_owned(), join::graph(self.to)));
    }
}

/// A field without a word of where it is, is in every subgraph of its type: says so, before there are more.
fn say_where(definition: &mut ast::TypeDefinition) {
    let joins = join::named(join::directives(definition), "join__type");
    let graphs: BTreeSet<_> = joins.filter_map(|join| text(join, "graph")).map(str::to_owned).collect();
    for field in join::fields_mut(definition).into_iter().flatten() {
        if join::named(&field.directives, "join__field").next().is_none() {
            let joins =
                graphs.iter().map(|it| join::directive("join__field", vec![("graph", join::graph(it))]));
            field.directives.extend(joins);
        }
    }
}
