//! A federation engine: supergraph in; plan, execute, answer out. Knows nothing of this product.
//!
//! A request passes through, in order: `limits`, `document` and `validation` (parse, validate), `coerce`
//! (variables), `authorize` and `rewrite` (what may and must be fetched), `selection` (the answer's shape),
//! `planner` and `plan` (who is asked), `execute` (asking) and `project` (writing the answer).

mod authorize;
mod coerce;
mod data_keys;
mod document;
mod engine;
mod error;
mod execute;
mod given;
mod http;
mod in_process;
mod introspect;
mod keys;
mod limits;
mod newcomers;
mod overrides;
mod plan;
mod planner;
mod project;
mod refuse;
mod response;
mod rewrite;
mod schema;
mod selection;
mod stray;
mod subgraph;
mod subscription;
mod supergraph;
mod validation;
pub mod value;

pub use authorize::{Grants, Unauthorized};
pub use document::{Document, OperationKind};
pub use engine::{Engine, Prepared, Settings};
pub use error::{GraphQLError, Location, PathSegment, SupergraphError};
pub use http::{Http, Sign};
pub use in_process::InProcess;
pub use limits::Limits;
pub use plan::SubgraphOperation;
pub use response::Response;
pub use subgraph::{Answer, AnswerError, RequestContext, Subgraph, SubgraphError, SubgraphRequest};
pub use supergraph::{SubgraphLocation, subgraph_locations};
