//! A federation engine: supergraph in; plan, execute, answer out. Knows nothing of this product.
//!
//! A request passes through, in order: `limits`, `document` and `validation` (parse, validate), `coerce`
//! (variables), `authorize` and `rewrite` (what may and must be fetched), `selection` (the answer's shape),
//! `planner` and `plan` (who is asked), `execute` (asking) and `project` (writing the answer).

mod authorize;
mod cache_policy;
mod coerce;
mod cost;
mod data_keys;
mod document;
mod engine;
mod entity_cache;
mod error;
mod execute;
mod given;
mod http;
mod identity;
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
mod settings;
mod stray;
mod subgraph;
mod subscription;
mod supergraph;
mod validation;
pub mod value;
mod warm;

pub use authorize::{Grants, Unauthorized};
pub use cache_policy::CachePolicy;
pub use document::{Document, OperationKind};
pub use engine::{Engine, Prepared};
pub use entity_cache::{EntityCache, Looked};
pub use error::{GraphQLError, Location, PathSegment, SupergraphError};
pub use http::{Address, Connections, Http, HttpSettings, Sign};
pub use identity::{Digest, Identity};
pub use in_process::InProcess;
pub use limits::Limits;
pub use plan::SubgraphOperation;
pub use response::Response;
pub use settings::Settings;
pub use subgraph::{Answer, AnswerError, RequestContext, Subgraph, SubgraphError, SubgraphRequest};
pub use supergraph::{SubgraphLocation, subgraph_locations};
