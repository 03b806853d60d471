//! For whom a citizen may act now: the registry is asked when its last word is too old.

use auth::Acting;
use uuid::Uuid;

use crate::Inner;
use crate::model::mandate::usable;
use crate::model::national_id::NationalId;
use crate::store;

/// Asks the registry which companies a person directs. When it is down the login goes on: what it
/// said last holds for a day.
pub async fn confirm(inner: &Inner, citizen: Uuid, pid: &NationalId) -> Result<(), store::Error> {
    let Some(registry) = &inner.registry else { return Ok(()) };
    match registry.directorships(pid).await {
        Ok(directorships) => inner.store.confirm_directorships(citizen, &directorships, &inner.clock).await,
        Err(error) => {
            tracing::warn!(%error, "the company registry was not asked");
            Ok(())
        }
    }
}

/// The parties of a citizen's token: first the citizen.
pub async fn acting(inner: &Inner, citizen: Uuid) -> Result<Vec<Acting>, store::Error> {
    let now = inner.clock.now();
    let mut mandates = inner.store.mandates_of(citizen).await?;
    if mandates.iter().any(|mandate| mandate.is_stale(now)) {
        let profile = inner.store.citizen(citizen).await?.map(|citizen| citizen.profile);
        let pid = profile.and_then(|profile| NationalId::parse(&profile.pid?, inner.numbers()));
        if let Some(pid) = pid {
            confirm(inner, citizen, &pid).await?;
            mandates = inner.store.mandates_of(citizen).await?;
        }
    }
    let own = Acting { party_id: citizen, mandate_id: None };
    let companies = usable(mandates, now, inner.clock.today_in_thailand())
        .into_iter()
        .map(|mandate| Acting { party_id: mandate.juristic_person.id, mandate_id: Some(mandate.id) });
    Ok(std::iter::once(own).chain(companies).collect())
}
