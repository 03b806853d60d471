//! Documents by chance over the product's own schema.

use std::collections::BTreeMap;

use graphql_tools::parser::schema::{Definition, Field, InputValue, Type, TypeDefinition};
use serde_json::{Map, Value, json};

/// How deep a document goes.
const DEPTH_MAX: usize = 4;

/// SplitMix64: a seed gives the same documents on every machine.
pub struct Dice(pub u64);

/// What can be selected.
pub struct Schema {
    /// Of objects and interfaces, by their names.
    fields: BTreeMap<String, Vec<Choice>>,
    /// What unions and interfaces can turn out to be.
    members: BTreeMap<String, Vec<String>>,
    /// Values for arguments, by the arguments' names.
    pool: BTreeMap<&'static str, Vec<Value>>,
}

struct Choice {
    name: String,
    returns: String,
    /// Name, type, and whether it must be given.
    arguments: Vec<(String, String, bool)>,
}

/// One document and its variables.
#[derive(Clone, Debug)]
pub struct Question {
    pub text: String,
    pub variables: Value,
}

#[derive(Default)]
struct Writer {
    declared: Vec<String>,
    given: Map<String, Value>,
    aliases: usize,
}

impl Dice {
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end.max(1) as u64) as usize
    }

    fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }
}

impl Schema {
    /// The checked-in one; `ids` are things that exist, of whomever they are.
    pub fn new(ids: &[String]) -> Self {
        let ast = graphql_tools::parser::parse_schema::<String>(graphql::SUPERGRAPH).unwrap().into_static();
        let (mut fields, mut members) = (BTreeMap::new(), BTreeMap::<String, Vec<String>>::new());
        for definition in &ast.definitions {
            let Definition::TypeDefinition(definition) = definition else { continue };
            match definition {
                TypeDefinition::Object(ty) => {
                    fields.insert(ty.name.clone(), ty.fields.iter().map(choice).collect());
                    for interface in &ty.implements_interfaces {
                        members.entry(interface.clone()).or_default().push(ty.name.clone());
                    }
                }
                TypeDefinition::Interface(ty) => {
                    fields.insert(ty.name.clone(), ty.fields.iter().map(choice).collect());
                }
                TypeDefinition::Union(ty) => {
                    members.entry(ty.name.clone()).or_default().extend(ty.types.iter().cloned());
                }
                _ => {}
            }
        }
        let words = |words: &[&str]| words.iter().map(|word| json!(word)).collect::<Vec<_>>();
        let pool = BTreeMap::from([
            ("code", words(&["LAO-01", "DLT-01", "dlt", "nonthaburi", "open-a-restaurant", "none"])),
            ("area", words(&["1201", "5001", "10"])),
            ("search", words(&["อาหาร", "licence"])),
            ("language", words(&["en", "th-TH"])),
            ("first", vec![json!(1), json!(3), json!(1000)]),
            ("id", ids.iter().map(|id| json!(id)).collect()),
            ("offeringId", ids.iter().map(|id| json!(id)).collect()),
        ]);
        Self { fields, members, pool }
    }

    /// One question; most are about what is public.
    pub fn question(&self, dice: &mut Dice) -> Question {
        const PUBLIC: [&str; 7] =
            ["publicServices", "publicService", "offering", "agencies", "agency", "lifeEvents", "lifeEvent"];
        let mut writer = Writer::default();
        let mut text = String::new();
        for _ in 0..=usize::from(dice.percent(30)) {
            let public = dice.percent(70);
            let roots = &self.fields["Query"];
            let roots: Vec<_> =
                roots.iter().filter(|root| PUBLIC.contains(&root.name.as_str()) == public).collect();
            let root = roots[dice.below(roots.len())];
            text += &self.field(root, DEPTH_MAX, dice, &mut writer).unwrap_or_else(|| "__typename ".into());
        }
        let declared = match writer.declared.is_empty() {
            true => String::new(),
            false => format!("({})", writer.declared.join(", ")),
        };
        Question { text: format!("query{declared} {{ {text}}}"), variables: Value::Object(writer.given) }
    }

    /// None where it cannot be asked for: an argument nobody knows a value of, or nothing below it.
    fn field(&self, choice: &Choice, depth: usize, dice: &mut Dice, writer: &mut Writer) -> Option<String> {
        // A login of its own each time.
        if choice.name == "authenticatedAt" {
            return None;
        }
        let mut arguments = Vec::new();
        for (name, ty, required) in &choice.arguments {
            let Some(pool) = self.pool.get(name.as_str()) else {
                if *required {
                    return None;
                }
                continue;
            };
            if !required && !dice.percent(40) {
                continue;
            }
            let value = pool[dice.below(pool.len())].clone();
            if dice.percent(50) {
                let variable = format!("v{}", writer.given.len());
                writer.declared.push(format!("${variable}: {ty}"));
                writer.given.insert(variable.clone(), value);
                arguments.push(format!("{name}: ${variable}"));
            } else {
                arguments.push(format!("{name}: {value}"));
            }
        }
        let composite =
            self.fields.contains_key(&choice.returns) || self.members.contains_key(&choice.returns);
        let below = match composite {
            true if depth == 0 => return None,
            true => format!(" {{ {}}}", self.set(&choice.returns, depth - 1, dice, writer)),
            false => String::new(),
        };
        writer.aliases += 1;
        let alias = if dice.percent(30) { format!("a{}: ", writer.aliases) } else { String::new() };
        let arguments =
            if arguments.is_empty() { String::new() } else { format!("({})", arguments.join(", ")) };
        let condition = if dice.percent(10) { self.condition(dice, writer) } else { String::new() };
        Some(format!("{alias}{}{arguments}{condition}{below} ", choice.name))
    }

    fn condition(&self, dice: &mut Dice, writer: &mut Writer) -> String {
        let variable = format!("v{}", writer.given.len());
        writer.declared.push(format!("${variable}: Boolean!"));
        writer.given.insert(variable.clone(), json!(dice.percent(70)));
        format!(" @include(if: ${variable})")
    }

    fn set(&self, ty: &str, depth: usize, dice: &mut Dice, writer: &mut Writer) -> String {
        let mut text = String::from("__typename ");
        if let Some(members) = self.members.get(ty) {
            let member = &members[dice.below(members.len())];
            return text + &format!("... on {member} {{ {}}} ", self.set(member, depth, dice, writer));
        }
        let fields = &self.fields[ty];
        let first = dice.below(fields.len());
        for place in 0..fields.len().min(1 + dice.below(5)) {
            let choice = &fields[(first + place) % fields.len()];
            text += &self.field(choice, depth, dice, writer).unwrap_or_default();
        }
        text
    }
}

fn choice(field: &Field<'static, String>) -> Choice {
    let argument = |argument: &InputValue<'static, String>| {
        let required = matches!(argument.value_type, Type::NonNullType(_));
        (argument.name.clone(), argument.value_type.to_string(), required)
    };
    Choice {
        name: field.name.clone(),
        returns: field.field_type.inner_type().to_string(),
        arguments: field.arguments.iter().map(argument).collect(),
    }
}
