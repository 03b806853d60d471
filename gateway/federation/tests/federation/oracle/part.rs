//! One subgraph, played over the world's data: it answers the engine and notes what it should not be asked.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{DocumentOperations, OperationType, Selection, SelectionSet};
use async_trait::async_trait;
use federation::value::{Value as Tree, from_json, write_json};
use federation::{
    Answer, AnswerError, PathSegment, RequestContext, Subgraph, SubgraphError, SubgraphRequest,
};
use futures::stream::BoxStream;
use graphql_tools::static_graphql::schema::Document;
use graphql_tools::validation::rules::default_rules_validation_plan;
use graphql_tools::validation::validate::validate;
use serde_json::{Map, Value};

use super::arguments::{self, From};
use super::data::Truth;
use super::evaluate::{Evaluation, Reached};
use super::representation::names;
use super::schema::{Field, Schema};
use super::{sdl, world};

/// What the parts saw of one client request; it travels with it as an extension.
#[derive(Clone, Default)]
pub struct Seen(pub Arc<Mutex<Report>>);

#[derive(Debug, Default)]
pub struct Report {
    pub asked: Vec<String>,
    /// The same for whoever wants to look into it.
    pub requests: Vec<Asked>,
    /// What a real subgraph would have refused, or answered wrongly.
    pub complaints: Vec<String>,
    /// The mutations in the order in which they happened.
    pub journal: Vec<String>,
    /// Whether an answer had errors.
    pub failed: bool,
}

#[derive(Clone, Debug)]
pub struct Asked {
    pub part: String,
    pub text: String,
    pub variables: Map<String, Value>,
}

pub struct PartOf {
    name: String,
    schema: Schema,
    rules: Rules,
    truth: Arc<Truth>,
    /// What a server of this part would validate requests by.
    executable: Document,
}

/// The federation directives of one part.
pub struct Rules {
    pub keys: HashMap<String, Vec<Key>>,
    provides: HashMap<(String, String), SelectionSet>,
    pub requires: HashMap<(String, String), SelectionSet>,
    /// Fields that another part has taken over.
    overridden: HashSet<(String, String)>,
}

pub struct Key {
    pub set: SelectionSet,
    pub resolvable: bool,
}

impl PartOf {
    pub fn new(world: &world::World, part: &world::Part, truth: Arc<Truth>) -> Self {
        let schema = Schema::parse(&part.sdl);
        let rules = Rules::new(world, &part.name, &schema);
        let text = sdl::executable(&schema);
        let executable = graphql_tools::parser::parse_schema::<String>(&text)
            .unwrap_or_else(|error| panic!("{error}\n{text}"))
            .into_static();
        PartOf { name: part.name.clone(), schema, rules, truth, executable }
    }

    fn answer(&self, text: &str, variables: &Map<String, Value>, report: &mut Report) -> Answer {
        let complaints = report.complaints.len();
        self.validate(text, &mut report.complaints);
        let document = parse_query(text).unwrap();
        let DocumentOperations::Single(operation) = &document.operations else {
            panic!("several operations in {text}")
        };
        let definitions = &operation.node.variable_definitions;
        let variables = arguments::variables(&self.schema, definitions, variables, From::Engine);
        let variables = variables.unwrap_or_else(|complaint| {
            report.complaints.push(complaint);
            Map::new()
        });
        let mut evaluation = Evaluation::new(&self.schema, &self.truth, &document.fragments, &variables);
        evaluation.rules = Some(&self.rules);
        evaluation.journal = std::mem::take(&mut report.journal);
        evaluation.after_failure = report.failed;
        let root = match operation.node.ty {
            OperationType::Mutation => "Mutation",
            _ => "Query",
        };
        let set = &operation.node.selection_set.node;
        let data = evaluation.object(&self.truth.root(root), root, &[set], &Reached::default());
        let errors = evaluation.errors.into_iter().map(|(path, message)| answer_error(path, message));
        let errors: Vec<_> = errors.collect();
        report.failed |= !errors.is_empty();
        report.complaints.extend(evaluation.complaints);
        report.journal = evaluation.journal;
        for complaint in &mut report.complaints[complaints..] {
            *complaint = format!("{}: {complaint}", self.name);
        }
        Answer { data: data.map_or(Tree::Null, |data| from_json(Value::Object(data))), errors }
    }

    fn validate(&self, text: &str, complaints: &mut Vec<String>) {
        let document = match graphql_tools::parser::parse_query::<String>(text) {
            Ok(document) => document.into_static(),
            Err(error) => return complaints.push(error.to_string()),
        };
        let errors = validate(&self.executable, &document, &default_rules_validation_plan());
        complaints.extend(errors.into_iter().map(|error| error.message));
    }
}

#[async_trait]
impl Subgraph for PartOf {
    async fn execute(
        &self,
        request: SubgraphRequest,
        context: &RequestContext,
    ) -> Result<Answer, SubgraphError> {
        let seen = context.extensions.get::<Seen>().cloned().unwrap_or_default();
        let text = &request.operation.text;
        let mut variables = Vec::new();
        write_json(&mut variables, &Tree::object(request.variables.clone()));
        let variables: Map<String, Value> = serde_json::from_slice(&variables).unwrap();
        let mut report = seen.0.lock().unwrap();
        report.asked.push(format!("{}: {text} {}", self.name, Value::Object(variables.clone())));
        let asked = Asked { part: self.name.clone(), text: text.clone(), variables: variables.clone() };
        report.requests.push(asked);
        Ok(self.answer(text, &variables, &mut report))
    }

