//! Tells apart what a subgraph may not be asked for under one name: fields of different types of which one may be
//! null and the other not.
//!
//! An interface's field may be `String`, and `String!` on one of its types. The planner asks for it type by type,
//! which the specification forbids (SameResponseShape) and servers refuse. It sees to that for some requests only.

use std::collections::{HashMap, HashSet};

use graphql_tools::static_graphql::{query, schema as ast};
use hive_router_query_planner::ast::fragment::FragmentDefinition;
use hive_router_query_planner::ast::operation::SubgraphFetchOperation;
use hive_router_query_planner::ast::selection_item::SelectionItem;
use hive_router_query_planner::ast::selection_set::{InlineFragmentSelection, SelectionSet};

use super::join::{self, text};
use super::renamed::Renamed;
use super::roots::Roots;
use crate::schema::type_name;

pub(super) struct Shapes {
    fields: HashMap<(String, String), Field>,
    roots: Roots,
}

struct Field {
    returned: String,
    shape: String,
    /// Where a subgraph has another, by its name.
    of_subgraph: HashMap<String, String>,
}

impl Shapes {
    pub fn new(supergraph: &ast::Document) -> Self {
        let composite = |definition: &&ast::TypeDefinition| !join::fields(definition).is_empty();
        let unions = |definition: &&ast::TypeDefinition| matches!(definition, ast::TypeDefinition::Union(_));
        let composites: HashSet<&str> =
            join::definitions(supergraph).filter(|it| composite(it) || unions(it)).map(type_name).collect();
        let graphs = join::graph_names(supergraph);
        let mut fields = HashMap::new();
        for definition in join::definitions(supergraph) {
            for field in join::fields(definition) {
                let mut of_subgraph = HashMap::new();
                for join in join::named(&field.directives, "join__field") {
                    if let (Some(graph), Some(ty)) = (text(join, "graph"), text(join, "type"))
                        && let Some(subgraph) = graphs.get(graph)
                    {
                        of_subgraph.insert(subgraph.clone(), shape_of_text(ty, &composites));
                    }
                }
                let returned = join::inner_name(&field.field_type).to_owned();
                let shape = shape(&field.field_type, &composites);
                let known = Field { returned, shape, of_subgraph };
                fields.insert((type_name(definition).to_owned(), field.name.clone()), known);
            }
        }
        Shapes { fields, roots: Roots::new(supergraph) }
    }

    /// Gives fields other names where they need them.
    pub fn tell_apart(
        &self,
        subgraph: &str,
        operation: &mut SubgraphFetchOperation,
        kind: crate::OperationKind,
    ) -> Vec<Renamed> {
        let document = &operation.document;
        let set = in_place(&document.operation.selection_set, &document.fragments);
        let mut tree = Tree { shapes: self, subgraph, nodes: Vec::new(), renamed: Vec::new() };
        let top = tree.read(&set, self.roots.of(kind));
        tree.settle(top, &mut Vec::new());
        if tree.renamed.is_empty() {
            return Vec::new();
        }
        let mut document = operation.document.clone();
        document.fragments.clear();
        document.operation.selection_set = set;
        let mut aliases = tree.nodes.into_iter().map(|node| node.alias);
        write(&mut document.operation.selection_set, &mut aliases);
        *operation = SubgraphFetchOperation::from_anonymous_operation(document);
        tree.renamed
    }
}

/// The fields of an operation in the order in which they stand there.
struct Tree<'a> {
    shapes: &'a Shapes,
    subgraph: &'a str,
    nodes: Vec<Node>,
    renamed: Vec<Renamed>,
}

struct Node {
    key: String,
    /// Nothing where it is not known.
    shape: Option<String>,
    children: Vec<usize>,
    alias: Option<String>,
}

