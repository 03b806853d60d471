//! One supergraph, ready to answer.

use std::collections::HashMap;
use std::sync::Arc;

use graphql_tools::validation::validate::ValidationPlan;
use moka::sync::Cache;
use serde_json::Map;
use tokio::sync::watch;

use crate::authorize::{Denied, Grants, Rules, Unauthorized};
use crate::cache_policy::{CacheHints, CachePolicy};
use crate::coerce::coerce_variables;
use crate::cost::{Cost, Costs};
use crate::data_keys::DataKeys;
use crate::document::{Document, OperationKind, OperationRef};
use crate::error::{GraphQLError, INTERNAL, Judged, SupergraphError, VALIDATION_FAILED};
use crate::execute::{Execution, Subgraphs};
use crate::identity::{self, Identity};
use crate::introspect::{asks_about_schema, introspect};
use crate::newcomers::Newcomers;
use crate::overrides::{Lot, Overrides};
use crate::plan::Plan;
use crate::planner::{Planner, Supergraph};
use crate::project::project;
use crate::refuse::refusals;
use crate::response::Response;
use crate::rewrite::{Aliases, Conditions, Scope, wire_name};
use crate::schema::Schema;
use crate::selection::{Item, Selections, compile};
use crate::settings::Settings;
use crate::stray::drop_stray;
use crate::subgraph::{RequestContext, Subgraph};
use crate::validation::validation_plan;
use crate::value::{Key, Object, Value, from_json};

pub struct Engine {
    settings: Settings,
    pub(crate) schema: Schema,
    sdl: String,
    pub(crate) identity: identity::Digest,
    pub(crate) rules: Rules,
    cache_hints: CacheHints,
    pub(crate) overrides: Overrides,
    costs: Costs,
    planner: Planner,
    pub(crate) subgraphs: Subgraphs,
    validation: ValidationPlan,
    /// Who may judge or plan what is new; few at a time.
    pub(crate) newcomers: Arc<Newcomers>,
    pub(crate) documents: Cache<Arc<str>, Arc<Document>>,
    pub(crate) plans: Cache<PlanKey, Arc<Operation>>,
    /// Whether another engine has taken its place.
    pub(crate) retired: watch::Sender<bool>,
}

/// Errors of one answer; whoever mends the first hundred sees the next.
const ERRORS_MAX: usize = 100;

/// What an entry of a cache counts for, by the bytes of its text.
fn weight(text_bytes: usize) -> u32 {
    u32::try_from(1 + text_bytes / 1024).unwrap_or(u32::MAX)
}

/// All that a plan depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PlanKey {
    pub(crate) document: u64,
    pub(crate) operation: Option<String>,
    pub(crate) conditions: Conditions,
    pub(crate) denied: Denied,
    pub(crate) lot: Lot,
}

#[cfg(test)]
impl PlanKey {
    pub(crate) fn of_document(id: u64) -> Self {
        let (conditions, denied) = Default::default();
        PlanKey { document: id, operation: None, conditions, denied, lot: Lot::default() }
    }
}

/// A request whose variables are coerced and whose plan may be known.
pub(crate) struct Asked {
    pub(crate) document: Arc<Document>,
    pub(crate) variables: Map<String, serde_json::Value>,
    pub(crate) key: PlanKey,
}

/// One operation under one set of conditions and permissions, planned.
pub(crate) struct Operation {
    pub kind: OperationKind,
    pub name: Option<String>,
    pub root_type: String,
    pub selections: Selections,
    pub plan: Plan,
    pub cost: Cost,
    pub cache_policy: CachePolicy,
    pub identity: Identity,
    /// The names of those it asks.
    pub subgraphs: Vec<String>,
}

/// A request that is known to be answerable: the operation's plan and its coerced variables.
#[derive(Clone)]
pub struct Prepared {
    engine: Arc<Engine>,
    pub(crate) document: Arc<Document>,
    pub(crate) operation: Arc<Operation>,
    pub(crate) variables: Arc<Map<String, serde_json::Value>>,
    /// The same variables, as subgraphs get them.
    pub(crate) values: Arc<Object>,
}

impl Prepared {
    /// The engine that made it ready. No other can answer it: its plan is for this one's supergraph.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    pub fn kind(&self) -> OperationKind {
        self.operation.kind
    }

    pub fn operation_name(&self) -> Option<&str> {
        self.operation.name.as_deref()
    }

    /// The names of the fields at the root, aliases undone; skipped ones are left out.
    pub fn root_fields(&self) -> impl Iterator<Item = &str> {
        self.operation.selections.items.iter().filter_map(|item| match item {
            Item::Field(field) => Some(field.name.as_str()),
            Item::Branch { .. } => None,
        })
    }

    pub fn variables(&self) -> &Map<String, serde_json::Value> {
        &self.variables
    }

    /// What it costs, by the schema's weights and the lengths of lists it asks for.
    pub fn cost(&self) -> u64 {
        self.operation.cost.of(&self.variables)
    }
}

