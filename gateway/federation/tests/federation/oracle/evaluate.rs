//! Executes a selection over the data as the specification describes it, with no thought of speed.

use std::collections::{BTreeMap, HashMap};

use async_graphql::parser::types::{
    BaseType, Directive, Field, FragmentDefinition, Selection, SelectionSet, Type,
};
use async_graphql::{Name, Positioned, Value as Literal};
use serde_json::{Map, Value};

use super::arguments::{self, Coerced};
use super::data::{Object, Truth};
use super::part::Rules;
use super::representation::Told;
use super::schema::{Kind, Schema};
use super::sight::Sight;

pub type Fragments = HashMap<Name, Positioned<FragmentDefinition>>;

pub struct Evaluation<'a> {
    pub schema: &'a Schema,
    pub truth: &'a Truth,
    pub fragments: &'a Fragments,
    pub variables: &'a Coerced,
    /// What else a subgraph looks at.
    pub rules: Option<&'a Rules>,
    /// What the caller may see, where not everybody may see everything.
    pub sight: Option<&'a Sight<'a>>,
    /// The paths of errors, with why.
    pub errors: Vec<(Vec<Value>, String)>,
    /// What a server with this schema would have refused.
    pub complaints: Vec<String>,
    /// The mutations so far, in order.
    pub journal: Vec<String>,
    /// Something the caller asked for has failed already.
    pub after_failure: bool,
    path: Vec<Value>,
}

/// Why a field is null that the caller may not see.
pub const HIDDEN: &str = "hidden";

/// A field as it is selected in one place.
#[derive(Clone, Copy)]
struct Selected<'s> {
    field: &'s Field,
    /// The caller is kept from it here; what is selected in another place may be open.
    hidden: bool,
}

/// What is known of an object from the way it was reached.
#[derive(Clone, Debug, Default)]
pub struct Reached<'a> {
    /// What the fields on the way provide of it.
    pub provided: Vec<&'a SelectionSet>,
    /// What the representation said, for an entity.
    pub told: Option<&'a Told>,
}

impl<'a> Evaluation<'a> {
    pub fn new(
        schema: &'a Schema,
        truth: &'a Truth,
        fragments: &'a Fragments,
        variables: &'a Coerced,
    ) -> Self {
        Evaluation {
            schema,
            truth,
            fragments,
            variables,
            rules: None,
            sight: None,
            errors: Vec::new(),
            complaints: Vec::new(),
            journal: Vec::new(),
            after_failure: false,
            path: Vec::new(),
        }
    }

    /// The selected fields of an object that is called `name` here. Nothing when a null spread.
    pub fn object(
        &mut self,
        object: &Object<'_>,
        name: &str,
        sets: &[&SelectionSet],
        reached: &Reached<'_>,
    ) -> Option<Map<String, Value>> {
        let sets: Vec<_> = sets.iter().map(|set| (*set, false)).collect();
        self.below(object, name, &sets, reached)
    }

    /// The same for sets that stand below fields, each with whether the caller was kept from its field.
    fn below(
        &mut self,
        object: &Object<'_>,
        name: &str,
        sets: &[(&SelectionSet, bool)],
        reached: &Reached<'_>,
    ) -> Option<Map<String, Value>> {
        let mut groups = Vec::new();
        for (set, hidden) in sets {
            self.collect(name, set, *hidden, &mut groups);
        }
        let mut members = Map::new();
        let mut spread = false;
        for (key, fields) in groups {
            self.path.push(Value::from(key.as_str()));
            match self.field(object, name, &fields, reached) {
                Some(value) => drop(members.insert(key, value)),
                None => spread = true,
            }
            self.path.pop();
        }
        (!spread).then_some(members)
    }

