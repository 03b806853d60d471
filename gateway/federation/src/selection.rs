//! What the client asked for, merged and typed: the shape every answer is given.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use graphql_tools::static_graphql::query;

use crate::authorize::Denial;
use crate::document::{condition_name, fragments};
use crate::rewrite::Scope;
use crate::schema::{Kind, Schema, TypeRef};
use crate::value::{Sought, write_text};

/// The selections on one value, in the order of the answer.
#[derive(Default)]
pub(crate) struct Selections {
    pub items: Vec<Item>,
    /// Fields only, each response key once: can be answered without looking at the object's type.
    pub flat: bool,
}

pub(crate) enum Item {
    Field(Box<Field>),
    Branch { condition: String, selections: Selections },
}

pub(crate) struct Field {
    pub name: String,
    pub response_key: Arc<str>,
    /// `,"responseKey":`, ready to be written.
    pub head: Box<[u8]>,
    /// Its name in the subgraphs' answers.
    pub data_key: Sought,
    pub ty: TypeRef,
    /// For fields of an interface some of whose types are stricter: their types.
    pub ty_on: HashMap<String, TypeRef>,
    pub leaf: Leaf,
    pub selections: Selections,
    pub denial: Denial,
    /// Those that introspection or the cost depends on.
    pub arguments: Vec<(String, query::Value)>,
}

pub(crate) enum Leaf {
    Composite(String),
    Enum(Arc<HashSet<String>>),
    Int,
    Float,
    String,
    Boolean,
    Id,
    Any,
}

/// Merges a selection set on `root` as the specification's CollectFields does, as far as types are known.
pub(crate) fn compile(
    scope: &Scope<'_>,
    document: &query::Document,
    root: &str,
    set: &query::SelectionSet,
) -> Selections {
    Compiler { scope, fragments: fragments(document) }.selections(root, &[(root, set)])
}

struct Compiler<'d> {
    scope: &'d Scope<'d>,
    fragments: HashMap<&'d str, &'d query::FragmentDefinition>,
}

/// A selection set and the type it is written on.
type Written<'d> = (&'d str, &'d query::SelectionSet);

enum Group<'d> {
    Fields(Vec<(&'d str, &'d query::Field)>, Denial),
    Branch(&'d str, Vec<Written<'d>>),
}

/// What is selected on one value, in the document's order. One field stands in several groups where it is denied
/// in one place and not in another, or where a branch between them may have it too: those meet when the object is
/// written.
#[derive(Default)]
struct Groups<'d> {
    all: Vec<Group<'d>>,
    /// By response key.
    last_field: HashMap<&'d str, usize>,
    last_branch: Option<usize>,
}

impl<'d> Groups<'d> {
    fn add_field(&mut self, written_on: &'d str, field: &'d query::Field, denial: Denial) {
        let key = field.alias.as_ref().unwrap_or(&field.name);
        if let Some(last) = self.last_field.get(key.as_str())
            && self.last_branch.is_none_or(|branch| branch < *last)
            && let Group::Fields(fields, known) = &mut self.all[*last]
            && *known == denial
        {
            fields.push((written_on, field));
            return;
        }
        self.last_field.insert(key, self.all.len());
        self.all.push(Group::Fields(vec![(written_on, field)], denial));
    }

    fn add_branch(&mut self, condition: &'d str, set: &'d query::SelectionSet) {
        if let Some(Group::Branch(known, sets)) = self.all.last_mut()
            && *known == condition
        {
            sets.push((condition, set));
            return;
        }
        self.last_branch = Some(self.all.len());
        self.all.push(Group::Branch(condition, vec![(condition, set)]));
    }
}

