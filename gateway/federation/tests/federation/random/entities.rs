//! Where entities are at home and by which keys they are known there.

use super::blueprint::{Field, Graph, Key, Type};
use super::schema::Maker;

/// One way to know an entity: the key, and the fields it is made of.
#[derive(Clone)]
pub struct Kind {
    text: String,
    fields: Vec<(&'static str, Type)>,
    /// What it says of the value object or the other entity within.
    inner: Option<(String, String)>,
}

impl Maker {
    pub fn entities(&mut self) {
        let entities: Vec<String> =
            self.blueprint.objects.keys().filter(|name| name.starts_with('E')).cloned().collect();
        for (index, name) in entities.iter().enumerate() {
            let all: Vec<Graph> = (0..self.blueprint.graphs).collect();
            let homes = self.dice.some(&all, 2);
            let kinds = self.kinds(&entities[..index]);
            // Each home shares a key with one before it, so every home leads to every other.
            let mut declared: Vec<Vec<usize>> = Vec::new();
            for _ in &homes {
                let numbers: Vec<usize> = (0..kinds.len()).collect();
                let mut own = self.dice.some(&numbers, 1);
                own.truncate(2);
                if !declared.is_empty() {
                    let other = self.dice.one(&declared).clone();
                    let link = *self.dice.one(&other);
                    if !own.contains(&link) {
                        own.push(link);
                    }
                }
                declared.push(own);
            }
            for (graph, own) in homes.iter().zip(&declared) {
                for kind in own {
                    self.keys.entry(name.clone()).or_default().push(kinds[*kind].clone());
                    self.declare(*graph, name, &kinds[*kind], true);
                }
            }
        }
    }

    /// The keys one entity has, in one part or another.
    fn kinds(&mut self, before: &[String]) -> Vec<Kind> {
        let text = |name: &str| Type::of(name).non_null();
        let plain = |text_: &str, fields: &[(&'static str, &str)]| Kind {
            text: text_.to_owned(),
            fields: fields.iter().map(|(name, ty)| (*name, text(ty))).collect(),
            inner: None,
        };
        let mut kinds = vec![plain("id", &[("id", "ID")])];
        if self.dice.percent(40) {
            kinds.push(plain("code", &[("code", "String")]));
        }
        if self.dice.percent(20) {
            kinds.push(plain("num kind", &[("num", "Int"), ("kind", "K1")]));
        }
        if self.dice.percent(20) {
            kinds.push(Kind {
                text: "ref { x }".to_owned(),
                fields: vec![("ref", text("V1"))],
                inner: Some(("V1".to_owned(), "x".to_owned())),
            });
        }
        let others: Vec<_> = before.iter().filter(|name| self.has_simple_key(name)).cloned().collect();
        if !others.is_empty() && self.dice.percent(20) {
            let other = self.dice.one(&others).clone();
            kinds.push(Kind {
                text: "id owner { id }".to_owned(),
                fields: vec![("id", text("ID")), ("owner", text(&other))],
                inner: Some((other, "id".to_owned())),
            });
        }
        // Some have no plain key at all.
        if kinds.len() > 1 && self.dice.percent(30) {
            kinds.remove(0);
        }
        kinds
    }

    /// Whether every part that knows the entity knows it by its id alone.
    fn has_simple_key(&self, entity: &str) -> bool {
        let plain = |key: &Key| key.fields == "id";
        self.blueprint.objects[entity].homes.values().all(|home| home.keys.iter().any(plain))
    }

    fn declare(&mut self, graph: Graph, entity: &str, kind: &Kind, resolvable: bool) {
        let object = self.blueprint.objects.get_mut(entity).expect("an entity");
        let key = Key { fields: kind.text.clone(), resolvable };
        object.homes.entry(graph).or_default().keys.push(key);
        for (name, ty) in &kind.fields {
            let field = object.fields.entry((*name).to_owned()).or_insert_with(|| Field::new(ty.clone()));
            field.holders.entry(graph).or_default();
            self.promised.insert((entity.to_owned(), (*name).to_owned()));
            self.needed.insert((entity.to_owned(), (*name).to_owned()));
        }
        for (_, ty) in &kind.fields {
            self.know(graph, ty.name());
        }
        if let Some((inner, field)) = &kind.inner {
            self.needed.insert((inner.clone(), field.clone()));
            self.promised.insert((inner.clone(), field.clone()));
            match field.as_str() {
                "x" => self.hold_key_of_value(inner, field),
                _ => self.know_by_id(graph, inner),
            }
        }
    }

    /// An entity within a key must be known by what the key says of it.
    fn know_by_id(&mut self, graph: Graph, entity: &str) {
        let object = &self.blueprint.objects[entity];
        if object.fields["id"].holders.contains_key(&graph) {
            return;
        }
        let kind =
            self.keys[entity].iter().find(|kind| kind.text == "id").expect("it has a plain key").clone();
        self.declare(graph, entity, &kind, true);
    }

    /// A value object within a key is told apart by this field.
    fn hold_key_of_value(&mut self, value: &str, field: &str) {
        let object = self.blueprint.objects.get_mut(value).expect("a value object");
        let homes: Vec<_> = object.homes.keys().copied().collect();
        let known = object
            .fields
            .entry(field.to_owned())
            .or_insert_with(|| Field::new(Type::of("String").non_null()));
        for home in homes {
            known.holders.entry(home).or_default();
        }
    }

    /// Makes a part know an entity by one of the keys others know it by, and nothing else of it.
    pub fn stub(&mut self, graph: Graph, entity: &str) {
        let kind = self.dice.one(&self.keys[entity]).clone();
        let resolvable = self.dice.percent(50);
        self.declare(graph, entity, &kind, resolvable);
    }
}
