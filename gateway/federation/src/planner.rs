//! The only files that know the planner crate: take its plans and give ours.
//!
//! The crate gets no more fixes. What it does wrong is got round in what it is given: `required`, `apart`,
//! `provided`, `interface_objects` and `crate::keys` say each what and how; and in what it gives: `shapes` and
//! `divide`. `again` tries anew what it could not plan.

mod again;
mod apart;
mod convert;
mod divide;
mod fold;
mod interface_objects;
mod join;
mod provided;
mod renamed;
mod required;
mod roots;
mod shapes;

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use graphql_tools::static_graphql::{query, schema as ast};
use hive_router_query_planner::ast::normalization::normalize_operation;
use hive_router_query_planner::graph::PlannerOverrideContext;
use hive_router_query_planner::planner::plan_nodes::QueryPlan;
use hive_router_query_planner::planner::{Planner as TheirPlanner, QueryPlannerOptions};
use hive_router_query_planner::utils::cancellation::CancellationToken;

use crate::error::SupergraphError;
use crate::keys;
use crate::overrides::{Flags, Lot};
use crate::plan::Plan;
use crate::supergraph::{field_names, subgraphs, without_strangers};

use again::{Again, KeyObjects};
use apart::OtherNames;
use fold::Folding;
use interface_objects::InterfaceObjects;
pub(crate) use required::StandIns;
use shapes::Shapes;

/// A plan that takes longer is not worth having; it would hold a worker thread.
const PLAN_TIMEOUT_MS: u64 = 2_000;

pub(crate) struct Planner {
    planner: TheirPlanner,
    /// Subgraphs by name, in the order in which plans number them.
    subgraphs: HashMap<String, usize>,
    stand_ins: Arc<StandIns>,
    other_names: OtherNames,
    interface_objects: InterfaceObjects,
    shapes: Shapes,
    key_objects: KeyObjects,
}

/// What else is read from a supergraph.
pub(crate) struct Supergraph {
    pub planner: Planner,
    pub document: ast::Document,
    /// Subgraph names by number.
    pub subgraphs: Vec<String>,
    /// Every field name there is, inaccessible ones too.
    pub field_names: HashSet<String>,
    pub stand_ins: Arc<StandIns>,
    /// Whether some subgraph knows an interface as one object.
    pub interface_objects: bool,
}

impl Supergraph {
    pub fn parse(sdl: &str) -> Result<Self, SupergraphError> {
        let document = graphql_tools::parser::parse_schema::<String>(sdl)
            .map_err(|error| SupergraphError::Syntax(error.to_string()))?
            .into_static();
        if document.query_type_name().is_none() {
            return Err(SupergraphError::NoQueryType);
        }
        let mut planned = document.clone();
        let stand_ins = Arc::new(StandIns::put_into(&mut planned));
        keys::drop_needless(&mut planned);
        let other_names = apart::set_apart(&mut planned);
        provided::drop_clashing(&mut planned);
        // The planner panics on some supergraphs that no composition gives.
        let made = catch_unwind(AssertUnwindSafe(|| {
            TheirPlanner::new_from_supergraph(&planned, QueryPlannerOptions::default())
        }));
        let planner = match made {
            Ok(Ok(planner)) => planner,
            Ok(Err(error)) => return Err(SupergraphError::Planner(error.to_string())),
            Err(_) => return Err(SupergraphError::Planner("it is not a composed supergraph".to_owned())),
        };
        let subgraphs: Vec<String> = subgraphs(&document).into_iter().map(|subgraph| subgraph.name).collect();
        let numbers = subgraphs.iter().enumerate();
        let mut numbers: HashMap<String, usize> =
            numbers.map(|(number, name)| (name.clone(), number)).collect();
        for (other, real) in &other_names {
            if let Some(number) = numbers.get(real).copied() {
                numbers.insert(other.clone(), number);
            }
        }
        let field_names = field_names(&document);
        let planner = Planner {
            planner,
            subgraphs: numbers,
            stand_ins: stand_ins.clone(),
            other_names,
            interface_objects: InterfaceObjects::new(&planned),
            shapes: Shapes::new(&planned),
            key_objects: KeyObjects::new(&planned),
        };
        let interface_objects = !planner.interface_objects.is_empty();
        Ok(Supergraph { planner, document, subgraphs, field_names, stand_ins, interface_objects })
    }
}

impl Planner {
    /// The schema without inaccessible parts and federation machinery, with the introspection types.
    pub fn public_schema(&self) -> Arc<ast::Document> {
        Arc::new(without_strangers((*self.planner.consumer_schema.document).clone()))
    }

    /// Plans a document of one operation. The reason of a failure is for the operator, not for the client.
    pub fn plan(&self, document: &query::Document, lot: Lot, flags: &Flags) -> Result<Plan, String> {
        let mut document = document.clone();
        let wanted = self.interface_objects.spell_out(&mut document);
        let (planned, again) = match self.planned(&document, lot, flags) {
            Ok(planned) => (planned, Again::default()),
            Err(reason) => {
                let again = self.key_objects.ask_again(&mut document);
                if !again.is_needed() {
                    return Err(reason);
                }
                (self.planned(&document, lot, flags)?, again)
            }
        };
        let folding = Folding { other_names: &self.other_names, stand_ins: &self.stand_ins };
        self.converted(planned.node.map(|node| folding.fold(node)), &wanted, &again)
    }

    fn planned(&self, document: &query::Document, lot: Lot, flags: &Flags) -> Result<QueryPlan, String> {
        let planned = catch_unwind(AssertUnwindSafe(|| {
            let normalized = normalize_operation(&self.planner.supergraph, document, None)
                .map_err(|error| error.to_string())?;
            let timeout = CancellationToken::with_timeout(Duration::from_millis(PLAN_TIMEOUT_MS));
            let overrides = PlannerOverrideContext::new(flags.clone(), lot.number());
            let operation = normalized.executable_operation();
            self.planner
                .plan_from_normalized_operation(operation, overrides, &timeout)
                .map_err(|error| error.to_string())
        }));
        planned.unwrap_or_else(|_| Err("the planner panicked".to_owned()))
    }
}
