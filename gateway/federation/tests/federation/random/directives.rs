//! What parts say of fields besides having them: `@override`, other types, `@inaccessible`.

use super::blueprint::{Blueprint, Field, Graph, Holding, Object};
use super::schema::Maker;

/// A field of an object.
pub type Place = (String, String);

impl Maker {
    /// Nothing new becomes known from here on: what is chosen, every part involved already speaks of.
    pub fn directives(&mut self) {
        let entities: Vec<String> =
            self.blueprint.objects.keys().filter(|name| name.starts_with('E')).cloned().collect();
        for entity in &entities {
            if self.dice.percent(35) {
                self.take_over(entity);
            }
            for _ in 0..2 {
                if self.dice.percent(45) {
                    self.require(entity);
                }
            }
        }
        for _ in 0..2 {
            if self.dice.percent(40) {
                self.provide();
            }
        }
        self.promise_more();
        self.hide();
    }

    /// Whether a part has all it takes to write this field down.
    pub fn speaks_of(&self, graph: Graph, field: &Field) -> bool {
        let mut names = vec![field.ty.name()];
        names.extend(field.arguments.iter().map(|argument| argument.ty.name()));
        names.into_iter().all(|name| {
            let Blueprint { objects, interfaces, unions, enums, scalars, inputs, .. } = &self.blueprint;
            let knows = [
                objects.get(name).map(|it| it.homes.contains_key(&graph)),
                interfaces.get(name).map(|it| it.homes.contains_key(&graph)),
                unions.get(name).map(|it| it.members.contains_key(&graph)),
                enums.get(name).map(|it| it.graphs.contains(&graph)),
                scalars.get(name).map(|it| it.contains(&graph)),
                inputs.get(name).map(|it| it.graphs.contains(&graph)),
            ];
            // What is none of these is built in.
            knows.into_iter().flatten().next().unwrap_or(true)
        })
    }

    /// The fields one part alone has of an object, and nobody counts on.
    pub fn own(&self, object: &str) -> Vec<(Graph, Place)> {
        let fields = self.blueprint.objects[object].fields.iter();
        let own = fields.filter_map(|(name, field)| {
            let place = (object.to_owned(), name.clone());
            let mut holders = field.holders.iter();
            let plain = |it: &Holding| it.requires.is_none() && it.overrides.is_none();
            match (holders.next(), holders.next()) {
                (Some((graph, holding)), None) if plain(holding) && !self.promised.contains(&place) => {
                    Some((*graph, place))
                }
                _ => None,
            }
        });
        own.collect()
    }

    pub fn field(&mut self, (object, field): &Place) -> &mut Field {
        let object = self.blueprint.objects.get_mut(object).expect("the object is known");
        object.fields.get_mut(field).expect("the field is known")
    }

    /// The field's owner got it from another part, which still has it.
    fn take_over(&mut self, entity: &str) {
        let own = self.own(entity);
        if own.is_empty() {
            return;
        }
        let (graph, place) = self.dice.one(&own).clone();
        let homes = self.blueprint.objects[entity].homes.keys().copied();
        let field = &self.blueprint.objects[entity].fields[&place.1];
        let others: Vec<Graph> =
            homes.filter(|other| *other != graph && self.speaks_of(*other, field)).collect();
        if others.is_empty() {
            return;
        }
        let from = *self.dice.one(&others);
        let field = self.field(&place);
        field.holders.insert(from, Holding { overridden: true, ..Holding::default() });
        field.holders.entry(graph).or_default().overrides = Some(from);
    }

    /// Of several parts that answer a field, one says it is never null.
    fn promise_more(&mut self) {
        let whole = self.blueprint.clone();
        let Maker { blueprint, dice, promised, .. } = self;
        // Composition passes over such a difference at the roots.
        let inner = |(name, _): &(&String, &mut Object)| !["Query", "Mutation"].contains(&name.as_str());
        for (name, object) in blueprint.objects.iter_mut().filter(inner) {
            for (field_name, field) in &mut object.fields {
                let owners: Vec<Graph> = field.owners().collect();
                let free = !promised.contains(&(name.clone(), field_name.clone()));
                // A null from below would spread further in one part than in the whole.
                let leaf = !whole.is_composite(field.ty.name());
                if owners.len() > 1 && free && leaf && !field.ty.is_non_null() && dice.percent(25) {
                    let graph = *dice.one(&owners);
                    field.holders.entry(graph).or_default().non_null = true;
                }
            }
        }
    }

    /// What only parts may know. Something is always left for clients.
    fn hide(&mut self) {
        let Maker { blueprint, dice, .. } = self;
        let promised: std::collections::BTreeSet<String> =
            blueprint.interfaces.values().flat_map(|it| it.fields.keys().cloned()).collect();
        for object in blueprint.objects.values_mut() {
            let mut open = object.fields.len();
            for (name, field) in &mut object.fields {
                if open > 1 && !promised.contains(name) && dice.percent(6) {
                    field.inaccessible = true;
                    open -= 1;
                }
            }
        }
        for known in blueprint.enums.values_mut() {
            if known.values.len() > 2
                && dice.percent(30)
                && let Some((_, open)) = known.values.last_mut()
            {
                *open = false;
            }
        }
    }
}
