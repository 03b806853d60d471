//! What the schema says of costs: `@cost` and `@listSize`, and what is known without them.

use std::collections::HashMap;

use graphql_tools::static_graphql::{query, schema as ast};

use crate::authorize::imported_as;
use crate::schema::type_name;

/// Items of a list of which the schema does not say how long it may become.
pub(crate) const LIST_ASSUMED: u64 = 10;
/// Nodes of a page when the client does not ask for a number.
const PAGE_ASSUMED: u64 = 20;
/// What a change costs beyond reading what came of it.
const MUTATION_WEIGHT: u64 = 10;

/// All weights and list sizes of one supergraph.
#[derive(Default)]
pub(crate) struct Costs {
    mutation: Option<String>,
    of_type: HashMap<String, u64>,
    of_field: HashMap<String, HashMap<String, FieldWeights>>,
}

/// What is said of one field.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct FieldWeights {
    pub weight: Option<u64>,
    pub list: Option<ListSize>,
    arguments: Vec<(String, u64)>,
}

/// How long a list may become, or the lists one level below.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ListSize {
    pub assumed: Option<u64>,
    slicing: Vec<String>,
    sized: Vec<String>,
}

impl Costs {
    /// Reads them from the supergraph: the public schema has lost its directives.
    pub fn new(supergraph: &ast::Document) -> Self {
        let names = Names::of(supergraph);
        let mutation = supergraph.mutation_type_name().cloned();
        let mut costs = Costs { mutation, ..Costs::default() };
        let connections = connections(supergraph);
        for definition in &supergraph.definitions {
            let ast::Definition::TypeDefinition(definition) = definition else { continue };
            let (directives, fields): (&[ast::Directive], &[ast::Field]) = match definition {
                ast::TypeDefinition::Scalar(ty) => (&ty.directives, &[]),
                ast::TypeDefinition::Enum(ty) => (&ty.directives, &[]),
                ast::TypeDefinition::Object(ty) => (&ty.directives, &ty.fields),
                ast::TypeDefinition::Interface(ty) => (&ty.directives, &ty.fields),
                ast::TypeDefinition::Union(_) | ast::TypeDefinition::InputObject(_) => continue,
            };
            let name = type_name(definition);
            if let Some(weight) = names.weight(directives) {
                costs.of_type.insert(name.to_owned(), weight);
            }
            for field in fields {
                let weights = names.field(field, &connections);
                if weights != FieldWeights::default() {
                    costs.of_field.entry(name.to_owned()).or_default().insert(field.name.clone(), weights);
                }
            }
        }
        costs
    }

    pub fn field(&self, parent: &str, name: &str) -> Option<&FieldWeights> {
        self.of_field.get(parent)?.get(name)
    }

    /// Whether an argument's value matters to the cost.
    pub fn reads(&self, parent: &str, field: &str, argument: &str) -> bool {
        self.field(parent, field).is_some_and(|weights| {
            weights.of_argument(argument) > 0
                || weights.list.as_ref().is_some_and(|list| list.slices(argument))
        })
    }

    pub fn of_type(&self, name: &str, composite: bool) -> u64 {
        self.of_type.get(name).copied().unwrap_or_else(|| u64::from(composite))
    }

    /// What any field of this type costs at least.
    pub fn of_root(&self, parent: &str) -> u64 {
        if self.mutation.as_deref() == Some(parent) { MUTATION_WEIGHT } else { 0 }
    }
}

impl FieldWeights {
    pub fn of_argument(&self, name: &str) -> u64 {
        self.arguments.iter().find(|(known, _)| known == name).map_or(0, |(_, weight)| *weight)
    }
}

impl ListSize {
    pub fn slices(&self, argument: &str) -> bool {
        self.slicing.iter().any(|name| name == argument)
    }

    /// Whether it says how long this list below is.
    pub fn sizes(&self, field: &str) -> bool {
        self.sized.iter().any(|name| name == field)
    }

    /// Whether it is about the field's own list.
    pub fn is_own(&self) -> bool {
        self.sized.is_empty()
    }
}

/// The lists of a connection, by the type's name: `nodes`, `edges`.
type Connections<'a> = HashMap<&'a str, Vec<String>>;

