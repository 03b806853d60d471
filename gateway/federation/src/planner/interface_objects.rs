//! Helps the planner with `@interfaceObject`: with fragments on the types behind an interface that some subgraph
//! knows as one object.
//!
//! The planner forgets to ask for the key it needs to learn an object's type, mixes up fragments on several types
//! and on unions, asks such a subgraph by the type's own name, and asks it of objects nobody wants to know of. So
//! a request is spelled out, type by type and with the key, and what is planned for it is mended.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use graphql_tools::parser::Pos;
use graphql_tools::static_graphql::{query, schema as ast};

use super::again::Again;
use super::divide::Parts;
use super::join::{self, text};
use super::roots::Roots;
use crate::plan::{Path, PathStep, Requirement, Rewrite, RewriteStep};
use crate::schema::type_name;

#[derive(Default)]
pub(super) struct InterfaceObjects {
    /// The interfaces, each with a key by which its objects are known.
    interfaces: HashMap<String, query::SelectionSet>,
    /// By the names of the subgraphs that know them so.
    by_subgraph: HashMap<String, BTreeSet<String>>,
    /// The object types of each type.
    possible: HashMap<String, BTreeSet<String>>,
    /// What each field returns.
    returned: HashMap<(String, String), String>,
    /// Fields that subgraphs need of each other, by name.
    needed: BTreeSet<String>,
    roots: Roots,
}

/// The types of which fields of such interfaces are asked for, by where; nothing where it is all of them.
#[derive(Default)]
pub(super) struct Wanted(HashMap<Vec<String>, HashMap<String, Option<BTreeSet<String>>>>);

impl InterfaceObjects {
    pub fn new(supergraph: &ast::Document) -> Self {
        let mut known = InterfaceObjects::default();
        let graphs = join::graph_names(supergraph);
        known.roots = Roots::new(supergraph);
        for definition in join::definitions(supergraph) {
            let ty = type_name(definition);
            for join in join::named(join::directives(definition), "join__type") {
                if join::holds(join, "isInterfaceObject", false)
                    && let (Some(key), Some(graph)) = (text(join, "key"), text(join, "graph"))
                {
                    let key = join::field_set(key).unwrap_or_else(empty);
                    known.interfaces.entry(ty.to_owned()).or_insert(key);
                    let subgraph = graphs.get(graph).cloned().unwrap_or_default();
                    known.by_subgraph.entry(subgraph).or_default().insert(ty.to_owned());
                }
            }
        }
        if !known.interfaces.is_empty() {
            known.read_types(supergraph);
        }
        known
    }

    fn read_types(&mut self, supergraph: &ast::Document) {
        for definition in join::definitions(supergraph) {
            let ty = type_name(definition).to_owned();
            match definition {
                ast::TypeDefinition::Object(object) => {
                    for of in object.implements_interfaces.iter().chain([&ty]) {
                        self.possible.entry(of.clone()).or_default().insert(ty.clone());
                    }
                }
                ast::TypeDefinition::Union(union) => {
                    self.possible.insert(ty.clone(), union.types.iter().cloned().collect());
                }
                _ => {}
            }
            for join in join::directives(definition) {
                self.need(text(join, "key"));
            }
            for field in join::fields(definition) {
                let returned = join::inner_name(&field.field_type).to_owned();
                self.returned.insert((ty.clone(), field.name.clone()), returned);
                field.directives.iter().for_each(|join| self.need(text(join, "requires")));
            }
        }
    }

    fn need(&mut self, field_set: Option<&str>) {
        let words = field_set.unwrap_or_default().split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        self.needed.extend(words.map(str::to_owned));
    }

    /// Rewrites an operation; its fragments are in place already, without conditions.
    pub fn spell_out(&self, document: &mut query::Document) -> Wanted {
        let mut wanted = Wanted::default();
        if self.interfaces.is_empty() {
            return wanted;
        }
        for (root, set) in self.roots.selections(document) {
            self.set(set, root);
            self.note(set, root, None, &mut Vec::new(), &mut wanted);
        }
        wanted
    }

    fn set(&self, set: &mut query::SelectionSet, ty: &str) {
        if let Some(key) = self.interfaces.get(ty) {
            self.by_type(set, ty, key);
        }
        for selection in &mut set.items {
            match selection {
                query::Selection::Field(field) => {
                    let coordinate = (ty.to_owned(), field.name.clone());
                    if let Some(returned) = self.returned.get(&coordinate) {
                        self.set(&mut field.selection_set, returned);
                    }
                }
                query::Selection::InlineFragment(fragment) => {
                    let on = join::condition(fragment, ty).to_owned();
                    self.set(&mut fragment.selection_set, &on);
                }
                query::Selection::FragmentSpread(_) => {}
            }
        }
    }

