//! Names that fields have in a request and not in the answer: how they are given back.

use crate::plan::{Rewrite, RewriteStep};

/// A field that got another name in a request: where it is, from the root, and what it is called in the answer.
pub(super) struct Renamed {
    pub path: Vec<String>,
    pub alias: String,
    pub key: String,
}

/// What of one request has other names in the answer than in the request: names of ours, beside the planner's.
pub(super) struct OtherNames {
    pub of_shapes: Vec<Renamed>,
    pub again: Vec<Renamed>,
}

impl OtherNames {
    /// All changes to the answer, below so many steps of it. They undo each other's names from the last given to
    /// the first.
    pub fn back(&self, planners: Vec<Rewrite>, below: usize, entities: Option<&String>) -> Vec<Rewrite> {
        let ours = |renamed: &&Renamed| entities.is_none() || renamed.path.first() == entities;
        let of_shapes = self.of_shapes.iter().filter(ours).map(|it| it.rewrite(below));
        let mut all: Vec<Rewrite> = of_shapes.chain(planners).collect();
        for renamed in self.again.iter().filter(ours) {
            let mut rewrite = renamed.rewrite(below);
            follow(&mut rewrite, &all);
            all.push(rewrite);
        }
        all
    }
}

impl Renamed {
    /// As a change to the answer; `below` so many steps from the root.
    pub fn rewrite(&self, below: usize) -> Rewrite {
        let steps = self.path.iter().skip(below).chain([&self.alias]);
        Rewrite::Rename {
            path: steps.map(|step| RewriteStep::Key(step.clone())).collect(),
            to: self.key.as_str().into(),
        }
    }
}

/// Gives the members the names they have once the answer is rewritten.
pub(super) fn rename_keys(keys: &mut Vec<String>, output_rewrites: &[Rewrite]) {
    for rewrite in output_rewrites {
        let Rewrite::Rename { path, to } = rewrite else { continue };
        let mut names = path.iter().filter_map(key_of);
        if let (Some(name), None) = (names.next(), names.next()) {
            keys.retain(|key| key != name);
            if !keys.iter().any(|key| **key == **to) {
                keys.push(to.to_string());
            }
        }
    }
}

/// Gives the steps of a path the names they have once these are undone.
fn follow(rewrite: &mut Rewrite, earlier: &[Rewrite]) {
    let Rewrite::Rename { path, .. } = rewrite else { return };
    for earlier in earlier {
        let Rewrite::Rename { path: steps, to } = earlier else { continue };
        let names: Vec<_> = steps.iter().filter_map(key_of).collect();
        let leads = names.len() < path.len()
            && names.iter().zip(&*path).all(|(name, step)| key_of(step) == Some(name));
        if let (true, Some(last)) = (leads, names.len().checked_sub(1)) {
            path[last] = RewriteStep::Key(to.to_string());
        }
    }
}

fn key_of(step: &RewriteStep) -> Option<&String> {
    match step {
        RewriteStep::Key(name) => Some(name),
        RewriteStep::On(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_below_another_is_given_back_where_that_one_has_its_own_again() {
        let renamed = |path: &[&str], alias: &str, key: &str| Renamed {
            path: path.iter().map(|step| (*step).to_owned()).collect(),
            alias: alias.to_owned(),
            key: key.to_owned(),
        };
        let names = OtherNames {
            of_shapes: vec![renamed(&["places"], "_shape_0_office", "office")],
            again: vec![renamed(&["places", "_shape_0_office"], "_again_register", "register")],
        };
        let back = names.back(Vec::new(), 0, None);
        let Some(Rewrite::Rename { path, to }) = back.last() else { panic!("a name is given back") };
        let steps: Vec<_> = path.iter().filter_map(key_of).collect();
        assert_eq!(steps, ["places", "office", "_again_register"]);
        assert_eq!(&**to, "register");
    }
}
