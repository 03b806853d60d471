//! Writes the client's answer from what the subgraphs gave: in the client's shape, with nulls where they belong.

use std::io::Write;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use foldhash::{HashMap, HashMapExt};

use crate::authorize::Denial;
use crate::error::{GraphQLError, INTERNAL, PathSegment, UNAUTHORIZED};
use crate::schema::{Schema, TypeRef};
use crate::selection::{Field, Item, Leaf, Selections};
use crate::value::{Object, Value, write_json, write_text};

/// The longest answer a client gets: one entity can stand in it a thousand times.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Errors one answer reports of its own; a long list of denied fields says no more than a short one.
const ERRORS_MAX: usize = 100;

/// The whole answer as JSON text, written in one pass: a null that spreads to its parent cuts off what was
/// already written of that parent. Adds what it finds wrong to the errors the subgraphs reported.
pub(crate) fn project(
    schema: &Schema,
    whole: &Schema,
    root_type: &str,
    selections: &Selections,
    data: &Value,
    errors: &mut Vec<GraphQLError>,
) -> Bytes {
    let out = Vec::with_capacity(1024);
    let (own, missing, written) = (Vec::new(), Vec::new(), HashMap::new());
    let mut projector = Projector { schema, whole, out, full: false, errors: own, missing, written };
    let empty = Object::default();
    let object = data.as_object().unwrap_or(&empty);
    if projector.object(object, &[Below { selections, denied: false }], root_type, &Place::Root).is_err() {
        projector.out.truncate(0);
        projector.out.extend_from_slice(b"null");
    }
    if projector.full {
        errors.clear();
        errors.push(GraphQLError::new(INTERNAL, "The answer is too long."));
        return Bytes::from_static(b"null");
    }
    errors.extend(projector.errors);
    for path in projector.missing {
        // Whoever reported this place, its parent or something within it has said why.
        let told = |error: &GraphQLError| error.path.starts_with(&path) || path.starts_with(&error.path);
        if !errors.iter().any(told) {
            errors.push(GraphQLError::new(INTERNAL, "This field may not be null and has no value.").at(path));
        }
    }
    Bytes::from(projector.out)
}

struct Projector<'a> {
    schema: &'a Schema,
    /// With the inaccessible parts: subgraphs speak of them.
    whole: &'a Schema,
    out: Vec<u8>,
    /// It has become too long, and nothing more is written.
    full: bool,
    errors: Vec<GraphQLError>,
    /// Where a null spread from: the specification wants an error for each.
    missing: Vec<Vec<PathSegment>>,
    /// Where an object that stands at several places was written, with what was selected of it.
    written: HashMap<(*const Object, *const Selections), Range<usize>>,
}

/// A field as one place selects it.
#[derive(Clone, Copy)]
struct Selected<'s> {
    field: &'s Field,
    denied: bool,
}

impl<'s> Selected<'s> {
    fn below(&self) -> Below<'s> {
        Below { selections: &self.field.selections, denied: self.denied }
    }
}

/// What one place selects on a value.
#[derive(Clone, Copy)]
struct Below<'s> {
    selections: &'s Selections,
    /// It stands below a denied selection.
    denied: bool,
}

/// A null where none may be: the parent becomes null instead.
struct Spread;

#[derive(PartialEq)]
enum Written {
    Null,
    Value,
}

/// Where the projector is, kept on the stack and made a path only for errors.
enum Place<'a> {
    Root,
    Key(&'a Place<'a>, &'a Arc<str>),
    Index(&'a Place<'a>, usize),
}

impl Place<'_> {
    fn path(&self) -> Vec<PathSegment> {
        let (mut path, last) = match self {
            Place::Root => return Vec::new(),
            Place::Key(parent, key) => (parent.path(), PathSegment::Key((*key).clone())),
            Place::Index(parent, index) => (parent.path(), PathSegment::Index(*index)),
        };
        path.push(last);
        path
    }
}