impl Engine {
    /// `subgraphs` are keyed by the names the supergraph gives them in `join__Graph`.
    pub fn new(
        supergraph_sdl: &str,
        mut subgraphs: HashMap<String, Arc<dyn Subgraph>>,
        settings: Settings,
    ) -> Result<Engine, SupergraphError> {
        let supergraph = Supergraph::parse(supergraph_sdl)?;
        let mut by_number = Vec::with_capacity(supergraph.subgraphs.len());
        for name in supergraph.subgraphs {
            match subgraphs.remove(&name) {
                Some(subgraph) => by_number.push((name, subgraph)),
                None => return Err(SupergraphError::MissingSubgraph(name)),
            }
        }
        let schema = Schema::new(supergraph.planner.public_schema()).ok_or(SupergraphError::NoQueryType)?;
        let rules = Rules::new(&supergraph.document)?;
        let overrides = Overrides::new(&supergraph.document);
        let costs = Costs::new(&supergraph.document);
        let cache_hints = CacheHints::new(&supergraph.document);
        let whole = Schema::new(Arc::new(supergraph.document)).ok_or(SupergraphError::NoQueryType)?;
        let subgraphs = Subgraphs {
            by_number,
            schema: whole,
            aliases: Aliases::new(supergraph.field_names, supergraph.stand_ins),
            interface_objects: supergraph.interface_objects,
            timeout_ms: settings.subgraph_timeout_ms,
            entity_cache: None,
        };
        Ok(Engine {
            sdl: schema.sdl(),
            identity: identity::of_schema(supergraph_sdl, &settings),
            schema,
            rules,
            cache_hints,
            overrides,
            costs,
            planner: supergraph.planner,
            subgraphs,
            validation: validation_plan(),
            newcomers: Newcomers::new(),
            documents: Cache::builder()
                .max_capacity(settings.documents_max)
                .weigher(|text: &Arc<str>, _| weight(text.len()))
                .build(),
            plans: Cache::builder()
                .max_capacity(settings.plans_max)
                .weigher(|_, operation: &Arc<Operation>| weight(operation.plan.text_bytes()))
                .build(),
            retired: watch::Sender::new(false),
            settings,
        })
    }

    /// The schema clients see, as SDL.
    pub fn public_schema(&self) -> &str {
        &self.sdl
    }

    /// Judges a document; one that is valid is remembered.
    pub fn document(&self, query: &str) -> Result<Arc<Document>, Vec<GraphQLError>> {
        if let Some(document) = self.documents.get(query) {
            return Ok(document);
        }
        let document =
            Document::parse(query, &self.schema, &self.rules, &self.settings.limits, &self.validation)?;
        let document = Arc::new(document);
        if document.remembered {
            // The first of twins stays, so that all have one id.
            return Ok(self.documents.entry(query.into()).or_insert(document).into_value());
        }
        Ok(document)
    }

    /// Makes one operation ready to be executed for one caller.
    pub fn prepare(
        self: &Arc<Self>,
        document: &Arc<Document>,
        operation_name: Option<&str>,
        variables: Map<String, serde_json::Value>,
        grants: &Grants,
    ) -> Result<Prepared, Vec<GraphQLError>> {
        let asked = self.asked(document, operation_name, variables, grants)?;
        let operation = match self.plans.get(&asked.key) {
            Some(planned) => planned,
            None => self.plan_asked(&asked)?,
        };
        self.prepared(asked, operation)
    }

    /// What is asked, as far as it can be known without a plan.
    pub(crate) fn asked(
        &self,
        document: &Arc<Document>,
        operation_name: Option<&str>,
        variables: Map<String, serde_json::Value>,
        grants: &Grants,
    ) -> Judged<Asked> {
        let operation = document.operation(operation_name)?;
        let depth_max = self.settings.limits.depth_max;
        let variables = coerce_variables(&self.schema, operation.variables, variables, depth_max)?;
        let Document { id, rules, .. } = &**document;
        let key = PlanKey {
            document: *id,
            operation: operation.name.map(str::to_owned),
            conditions: Conditions::new(document, &operation, &variables)?,
            denied: self.rules.denied(&self.schema, rules, operation.variables, &variables, grants),
            lot: self.overrides.draw(),
        };
        Ok(Asked { document: document.clone(), variables, key })
    }

    /// A document that is remembered, so that what it asks is found quickly.
    pub fn known_document(&self, query: &str) -> Option<Arc<Document>> {
        self.documents.get(query)
    }

    pub(crate) fn known_plan(&self, asked: &Asked) -> Option<Arc<Operation>> {
        self.plans.get(&asked.key)
    }

