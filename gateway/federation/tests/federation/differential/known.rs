//! What is known to go wrong, by conditions as narrow as can be said. Each has a fact in `worlds` that fails once
//! it goes right.

use super::document::{Document, Field, Selection, Set};

/// Why a document is not worth asking.
pub fn shortcoming(world: &str, document: &Document) -> Option<&'static str> {
    let sets = Sets { document };
    match world {
        "media"
            if sets.any(&document.set, &|fields| {
                fields.iter().enumerate().any(|(index, (on, field))| {
                    let differs = |(other_on, other): &(String, &Field)| {
                        key(other) == key(field)
                            && other_on != on
                            && format!("{:?}", other.set) != format!("{:?}", field.set)
                    };
                    fields[index + 1..].iter().any(differs)
                })
            }) =>
        {
            Some(
                "objects within an interface object are asked for all that is wanted within any of its types",
            )
        }
        _ => None,
    }
}

fn key(field: &Field) -> &str {
    field.alias.as_ref().unwrap_or(&field.name)
}

struct Sets<'d> {
    document: &'d Document,
}

/// What the fields at one place may be, each with the fragments it stands in.
type Such<'s, 'd> = &'s dyn Fn(&[(String, &'d Field)]) -> bool;

impl<'d> Sets<'d> {
    /// Whether the fields at one place, however deep, are such; those of merged fields too.
    fn any(&self, set: &'d Set, such: Such<'_, 'd>) -> bool {
        self.any_of(self.fields(set), such)
    }

    fn any_of(&self, fields: Vec<(String, &'d Field)>, such: Such<'_, 'd>) -> bool {
        if such(&fields) {
            return true;
        }
        let mut keys: Vec<_> = fields.iter().map(|(_, field)| key(field)).collect();
        keys.sort_unstable();
        keys.dedup();
        keys.into_iter().any(|name| {
            let same = fields.iter().filter(|(_, field)| key(field) == name);
            self.any_of(same.flat_map(|(_, field)| self.fields(&field.set)).collect(), such)
        })
    }

    /// The fields of a set, each with the fragments it stands in.
    fn fields(&self, set: &'d Set) -> Vec<(String, &'d Field)> {
        let mut fields = Vec::new();
        for selection in set {
            let (on, inner) = match selection {
                Selection::Field(field) => {
                    fields.push((String::new(), field));
                    continue;
                }
                Selection::Inline { on, set, .. } => (on.clone().unwrap_or_default(), set),
                Selection::Spread { name, .. } => {
                    let found = self.document.fragments.iter().find(|fragment| fragment.name == *name);
                    let Some(fragment) = found else { continue };
                    (fragment.on.clone(), &fragment.set)
                }
            };
            fields.extend(
                self.fields(inner).into_iter().map(|(within, field)| (format!("{on} {within}"), field)),
            );
        }
        fields
    }
}