    fn collect<'s>(
        &mut self,
        name: &str,
        set: &'s SelectionSet,
        hidden: bool,
        groups: &mut Vec<(String, Vec<Selected<'s>>)>,
    ) where
        'a: 's,
    {
        for selection in &set.items {
            if !self.included(selection.node.directives()) {
                continue;
            }
            let (condition, inner) = match &selection.node {
                Selection::Field(field) => {
                    let key = field.node.response_key().node.to_string();
                    let hides = |sight: &Sight<'_>| sight.hides(name, &field.node);
                    let hidden = hidden || self.sight.is_some_and(hides);
                    let selected = Selected { field: &field.node, hidden };
                    match groups.iter_mut().find(|(known, _)| *known == key) {
                        Some((_, fields)) => fields.push(selected),
                        None => groups.push((key, vec![selected])),
                    }
                    continue;
                }
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    (condition.map(|it| it.node.on.node.as_str()), &fragment.node.selection_set.node)
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = &self.fragments[&spread.node.fragment_name.node].node;
                    (Some(fragment.type_condition.node.on.node.as_str()), &fragment.selection_set.node)
                }
            };
            if let Some(unknown) = condition.filter(|condition| self.schema.get(condition).is_none()) {
                self.complaints.push(format!("a fragment is on the unknown type {unknown}"));
            }
            if condition.is_none_or(|condition| self.schema.satisfies(name, condition)) {
                self.collect(name, inner, hidden, groups);
            }
        }
    }

    fn included(&self, directives: &[Positioned<Directive>]) -> bool {
        directives.iter().all(|directive| {
            let given = directive.node.get_argument("if").map(|value| value.node.clone());
            let variable = |name: Name| self.variables.get(name.as_str()).and_then(Value::as_bool).ok_or(());
            let value =
                given.and_then(|it| it.into_const_with(|name| variable(name).map(Literal::Boolean)).ok());
            match (directive.node.name.node.as_str(), value) {
                ("include", Some(Literal::Boolean(value))) => value,
                ("skip", Some(Literal::Boolean(value))) => !value,
                (name, _) => panic!("@{name} is not understood"),
            }
        })
    }

    fn field(
        &mut self,
        object: &Object<'_>,
        name: &str,
        fields: &[Selected<'_>],
        reached: &Reached<'_>,
    ) -> Option<Value> {
        let field = fields[0].field;
        let field_name = field.name.node.as_str();
        if field_name == "__typename" {
            return Some(Value::from(name));
        }
        if fields.iter().any(|other| differ(field, other.field)) {
            self.complaints.push(format!("two fields are both called {}", field.response_key().node));
        }
        if field_name == "_entities" && self.rules.is_some() {
            return Some(self.entities(&fields.iter().map(|it| it.field).collect::<Vec<_>>()));
        }
        let Some(definition) = self.schema.field(name, field_name) else {
            self.complaints.push(format!("{name}.{field_name} is not here"));
            return Some(Value::Null);
        };
        if fields.iter().all(|it| it.hidden) {
            self.error(HIDDEN);
            return definition.ty.nullable.then_some(Value::Null);
        }
        if let Some(rules) = self.rules {
            self.complaints.extend(rules.complaint(self.schema, name, field_name, definition, reached));
            self.complaints.extend(self.untrue(object, name, field_name, reached));
        }
        let given = arguments::arguments(self.schema, &definition.arguments, field, self.variables);
        let given = given.unwrap_or_else(|complaint| {
            self.complaints.push(format!("{name}.{field_name}: {complaint}"));
            Map::new()
        });
        let turn = (name == "Mutation").then(|| {
            self.journal.push(format!("{field_name} {}", Value::Object(given.clone())));
            self.journal.len()
        });
        let value = self.truth.value(object, field_name, &given, turn);
        let provided = self.rules.map(|rules| rules.below(self.schema, name, field_name, reached));
        let place = Place {
            at: format!("{}.{field_name}", object.address),
            fields,
            provided: provided.unwrap_or_default(),
        };
        self.complete(&definition.ty, &value, &place)
    }

    /// A value of a type, or nothing when it is null and may not be.
    fn complete(&mut self, ty: &Type, value: &Value, place: &Place<'_>) -> Option<Value> {
        let errors = self.errors.len();
        let completed = self.nullable(&ty.base, value, place);
        if !completed.is_null() || ty.nullable {
            return Some(completed);
        }
        if self.errors.len() == errors {
            self.error("null where none may be");
        }
        None
    }

    fn nullable(&mut self, base: &BaseType, value: &Value, place: &Place<'_>) -> Value {
        if let Some(failure) = value.get("$fail") {
            self.error(failure.as_str().unwrap_or("it fails"));
            return Value::Null;
        }
        match (base, value) {
            (_, Value::Null) => Value::Null,
            (BaseType::List(inner), Value::Array(items)) => {
                let mut completed = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    self.path.push(Value::from(index));
                    let place = Place { at: format!("{}.{index}", place.at), ..place.clone() };
                    completed.push(self.complete(inner, item, &place));
                    self.path.pop();
                }
                completed.into_iter().collect::<Option<Vec<_>>>().map_or(Value::Null, Value::Array)
            }
            (BaseType::List(_), other) => panic!("{} is no list: {other}", place.at),
            (BaseType::Named(name), value) if self.schema.is_composite(name) => {
                self.composite(name, value, place)
            }
            (BaseType::Named(name), value) => self.leaf(name, value, &place.at),
        }
    }

    fn composite(&mut self, declared: &str, value: &Value, place: &Place<'_>) -> Value {
        let truth = self.truth;
        let object = truth.object(value, declared, &place.at);
        let Some(name) = self.name_of(&object, declared) else {
            // Of a type that clients do not see.
            assert!(self.rules.is_none(), "{} is {object:?}, which its part does not know", place.at);
            return Value::Null;
        };
        let sets: Vec<_> = place.fields.iter().map(|it| (&it.field.selection_set.node, it.hidden)).collect();
        let reached = Reached { provided: place.provided.clone(), told: None };
        self.below(&object, &name, &sets, &reached).map_or(Value::Null, Value::Object)
    }

    /// What an object is called by this schema: its own name, or that of an `@interfaceObject`.
    pub fn name_of(&self, object: &Object<'_>, declared: &str) -> Option<String> {
        if self.schema.kind(&object.ty) == Some(Kind::Object) {
            return self.schema.satisfies(&object.ty, declared).then(|| object.ty.clone());
        }
        let interfaces = &self.truth.whole.get(&object.ty)?.interfaces;
        let stands_for = |name: &&String| {
            self.schema.get(name).is_some_and(|it| it.has("interfaceObject"))
                && self.schema.satisfies(name, declared)
        };
        interfaces.iter().find(stands_for).cloned()
    }

    fn leaf(&mut self, name: &str, value: &Value, at: &str) -> Value {
        let fits = match (self.schema.kind(name), name, value) {
            (Some(Kind::Enum), _, Value::String(text)) => {
                let known = self.schema.types[name].values.contains(text);
                assert!(known || self.rules.is_none(), "{at}: the part does not know {text} of {name}");
                return if known { value.clone() } else { Value::Null };
            }
            (_, "Int", value) => value.as_i64().is_some_and(|whole| i32::try_from(whole).is_ok()),
            (_, "Float", value) => value.is_number(),
            (_, "String" | "ID", value) => value.is_string(),
            (_, "Boolean", value) => value.is_boolean(),
            (kind, _, _) => kind == Some(Kind::Scalar),
        };
        assert!(fits, "{at} is {value}, which is no {name}");
        value.clone()
    }

    fn error(&mut self, why: &str) {
        self.errors.push((self.path.clone(), why.to_owned()));
    }

    /// Runs with one more step on the path.
    pub fn within<T>(&mut self, step: impl Into<Value>, run: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(step.into());
        let result = run(self);
        self.path.pop();
        result
    }
}

/// Where a value stands.
#[derive(Clone)]
struct Place<'p> {
    /// The address of an object that has no other.
    at: String,
    fields: &'p [Selected<'p>],
    provided: Vec<&'p SelectionSet>,
}

/// Whether two fields that stand under one key could not be one.
fn differ(one: &Field, other: &Field) -> bool {
    let arguments = |field: &Field| -> BTreeMap<String, String> {
        field.arguments.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    };
    one.name.node != other.name.node || arguments(one) != arguments(other)
}
