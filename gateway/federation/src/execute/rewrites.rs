//! Applies a plan's small changes to representations and answers.

use std::sync::Arc;

use crate::error::PathSegment;
use crate::plan::{Rewrite, RewriteStep};
use crate::schema::Schema;
use crate::value::{Key, Value};

pub(super) fn apply(schema: &Schema, rewrites: &[Rewrite], value: &mut Value) {
    for rewrite in rewrites {
        match rewrite {
            Rewrite::Rename { path, to } => walk(schema, path, value, &Change::Rename(to)),
            Rewrite::Set { path, value: set } => walk(schema, path, value, &Change::Set(set)),
        }
    }
}

/// Brings the path of an error under the names its answer has once it is rewritten.
pub(super) fn rename_path(rewrites: &[Rewrite], path: &mut [PathSegment]) {
    for rewrite in rewrites {
        let Rewrite::Rename { path: steps, to } = rewrite else { continue };
        let mut names = path.iter_mut().filter(|segment| matches!(segment, PathSegment::Key(_)));
        let mut last = None;
        let leads_here = steps.iter().all(|step| match step {
            RewriteStep::On(_) => true,
            RewriteStep::Key(name) => {
                last = names.next();
                matches!(&last, Some(PathSegment::Key(key)) if **key == **name)
            }
        });
        if let (true, Some(last)) = (leads_here, last) {
            *last = PathSegment::Key(to.clone());
        }
    }
}

enum Change<'a> {
    Rename(&'a Arc<str>),
    Set(&'a Arc<str>),
}

fn walk(schema: &Schema, path: &[RewriteStep], value: &mut Value, change: &Change<'_>) {
    match value {
        // Rewrite paths do not mention lists.
        Value::List(items) => {
            Arc::make_mut(items).iter_mut().for_each(|item| walk(schema, path, item, change));
        }
        Value::Object(object) => match path {
            [RewriteStep::On(types), rest @ ..] => {
                let fits = |runtime| types.iter().any(|name| schema.satisfies(runtime, name));
                if object.typename().is_some_and(fits) {
                    walk(schema, rest, value, change);
                }
            }
            [RewriteStep::Key(key)] => {
                let object = Arc::make_mut(object);
                match change {
                    Change::Rename(to) => {
                        if let Some(renamed) = object.remove(key) {
                            // One object may have been asked for the same under both names.
                            match object.get_mut(to) {
                                Some(known) => known.merge(&renamed),
                                None => object.push(Key::from(&***to), renamed),
                            }
                        }
                    }
                    Change::Set(set) => object.insert(Key::from(key.as_str()), Value::text(set)),
                }
            }
            [RewriteStep::Key(key), rest @ ..] => {
                if let Some(inner) = Arc::make_mut(object).get_mut(key) {
                    walk(schema, rest, inner, change);
                }
            }
            [] => {}
        },
        _ => {}
    }
}
