//! A client's document, parsed and judged once.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::panic::catch_unwind;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use graphql_tools::static_graphql::query;
use graphql_tools::validation::utils::ValidationError;
use graphql_tools::validation::validate::{ValidationPlan, validate};

use crate::authorize::{RuleId, Rules};
use crate::error::{BAD_USER_INPUT, GraphQLError, Judged, Location, PARSE_FAILED, VALIDATION_FAILED};
use crate::limits::{Limits, too_large};
use crate::rewrite::condition_variables;
use crate::schema::Schema;

/// A valid document. Operations are prepared from it by name.
pub struct Document {
    /// Known within this process only; what plans are cached under, so that no two texts can share one.
    pub(crate) id: u64,
    pub(crate) ast: query::Document,
    /// The authorization rules its fields can touch.
    pub(crate) rules: BTreeSet<RuleId>,
    /// The variables that decide what is selected.
    pub(crate) conditions: HashSet<String>,
    /// Whether it and its plans are kept.
    pub(crate) remembered: bool,
    /// The types of which it holds a value itself; known once somebody wants to know.
    pub(crate) given: OnceLock<BTreeSet<String>>,
}

/// Longer texts are judged each time: a few literals of megabytes must not fill the memory.
const REMEMBERED_BYTES_MAX: usize = 64 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OperationKind {
    Query,
    Mutation,
    Subscription,
}

/// One operation of a document, in one shape whatever way it was written.
pub(crate) struct OperationRef<'a> {
    pub kind: OperationKind,
    pub name: Option<&'a str>,
    pub variables: &'a [query::VariableDefinition],
    pub selection_set: &'a query::SelectionSet,
}

impl Document {
    pub(crate) fn parse(
        text: &str,
        schema: &Schema,
        rules: &Rules,
        limits: &Limits,
        validation: &ValidationPlan,
    ) -> Result<Self, Vec<GraphQLError>> {
        limits.check_text(text)?;
        let ast = parse(text)?;
        if !ast.definitions.iter().any(|definition| matches!(definition, query::Definition::Operation(_))) {
            return Err(vec![GraphQLError::new(PARSE_FAILED, "The document has no operation.")]);
        }
        // Before validation, whose work can grow with what the fragments stand for.
        Expansion::new(&ast, schema, limits).check()?;
        let mut errors = validate(&schema.document, &ast, validation);
        if !errors.is_empty() {
            // Rules that walk over sets tell what they find, without a place, in an order of chance.
            let is_placed = |error: &ValidationError| !error.locations.is_empty();
            for run in errors.chunk_by_mut(|one, next| is_placed(one) == is_placed(next)) {
                if !is_placed(&run[0]) {
                    run.sort_by(|one, other| one.message.cmp(&other.message));
                }
            }
            return Err(errors.into_iter().take(ERRORS_MAX).map(validation_error).collect());
        }
        static NEXT_ID: AtomicU64 = AtomicU64::new(0);
        let rules = touched_rules(&ast, schema, rules);
        let conditions = condition_variables(&ast);
        let remembered = text.len() <= REMEMBERED_BYTES_MAX;
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        Ok(Document { id, ast, rules, conditions, remembered, given: OnceLock::new() })
    }

    pub(crate) fn operation(&self, name: Option<&str>) -> Judged<OperationRef<'_>> {
        // An empty name is what some clients send for none.
        let name = name.filter(|name| !name.is_empty());
        let mut operations =
            operations(&self.ast).filter(|operation| name.is_none() || operation.name == name);
        let Some(operation) = operations.next() else {
            return Err(vec![GraphQLError::new(
                BAD_USER_INPUT,
                "The document has no operation of that name.",
            )]);
        };
        if operations.next().is_some() {
            let message = "The document has several operations, so operationName must say which.";
            return Err(vec![GraphQLError::new(BAD_USER_INPUT, message)]);
        }
        Ok(operation)
    }

    /// The kind of the operation `name` selects, before anything else is known of the request.
    pub fn kind(&self, name: Option<&str>) -> Option<OperationKind> {
        self.operation(name).ok().map(|operation| operation.kind)
    }
}

/// The parser panics on a few texts, such as block strings indented with spaces of several bytes.
fn parse(text: &str) -> Judged<query::Document> {
    let parsed = catch_unwind(|| graphql_tools::parser::parse_query::<String>(text));
    let refused = |message| vec![GraphQLError::new(PARSE_FAILED, message)];
    match parsed {
        Ok(Ok(ast)) => Ok(ast.into_static()),
        Ok(Err(error)) => Err(refused(syntax_message(&error.to_string()))),
        Err(_) => Err(refused("Syntax error: the document cannot be read.".to_owned())),
    }
}

/// Errors of validation one answer carries at most.
const ERRORS_MAX: usize = 20;