    /// Notes of which types each field is wanted.
    fn note(
        &self,
        set: &query::SelectionSet,
        ty: &str,
        types: Option<&BTreeSet<String>>,
        path: &mut Vec<String>,
        wanted: &mut Wanted,
    ) {
        for selection in &set.items {
            match selection {
                query::Selection::Field(field) => {
                    let needed = self.needed.contains(&field.name);
                    let key = response_key(field).to_owned();
                    wanted.add(path, key.clone(), types.filter(|_| !needed));
                    let coordinate = (ty.to_owned(), field.name.clone());
                    if let Some(returned) = self.returned.get(&coordinate) {
                        path.push(key);
                        self.note(&field.selection_set, returned, None, path, wanted);
                        path.pop();
                    }
                }
                query::Selection::InlineFragment(fragment) => {
                    let on = join::condition(fragment, ty);
                    let possible = self.possible.get(on).cloned().unwrap_or_default();
                    let narrowed = types.map(|types| types.intersection(&possible).cloned().collect());
                    self.note(&fragment.selection_set, on, Some(&narrowed.unwrap_or(possible)), path, wanted);
                }
                query::Selection::FragmentSpread(_) => {}
            }
        }
    }

    /// Leaves one fragment for each object type, after what is asked of all.
    fn by_type(&self, set: &mut query::SelectionSet, interface: &str, key: &query::SelectionSet) {
        let narrows = set.items.iter().any(|item| matches!(item, query::Selection::InlineFragment(_)));
        let mut flat = Vec::new();
        self.flatten(std::mem::take(&mut set.items), interface, None, &mut flat);
        let mut of_types: BTreeMap<String, Vec<query::Selection>> = BTreeMap::new();
        for (types, field) in flat {
            match types {
                None => set.items.push(query::Selection::Field(field)),
                Some(types) => {
                    for ty in types {
                        of_types.entry(ty).or_default().push(query::Selection::Field(field.clone()));
                    }
                }
            }
        }
        if narrows {
            set.items.push(query::Selection::Field(field("__typename")));
            set.items.extend(key.items.iter().cloned());
        }
        for (ty, items) in of_types {
            set.items.push(query::Selection::InlineFragment(query::InlineFragment {
                position: Pos::default(),
                type_condition: Some(query::TypeCondition::On(ty)),
                directives: Vec::new(),
                selection_set: query::SelectionSet { span: Default::default(), items },
            }));
        }
    }

