//! What parts need of each other and do for each other: `@requires` and `@provides`.

use super::blueprint::{Field, Graph, Holding};
use super::schema::Maker;

impl Maker {
    /// A field that its owner can only answer when it is told what other parts know.
    pub fn require(&mut self, entity: &str) {
        let own = self.own(entity);
        if own.is_empty() {
            return;
        }
        let (graph, place) = self.dice.one(&own).clone();
        // The planner loses its way where a field that requires something stands below another.
        if self.leads_back(graph, &self.blueprint.objects[entity].fields[&place.1], entity) {
            return;
        }
        let candidates = self.requirable(entity, graph);
        if candidates.is_empty() {
            return;
        }
        let mut some = self.dice.some(&candidates, 1);
        some.truncate(2);
        let mut texts = Vec::new();
        for (name, inner) in some {
            let required = (entity.to_owned(), name.clone());
            self.field(&required).holders.entry(graph).or_insert_with(external);
            let ty = self.field(&required).ty.name().to_owned();
            self.needed.insert(required.clone());
            self.promised.insert(required);
            texts.push(match inner {
                Some(inner) => {
                    let text = format!("{name} {{ {inner} }}");
                    self.needed.insert((ty.clone(), inner.clone()));
                    self.promised.insert((ty, inner));
                    text
                }
                None => name,
            });
        }
        self.promised.insert(place.clone());
        self.field(&place).holders.entry(graph).or_default().requires = Some(texts.join(" "));
    }

    /// What can be required of an entity by one part: leaves, and leaves of value objects, that it has not
    /// itself and that wait for nothing.
    fn requirable(&self, entity: &str, graph: Graph) -> Vec<(String, Option<String>)> {
        let mut found = Vec::new();
        for (name, field) in &self.blueprint.objects[entity].fields {
            let waits = field.holders.values().any(|it| it.requires.is_some() || it.overrides.is_some());
            let here = field.holders.get(&graph).is_some_and(|it| !it.external);
            if waits || here || !field.arguments.is_empty() || !self.speaks_of(graph, field) {
                continue;
            }
            let Some(value) = self.blueprint.objects.get(field.ty.name()) else {
                if !self.blueprint.is_composite(field.ty.name()) {
                    found.push((name.clone(), None));
                }
                continue;
            };
            if value.is_entity() {
                continue;
            }
            let leaf = |(_, field): &(&String, &Field)| {
                field.arguments.is_empty() && !self.blueprint.is_composite(field.ty.name())
            };
            if let Some((inner, _)) = value.fields.iter().find(leaf) {
                found.push((name.clone(), Some(inner.clone())));
            }
        }
        found
    }

    /// Whether what a field returns leads back to an object of this type, as far as one part knows.
    fn leads_back(&self, graph: Graph, field: &Field, entity: &str) -> bool {
        let mut seen = self.blueprint.possible_in(graph, field.ty.name());
        let mut next: Vec<String> = seen.iter().cloned().collect();
        while let Some(name) = next.pop() {
            let fields = self.blueprint.objects[&name].fields.values();
            for field in fields.filter(|it| it.holders.contains_key(&graph)) {
                for ty in self.blueprint.possible_in(graph, field.ty.name()) {
                    if seen.insert(ty.clone()) {
                        next.push(ty);
                    }
                }
            }
        }
        seen.contains(entity)
    }

    /// On one way to an entity a part knows a field that is otherwise another's.
    pub fn provide(&mut self) {
        let mut ways = Vec::new();
        for (object, known) in &self.blueprint.objects {
            for (name, field) in &known.fields {
                // Composition forgets what a root field provides that several parts have.
                let shared_root = object == "Query" && field.holders.len() > 1;
                let provides = field.holders.values().any(|it| it.provides.is_some());
                if shared_root || provides {
                    continue;
                }
                let place = (object.clone(), name.clone());
                for graph in field.owners() {
                    let provided = self.providable(graph, field.ty.name());
                    ways.extend(provided.into_iter().map(|provided| (graph, place.clone(), provided)));
                }
            }
        }
        if ways.is_empty() {
            return;
        }
        let (graph, place, provided) = self.dice.one(&ways).clone();
        let entity = self.field(&place).ty.name().to_owned();
        let inner = (entity, provided.clone());
        self.field(&inner).holders.entry(graph).or_insert_with(external);
        self.promised.insert(inner);
        self.field(&place).holders.entry(graph).or_default().provides = Some(provided);
    }

    /// The leaves of an entity one part could know without owning them.
    fn providable(&self, graph: Graph, entity: &str) -> Vec<String> {
        let Some(known) = self.blueprint.objects.get(entity).filter(|it| it.is_entity()) else {
            return Vec::new();
        };
        let fits = |(name, field): &(&String, &Field)| {
            let leaf = field.arguments.is_empty() && !self.blueprint.is_composite(field.ty.name());
            let here = field.holders.get(&graph).is_some_and(|it| !it.external);
            let moves = field.holders.values().any(|it| it.overrides.is_some() || it.requires.is_some());
            let required = self.needed.contains(&(entity.to_owned(), (*name).clone()));
            leaf && !here && !moves && !required && self.speaks_of(graph, field)
        };
        known.fields.iter().filter(fits).map(|(name, _)| name.clone()).collect()
    }
}

fn external() -> Holding {
    Holding { external: true, ..Holding::default() }
}