pub(crate) fn operations(ast: &query::Document) -> impl Iterator<Item = OperationRef<'_>> {
    ast.definitions.iter().filter_map(|definition| match definition {
        query::Definition::Operation(operation) => Some(OperationRef::new(operation)),
        query::Definition::Fragment(_) => None,
    })
}

pub(crate) fn fragments<'d>(ast: &'d query::Document) -> HashMap<&'d str, &'d query::FragmentDefinition> {
    let fragment = |definition: &'d query::Definition| match definition {
        query::Definition::Fragment(fragment) => Some((fragment.name.as_str(), fragment)),
        query::Definition::Operation(_) => None,
    };
    ast.definitions.iter().filter_map(fragment).collect()
}

pub(crate) fn condition_name(condition: &query::TypeCondition) -> &str {
    let query::TypeCondition::On(name) = condition;
    name
}

impl<'a> OperationRef<'a> {
    fn new(operation: &'a query::OperationDefinition) -> Self {
        let (kind, name, variables, selection_set) = match operation {
            query::OperationDefinition::SelectionSet(set) => (OperationKind::Query, &None, &[][..], set),
            query::OperationDefinition::Query(query) => {
                (OperationKind::Query, &query.name, &query.variable_definitions[..], &query.selection_set)
            }
            query::OperationDefinition::Mutation(mutation) => (
                OperationKind::Mutation,
                &mutation.name,
                &mutation.variable_definitions[..],
                &mutation.selection_set,
            ),
            query::OperationDefinition::Subscription(subscription) => (
                OperationKind::Subscription,
                &subscription.name,
                &subscription.variable_definitions[..],
                &subscription.selection_set,
            ),
        };
        OperationRef { kind, name: name.as_deref(), variables, selection_set }
    }

    pub fn root_type<'s>(&self, schema: &'s Schema) -> Judged<&'s str> {
        let root = match self.kind {
            OperationKind::Query => Some(schema.query.as_str()),
            OperationKind::Mutation => schema.mutation.as_deref(),
            OperationKind::Subscription => schema.subscription.as_deref(),
        };
        root.ok_or_else(|| {
            vec![GraphQLError::new(VALIDATION_FAILED, "The schema has no operation of this kind.")]
        })
    }
}

fn validation_error(error: ValidationError) -> GraphQLError {
    let mut message = error.message;
    // What follows would help to guess a schema that is not shown.
    if let Some(suggestion) = message.find(" Did you mean") {
        message.truncate(suggestion);
    }
    let mut shown = GraphQLError::new(VALIDATION_FAILED, shortened(message));
    let place =
        |position: &graphql_tools::parser::Pos| Location { line: position.line, column: position.column };
    shown.locations = error.locations.iter().map(place).collect();
    shown
}

/// The parser's report runs over several lines and names its own terms; clients get it in one line.
fn syntax_message(report: &str) -> String {
    let line = report.split_whitespace().collect::<Vec<_>>().join(" ");
    shortened(format!("Syntax error: {}", line.trim_start_matches("query parse error: ")))
}

/// How much of a message is told: it repeats the client's own words, and a name can be a megabyte long.
const MESSAGE_CHARACTERS_MAX: usize = 500;

fn shortened(mut message: String) -> String {
    if let Some((end, _)) = message.char_indices().nth(MESSAGE_CHARACTERS_MAX) {
        message.truncate(end);
        message.push('…');
    }
    message
}

/// What the document grows to once its fragments are spread; each fragment is measured once.
struct Expansion<'a> {
    fragments: HashMap<&'a str, &'a query::FragmentDefinition>,
    measured: HashMap<&'a str, Measure>,
    open: HashSet<&'a str>,
    level: usize,
    ast: &'a query::Document,
    schema: &'a Schema,
    limits: &'a Limits,
}

#[derive(Clone, Copy, Default)]
struct Measure {
    fields: usize,
    fields_by_type: usize,
    depth: usize,
    /// Fields at the top, where each costs a resolver at the root.
    top: usize,
    /// Selection sets within each other, those of fragments too.
    nesting: usize,
}

/// How many fragments may stand within each other for each level of fields.
const FRAGMENTS_PER_LEVEL_MAX: usize = 5;

impl<'a> Expansion<'a> {
    fn new(ast: &'a query::Document, schema: &'a Schema, limits: &'a Limits) -> Self {
        let (measured, open) = (HashMap::new(), HashSet::new());
        Expansion { fragments: fragments(ast), measured, open, level: 0, ast, schema, limits }
    }