    /// Plans it, and remembers the plan where the document is remembered.
    pub(crate) fn plan_asked(&self, asked: &Asked) -> Judged<Arc<Operation>> {
        let Asked { document, key, .. } = asked;
        let operation = document.operation(key.operation.as_deref())?;
        let planned = Arc::new(self.plan(document, &operation, key)?);
        // The next document of the same text has another id, so this plan would never be found.
        if document.remembered {
            self.plans.insert(key.clone(), planned.clone());
        }
        Ok(planned)
    }

    pub(crate) fn prepared(self: &Arc<Self>, asked: Asked, operation: Arc<Operation>) -> Judged<Prepared> {
        self.refuse(&operation)?;
        let mut values = Object::with_capacity(asked.variables.len());
        for (name, value) in &asked.variables {
            values.push(Key::from(&*wire_name(name)), from_json(value.clone()));
        }
        let variables = Arc::new(asked.variables);
        let engine = Arc::clone(self);
        Ok(Prepared { engine, document: asked.document, operation, variables, values: Arc::new(values) })
    }

    /// Answers a query or a mutation.
    pub async fn execute(&self, prepared: &Prepared, context: &RequestContext) -> Response {
        if prepared.kind() == OperationKind::Subscription {
            let message = "A subscription is answered by a stream of events.";
            return Response::from_errors(vec![GraphQLError::new(VALIDATION_FAILED, message)]);
        }
        let execution = Execution::new(&self.subgraphs, &prepared.values, context, Value::Null)
            .all_anew(prepared.cache_policy().public);
        let errors = match &prepared.operation.plan.node {
            Some(node) => execution.run(node).await,
            None => Vec::new(),
        };
        self.respond(prepared, execution.into_data(), errors)
    }

    pub(crate) fn respond(
        &self,
        prepared: &Prepared,
        mut data: Value,
        mut errors: Vec<GraphQLError>,
    ) -> Response {
        if self.settings.mask_internal_errors {
            errors.iter_mut().for_each(GraphQLError::mask_internal);
        }
        let Operation { root_type, selections, .. } = &*prepared.operation;
        drop_stray(&self.schema, selections, &data, &mut errors);
        if let Some(root) = data.as_object_mut() {
            errors.extend(introspect(&self.schema, selections, &prepared.variables, root));
        }
        let whole = &self.subgraphs.schema;
        let data = project(&self.schema, whole, root_type, selections, &data, &mut errors);
        errors.truncate(ERRORS_MAX);
        Response { data: Some(data), errors, extensions: Map::new() }
    }

    fn plan(&self, document: &Document, operation: &OperationRef<'_>, key: &PlanKey) -> Judged<Operation> {
        let root_type = operation.root_type(&self.schema)?;
        let scope = Scope {
            schema: &self.schema,
            rules: &self.rules,
            denied: &key.denied,
            conditions: &key.conditions,
            aliases: &DataKeys::new(&self.subgraphs.aliases, &document.ast),
            costs: &self.costs,
        };
        if self.settings.unauthorized == Unauthorized::RefuseAll {
            let refused = refusals(&scope, document, operation, root_type);
            if !refused.is_empty() {
                return Err(refused);
            }
        }
        let selections = compile(&scope, &document.ast, root_type, operation.selection_set);
        let mut plan = match scope.rewrite(document, operation, root_type) {
            Some(rewritten) => {
                self.planner.plan(&rewritten, key.lot, &self.settings.override_labels).map_err(|reason| {
                    tracing::error!(%reason, "a valid document could not be planned");
                    vec![GraphQLError::new(INTERNAL, "This document could not be planned.")]
                })?
            }
            None => Plan::default(),
        };
        plan.keep(|operation| self.cache_hints.kept_s(&self.subgraphs.schema, operation));
        let identity = Identity {
            schema: self.identity,
            operation: identity::of_operation(document, operation, key.lot),
            outcome: identity::of_outcome(&self.rules, document, &key.denied),
        };
        let asked = plan.subgraphs().into_iter().map(|number| self.subgraphs.by_number[number].0.clone());
        Ok(Operation {
            kind: operation.kind,
            name: operation.name.map(str::to_owned),
            root_type: root_type.to_owned(),
            cache_policy: self.cache_hints.policy(&self.schema, operation.kind, root_type, &selections),
            identity,
            subgraphs: asked.collect(),
            cost: self.costs.operation(&self.schema, root_type, &selections),
            selections,
            plan,
        })
    }

    /// What the settings forbid of a valid operation.
    fn refuse(&self, operation: &Operation) -> Judged<()> {
        if !self.settings.introspection && asks_about_schema(&operation.selections) {
            return Err(vec![GraphQLError::new(VALIDATION_FAILED, "Introspection is switched off here.")]);
        }
        Ok(())
    }
}
