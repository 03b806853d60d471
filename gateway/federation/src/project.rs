//! Writes the client's answer from what the subgraphs gave: in the client's shape, with nulls where they belong.

use std::sync::Arc;

use bytes::Bytes;

use crate::authorize::Denial;
use crate::error::{GraphQLError, INTERNAL, PathSegment, UNAUTHORIZED};
use crate::schema::{Schema, TypeRef};
use crate::selection::{Field, Item, Leaf, Selections};
use crate::value::{Object, Value, write_json, write_text};

/// Errors one answer reports of its own; a long list of denied fields says no more than a short one.
const ERRORS_MAX: usize = 100;

/// The whole answer as JSON text, written in one pass: a null that spreads to its parent cuts off what was
/// already written of that parent. Adds what it finds wrong to the errors the subgraphs reported.
pub(crate) fn project(
    schema: &Schema,
    root_type: &str,
    selections: &Selections,
    data: &Value,
    errors: &mut Vec<GraphQLError>,
) -> Bytes {
    let out = Vec::with_capacity(1024);
    let mut projector = Projector { schema, out, errors: Vec::new(), missing: Vec::new() };
    let empty = Object::default();
    let object = data.as_object().unwrap_or(&empty);
    if projector.object(object, &[selections], root_type, &Place::Root).is_err() {
        projector.out.truncate(0);
        projector.out.extend_from_slice(b"null");
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
    out: Vec<u8>,
    errors: Vec<GraphQLError>,
    /// Where a null spread from: the specification wants an error for each.
    missing: Vec<Vec<PathSegment>>,
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
        sets: &[&Selections],
        static_type: &str,
        place: &Place<'_>,
    ) -> Result<(), Spread> {
        let runtime = match place {
            Place::Root => static_type,
            _ => object.typename().unwrap_or(static_type),
        };
        self.out.push(b'{');
        let mut first = true;
        if let [set] = sets
            && set.flat
        {
            for item in &set.items {
                if let Item::Field(field) = item {
                    self.separate(&mut first);
                    self.field(&[field], object, runtime, place)?;
                }
            }
        } else {
            let mut groups = Vec::new();
            sets.iter().for_each(|set| self.collect(set, runtime, &mut groups));
            for group in &groups {
                self.separate(&mut first);
                self.field(group, object, runtime, place)?;
            }
        }
        self.out.push(b'}');
        Ok(())
    }

    fn separate(&mut self, first: &mut bool) {
        if !std::mem::take(first) {
            self.out.push(b',');
        }
    }

    fn collect<'s>(&self, set: &'s Selections, runtime: &str, groups: &mut Vec<Vec<&'s Field>>) {
        for item in &set.items {
            match item {
                Item::Field(field) => {
                    let known = groups.iter_mut().find(|group| group[0].response_key == field.response_key);
                    match known {
                        Some(group) => group.push(field),
                        None => groups.push(vec![field]),
                    }
                }
                Item::Branch { condition, selections } => {
                    if self.schema.satisfies(runtime, condition) {
                        self.collect(selections, runtime, groups);
                    }
                }
            }
        }
    }

    /// `fields` are one field, selected in one or several places.
    fn field(
        &mut self,
        fields: &[&Field],
        object: &Object,
        runtime: &str,
        place: &Place<'_>,
    ) -> Result<(), Spread> {
        let field = fields[0];
        let place = Place::Key(place, &field.response_key);
        self.out.extend_from_slice(&field.head);
        let ty = field.ty_on.get(runtime).unwrap_or(&field.ty);
        let denied = |field: &&Field| match &field.denial {
            Denial::Never => false,
            Denial::Always => true,
            // Known as an interface only, it may be any of them.
            Denial::On(types) => types.contains(runtime) || !self.schema.is_object(runtime),
        };
        if fields.iter().all(denied) {
            self.report(UNAUTHORIZED, "You may not see this part of the answer.", &place);
            return self.null(ty);
        }
        if field.name == "__typename" {
            write_text(&mut self.out, runtime);
            return Ok(());
        }
        let value = object.get(&field.data_key).unwrap_or(&Value::Null);
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
        fields: &[&Field],
        place: &Place<'_>,
    ) -> Result<Written, Spread> {
        let start = self.out.len();
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
                self.out.truncate(start);
                self.out.extend_from_slice(b"null");
                Ok(Written::Null)
            }
        }
    }

    fn list(
        &mut self,
        inner: &TypeRef,
        items: &[Value],
        fields: &[&Field],
        place: &Place<'_>,
    ) -> Result<Written, Spread> {
        self.out.push(b'[');
        let mut first = true;
        for (index, item) in items.iter().enumerate() {
            self.separate(&mut first);
            self.value(inner, item, fields, &Place::Index(place, index))?;
        }
        self.out.push(b']');
        Ok(Written::Value)
    }

    fn named(&mut self, value: &Value, fields: &[&Field], place: &Place<'_>) -> Result<Written, Spread> {
        let fits = match &fields[0].leaf {
            Leaf::Composite(name) => return self.composite(name, value, fields, place),
            // A value outside the public enum is inaccessible, or nonsense: null without a word either way.
            Leaf::Enum(values) => match value.as_plain_str() {
                Some(text) if values.contains(text) => true,
                _ => return Ok(Written::Null),
            },
            Leaf::Int => match value.as_i32() {
                Some(whole) => {
                    self.out.extend_from_slice(whole.to_string().as_bytes());
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
        fields: &[&Field],
        place: &Place<'_>,
    ) -> Result<Written, Spread> {
        let Some(object) = value.as_object() else { return Ok(self.wrong(place)) };
        // An object of an inaccessible type is as if it were not there.
        if object.typename().is_some_and(|runtime| !self.schema.satisfies(runtime, name)) {
            return Ok(Written::Null);
        }
        match fields {
            [field] => self.object(object, &[&field.selections], name, place)?,
            fields => {
                let sets: Vec<_> = fields.iter().map(|field| &field.selections).collect();
                self.object(object, &sets, name, place)?;
            }
        }
        Ok(Written::Value)
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