    /// Every field with the types it is asked of; nothing where it is all of the interface's.
    fn flatten(
        &self,
        items: Vec<query::Selection>,
        interface: &str,
        types: Option<&BTreeSet<String>>,
        flat: &mut Vec<(Option<BTreeSet<String>>, query::Field)>,
    ) {
        let none = BTreeSet::new();
        let all = self.possible.get(interface).unwrap_or(&none);
        for selection in items {
            match selection {
                query::Selection::Field(field) => {
                    let here = (interface.to_owned(), field.name.clone());
                    let of_all = types.is_none_or(|types| types == all)
                        && (field.name == "__typename" || self.returned.contains_key(&here));
                    let types = (!of_all).then(|| types.unwrap_or(all).clone());
                    flat.push((types, field));
                }
                query::Selection::InlineFragment(fragment) => {
                    let condition = join::condition(&fragment, interface);
                    let of_condition = self.possible.get(condition).unwrap_or(&none);
                    let narrowed = types.unwrap_or(all).intersection(of_condition).cloned().collect();
                    self.flatten(fragment.selection_set.items, interface, Some(&narrowed), flat);
                }
                query::Selection::FragmentSpread(_) => {}
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.interfaces.is_empty()
    }

    /// Whether a subgraph knows one of these types as one object where there are several.
    pub fn are_among(&self, subgraph: &str, types: &[&str]) -> bool {
        let known = self.by_subgraph.get(subgraph);
        known.is_some_and(|known| types.iter().any(|ty| known.contains(*ty)))
    }

    /// Makes a request for entities one that a subgraph understands which knows an interface as one object: it
    /// is told the interface's name, whatever the object is.
    pub fn mend(
        &self,
        subgraph: &str,
        entities: &[&str],
        requires: &mut [Requirement],
        input_rewrites: &mut Vec<Rewrite>,
    ) {
        let Some(interfaces) = self.by_subgraph.get(subgraph) else { return };
        for interface in interfaces.iter().filter(|interface| entities.contains(&interface.as_str())) {
            for requirement in requires.iter_mut() {
                if let Requirement::On { condition, .. } = requirement
                    && self.possible.get(interface).is_some_and(|types| types.contains(condition))
                {
                    condition.clone_from(interface);
                }
            }
            let sets =
                |rewrite: &Rewrite| matches!(rewrite, Rewrite::Set { value, .. } if **value == **interface);
            if !input_rewrites.iter().any(sets) {
                let path =
                    vec![RewriteStep::On(vec![interface.clone()]), RewriteStep::Key("__typename".to_owned())];
                input_rewrites.push(Rewrite::Set { path, value: interface.as_str().into() });
            }
        }
    }
}

impl Wanted {
    fn add(&mut self, path: &[String], key: String, types: Option<&BTreeSet<String>>) {
        let keys = self.0.entry(path.to_vec()).or_default();
        match (keys.get_mut(&key), types) {
            (Some(Some(known)), Some(types)) => known.extend(types.iter().cloned()),
            (Some(known), None) => *known = None,
            (Some(None), Some(_)) => {}
            (None, types) => drop(keys.insert(key, types.cloned())),
        }
    }

    /// Leaves out the objects of which nothing is wanted that a request gives and is not told.
    pub fn narrow(&self, path: &mut Path, keys: &[String], requires: &[Requirement]) {
        let Some(wanted) = self.at(path) else { return };
        let keys = keys.iter().filter(|key| !is_told(requires, key));
        let types: Option<Vec<_>> = keys.map(|key| wanted.get(key)?.as_ref()).collect();
        if let Some(types) = types.filter(|types| !types.is_empty()) {
            let only: BTreeSet<String> = types.into_iter().flatten().cloned().collect();
            path.push(PathStep::Only(only.into_iter().collect()));
        }
    }

    /// What of a request is wanted of the same objects.
    pub fn parts(&self, paths: &[Path], keys: &[String], requires: &[Requirement], again: &Again) -> Parts {
        let (told, asked): (Vec<_>, Vec<_>) = keys.iter().partition(|key| is_told(requires, key));
        /// The types that have a field, at each place.
        type Types<'t> = Vec<Option<&'t BTreeSet<String>>>;
        let types_of = |key: &String| -> Types<'_> {
            paths.iter().map(|path| self.at(path)?.get(again.real(key))?.as_ref()).collect()
        };
        let mut parts: Vec<(Types<'_>, Vec<String>)> = Vec::new();
        for key in asked {
            let types = types_of(key);
            match parts.iter_mut().find(|(known, _)| *known == types) {
                Some((_, keys)) => keys.push(key.clone()),
                None => parts.push((types, vec![key.clone()])),
            }
        }
        let mut parts: Parts = parts.into_iter().map(|(_, keys)| keys).collect();
        match parts.first_mut() {
            Some(first) => first.extend(told.into_iter().cloned()),
            None => parts.push(keys.to_vec()),
        }
        parts
    }

    fn at(&self, path: &Path) -> Option<&HashMap<String, Option<BTreeSet<String>>>> {
        if self.0.is_empty() {
            return None;
        }
        let names = path.iter().filter_map(|step| match step {
            PathStep::Key(name) => Some(name.key().as_str().to_owned()),
            PathStep::Items | PathStep::On(_) | PathStep::Only(_) => None,
        });
        self.0.get(&names.collect::<Vec<_>>())
    }
}

fn is_told(requires: &[Requirement], name: &str) -> bool {
    requires.iter().any(|requirement| match requirement {
        Requirement::Field { data_key, .. } => data_key.key().as_str() == name,
        Requirement::On { inner, .. } => is_told(inner, name),
    })
}

fn response_key(field: &query::Field) -> &str {
    field.alias.as_ref().unwrap_or(&field.name)
}

fn field(name: &str) -> query::Field {
    query::Field {
        position: Pos::default(),
        alias: None,
        name: name.to_owned(),
        arguments: Vec::new(),
        directives: Vec::new(),
        selection_set: empty(),
    }
}

fn empty() -> query::SelectionSet {
    query::SelectionSet { span: Default::default(), items: Vec::new() }
}
