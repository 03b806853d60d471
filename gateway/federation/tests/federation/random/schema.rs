//! Makes up a schema cut into parts that can answer everything between them, by the way it is made.
//!
//! All parts that know an entity hang together by keys they share, so any of them leads to any other. A value
//! object has all its fields wherever it is known. An interface brings all its types along, a union some.

use std::collections::{BTreeMap, BTreeSet};

use super::blueprint::{Argument, Blueprint, Enum, Field, Input, Interface, Object, Type, Union};
use super::dice::Dice;
use super::entities::Kind;

/// A blueprint on its way.
pub struct Maker {
    pub dice: Dice,
    pub blueprint: Blueprint,
    /// For each entity the keys it has, as often as it has them.
    pub keys: BTreeMap<String, Vec<Kind>>,
    /// Whether a part may know some fields of an interface only.
    pub partial: bool,
    /// For each union the member every part knows: what is returned by several parts can always be that.
    pub core: BTreeMap<String, String>,
    /// Fields whose being there and whose type others count on: keys, and what interfaces promise.
    pub promised: BTreeSet<(String, String)>,
    /// Fields that a key or a `@requires` needs: their data neither fails nor differs.
    pub needed: BTreeSet<(String, String)>,
}

pub struct Made {
    pub blueprint: Blueprint,
    pub needed: BTreeSet<(String, String)>,
}

pub fn make(dice: Dice) -> Made {
    let mut maker = Maker {
        dice,
        blueprint: Blueprint::default(),
        keys: BTreeMap::new(),
        partial: false,
        core: BTreeMap::new(),
        promised: BTreeSet::new(),
        needed: BTreeSet::new(),
    };
    maker.blueprint.graphs = *maker.dice.one(&[2, 2, 3, 3, 3, 4, 5]);
    maker.partial = maker.dice.percent(50);
    maker.leaves();
    maker.objects();
    maker.entities();
    maker.abstractions();
    maker.fields();
    maker.roots();
    maker.directives();
    Made { blueprint: maker.blueprint, needed: maker.needed }
}

impl Maker {
    /// Enums, scalars and input objects.
    fn leaves(&mut self) {
        for number in 1..=self.dice.between(1, 2) {
            let count = self.dice.between(2, 4);
            let values = (1..=count).map(|value| (format!("K{number}_{value}"), true)).collect();
            let made = Enum { graphs: BTreeSet::new(), values };
            self.blueprint.enums.insert(format!("K{number}"), made);
        }
        if self.dice.percent(50) {
            self.blueprint.scalars.insert("S1".to_owned(), BTreeSet::new());
        }
        for number in 1..=self.dice.between(0, 2) {
            let name = format!("F{number}");
            // It may hold those before it and itself, where null ends it.
            self.blueprint.inputs.insert(name.clone(), Input::default());
            let mut fields = Vec::new();
            for field in 1..=self.dice.between(1, 3) {
                fields.push(self.argument(format!("{}{field}", name.to_lowercase()), &name));
            }
            self.blueprint.inputs.insert(name, Input { graphs: BTreeSet::new(), fields });
        }
    }

    /// An argument or a field of the input object `within`, which must not hold itself whatever happens.
    pub fn argument(&mut self, name: String, within: &str) -> Argument {
        let inputs: Vec<String> = self.blueprint.inputs.keys().cloned().collect();
        if !inputs.is_empty() && self.dice.percent(30) {
            let input = self.dice.one(&inputs).clone();
            let endless = input == within;
            let mut ty = Type::of(&input);
            if self.dice.percent(25) {
                ty = ty.list();
            } else if !endless && self.dice.percent(30) {
                ty = ty.non_null();
            }
            return Argument { name, ty, default: None };
        }
        let mut leaves: Vec<String> = ["Int", "String", "Boolean", "ID", "Float"].map(str::to_owned).to_vec();
        leaves.extend(self.blueprint.enums.keys().cloned());
        leaves.extend(self.blueprint.enums.keys().cloned());
        leaves.extend(self.blueprint.scalars.keys().cloned());
        let leaf = self.dice.one(&leaves).clone();
        let list = self.dice.percent(20);
        let mut default = self.dice.percent(35).then(|| self.literal(&leaf));
        let mut ty = Type::of(&leaf);
        if list {
            ty = ty.list();
            default = default.map(|value| format!("[{value}]"));
        }
        if self.dice.percent(25) {
            ty = ty.non_null();
        }
        Argument { name, ty, default }
    }

