//! Documents written at random along a schema: mostly valid, so that they come as far as the planner.

use std::fmt::Write;

use graphql_tools::static_graphql::schema::Type;

use super::choices::Choices;
use super::model::{Model, named};

/// Names that others use too: of fields, of keys, of what the planner and subgraphs add.
const ALIASES: [&str; 12] = [
    "a",
    "b",
    "id",
    "upc",
    "name",
    "title",
    "_internal_qp_alias_0",
    "as_id",
    "_entities",
    "representations",
    "__typename",
    "true",
];
const DEPTH_MAX: usize = 6;
const FIELDS_MAX: usize = 40;
const FRAGMENTS_MAX: usize = 4;

/// One document with the operations and fragments it needs.
pub fn document(choices: &mut Choices, model: &Model) -> String {
    let mut writer =
        Writer { choices, model, fields_left: FIELDS_MAX, variables: Vec::new(), fragments: Vec::new() };
    let root = writer.choices.word(&["Query", "Query", "Query", "Mutation", "Subscription"]);
    let root = if model.is_object(root) { root } else { "Query" };
    let body = writer.selection_set(root, 0);
    let mut fragments = String::new();
    let mut written = 0;
    while let Some((name, ty)) = writer.fragments.get(written).cloned() {
        let body = writer.selection_set(&ty, DEPTH_MAX / 2);
        let _ = write!(fragments, " fragment {name} on {ty} {body}");
        written += 1;
    }
    let mut variables = String::new();
    for (index, ty) in std::mem::take(&mut writer.variables).into_iter().enumerate() {
        let _ = write!(variables, "$v{index}: {ty}");
        if writer.choices.once_in(4) {
            let _ = write!(variables, " = {}", writer.value(&ty, 0, false));
        }
        variables.push(' ');
    }
    let variables = if variables.is_empty() { variables } else { format!("({variables})") };
    let other = if writer.choices.once_in(16) { " query Other { __typename }" } else { "" };
    format!("{} Main{variables} {body}{fragments}{other}", root.to_lowercase())
}

struct Writer<'a> {
    choices: &'a mut Choices,
    model: &'a Model,
    fields_left: usize,
    /// By number.
    variables: Vec<Type>,
    fragments: Vec<(String, String)>,
}

