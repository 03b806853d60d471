//! What a subgraph may answer to an operation: right in most places, and anything at all in the others.

use std::collections::HashMap;
use std::fmt::Write;

use bytes::Bytes;
use federation::value::{Value as Tree, read_json};
use federation::{Answer, AnswerError, OperationKind, PathSegment, SubgraphError, SubgraphRequest};
use graphql_tools::static_graphql::query::{
    Definition, Document, Field, FragmentDefinition, Selection, SelectionSet, TypeCondition, Value,
};
use graphql_tools::static_graphql::schema::Type;

use super::choices::Choices;
use super::model::{Model, named};

const NONSENSE: [&str; 16] = [
    "0",
    "-1",
    "1.5",
    "1e2",
    "1e999",
    "2147483648",
    "123456789012345678901234567890",
    "true",
    "\"\"",
    "\"\\u0000\\ud83d\\ude00\"",
    "\"p1\"",
    "{}",
    "{\"a\":{\"id\":1}}",
    "{\"__typename\":\"Nope\"}",
    "[]",
    "[[null,[{}]]]",
];
const TYPE_NAMES: [&str; 4] = ["\"Nope\"", "\"\"", "7", "null"];
/// The deepest answer that is read, as for answers that come over HTTP.
const DEPTH_MAX: usize = 80;
const VALUES_MAX: usize = 1_500;

pub struct Nonsense {
    choices: Choices,
    model: &'static Model,
    values_left: usize,
}

/// One request, as far as its answer needs it.
struct Asked<'a> {
    request: &'a SubgraphRequest,
    fragments: HashMap<&'a str, &'a FragmentDefinition>,
}

impl Nonsense {
    pub fn new(choices: Choices, model: &'static Model) -> Self {
        Nonsense { choices, model, values_left: VALUES_MAX }
    }

    pub fn answer(&mut self, request: &SubgraphRequest) -> Result<Answer, SubgraphError> {
        let data = match self.choices.below(24) {
            21 => return Err(SubgraphError::Unreachable("by chance".to_owned())),
            22 => return Err(SubgraphError::Timeout),
            23 => "null".to_owned(),
            _ => self.data(request)?,
        };
        let data = read_json(Bytes::from(data), DEPTH_MAX);
        let data = data.map_err(|error| SubgraphError::Malformed(error.to_string()))?;
        let errors = (0..self.choices.below(8).saturating_sub(5)).map(|_| self.error(request)).collect();
        Ok(Answer { data, errors })
    }

    fn data(&mut self, request: &SubgraphRequest) -> Result<String, SubgraphError> {
        let document: Document = graphql_tools::parser::parse_query::<String>(&request.operation.text)
            .map_err(|error| SubgraphError::Malformed(error.to_string()))?
            .into_static();
        let mut asked = Asked { request, fragments: HashMap::new() };
        let mut set = None;
        for definition in &document.definitions {
            match definition {
                Definition::Operation(operation) => set = Some(operation.selection_set()),
                Definition::Fragment(fragment) => drop(asked.fragments.insert(&fragment.name, fragment)),
            }
        }
        let root = match request.operation.kind {
            OperationKind::Query => "Query",
            OperationKind::Mutation => "Mutation",
            OperationKind::Subscription => "Subscription",
        };
        let mut out = String::new();
        self.object(&mut out, &asked, root, &[set.expect("an operation has a selection set")]);
        Ok(out)
    }

    fn object(&mut self, out: &mut String, asked: &Asked<'_>, runtime: &str, sets: &[&SelectionSet]) {
        let mut groups: Vec<(&str, Vec<&Field>)> = Vec::new();
        sets.iter().for_each(|set| self.collect(asked, runtime, set, &mut groups));
        out.push('{');
        let mut first = true;
        for (key, fields) in groups {
            // A member may be missing, or be there twice.
            let times = match self.choices.below(32) {
                30 => 0,
                31 => 2,
                _ => 1,
            };
            for _ in 0..times {
                out.push_str(if std::mem::take(&mut first) { "" } else { "," });
                let _ = write!(out, "\"{key}\":");
                self.field(out, asked, runtime, &fields);
            }
        }
        out.push('}');
    }

