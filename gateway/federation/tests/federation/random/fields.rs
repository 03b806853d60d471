//! The fields of objects and roots: of what type, with which arguments, held by whom.

use super::blueprint::{Field, Graph, Home, Object, Type};
use super::schema::Maker;

impl Maker {
    pub fn fields(&mut self) {
        let objects: Vec<String> = self.blueprint.objects.keys().cloned().collect();
        for object in objects {
            if self.blueprint.objects[&object].homes.is_empty() {
                let graph = self.dice.below(self.blueprint.graphs);
                self.know(graph, &object);
            }
            let empty = self.blueprint.objects[&object].fields.is_empty();
            for _ in 0..self.dice.between(usize::from(empty), 4) {
                let homes: Vec<Graph> = self.blueprint.objects[&object].homes.keys().copied().collect();
                let graph = *self.dice.one(&homes);
                let shared = self.dice.percent(20);
                let value = !self.blueprint.objects[&object].is_entity();
                let field = self.output(shared || value);
                let name = self.field_name(&object, &field);
                self.hold_everywhere_or_in(graph, &object, &name, field);
                if homes.len() > 1 && shared {
                    let other = *self.dice.one(&homes);
                    self.share(other, &object, &name);
                }
            }
        }
    }

    /// One more part answers a field.
    fn share(&mut self, graph: Graph, object: &str, name: &str) {
        let known = self.blueprint.objects.get_mut(object).expect("the object is known");
        let field = known.fields.get_mut(name).expect("the field is known");
        field.holders.entry(graph).or_default();
        let (ty, arguments) = (field.ty.clone(), field.arguments.clone());
        self.know_all_of(graph, &ty, &arguments);
    }

    pub fn roots(&mut self) {
        let mut query = Object::default();
        for graph in 0..self.blueprint.graphs {
            query.homes.insert(graph, Home::default());
        }
        self.blueprint.objects.insert("Query".to_owned(), query);
        let entities: Vec<String> =
            self.blueprint.objects.keys().filter(|name| name.starts_with('E')).cloned().collect();
        for graph in 0..self.blueprint.graphs {
            // A part may have nothing but entities.
            let least = usize::from(graph == 0);
            for _ in 0..self.dice.between(least, 3) {
                let shared = self.dice.percent(10);
                let mut field = self.output(shared);
                if !self.blueprint.is_composite(field.ty.name()) && self.dice.percent(80) {
                    let entity = self.dice.one(&entities).clone();
                    field.ty = self.wrapped(Type::of(&entity));
                }
                self.root("Query", graph, field, shared);
            }
        }
        if self.dice.percent(60) {
            self.blueprint.objects.insert("Mutation".to_owned(), Object::default());
            for _ in 0..self.dice.between(1, 4) {
                let graph = self.dice.below(self.blueprint.graphs);
                let mutation = self.blueprint.objects.get_mut("Mutation").expect("it was just inserted");
                mutation.homes.entry(graph).or_default();
                let field = self.output(false);
                self.root("Mutation", graph, field, false);
            }
        }
    }

    fn root(&mut self, root: &str, graph: Graph, field: Field, shared: bool) {
        let name = self.field_name(root, &field);
        let (ty, arguments) = (field.ty.clone(), field.arguments.clone());
        let object = self.blueprint.objects.get_mut(root).expect("the root is known");
        object.fields.insert(name.clone(), field.held_by([graph]));
        self.know_all_of(graph, &ty, &arguments);
        if shared {
            let other = self.dice.below(self.blueprint.graphs);
            self.share(other, root, &name);
        }
    }

    /// A field one part could have, held by nobody yet.
    pub fn output(&mut self, shared: bool) -> Field {
        let composite = self.dice.percent(45);
        let mut names: Vec<String> = Vec::new();
        if composite {
            // The planner takes a field that several parts answer with an interface only where one of them
            // knows all of the interface.
            if !(shared && self.partial) {
                let finished = self.blueprint.interfaces.iter().filter(|(_, it)| !it.homes.is_empty());
                names.extend(finished.map(|(name, _)| name.clone()));
            }
            names.extend(self.blueprint.unions.keys().cloned());
            let objects = self.blueprint.objects.iter();
            let inner = objects.filter(|(name, _)| !["Query", "Mutation"].contains(&name.as_str()));
            names.extend(inner.map(|(name, _)| name.clone()));
        } else {
            names.extend(["Int", "String", "Boolean", "ID", "Float"].map(str::to_owned));
            names.extend(self.blueprint.enums.keys().cloned());
            names.extend(self.blueprint.scalars.keys().cloned());
        }
        let name = self.dice.one(&names).clone();
        let mut field = Field::new(self.wrapped(Type::of(&name)));
        if self.dice.percent(25) {
            for number in 1..=self.dice.between(1, 2) {
                let argument = self.argument(format!("x{number}"), "");
                field.arguments.push(argument);
            }
        }
        field
    }

    fn wrapped(&mut self, ty: Type) -> Type {
        match self.dice.below(20) {
            0..10 => ty,
            10..13 => ty.non_null(),
            13 | 14 => ty.list(),
            15 => ty.non_null().list(),
            16 => ty.list().non_null(),
            17 | 18 => ty.non_null().list().non_null(),
            _ => ty.list().list(),
        }
    }

    /// Fields of one type have one name wherever they are, so that selections on different types can meet.
    fn field_name(&self, object: &str, field: &Field) -> String {
        let mut name = field.ty.name().to_lowercase();
        let text = field.ty.to_string();
        for mark in text.chars() {
            match mark {
                '!' => name.push('N'),
                ']' => name.push('L'),
                _ => {}
            }
        }
        if !field.arguments.is_empty() || ["Query", "Mutation"].contains(&object) {
            name.push_str("Of");
            name.push_str(object);
        }
        let fields = &self.blueprint.objects[object].fields;
        let mut free = name.clone();
        for number in 2.. {
            if !fields.contains_key(&free) {
                break;
            }
            free = format!("{name}{number}");
        }
        free
    }
}