impl Tree<'_> {
    fn read(&mut self, set: &SelectionSet, parent: &str) -> Vec<usize> {
        let mut numbers = Vec::new();
        for item in &set.items {
            match item {
                SelectionItem::Field(field) => {
                    let known = self.shapes.fields.get(&(parent.to_owned(), field.name.clone()));
                    let shape =
                        known.map(|it| it.of_subgraph.get(self.subgraph).unwrap_or(&it.shape).clone());
                    let returned = known.map_or(String::new(), |it| it.returned.clone());
                    let number = self.nodes.len();
                    let key = field.selection_identifier().to_owned();
                    self.nodes.push(Node { key, shape, children: Vec::new(), alias: None });
                    numbers.push(number);
                    self.nodes[number].children = self.read(&field.selections, &returned);
                }
                SelectionItem::InlineFragment(fragment) => {
                    numbers.extend(self.read(&fragment.selections, &fragment.type_condition));
                }
                SelectionItem::FragmentSpread(_) => {}
            }
        }
        numbers
    }

    /// Names the fields that stand at one place of the answer.
    fn settle(&mut self, numbers: Vec<usize>, path: &mut Vec<String>) {
        let mut groups: Vec<(String, Option<String>, Vec<usize>)> = Vec::new();
        for number in numbers {
            let Node { key, shape, .. } = &self.nodes[number];
            let fits = |known: &Option<String>| known.is_none() || shape.is_none() || known == shape;
            match groups.iter_mut().find(|(known, of, _)| known == key && fits(of)) {
                Some((_, of, numbers)) => {
                    *of = of.take().or_else(|| shape.clone());
                    numbers.push(number);
                }
                None => groups.push((key.clone(), shape.clone(), vec![number])),
            }
        }
        for index in 0..groups.len() {
            let (key, _, numbers) = &groups[index];
            if groups[..index].iter().any(|(known, ..)| known == key) {
                let alias = format!("_shape_{}_{key}", self.renamed.len());
                numbers.iter().for_each(|number| self.nodes[*number].alias = Some(alias.clone()));
                self.renamed.push(Renamed { path: path.clone(), alias, key: key.clone() });
            }
        }
        for (key, _, numbers) in groups {
            let children =
                numbers.iter().flat_map(|number| std::mem::take(&mut self.nodes[*number].children));
            let children = children.collect();
            path.push(key);
            self.settle(children, path);
            path.pop();
        }
    }
}

/// Gives fields their new names, in the order in which they were read.
fn write(set: &mut SelectionSet, aliases: &mut impl Iterator<Item = Option<String>>) {
    for item in &mut set.items {
        match item {
            SelectionItem::Field(field) => {
                if let Some(Some(alias)) = aliases.next() {
                    field.alias = Some(alias);
                }
                write(&mut field.selections, aliases);
            }
            SelectionItem::InlineFragment(fragment) => write(&mut fragment.selections, aliases),
            SelectionItem::FragmentSpread(_) => {}
        }
    }
}

/// A selection without named fragments.
pub(super) fn in_place(set: &SelectionSet, fragments: &[FragmentDefinition]) -> SelectionSet {
    let mut items = Vec::with_capacity(set.items.len());
    for item in &set.items {
        items.push(match item {
            SelectionItem::Field(field) => {
                let mut field = field.clone();
                field.selections = in_place(&field.selections, fragments);
                SelectionItem::Field(field)
            }
            SelectionItem::InlineFragment(fragment) => SelectionItem::InlineFragment(
                fragment.with_new_selections(in_place(&fragment.selections, fragments)),
            ),
            SelectionItem::FragmentSpread(name) => {
                let Some(fragment) = fragments.iter().find(|it| it.name == *name) else { continue };
                SelectionItem::InlineFragment(InlineFragmentSelection {
                    type_condition: fragment.type_condition.clone(),
                    selections: in_place(&fragment.selection_set, fragments),
                    skip_if: None,
                    include_if: None,
                })
            }
        });
    }
    SelectionSet { items }
}

/// A type with all that objects are called left out: their fields are compared one by one.
fn shape(ty: &query::Type, composites: &HashSet<&str>) -> String {
    shape_of_text(&ty.to_string(), composites)
}

fn shape_of_text(ty: &str, composites: &HashSet<&str>) -> String {
    let name = ty.trim_matches(['[', ']', '!', ' ']);
    if composites.contains(name) { ty.replace(name, "") } else { ty.to_owned() }
}