    fn collect<'d>(
        &mut self,
        asked: &Asked<'d>,
        runtime: &str,
        set: &'d SelectionSet,
        groups: &mut Vec<(&'d str, Vec<&'d Field>)>,
    ) {
        for selection in &set.items {
            let (condition, inner) = match selection {
                Selection::Field(field) => {
                    let key = field.alias.as_deref().unwrap_or(&field.name);
                    match groups.iter_mut().find(|(known, _)| *known == key) {
                        Some((_, fields)) => fields.push(field),
                        None => groups.push((key, vec![field])),
                    }
                    continue;
                }
                Selection::InlineFragment(fragment) => {
                    (fragment.type_condition.as_ref(), &fragment.selection_set)
                }
                Selection::FragmentSpread(spread) => match asked.fragments.get(&*spread.fragment_name) {
                    Some(fragment) => (Some(&fragment.type_condition), &fragment.selection_set),
                    None => panic!("the fragment {} is nowhere in a planned operation", spread.fragment_name),
                },
            };
            let fits = condition.is_none_or(|TypeCondition::On(name)| self.model.is(runtime, name));
            if fits || self.choices.once_in(32) {
                self.collect(asked, runtime, inner, groups);
            }
        }
    }

    fn field(&mut self, out: &mut String, asked: &Asked<'_>, runtime: &str, fields: &[&Field]) {
        let field = fields[0];
        let sets: Vec<_> = fields.iter().map(|field| &field.selection_set).collect();
        match field.name.as_str() {
            "__typename" if self.choices.once_in(16) => out.push_str(self.choices.word(&TYPE_NAMES)),
            "__typename" if self.choices.once_in(16) => {
                let names = self.model.names();
                let _ = write!(out, "\"{}\"", self.choices.one(&names));
            }
            "__typename" => {
                let _ = write!(out, "\"{runtime}\"");
            }
            "_entities" if !self.choices.once_in(24) => self.entities(out, asked, field, &sets),
            name => match self.model.field(runtime, name).map(|field| field.field_type.clone()) {
                Some(ty) => self.value(out, asked, &ty, &sets),
                None => out.push_str(self.choices.word(&NONSENSE)),
            },
        }
    }

    fn entities(&mut self, out: &mut String, asked: &Asked<'_>, field: &Field, sets: &[&SelectionSet]) {
        let variable = field.arguments.iter().find_map(|(_, value)| match value {
            Value::Variable(name) => Some(name.as_str()),
            _ => None,
        });
        let list = variable.and_then(|name| asked.request.variables.get(name)).and_then(Tree::as_list);
        let list = list.expect("entities are asked for with their representations");
        // Too many or too few, now and then.
        let count = match self.choices.below(16) {
            14 => list.len() + 1,
            15 => list.len().saturating_sub(1),
            _ => list.len(),
        };
        out.push('[');
        for index in 0..count {
            out.push_str(if index == 0 { "" } else { "," });
            let known = list.get(index).and_then(|it| it.as_object()?.typename().map(str::to_owned));
            let runtime = known.unwrap_or_else(|| "User".to_owned());
            match self.choices.below(16) {
                14 => out.push_str("null"),
                15 => out.push_str(self.choices.word(&NONSENSE)),
                _ => self.object(out, asked, &runtime, sets),
            }
        }
        out.push(']');
    }

    fn value(&mut self, out: &mut String, asked: &Asked<'_>, ty: &Type, sets: &[&SelectionSet]) {
        if self.values_left == 0 {
            return out.push_str("null");
        }
        self.values_left -= 1;
        match self.choices.below(32) {
            27 => out.push_str("null"),
            28 | 29 => out.push_str(self.choices.word(&NONSENSE)),
            // One more list than there should be, or one less.
            30 => self.value(out, asked, &Type::ListType(Box::new(ty.clone())), sets),
            31 => self.proper(out, asked, &Type::NamedType(named(ty).to_owned()), sets),
            _ => self.proper(out, asked, ty, sets),
        }
    }

    fn proper(&mut self, out: &mut String, asked: &Asked<'_>, ty: &Type, sets: &[&SelectionSet]) {
        match ty {
            Type::NonNullType(inner) => self.proper(out, asked, inner, sets),
            Type::ListType(inner) => {
                out.push('[');
                for index in 0..(2 + self.choices.below(4)) % 4 {
                    out.push_str(if index == 0 { "" } else { "," });
                    self.value(out, asked, inner, sets);
                }
                out.push(']');
            }
            Type::NamedType(name) if self.model.is_composite(name) => {
                let possible = self.model.possible(name);
                let runtime = self.choices.word(&possible).to_owned();
                self.object(out, asked, &runtime, sets);
            }
            Type::NamedType(name) => self.leaf(out, name),
        }
    }

    fn leaf(&mut self, out: &mut String, name: &str) {
        let values = self.model.values(name);
        if !values.is_empty() {
            let _ = write!(out, "\"{}\"", self.choices.one(&values));
            return;
        }
        let pool: &[&str] = match name {
            "Int" => &["1", "0", "-7", "7.0", "1e3"],
            "Float" => &["1.5", "0", "-1e-7", "1e300"],
            "Boolean" => &["true", "false"],
            "String" | "ID" => &["\"1\"", "\"p1\"", "\"2\"", "1", "\"\\u00fc \\\\ \\\"\""],
            _ => &NONSENSE,
        };
        out.push_str(self.choices.word(pool));
    }

    fn error(&mut self, request: &SubgraphRequest) -> AnswerError {
        let words: Vec<&str> =
            request.operation.text.split(|it: char| !it.is_alphanumeric() && it != '_').collect();
        let mut path = Vec::new();
        for _ in 0..self.choices.below(5) {
            path.push(match self.choices.below(4) {
                0 => PathSegment::Index(self.choices.below(3)),
                1 => PathSegment::Index(usize::MAX),
                2 => PathSegment::Key("_entities".into()),
                _ => PathSegment::Key(self.choices.word(&words).into()),
            });
        }
        let mut extensions = serde_json::Map::new();
        if self.choices.once_in(2) {
            extensions.insert("code".to_owned(), self.choices.word(&["X", "", "serviceName"]).into());
        }
        AnswerError { message: "by \"chance\"\n\u{1}".to_owned(), path, extensions }
    }
}