    fn literal(&mut self, leaf: &str) -> String {
        match leaf {
            "Int" => self.dice.below(9).to_string(),
            "Float" => format!("{}.5", self.dice.below(9)),
            "Boolean" => self.dice.percent(50).to_string(),
            _ => match self.blueprint.enums.get(leaf) {
                // Clients know the first two; see `hide`.
                Some(known) => known.values[self.dice.below(2)].0.clone(),
                None => format!("\"default{}\"", self.dice.below(9)),
            },
        }
    }

    fn objects(&mut self) {
        for number in 1..=self.dice.between(1, 2) {
            self.blueprint.objects.insert(format!("V{number}"), Object::default());
        }
        for number in 1..=self.dice.between(2, 4) {
            self.blueprint.objects.insert(format!("E{number}"), Object::default());
        }
    }

    /// Interfaces and unions. The first part to know one is chosen here; others come to know it through fields.
    fn abstractions(&mut self) {
        let objects: Vec<String> = self.blueprint.objects.keys().cloned().collect();
        for number in 1..=self.dice.between(0, 2) {
            let interface = format!("I{number}");
            let mut implementors = self.dice.some(&objects, 2);
            implementors.truncate(3);
            self.blueprint.interfaces.insert(interface.clone(), Interface::default());
            self.interface(&interface, &implementors);
        }
        for number in 1..=self.dice.between(0, 2) {
            let union = format!("U{number}");
            let mut members = self.dice.some(&objects, 2);
            members.truncate(4);
            let core = self.dice.one(&members).clone();
            self.core.insert(union.clone(), core);
            let graph = self.dice.below(self.blueprint.graphs);
            let first = BTreeMap::from([(graph, members.iter().cloned().collect())]);
            self.blueprint.unions.insert(union, Union { members: first });
            members.iter().for_each(|member| self.know(graph, member));
        }
    }

    fn interface(&mut self, interface: &str, implementors: &[String]) {
        let graph = self.dice.below(self.blueprint.graphs);
        for implementor in implementors {
            self.know(graph, implementor);
        }
        let number = interface.to_lowercase();
        let shared_key = implementors.iter().all(|name| {
            let known = self.blueprint.objects[name].fields.get("id");
            known.is_some_and(|id| id.holders.contains_key(&graph))
        });
        let mut fields = Vec::new();
        for field in 1..=self.dice.between(1, 3) {
            fields.push((format!("{number}f{field}"), self.output(true)));
        }
        if shared_key && self.partial && self.dice.percent(70) {
            fields.push(("id".to_owned(), Field::new(Type::of("ID").non_null())));
        }
        for (name, field) in &fields {
            for implementor in implementors {
                self.promised.insert((implementor.clone(), name.clone()));
                if name == "id" {
                    continue;
                }
                let narrowed = self.narrowed(field, graph);
                self.hold_everywhere_or_in(graph, implementor, name, narrowed);
            }
        }
        let made = self.blueprint.interfaces.get_mut(interface).expect("it was just inserted");
        made.homes.insert(graph, Default::default());
        made.fields = fields.into_iter().map(|(name, field)| (name, field.held_by([graph]))).collect();
        for implementor in implementors {
            let object = self.blueprint.objects.get_mut(implementor).expect("it is one of the objects");
            let home = object.homes.get_mut(&graph).expect("it was made known");
            home.interfaces.insert(interface.to_owned());
        }
    }

    /// A type of an interface may promise more than the interface does.
    fn narrowed(&mut self, field: &Field, graph: usize) -> Field {
        let mut narrowed = field.clone();
        let interface = self.blueprint.interfaces.contains_key(field.ty.name());
        if interface && matches!(field.ty, Type::Named(_)) && self.dice.percent(40) {
            let possible: Vec<String> =
                self.blueprint.possible_in(graph, field.ty.name()).into_iter().collect();
            if !possible.is_empty() {
                narrowed.ty = Type::of(self.dice.one(possible.as_slice()).as_str());
            }
        }
        if self.dice.percent(20) {
            narrowed.ty = narrowed.ty.non_null();
        }
        narrowed
    }

    /// Gives an object a field: a value object in all its homes, an entity in one.
    pub fn hold_everywhere_or_in(&mut self, graph: usize, object: &str, name: &str, field: Field) {
        let known = self.blueprint.objects.get_mut(object).expect("the object is known");
        let homes: Vec<_> = match known.is_entity() {
            true => vec![graph],
            false => known.homes.keys().copied().collect(),
        };
        // Others must be able to come here for it.
        if let Some(home) = known.homes.get_mut(&graph) {
            home.keys.iter_mut().for_each(|key| key.resolvable = true);
        }
        let field = field.held_by(homes.iter().copied());
        let (ty, arguments) = (field.ty.clone(), field.arguments.clone());
        known.fields.insert(name.to_owned(), field);
        for home in homes {
            self.know_all_of(home, &ty, &arguments);
        }
    }
}
