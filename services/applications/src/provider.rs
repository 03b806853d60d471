//! What the state knows of the caller, read through the graph as the caller.

use auth::Principal;
use chassis::Graph;
use graphql::PartyId;
use serde_json::json;
use uuid::Uuid;

use crate::model::prefill::Profile;
use crate::store::Refusal;

const PROFILE: &str = "query Profile { viewer {
    citizen { id nameTh nameEn birthDate address nationalIdIndex }
    parties { id kind displayName { th en } registrationNumber }
} }";

/// The caller's profile and that of the party applied for. Without it nothing is begun: a draft
/// without what the state knows would ask the citizen for it.
pub async fn profile(graph: &dyn Graph, principal: &Principal, party_id: Uuid) -> Result<Profile, Refusal> {
    let data = graph.query(principal, PROFILE, json!({})).await.map_err(|failure| {
        tracing::warn!(codes = ?failure.codes, "the profile could not be read");
        Refusal::Unavailable
    })?;
    Profile::from_graph(&data, PartyId::from(party_id)).ok_or(Refusal::Unavailable)
}