impl Writer<'_> {
    fn selection_set(&mut self, ty: &str, depth: usize) -> String {
        let mut set = String::from("{");
        for _ in 0..=self.choices.below(5) {
            if self.fields_left == 0 {
                break;
            }
            let selection = self.selection(ty, depth);
            set.push(' ');
            set.push_str(&selection);
        }
        if set.len() == 1 {
            set.push_str(" __typename");
        }
        set + " }"
    }

    fn selection(&mut self, ty: &str, depth: usize) -> String {
        self.fields_left -= 1;
        match self.choices.below(16) {
            0..=8 => self.field(ty, depth),
            9 => format!("{}__typename{}", self.alias(), self.directives()),
            10 if depth < DEPTH_MAX => {
                let directives = self.directives();
                format!("...{directives} {}", self.selection_set(ty, depth + 1))
            }
            11 | 12 if depth < DEPTH_MAX => {
                let condition = self.condition(ty);
                let directives = self.directives();
                format!("... on {condition}{directives} {}", self.selection_set(&condition, depth + 1))
            }
            13 | 14 => {
                let name = self.fragment(ty);
                format!("...{name}{}", self.directives())
            }
            15 if self.choices.once_in(8) => "nonsense".to_owned(),
            _ => self.field(ty, depth),
        }
    }

    fn field(&mut self, ty: &str, depth: usize) -> String {
        let model = self.model;
        let leaf_only = depth >= DEPTH_MAX;
        let fields = model.fields(ty).iter();
        let fields: Vec<_> =
            fields.filter(|field| !leaf_only || !model.is_composite(named(&field.field_type))).collect();
        if fields.is_empty() {
            return "__typename".to_owned();
        }
        let field = *self.choices.one(&fields);
        let mut text = format!("{}{}", self.alias(), field.name);
        let mut arguments = Vec::new();
        for argument in &field.arguments {
            let required =
                matches!(argument.value_type, Type::NonNullType(_)) && argument.default_value.is_none();
            if required || self.choices.once_in(3) {
                arguments.push(format!("{}: {}", argument.name, self.value(&argument.value_type, 0, true)));
            }
        }
        if !arguments.is_empty() {
            let _ = write!(text, "({})", arguments.join(", "));
        }
        text.push_str(&self.directives());
        let returned = named(&field.field_type);
        if self.model.is_composite(returned) {
            text.push(' ');
            text.push_str(&self.selection_set(returned, depth + 1));
        }
        text
    }

    fn alias(&mut self) -> String {
        match self.choices.once_in(4) {
            true => format!("{}: ", self.choices.one(&ALIASES)),
            false => String::new(),
        }
    }

    fn directives(&mut self) -> String {
        let mut directives = String::new();
        while directives.len() < 60 && self.choices.once_in(8) {
            let name = self.choices.word(&["include", "skip"]);
            let boolean = Type::NonNullType(Box::new(Type::NamedType("Boolean".to_owned())));
            let _ = write!(directives, " @{name}(if: {})", self.value(&boolean, 0, true));
        }
        directives
    }

    /// A type that values of `ty` may have, or now and then any.
    fn condition(&mut self, ty: &str) -> String {
        let model = self.model;
        let possible = model.possible(ty);
        let wider = model.names().into_iter().filter(|name| possible.iter().any(|it| model.is(it, name)));
        let mut names: Vec<_> =
            wider.filter(|name| model.is_composite(name)).chain(possible.clone()).collect();
        if self.choices.once_in(12) || names.is_empty() {
            names = model.names();
        }
        self.choices.word(&names).to_owned()
    }

    fn fragment(&mut self, ty: &str) -> String {
        let condition = self.condition(ty);
        let known = self.fragments.iter().position(|(_, of)| *of == condition);
        match known {
            Some(known) if self.fragments.len() >= FRAGMENTS_MAX || self.choices.once_in(2) => {
                self.fragments[known].0.clone()
            }
            _ => {
                let name = format!("F{}", self.fragments.len() % (FRAGMENTS_MAX * 2));
                if self.fragments.len() < FRAGMENTS_MAX {
                    self.fragments.push((name.clone(), condition));
                }
                name
            }
        }
    }

    /// A literal of the type, or a variable, or now and then something else.
    fn value(&mut self, ty: &Type, depth: usize, variables: bool) -> String {
        if variables && self.choices.once_in(4) && self.variables.len() < 8 {
            self.variables.push(ty.clone());
            return format!("$v{}", self.variables.len() - 1);
        }
        match ty {
            _ if self.choices.once_in(24) => self.literal("JSON", depth),
            Type::NonNullType(inner) => self.value(inner, depth, false),
            _ if self.choices.once_in(10) => "null".to_owned(),
            Type::ListType(inner) => {
                let items: Vec<_> =
                    (0..self.choices.below(4)).map(|_| self.value(inner, depth + 1, variables)).collect();
                format!("[{}]", items.join(", "))
            }
            Type::NamedType(name) => match self.model.inputs(name) {
                [] => self.literal(name, depth),
                _ if depth > DEPTH_MAX => "{}".to_owned(),
                inputs => {
                    let mut members = Vec::new();
                    for input in inputs {
                        let required = matches!(input.value_type, Type::NonNullType(_));
                        if required != self.choices.once_in(3) {
                            let value = self.value(&input.value_type, depth + 1, variables);
                            members.push(format!("{}: {value}", input.name));
                        }
                    }
                    format!("{{{}}}", members.join(", "))
                }
            },
        }
    }

    fn literal(&mut self, name: &str, depth: usize) -> String {
        let model = self.model;
        let pool: &[&str] = match name {
            "Int" => &["0", "1", "-1", "2147483647", "2147483648", "9223372036854775808"],
            "Float" => &["0.5", "1", "-0.0", "1e300", "1e-400", "1e999", "12345678901234567890.5"],
            "Boolean" => &["true", "false"],
            "String" | "ID" => &[
                r#""p1""#,
                r#""""#,
                r#""\"\\\/\b\f\n\r\t""#,
                r#""\u0000\u00e9\uffff""#,
                r#""ü 😀 \u007f""#,
                "\"\"\"\n  block \\\"\"\" \n \u{3000}\n   \"\"\"",
                "7",
            ],
            name => match model.values(name).as_slice() {
                [] if depth < DEPTH_MAX => {
                    return match self.choices.below(4) {
                        0 => "{a: 1, b: {c: [null, \"x\"]}}".to_owned(),
                        1 => format!("[{}]", self.literal("Float", depth + 1)),
                        2 => format!("{{a: {}}}", self.literal("String", depth + 1)),
                        _ => self.literal("Int", depth + 1),
                    };
                }
                [] => &["null"],
                values => return self.choices.word(values).to_owned(),
            },
        };
        self.choices.word(pool).to_owned()
    }
}
