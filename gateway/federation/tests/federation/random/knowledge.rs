//! What a part must know so that it can speak of a type: everything the type leads to, as far as it goes.

use std::collections::BTreeSet;

use super::blueprint::{Argument, Graph, Home, Type};
use super::schema::Maker;

impl Maker {
    /// The type of a field and those of its arguments.
    pub fn know_all_of(&mut self, graph: Graph, ty: &Type, arguments: &[Argument]) {
        self.know(graph, ty.name());
        for argument in arguments {
            self.know(graph, argument.ty.name());
        }
    }

    pub fn know(&mut self, graph: Graph, name: &str) {
        if let Some(object) = self.blueprint.objects.get(name) {
            if !object.homes.contains_key(&graph) {
                match object.is_entity() {
                    true => self.stub(graph, name),
                    false => self.know_value(graph, name),
                }
            }
        } else if let Some(interface) = self.blueprint.interfaces.get(name) {
            // Without homes it is just being made.
            if !interface.homes.is_empty() && !interface.homes.contains_key(&graph) {
                self.know_interface(graph, name);
            }
        } else if let Some(union) = self.blueprint.unions.get(name) {
            if !union.members.contains_key(&graph) {
                self.know_union(graph, name);
            }
        } else if let Some(known) = self.blueprint.enums.get_mut(name) {
            known.graphs.insert(graph);
        } else if let Some(graphs) = self.blueprint.scalars.get_mut(name) {
            graphs.insert(graph);
        } else if let Some(input) = self.blueprint.inputs.get_mut(name)
            && input.graphs.insert(graph)
        {
            for field in input.fields.clone() {
                self.know(graph, field.ty.name());
            }
        }
    }

    fn know_value(&mut self, graph: Graph, name: &str) {
        let object = self.blueprint.objects.get_mut(name).expect("the object is known");
        object.homes.insert(graph, Home::default());
        let mut within = Vec::new();
        for field in object.fields.values_mut() {
            field.holders.entry(graph).or_default();
            within.push((field.ty.clone(), field.arguments.clone()));
        }
        for (ty, arguments) in within {
            self.know_all_of(graph, &ty, &arguments);
        }
    }

    /// All its types come along, and all of them hold what of the interface is known here.
    fn know_interface(&mut self, graph: Graph, name: &str) {
        let implementors: Vec<String> = self.blueprint.implementors(name).map(str::to_owned).collect();
        let made = self.blueprint.interfaces.get_mut(name).expect("the interface is known");
        made.homes.insert(graph, Home::default());
        for implementor in &implementors {
            self.know(graph, implementor);
        }
        let holds = |maker: &Maker, field: &str| {
            implementors
                .iter()
                .all(|it| maker.blueprint.objects[it].fields[field].holders.contains_key(&graph))
        };
        let all: Vec<String> = self.blueprint.interfaces[name].fields.keys().cloned().collect();
        let fields: Vec<_> = all.into_iter().filter(|field| field != "id" || holds(self, "id")).collect();
        let known = if self.partial { self.dice.some(&fields, 1) } else { fields };
        for field in known {
            let interface = self.blueprint.interfaces.get_mut(name).expect("the interface is known");
            let promised = interface.fields.get_mut(&field).expect("it is one of its fields");
            promised.holders.entry(graph).or_default();
            let (ty, arguments) = (promised.ty.clone(), promised.arguments.clone());
            self.know_all_of(graph, &ty, &arguments);
            for implementor in &implementors {
                let object = self.blueprint.objects.get_mut(implementor).expect("it is known");
                let held = object.fields.get_mut(&field).expect("it implements the interface");
                held.holders.entry(graph).or_default();
                let (ty, arguments) = (held.ty.clone(), held.arguments.clone());
                self.know_all_of(graph, &ty, &arguments);
            }
        }
        for implementor in &implementors {
            let object = self.blueprint.objects.get_mut(implementor).expect("it is known");
            let home = object.homes.get_mut(&graph).expect("it was made known");
            home.interfaces.insert(name.to_owned());
        }
    }

    fn know_union(&mut self, graph: Graph, name: &str) {
        let members = &self.blueprint.unions[name].members;
        let all: BTreeSet<String> = members.values().flatten().cloned().collect();
        let all: Vec<String> = all.into_iter().collect();
        let mut some: BTreeSet<String> = self.dice.some(&all, 1).into_iter().collect();
        some.insert(self.core[name].clone());
        let union = self.blueprint.unions.get_mut(name).expect("the union is known");
        union.members.insert(graph, some.clone());
        for member in some {
            self.know(graph, &member);
        }
    }
}