/// Types with `pageInfo` and lists beside it, as Relay describes them.
fn connections(supergraph: &ast::Document) -> Connections<'_> {
    let mut connections = HashMap::new();
    for definition in &supergraph.definitions {
        let ast::Definition::TypeDefinition(ast::TypeDefinition::Object(ty)) = definition else { continue };
        if ty.fields.iter().any(|field| field.name == "pageInfo") {
            let lists = ty.fields.iter().filter(|field| matches!(field.name.as_str(), "nodes" | "edges"));
            connections.insert(ty.name.as_str(), lists.map(|field| field.name.clone()).collect());
        }
    }
    connections
}

/// What the two directives are called here: a supergraph may import them under other names.
struct Names {
    cost: String,
    list_size: String,
}

impl Names {
    fn of(supergraph: &ast::Document) -> Self {
        let mut names = Names { cost: "cost".into(), list_size: "listSize".into() };
        let links = supergraph.definitions.iter().filter_map(|definition| match definition {
            ast::Definition::SchemaDefinition(schema) => Some(&schema.directives),
            _ => None,
        });
        for link in links.flatten().filter(|directive| directive.name == "link") {
            let url = argument(link, "url");
            let Some(query::Value::String(url)) = url else { continue };
            if url.trim_end_matches('/').rsplit('/').nth(1) != Some("cost") {
                continue;
            }
            let import = argument(link, "import");
            names.cost = imported_as(import, "@cost").unwrap_or(names.cost);
            names.list_size = imported_as(import, "@listSize").unwrap_or(names.list_size);
        }
        names
    }

    fn weight(&self, directives: &[ast::Directive]) -> Option<u64> {
        let directive = directives.iter().find(|directive| directive.name == self.cost)?;
        match argument(directive, "weight")? {
            query::Value::Int(weight) => u64::try_from(weight.as_i64()?).ok(),
            // As IBM's text writes it: a number that need not be whole.
            query::Value::String(weight) => weight.parse::<f64>().ok().map(|weight| weight.ceil() as u64),
            _ => None,
        }
    }

    fn field(&self, field: &ast::Field, connections: &Connections<'_>) -> FieldWeights {
        let named = field.field_type.inner_type();
        let list = field.directives.iter().find(|directive| directive.name == self.list_size);
        let pages = || {
            let sized = connections.get(named)?.clone();
            let first =
                field.arguments.iter().filter(|argument| matches!(argument.name.as_str(), "first" | "last"));
            let slicing: Vec<String> = first.map(|argument| argument.name.clone()).collect();
            Some(ListSize { assumed: Some(PAGE_ASSUMED), slicing, sized })
        };
        let weighed = field
            .arguments
            .iter()
            .filter_map(|argument| Some((argument.name.clone(), self.weight(&argument.directives)?)));
        let mut list = list.map(list_size).or_else(pages);
        if let Some(list) = &mut list {
            let slicing = field.arguments.iter().filter(|argument| list.slices(&argument.name));
            // Who leaves it out gets what the schema sets in its place.
            let preset = slicing.filter_map(|argument| match &argument.default_value {
                Some(query::Value::Int(size)) => u64::try_from(size.as_i64()?).ok(),
                _ => None,
            });
            list.assumed = preset.max().or(list.assumed);
        }
        FieldWeights { weight: self.weight(&field.directives), list, arguments: weighed.collect() }
    }
}

fn list_size(directive: &ast::Directive) -> ListSize {
    let texts = |name: &str| match argument(directive, name) {
        Some(query::Value::List(texts)) => {
            let text = |text: &query::Value| match text {
                query::Value::String(text) => Some(text.clone()),
                _ => None,
            };
            texts.iter().filter_map(text).collect()
        }
        _ => Vec::new(),
    };
    let assumed = match argument(directive, "assumedSize") {
        Some(query::Value::Int(size)) => size.as_i64().and_then(|size| u64::try_from(size).ok()),
        _ => None,
    };
    ListSize { assumed, slicing: texts("slicingArguments"), sized: texts("sizedFields") }
}

fn argument<'a>(directive: &'a ast::Directive, name: &str) -> Option<&'a query::Value> {
    directive.arguments.iter().find(|(given, _)| given == name).map(|(_, value)| value)
}
