//! Takes a failing document apart, piece by piece, as long as it goes on failing.

use super::document::{Document, Selection, Set};

/// The smallest document that still fails, as far as dropping one thing at a time leads.
pub fn shrink(mut document: Document, mut fails: impl FnMut(&Document) -> bool) -> Document {
    loop {
        let smaller = candidates(&document).into_iter().find(&mut fails);
        match smaller {
            Some(smaller) => document = smaller,
            None => return document,
        }
    }
}

/// Each document that is this one less one thing, larger things first.
fn candidates(document: &Document) -> Vec<Document> {
    let mut found = Vec::new();
    for set in smaller_sets(&document.set, document) {
        found.push(Document { set, ..document.clone() });
    }
    for index in 0..document.fragments.len() {
        for set in smaller_sets(&document.fragments[index].set, document) {
            let mut smaller = document.clone();
            smaller.fragments[index].set = set;
            found.push(smaller);
        }
    }
    found.iter_mut().for_each(Document::tidy);
    found
}

fn smaller_sets(set: &Set, document: &Document) -> Vec<Set> {
    let mut found = Vec::new();
    let with = |index: usize, selections: Vec<Selection>| {
        let mut smaller = set.clone();
        smaller.splice(index..=index, selections);
        smaller
    };
    if set.len() > 1 {
        found.extend((0..set.len()).map(|index| with(index, Vec::new())));
    }
    for (index, selection) in set.iter().enumerate() {
        for smaller in smaller_selections(selection, document) {
            found.push(with(index, smaller));
        }
    }
    found
}

fn smaller_selections(selection: &Selection, document: &Document) -> Vec<Vec<Selection>> {
    let mut found = Vec::new();
    match selection {
        Selection::Field(field) => {
            for set in smaller_sets(&field.set, document) {
                let mut smaller = field.clone();
                smaller.set = set;
                found.push(smaller);
            }
            if field.alias.is_some() {
                found.push(super::document::Field { alias: None, ..field.clone() });
            }
            for index in 0..field.arguments.len() {
                let mut smaller = field.clone();
                smaller.arguments.remove(index);
                found.push(smaller);
            }
            if !field.directives.is_empty() {
                found.push(super::document::Field { directives: Vec::new(), ..field.clone() });
            }
            found.into_iter().map(|field| vec![Selection::Field(field)]).collect()
        }
        Selection::Inline { on, directives, set } => {
            // What is within stands for itself where the types allow it.
            let mut found = vec![set.clone()];
            for set in smaller_sets(set, document) {
                let (on, directives) = (on.clone(), directives.clone());
                found.push(vec![Selection::Inline { on, directives, set }]);
            }
            if !directives.is_empty() {
                let (on, set) = (on.clone(), set.clone());
                found.push(vec![Selection::Inline { on, directives: Vec::new(), set }]);
            }
            found
        }
        Selection::Spread { name, directives } => {
            let fragment = document.fragments.iter().find(|fragment| fragment.name == *name);
            let inline = fragment.map(|fragment| Selection::Inline {
                on: Some(fragment.on.clone()),
                directives: directives.clone(),
                set: fragment.set.clone(),
            });
            inline.into_iter().map(|inline| vec![inline]).collect()
        }
    }
}