    fn check(mut self) -> Judged<()> {
        for operation in operations(self.ast) {
            // What the schema has no root for is refused by validation.
            let root = operation.root_type(self.schema).unwrap_or_default();
            let measure = self.measure(operation.selection_set, root)?;
            let excess = [
                ("fields", measure.fields, self.limits.fields_max),
                ("fields, type by type", measure.fields_by_type, self.limits.fields_by_type_max),
                ("levels of nesting", measure.depth, self.limits.depth_max),
                ("root fields", measure.top, self.limits.root_fields_max),
                ("levels of fragments", measure.nesting, self.nesting_max()),
            ];
            if let Some((what, _, max)) = excess.into_iter().find(|(_, count, max)| count > max) {
                return Err(vec![too_large(VALIDATION_FAILED, what, max)]);
            }
        }
        Ok(())
    }

    /// Validation and planning recurse into fragments as they do into fields, on the stack of a worker thread.
    fn nesting_max(&self) -> usize {
        self.limits.depth_max * FRAGMENTS_PER_LEVEL_MAX
    }

    fn measure(&mut self, set: &'a query::SelectionSet, parent: &'a str) -> Judged<Measure> {
        // Before going deeper: measuring recurses too.
        self.level += 1;
        if self.level > self.nesting_max() {
            return Err(vec![too_large(VALIDATION_FAILED, "levels of fragments", self.nesting_max())]);
        }
        let mut sum = Measure::default();
        let mut nesting = 0;
        for selection in &set.items {
            let part = match selection {
                query::Selection::Field(field) => self.field(field, parent)?,
                query::Selection::InlineFragment(fragment) => {
                    let on = fragment.type_condition.as_ref().map_or(parent, condition_name);
                    self.measure(&fragment.selection_set, on)?
                }
                query::Selection::FragmentSpread(spread) => self.spread(&spread.fragment_name)?,
            };
            sum.fields = sum.fields.saturating_add(part.fields);
            sum.fields_by_type = sum.fields_by_type.saturating_add(part.fields_by_type);
            sum.top = sum.top.saturating_add(part.top);
            sum.depth = sum.depth.max(part.depth);
            nesting = nesting.max(part.nesting);
        }
        self.level -= 1;
        Ok(Measure { nesting: nesting + 1, ..sum })
    }

    fn field(&mut self, field: &'a query::Field, parent: &str) -> Judged<Measure> {
        let schema = self.schema;
        let types = schema.get(parent).map_or(1, |ty| ty.possible.len().max(1));
        let returned = schema.field(parent, &field.name).map_or("", |known| known.ty.name());
        let inner = self.measure(&field.selection_set, returned)?;
        Ok(Measure {
            fields: inner.fields.saturating_add(1),
            fields_by_type: inner.fields_by_type.saturating_add(1).saturating_mul(types),
            depth: inner.depth + 1,
            top: 1,
            ..inner
        })
    }

    fn spread(&mut self, name: &str) -> Judged<Measure> {
        if let Some(measure) = self.measured.get(name) {
            return Ok(*measure);
        }
        // An unknown fragment is validation's to report, and still costs it work.
        let Some(fragment) = self.fragments.get(name).copied() else {
            return Ok(Measure { fields: 1, fields_by_type: 1, ..Measure::default() });
        };
        if !self.open.insert(&fragment.name) {
            let message = format!("Cannot spread fragment \"{name}\" within itself.");
            return Err(vec![GraphQLError::new(VALIDATION_FAILED, message)]);
        }
        let on = condition_name(&fragment.type_condition);
        let measure = self.measure(&fragment.selection_set, on)?;
        self.open.remove(fragment.name.as_str());
        self.measured.insert(&fragment.name, measure);
        Ok(measure)
    }
}

fn touched_rules(ast: &query::Document, schema: &Schema, rules: &Rules) -> BTreeSet<RuleId> {
    let mut touched = BTreeSet::new();
    if rules.is_empty() {
        return touched;
    }
    for operation in operations(ast) {
        if let Ok(root) = operation.root_type(schema) {
            touch(&mut touched, schema, rules, root, operation.selection_set);
        }
    }
    for fragment in fragments(ast).into_values() {
        let parent = condition_name(&fragment.type_condition);
        touch(&mut touched, schema, rules, parent, &fragment.selection_set);
    }
    touched
}

fn touch(
    touched: &mut BTreeSet<RuleId>,
    schema: &Schema,
    rules: &Rules,
    parent: &str,
    set: &query::SelectionSet,
) {
    for selection in &set.items {
        match selection {
            query::Selection::Field(field) => {
                rules.touch(touched, schema, parent, field);
                if let Some(definition) = schema.field(parent, &field.name) {
                    touch(touched, schema, rules, definition.ty.name(), &field.selection_set);
                }
            }
            query::Selection::InlineFragment(fragment) => {
                let parent = fragment.type_condition.as_ref().map_or(parent, condition_name);
                touch(touched, schema, rules, parent, &fragment.selection_set);
            }
            query::Selection::FragmentSpread(_) => {}
        }
    }
}
