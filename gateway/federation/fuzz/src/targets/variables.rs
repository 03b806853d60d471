//! Variables: whatever is accepted is of its type, and reaches the subgraph as it was accepted.

use federation::Grants;
use graphql_tools::static_graphql::query::{Definition, Document, Type, VariableDefinition};
use serde_json::{Map, Value, json};

use super::choices::Choices;
use super::model::{Model, named};
use super::nonsense::Nonsense;
use super::puppet::{FIXTURES, FORMS, Script, answers};

const DOCUMENTS: [&str; 6] = [
    "query($int: Int $float: Float $text: String $flag: Boolean $id: ID $size: Size $json: JSON) {
       echo(int: $int float: $float text: $text flag: $flag id: $id size: $size json: $json) }",
    "query($int: Int! $float: Float! $text: String! $flag: Boolean! $id: ID! $size: Size! $json: JSON!) {
       strict(int: $int float: $float text: $text flag: $flag id: $id size: $size json: $json) }",
    "query($int: Int = 3 $float: Float! = 2 $text: String! = \"\" $flag: Boolean! = true $id: ID! = 7
           $size: Size! = LARGE $json: JSON! = {a: [1.5, null, X]}) {
       strict(int: $int float: $float text: $text flag: $flag id: $id size: $size json: $json) @include(if: $flag)
       echo @skip(if: $flag) }",
    "query($ids: [ID!]! $grid: [[Int!]] = 5 $texts: [String] $sizes: [Size!] = SMALL $representations: [Int!]) {
       lists(ids: $ids grid: $grid texts: $texts sizes: $sizes)
       more: lists(ids: [\"a\"], grid: [$representations]) }",
    "query($form: Form = {text: \"t\" again: {text: \"u\" grid: 1}} $choice: Choice $forms: [Form!]! = []) {
       form(form: $form choice: $choice forms: $forms) { id note } }",
    "mutation($form: Form! $choice: Choice! $text: String $size: Size! = SMALL) {
       file(form: $form choice: $choice) { id note(text: $text size: $size) } }",
];

/// The first byte chooses a document; the rest is the JSON of the variables, or decides what is in it.
pub fn run(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    let first = usize::from(*first);
    let fixture = &FIXTURES[FORMS];
    let text = DOCUMENTS[first % DOCUMENTS.len()];
    let ast: Document =
        graphql_tools::parser::parse_query::<String>(text).expect("the document is valid").into_static();
    let definitions = match &ast.definitions[..] {
        [Definition::Operation(operation)] => operation.variable_definitions(),
        _ => panic!("one operation each"),
    };
    let variables = match first / DOCUMENTS.len() % 2 {
        0 => serde_json::from_slice(rest).ok(),
        _ => Some(invented(&mut Choices::new(rest), &fixture.public, definitions)),
    };
    let Some(variables) = variables else { return };
    let document = fixture.engine.document(text).expect("the document is valid");
    let prepare = |variables| fixture.engine.prepare(&document, None, variables, &Grants::default());
    let prepared = match prepare(variables) {
        Ok(prepared) => prepared,
        Err(errors) => {
            assert!(
                !errors.is_empty() && errors.iter().all(|error| error.code == "BAD_USER_INPUT"),
                "{errors:?}"
            );
            return;
        }
    };
    let coerced = prepared.variables().clone();
    for definition in definitions {
        let value = coerced.get(&definition.name);
        let absent = value.is_none() && !matches!(definition.var_type, Type::NonNullType(_));
        let fits =
            absent || value.is_some_and(|value| conforms(&fixture.public, &definition.var_type, value));
        assert!(fits, "${} is {value:?}", definition.name);
    }
    let again = prepare(coerced.clone()).unwrap_or_else(|errors| panic!("{errors:?} for {coerced:?}"));
    assert_eq!(again.variables(), &coerced, "coercing twice gives something else");
    let script = Script::new(Nonsense::new(Choices::new(&[]), &fixture.whole));
    for response in answers(fixture, prepared, script.context()) {
        serde_json::from_slice::<Value>(&response.to_json_bytes()).expect("an answer is JSON");
    }
}

