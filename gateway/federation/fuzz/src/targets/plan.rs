//! Documents: judged, planned, and asked of subgraphs that answer with more or less sense.

use federation::Grants;
use graphql_tools::static_graphql::query::{Definition, Document, OperationDefinition, Type};
use serde_json::{Map, Value, json};

use super::choices::Choices;
use super::documents::document;
use super::model::{Model, named};
use super::nonsense::Nonsense;
use super::puppet::{FIXTURES, Fixture, Script, answers};
use super::shape;

/// The first byte chooses a schema; the rest is the text of a document, or decides what is in it.
pub fn run(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    let first = usize::from(*first);
    let fixture = &FIXTURES[first % FIXTURES.len()];
    let mut choices = Choices::new(rest);
    let text = match first / FIXTURES.len() % 2 {
        0 => document(&mut choices, &fixture.public),
        _ => String::from_utf8_lossy(rest).into_owned(),
    };
    judge(fixture, &text, choices);
}

fn judge(fixture: &'static Fixture, text: &str, mut choices: Choices) {
    let document = match fixture.engine.document(text) {
        Ok(document) => document,
        Err(errors) => {
            assert!(!errors.is_empty());
            return;
        }
    };
    let ast: Document =
        graphql_tools::parser::parse_query::<String>(text).expect("the engine could parse it").into_static();
    let Some(operation) = ast.definitions.iter().find_map(|definition| match definition {
        Definition::Operation(operation) => Some(operation),
        Definition::Fragment(_) => None,
    }) else {
        panic!("a document without an operation is valid: {text}");
    };
    let name = match operation {
        OperationDefinition::SelectionSet(_) => None,
        OperationDefinition::Query(query) => query.name.as_deref(),
        OperationDefinition::Mutation(mutation) => mutation.name.as_deref(),
        OperationDefinition::Subscription(subscription) => subscription.name.as_deref(),
    };
    let mut variables = Map::new();
    for variable in operation.variable_definitions() {
        if let Some(value) = value(&mut choices, &fixture.public, &variable.var_type, 0) {
            variables.insert(variable.name.clone(), value);
        }
    }
    let scopes = choices.word(&["films passport admin root secrets", "", "films"]).split_whitespace();
    let grants = Grants { authenticated: !choices.once_in(3), scopes: scopes.map(str::to_owned).collect() };
    let prepared = match fixture.engine.prepare(&document, name, variables.clone(), &grants) {
        Ok(prepared) => prepared,
        Err(errors) => {
            assert!(!errors.is_empty());
            let unplanned = errors.iter().any(|error| error.code == "INTERNAL_SERVER_ERROR");
            let what = || format!("valid and not planned: {text} with {}", Value::Object(variables));
            // Over the richer supergraphs the planner does not find every way there is.
            match unplanned {
                true if fixture.rich => eprintln!("{}", what()),
                unplanned => assert!(!unplanned, "{}", what()),
            }
            return;
        }
    };
    let root = match prepared.kind() {
        federation::OperationKind::Query => "Query",
        federation::OperationKind::Mutation => "Mutation",
        federation::OperationKind::Subscription => "Subscription",
    };
    let coerced = prepared.variables().clone();
    let context = Script::new(Nonsense::new(choices, &fixture.whole)).context();
    for response in answers(fixture, prepared, context) {
        shape::check(&fixture.public, &ast, root, operation.selection_set(), &coerced, &response);
    }
}

/// A value that often fits the type; nothing where a default or null is left to stand.
fn value(choices: &mut Choices, model: &Model, ty: &Type, depth: usize) -> Option<Value> {
    if choices.once_in(8) {
        return choices.one(&[None, Some(Value::Null), Some(json!({"a": [1, "x"]}))]).clone();
    }
    Some(match ty {
        Type::NonNullType(inner) => return value(choices, model, inner, depth),
        Type::ListType(inner) => {
            (0..choices.below(3)).filter_map(|_| value(choices, model, inner, depth + 1)).collect()
        }
        Type::NamedType(name) => match (named(ty), model.values(name).as_slice()) {
            ("Int", _) => json!(choices.below(256)),
            ("Float", _) => json!(1.5),
            ("Boolean", _) => json!(!choices.once_in(2)),
            ("String" | "ID", _) => json!(choices.word(&["p1", "", "\u{0}\"\\ü😀"])),
            (_, [first, ..]) => json!(first),
            _ if depth > 4 => Value::Null,
            (name, []) => {
                let inputs = model.inputs(name).iter();
                let member = |input: &graphql_tools::static_graphql::schema::InputValue| {
                    Some((input.name.clone(), value(choices, model, &input.value_type, depth + 1)?))
                };
                Value::Object(inputs.filter_map(member).collect())
            }
        },
    })
}