    async fn subscribe(
        &self,
        _: SubgraphRequest,
        _: &RequestContext,
    ) -> Result<BoxStream<'static, Result<Answer, SubgraphError>>, SubgraphError> {
        Err(SubgraphError::Unreachable("this part has no events".to_owned()))
    }
}

impl Rules {
    fn new(world: &world::World, name: &str, schema: &Schema) -> Self {
        let (mut keys, mut provides, mut requires) = (HashMap::new(), HashMap::new(), HashMap::new());
        for (ty, definition) in &schema.types {
            let key = |(fields, resolvable)| Key { set: field_set(fields), resolvable };
            keys.insert(ty.clone(), definition.keys().map(key).collect());
            for (field, definition) in &definition.fields {
                let coordinate = (ty.clone(), field.clone());
                if let Some(fields) = definition.says("provides", "fields") {
                    provides.insert(coordinate.clone(), field_set(fields));
                }
                if let Some(fields) = definition.says("requires", "fields") {
                    requires.insert(coordinate, field_set(fields));
                }
            }
        }
        let mut overridden = HashSet::new();
        for other in &world.parts {
            for (ty, definition) in &Schema::parse(&other.sdl).types {
                for (field, definition) in &definition.fields {
                    // With a label it is for the engine to decide, and it always decides against.
                    let labelled = definition.says("override", "label").is_some();
                    if definition.says("override", "from") == Some(name) && !labelled {
                        overridden.insert((ty.clone(), field.clone()));
                    }
                }
            }
        }
        Rules { keys, provides, requires, overridden }
    }

    /// What the fields of a type require, by the names at the top.
    pub fn required<'r>(&'r self, ty: &'r str) -> impl Iterator<Item = &'r str> {
        let of_type = self.requires.iter().filter(move |((required_of, _), _)| required_of == ty);
        of_type.flat_map(|(_, set)| names(set))
    }

    /// Why this part cannot answer for a field of an object it reached this way.
    pub fn complaint(
        &self,
        schema: &Schema,
        ty: &str,
        name: &str,
        field: &Field,
        reached: &Reached<'_>,
    ) -> Option<String> {
        let key = self.keys[ty].iter().any(|key| !inside(schema, ty, &key.set, name).is_empty());
        let external = field.has("external") || schema.types[ty].has("external");
        let provided = reached.provided.iter().any(|set| !inside(schema, ty, set, name).is_empty());
        if self.overridden.contains(&(ty.to_owned(), name.to_owned())) && !key {
            return Some(format!("{ty}.{name} is another's by now"));
        }
        if external && !key && !provided {
            return Some(format!("{ty}.{name} is external"));
        }
        if field.has("requires") && reached.told.is_none() {
            return Some(format!("{ty}.{name} needs to be told what it requires"));
        }
        None
    }

    /// What is provided of the object in a field of an object that was reached in this way.
    pub fn below<'r>(
        &'r self,
        schema: &Schema,
        ty: &str,
        field: &str,
        reached: &Reached<'r>,
    ) -> Vec<&'r SelectionSet> {
        let keys = self.keys[ty].iter().map(|key| &key.set);
        let known = keys.chain(reached.provided.iter().copied());
        let mut below: Vec<_> = known.flat_map(|set| inside(schema, ty, set, field)).collect();
        below.extend(self.provides.get(&(ty.to_owned(), field.to_owned())));
        below
    }
}

/// The selections a field set has on one field of a type.
fn inside<'s>(schema: &Schema, ty: &str, set: &'s SelectionSet, field: &str) -> Vec<&'s SelectionSet> {
    let mut found = Vec::new();
    for selection in &set.items {
        match &selection.node {
            Selection::Field(selected) if selected.node.name.node == *field => {
                found.push(&selected.node.selection_set.node);
            }
            Selection::InlineFragment(fragment) => {
                let condition = fragment.node.type_condition.as_ref().map(|it| it.node.on.node.as_str());
                if condition.is_none_or(|condition| schema.satisfies(ty, condition)) {
                    found.extend(inside(schema, ty, &fragment.node.selection_set.node, field));
                }
            }
            _ => {}
        }
    }
    found
}

pub fn field_set(fields: &str) -> SelectionSet {
    let document = parse_query(format!("{{ {fields} }}")).unwrap_or_else(|error| panic!("{error}: {fields}"));
    match document.operations {
        DocumentOperations::Single(operation) => operation.node.selection_set.node,
        DocumentOperations::Multiple(_) => panic!("no field set: {fields}"),
    }
}

fn answer_error(path: Vec<Value>, message: String) -> AnswerError {
    let segment = |step: Value| match step {
        Value::String(key) => PathSegment::Key(key.as_str().into()),
        step => PathSegment::Index(step.as_u64().unwrap() as usize),
    };
    let path = path.into_iter().map(segment).collect();
    AnswerError { message, path, extensions: Map::new() }
}