fn conforms(model: &Model, ty: &Type, value: &Value) -> bool {
    match (ty, value) {
        (Type::NonNullType(inner), value) => !value.is_null() && conforms(model, inner, value),
        (_, Value::Null) => true,
        (Type::ListType(inner), Value::Array(items)) => items.iter().all(|item| conforms(model, inner, item)),
        (Type::ListType(_), _) => false,
        (Type::NamedType(name), value) => match (name.as_str(), value) {
            ("Int", value) => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
            ("Float", value) => value.is_number(),
            ("String" | "ID", value) => value.is_string(),
            ("Boolean", value) => value.is_boolean(),
            ("JSON", _) => true,
            ("Size", value) => value.as_str().is_some_and(|text| model.values("Size").contains(&text)),
            (name, Value::Object(members)) => input(model, name, members),
            _ => false,
        },
    }
}

fn input(model: &Model, name: &str, members: &Map<String, Value>) -> bool {
    let inputs = model.inputs(name);
    let known = members.keys().all(|member| inputs.iter().any(|input| input.name == *member));
    let one = name != "Choice" || (members.len() == 1 && members.values().all(|value| !value.is_null()));
    let fits = inputs.iter().all(|input| match members.get(&input.name) {
        Some(value) => conforms(model, &input.value_type, value),
        None => input.default_value.is_some() || !matches!(input.value_type, Type::NonNullType(_)),
    });
    known && one && fits
}

fn invented(choices: &mut Choices, model: &Model, definitions: &[VariableDefinition]) -> Map<String, Value> {
    let mut variables = Map::new();
    for definition in definitions {
        if !choices.once_in(6) {
            variables.insert(definition.name.clone(), value(choices, model, &definition.var_type, 0));
        }
    }
    if choices.once_in(6) {
        variables.insert("unknown".to_owned(), json!([{}]));
    }
    variables
}

/// Mostly of the type, otherwise of any.
fn value(choices: &mut Choices, model: &Model, ty: &Type, depth: usize) -> Value {
    if choices.once_in(12) || depth > 30 {
        return choices
            .one(&[json!(null), json!({}), json!([]), json!("SMALL"), json!(0.5), json!(true), json!([[1]])])
            .clone();
    }
    match ty {
        Type::NonNullType(inner) => value(choices, model, inner, depth),
        Type::ListType(inner) if choices.once_in(5) => value(choices, model, inner, depth + 1),
        Type::ListType(inner) => {
            (0..choices.below(4)).map(|_| value(choices, model, inner, depth + 1)).collect()
        }
        Type::NamedType(name) => match name.as_str() {
            "Int" => choices
                .one(&[
                    json!(1),
                    json!(-2147483648),
                    json!(2147483648u32),
                    json!(1.0),
                    json!(1e300),
                    json!(-0.0),
                ])
                .clone(),
            "Float" => {
                choices.one(&[json!(1), json!(1.5), json!(u64::MAX), json!(1e300), json!("1")]).clone()
            }
            "String" | "ID" => {
                choices.one(&[json!("x"), json!("\u{0}\"\\ü😀"), json!(7), json!(-1), json!(0.5)]).clone()
            }
            "Boolean" => choices.one(&[json!(true), json!(false), json!("true"), json!(1)]).clone(),
            "JSON" => {
                choices.one(&[json!({"\"\\\n": [null]}), json!(u64::MAX), json!(-1e-9), json!("")]).clone()
            }
            _ => object(choices, model, named(ty), depth),
        },
    }
}

fn object(choices: &mut Choices, model: &Model, name: &str, depth: usize) -> Value {
    if let [first, ..] = model.values(name)[..] {
        return json!(first);
    }
    let mut members = Map::new();
    let inputs = model.inputs(name);
    if name == "Choice" && !choices.once_in(6) {
        let input = choices.one(inputs);
        members.insert(input.name.clone(), value(choices, model, &input.value_type, depth + 1));
        return Value::Object(members);
    }
    for input in inputs {
        let required = matches!(input.value_type, Type::NonNullType(_)) && input.default_value.is_none();
        if required != choices.once_in(5) {
            members.insert(input.name.clone(), value(choices, model, &input.value_type, depth + 1));
        }
    }
    if choices.once_in(12) {
        members.insert("nobody's".to_owned(), Value::Null);
    }
    Value::Object(members)
}