impl Projector<'_> {
    fn object(
        &mut self,
        object: &Object,
        sets: &[Below<'_>],
        runtime: &str,
        place: &Place<'_>,
    ) -> Result<(), Spread> {
        let start = self.out.len();
        if let [Below { selections: set, denied }] = sets
            && set.flat
        {
            for item in &set.items {
                if let Item::Field(field) = item {
                    let selected = self.selected(field, runtime, *denied);
                    self.field(&[selected], object, runtime, place)?;
                }
            }
        } else {
            let mut groups = Vec::new();
            sets.iter().for_each(|set| self.collect(*set, runtime, &mut groups));
            for group in &groups {
                self.field(group, object, runtime, place)?;
            }
        }
        self.open(start, b'{');
        self.out.push(b'}');
        Ok(())
    }

    /// Every member and item is written with a comma before it; the first one's gives way to the bracket.
    fn open(&mut self, start: usize, bracket: u8) {
        match self.out.get_mut(start) {
            Some(comma) => *comma = bracket,
            None => self.out.push(bracket),
        }
    }

    fn collect<'s>(&self, set: Below<'s>, runtime: &str, groups: &mut Vec<Vec<Selected<'s>>>) {
        for item in &set.selections.items {
            match item {
                Item::Field(field) => {
                    let selected = self.selected(field, runtime, set.denied);
                    let known =
                        groups.iter_mut().find(|group| group[0].field.response_key == field.response_key);
                    match known {
                        Some(group) => group.push(selected),
                        None => groups.push(vec![selected]),
                    }
                }
                Item::Branch { condition, selections } => {
                    if self.schema.satisfies(runtime, condition) {
                        self.collect(Below { selections, ..set }, runtime, groups);
                    }
                }
            }
        }
    }

    fn selected<'s>(&self, field: &'s Field, runtime: &str, denied: bool) -> Selected<'s> {
        let denied_here = match &field.denial {
            Denial::Never => false,
            Denial::Always => true,
            // Known as an interface only, it may be any of them.
            Denial::On(types) => types.contains(runtime) || !self.schema.is_object(runtime),
        };
        Selected { field, denied: denied || denied_here }
    }

    /// `fields` are one field, selected in one or several places.
    fn field(
        &mut self,
        fields: &[Selected<'_>],
        object: &Object,
        runtime: &str,
        place: &Place<'_>,
    ) -> Result<(), Spread> {
        let Selected { field, .. } = fields[0];
        let place = Place::Key(place, &field.response_key);
        self.out.extend_from_slice(&field.head);
        let ty = field.ty_on.get(runtime).unwrap_or(&field.ty);
        if field.name == "__typename" {
            if object.typename().is_none() && !self.schema.is_object(runtime) {
                // It is one of several types and does not say which.
                self.wrong(&place);
                return Err(Spread);
            }
            write_text(&mut self.out, runtime);
            return Ok(());
        }
        if fields.iter().all(|it| it.denied) {
            self.report(UNAUTHORIZED, "You may not see this part of the answer.", &place);
            return self.null(ty);
        }
        let value = field.data_key.find(object).unwrap_or(&Value::Null);
        self.value(ty, value, fields, &place).map(|_| ())
    }

    fn null(&mut self, ty: &TypeRef) -> Result<(), Spread> {
        if ty.is_non_null() {
            return Err(Spread);
        }
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    fn value(
        &mut self,
        ty: &TypeRef,
        value: &Value,
        fields: &[Selected<'_>],
        place: &Place<'_>,
    ) -> Result<Written, Spread> {
        let start = self.out.len();
        // Once it is, all that is left is passed without a look, and nothing is kept of the whole.
        self.full |= start > ANSWER_BYTES_MAX;
        if self.full {
            return Err(Spread);
        }
        let written = match ty {
            TypeRef::NonNull(inner) => match self.value(inner, value, fields, place)? {
                Written::Null => {
                    if self.missing.len() < ERRORS_MAX {
                        self.missing.push(place.path());
                    }
                    return Err(Spread);
                }
                Written::Value => return Ok(Written::Value),
            },
            _ if value.is_null() => Ok(Written::Null),
            TypeRef::List(inner) => match value.as_list() {
                Some(items) => self.list(inner, items, fields, place),
                None => Ok(self.wrong(place)),
            },
            TypeRef::Named(_) => self.named(value, fields, place),
        };
        match written {
            Ok(Written::Value) => Ok(Written::Value),
            Ok(Written::Null) | Err(Spread) => {
                if self.out.len() > start {
                    self.out.truncate(start);
                    self.written.clear();
                }
                self.out.extend_from_slice(b"null");
                Ok(Written::Null)
            }
        }
    }

    fn list(
        &mut self,
        inner: &TypeRef,
        items: &[Value],
        fields: &[Selected<'_>],
        place: &Place<'_>,
    ) -> Result<Written, Spread> {
        let start = self.out.len();
        for (index, item) in items.iter().enumerate() {
            self.out.push(b',');
            self.value(inner, item, fields, &Place::Index(place, index))?;
        }
        self.open(start, b'[');
        self.out.push(b']');
        Ok(Written::Value)
    }

    fn named(
        &mut self,
        value: &Value,
        fields: &[Selected<'_>],
        place: &Place<'_>,
    ) -> Result<Written, Spread> {
        let fits = match &fields[0].field.leaf {
            Leaf::Composite(name) => return self.composite(name, value, fields, place),
            // A value outside the public enum is inaccessible, or nonsense: null without a word either way.
            Leaf::Enum(values) => match value.as_plain_str() {
                Some(text) if values.contains(text) => true,
                Some(_) => return Ok(Written::Null),
                None => false,
            },
            Leaf::Int => match value.as_i32() {
                // Most are written as they were read; zero may have been read with a sign.
                Some(whole) if whole != 0 && value.is_whole() => true,
                Some(whole) => {
                    // Writing to a vector does not fail.
                    let _ = write!(self.out, "{whole}");
                    return Ok(Written::Value);
                }
                None => false,
            },
            Leaf::Float => value.is_number(),
            Leaf::String => value.is_string(),
            Leaf::Boolean => matches!(value, Value::Bool(_)),
            // An id is text in every answer, even where a subgraph sends a number.
            Leaf::Id if value.is_whole() => {
                self.out.push(b'"');
                write_json(&mut self.out, value);
                self.out.push(b'"');
                return Ok(Written::Value);
            }
            Leaf::Id => value.is_string(),
            Leaf::Any => true,
        };
        if !fits {
            return Ok(self.wrong(place));
        }
        write_json(&mut self.out, value);
        Ok(Written::Value)
    }

    fn composite(
        &mut self,
        name: &str,
        value: &Value,
        fields: &[Selected<'_>],
        place: &Place<'_>,
    ) -> Result<Written, Spread> {
        let Value::Object(object) = value else { return Ok(self.wrong(place)) };
        let shared = Arc::strong_count(object) > 1;
        let runtime = object.typename().unwrap_or(name);
        if !self.schema.satisfies(runtime, name) {
            // An object of an inaccessible type is as if it were not there; one of any other is nonsense.
            let inaccessible = self.whole.satisfies(runtime, name);
            return Ok(if inaccessible { Written::Null } else { self.wrong(place) });
        }
        match fields {
            [field] if shared => self.shared(object, field.below(), runtime, place)?,
            [field] => self.object(object, &[field.below()], runtime, place)?,
            fields => {
                let sets: Vec<_> = fields.iter().map(Selected::below).collect();
                self.object(object, &sets, runtime, place)?;
            }
        }
        Ok(Written::Value)
    }

    /// An object that stands elsewhere too: what was written there is copied, unless it has errors to report.
    fn shared(
        &mut self,
        object: &Object,
        below: Below<'_>,
        runtime: &str,
        place: &Place<'_>,
    ) -> Result<(), Spread> {
        let key = (std::ptr::from_ref(object), std::ptr::from_ref(below.selections));
        if let Some(written) = self.written.get(&key) {
            self.out.extend_from_within(written.clone());
            return Ok(());
        }
        let reports = |it: &Self| it.errors.len() + it.missing.len();
        let (start, before) = (self.out.len(), reports(self));
        self.object(object, &[below], runtime, place)?;
        if reports(self) == before {
            self.written.insert(key, start..self.out.len());
        }
        Ok(())
    }

    fn wrong(&mut self, place: &Place<'_>) -> Written {
        self.report(INTERNAL, "The value of this field is not of its type.", place);
        Written::Null
    }

    fn report(&mut self, code: &'static str, message: &str, place: &Place<'_>) {
        if self.errors.len() < ERRORS_MAX {
            self.errors.push(GraphQLError::new(code, message).at(place.path()));
        }
    }
}