impl<'d> Compiler<'d> {
    fn selections(&self, value_type: &str, sets: &[Written<'d>]) -> Selections {
        let mut groups = Groups::default();
        for (written_on, set) in sets {
            self.collect(value_type, written_on, set, &mut groups);
        }
        let items: Vec<_> = groups.all.into_iter().map(|group| self.item(value_type, group)).collect();
        let mut keys = HashSet::new();
        let flat = items.iter().all(|item| match item {
            Item::Field(field) => keys.insert(&field.response_key),
            Item::Branch { .. } => false,
        });
        Selections { items, flat }
    }

    fn collect(
        &self,
        value_type: &str,
        written_on: &'d str,
        set: &'d query::SelectionSet,
        groups: &mut Groups<'d>,
    ) {
        for selection in &set.items {
            let (directives, condition, inner) = match selection {
                query::Selection::Field(field) => {
                    if self.scope.conditions.include(&field.directives) {
                        let Scope { rules, denied, schema, .. } = self.scope;
                        let denial = rules.denial(denied, schema, written_on, field);
                        groups.add_field(written_on, field, denial);
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
            if !self.scope.conditions.include(directives) {
                continue;
            }
            let schema = self.scope.schema;
            if schema.always_satisfies(value_type, condition) {
                self.collect(value_type, condition, inner, groups);
            } else if schema.get(value_type).is_some_and(|ty| ty.kind != Kind::Object) {
                groups.add_branch(condition, inner);
            }
        }
    }

    fn item(&self, value_type: &str, group: Group<'d>) -> Item {
        match group {
            Group::Fields(fields, denial) => Item::Field(Box::new(self.field(value_type, &fields, denial))),
            Group::Branch(condition, sets) => Item::Branch {
                condition: condition.to_owned(),
                selections: self.selections(condition, &sets),
            },
        }
    }

    fn field(&self, value_type: &str, fields: &[(&'d str, &'d query::Field)], denial: Denial) -> Field {
        let schema = self.scope.schema;
        let (written_on, first) = fields[0];
        let typename = || TypeRef::NonNull(Box::new(TypeRef::Named("String".to_owned())));
        // The value's own type may be stricter than the interface the field is written on.
        let definition =
            schema.field(value_type, &first.name).or_else(|| schema.field(written_on, &first.name));
        let ty = definition.map_or_else(typename, |definition| definition.ty.clone());
        let returned = ty.name().to_owned();
        let sets: Vec<Written<'d>> = fields
            .iter()
            .map(|(written_on, field)| {
                let returned = returned_type(schema, written_on, &field.name);
                (returned.unwrap_or(written_on), &field.selection_set)
            })
            .collect();
        let response_key = first.alias.as_ref().unwrap_or(&first.name);
        let mut head = b",".to_vec();
        write_text(&mut head, response_key);
        head.push(b':');
        let reads = |name: &str| self.scope.costs.reads(written_on, &first.name, name);
        let introspective = written_on.starts_with("__") || first.name.starts_with("__");
        let given = first.arguments.iter().filter(|(name, _)| introspective || reads(name));
        // The engine knows introspection by the client's names: no subgraph is asked.
        let data_key = match first.name.starts_with("__") && first.name != "__typename" {
            true => response_key.clone(),
            false => self.scope.aliases.data_key(first),
        };
        Field {
            name: first.name.clone(),
            response_key: response_key.as_str().into(),
            head: head.into(),
            data_key: data_key.as_str().into(),
            ty_on: self.stricter(value_type, &first.name, &ty),
            leaf: Leaf::new(schema, &returned),
            selections: self.selections(&returned, &sets),
            denial,
            arguments: given.cloned().collect(),
            ty,
        }
    }

    fn stricter(&self, value_type: &str, field: &str, ty: &TypeRef) -> HashMap<String, TypeRef> {
        let schema = self.scope.schema;
        let Some(parent) = schema.get(value_type).filter(|parent| parent.kind == Kind::Interface) else {
            return HashMap::new();
        };
        let possible = parent.possible.iter().filter_map(|name| Some((name, schema.field(name, field)?)));
        let stricter = possible.filter(|(_, definition)| definition.ty != *ty);
        stricter.map(|(name, definition)| (name.clone(), definition.ty.clone())).collect()
    }
}

impl Leaf {
    fn new(schema: &Schema, name: &str) -> Self {
        match schema.get(name) {
            Some(ty) if ty.is_composite() => Leaf::Composite(name.to_owned()),
            Some(ty) if ty.kind == Kind::Enum => Leaf::Enum(ty.enum_values.clone()),
            _ => match name {
                "Int" => Leaf::Int,
                "Float" => Leaf::Float,
                "String" => Leaf::String,
                "Boolean" => Leaf::Boolean,
                "ID" => Leaf::Id,
                _ => Leaf::Any,
            },
        }
    }
}

fn returned_type<'s>(schema: &'s Schema, parent: &str, field: &str) -> Option<&'s str> {
    schema.field(parent, field).map(|definition| definition.ty.name())
}
