//! Writes random documents that a schema allows; now and then one that is not valid after all.

use super::document::{Document, Field, Fragment, Selection, Set};
use super::values::Values;
use crate::oracle::schema::{Kind, Schema, named};
use crate::random::dice::Dice;

pub struct Writer<'s> {
    schema: &'s Schema,
    dice: Dice,
    values: Values<'s>,
    fragments: Vec<Fragment>,
    /// Names that may lead somebody astray when they are aliases.
    aliases: Vec<String>,
    /// How many fields may still be written.
    left: usize,
    names: usize,
}

/// Composite fields within each other.
const DEPTH_MAX: usize = 5;

impl<'s> Writer<'s> {
    pub fn new(schema: &'s Schema, mut dice: Dice) -> Self {
        let mut aliases: Vec<_> = schema.types.values().flat_map(|it| it.fields.keys().cloned()).collect();
        aliases.extend(["as_id", "x", "y", "_0", "e0", "representations"].map(str::to_owned));
        aliases.sort();
        aliases.dedup();
        let values = Values::new(schema, dice.split());
        Writer { schema, dice, values, fragments: Vec::new(), aliases, left: 0, names: 0 }
    }

    pub fn document(mut self) -> Document {
        let mutation = self.schema.get("Mutation").is_some() && self.dice.percent(20);
        self.left = self.dice.between(3, 40);
        let set = self.set(if mutation { "Mutation" } else { "Query" }, 0);
        let (variables, fragments) = (self.values.variables, self.fragments);
        let mut document = Document { mutation, variables, set, fragments };
        document.tidy();
        document
    }

    fn set(&mut self, ty: &str, depth: usize) -> Set {
        let mut set = Set::new();
        for _ in 0..self.dice.between(1, 5) {
            let selection = match self.dice.below(100) {
                0..7 => Some(self.typename()),
                7..22 if depth > 0 && self.left > 0 => self.inline(ty, depth),
                22..32 if depth > 0 && self.left > 0 => self.spread(ty, depth),
                // Again what is there already, with something else within it.
                32..40 if !set.is_empty() => self.again(ty, &set, depth),
                _ => self.field(ty, depth),
            };
            set.extend(selection);
        }
        if set.is_empty() {
            set.push(self.typename());
        }
        set
    }

    fn typename(&mut self) -> Selection {
        let alias = self.dice.percent(20).then(|| self.alias());
        let directives = Vec::new();
        let (name, arguments) = ("__typename".to_owned(), Vec::new());
        Selection::Field(Field { alias, name, arguments, directives, set: Set::new() })
    }

    fn field(&mut self, ty: &str, depth: usize) -> Option<Selection> {
        let definition = self.schema.get(ty)?;
        let fits = |name: &&String| {
            let inner = named(&definition.fields[*name].ty);
            !self.schema.is_composite(inner) || (depth < DEPTH_MAX && self.left > 0)
        };
        let names: Vec<_> = definition.fields.keys().filter(fits).collect();
        if names.is_empty() {
            return None;
        }
        let name = (*self.dice.one(&names)).clone();
        self.left = self.left.saturating_sub(1);
        let field = &definition.fields[&name];
        let arguments = self.values.arguments(&field.arguments);
        let alias = match self.dice.below(100) {
            0..10 => Some(self.alias()),
            // The same field with other arguments must have another name.
            10..70 if !arguments.is_empty() => {
                self.names += 1;
                Some(format!("{name}{}", self.names))
            }
            _ => None,
        };
        let inner = named(&field.ty);
        let set = if self.schema.is_composite(inner) { self.set(inner, depth + 1) } else { Set::new() };
        Some(Selection::Field(Field { alias, name, arguments, directives: self.directives(), set }))
    }

    fn again(&mut self, ty: &str, set: &Set, depth: usize) -> Option<Selection> {
        let mut selection = self.dice.one(set).clone();
        let directives = self.directives();
        match &mut selection {
            Selection::Field(field) => {
                field.directives = directives;
                if !field.set.is_empty() {
                    let inner = named(&self.schema.field(ty, &field.name)?.ty);
                    field.set = self.set(inner, depth + 1);
                }
            }
            Selection::Inline { directives: old, .. } | Selection::Spread { directives: old, .. } => {
                *old = directives;
            }
        }
        Some(selection)
    }

    fn inline(&mut self, ty: &str, depth: usize) -> Option<Selection> {
        let on = self.dice.percent(90).then(|| self.condition(ty));
        let set = self.set(on.as_deref().unwrap_or(ty), depth + 1);
        Some(Selection::Inline { on, directives: self.directives(), set })
    }

    fn spread(&mut self, ty: &str, depth: usize) -> Option<Selection> {
        let on = self.condition(ty);
        let known: Vec<_> =
            self.fragments.iter().filter(|it| it.on == on).map(|it| it.name.clone()).collect();
        let name = match known.is_empty() || self.dice.percent(50) {
            true => {
                self.names += 1;
                let name = format!("F{}", self.names);
                // Only then it is known: no fragment spreads itself.
                let set = self.set(&on, depth + 1);
                self.fragments.push(Fragment { name: name.clone(), on, set });
                name
            }
            false => self.dice.one(&known).clone(),
        };
        Some(Selection::Spread { name, directives: self.directives() })
    }

    /// A type some values of `ty` can have.
    fn condition(&mut self, ty: &str) -> String {
        let possible: Vec<_> = self.schema.possible(ty).collect();
        let composite = |name: &&String| self.schema.is_composite(name);
        let overlaps = |name: &&String| {
            let kind = self.schema.kind(name);
            kind.is_some_and(|kind| kind != Kind::Input)
                && self.schema.possible(name).any(|object| possible.contains(&object))
        };
        let names: Vec<_> = self.schema.types.keys().filter(composite).filter(overlaps).collect();
        match names.is_empty() {
            true => ty.to_owned(),
            false => (*self.dice.one(&names)).clone(),
        }
    }

    fn alias(&mut self) -> String {
        self.dice.one(&self.aliases).clone()
    }

    fn directives(&mut self) -> Vec<String> {
        let mut directives = Vec::new();
        for name in ["skip", "include"] {
            if self.dice.percent(6) {
                directives.push(format!("@{name}(if: {})", self.values.condition()));
            }
        }
        directives
    }
}
