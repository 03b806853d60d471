//! A party: the caller, or a company the caller may act for. No other party can be seen.

use std::sync::Arc;

use async_graphql::{Context, Enum, Object, SimpleObject};
use auth::Citizen;
use graphql::{Date, Failure, LocalizedText, MandateId, PartyId};
use uuid::Uuid;

use super::{batches, inner};
use crate::loader::{CitizenWithId, MandatesOf};
use crate::model::mandate::{self, Basis};

/// A party (คู่กรณี): a citizen or a company, in whose name applications are filed and bills paid.
pub enum Party {
    /// Oneself.
    Natural(Uuid),
    /// A company, and the mandate to act for it.
    Juristic(Box<mandate::Mandate>),
}

/// What a party is.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum PartyKind {
    /// A natural person (บุคคลธรรมดา).
    Natural,
    /// A juristic person (นิติบุคคล).
    Juristic,
}

/// A party (คู่กรณี): a citizen or a company, in whose name applications are filed and bills paid.
#[Object]
impl Party {
    /// Its id.
    async fn id(&self) -> PartyId {
        match self {
            Self::Natural(citizen) => *citizen,
            Self::Juristic(mandate) => mandate.juristic_person.id,
        }
        .into()
    }

    /// A natural or a juristic person.
    async fn kind(&self) -> PartyKind {
        match self {
            Self::Natural(_) => PartyKind::Natural,
            Self::Juristic(_) => PartyKind::Juristic,
        }
    }

    /// The name to show. Null when no Digital ID told us.
    #[graphql(requires_scopes = "profile:read")]
    async fn display_name(&self, ctx: &Context<'_>) -> Result<Option<LocalizedText>, Failure> {
        auth::principal(ctx).require_scope("profile:read")?;
        match self {
            Self::Natural(citizen) => {
                let found = batches(ctx).load_one(CitizenWithId(*citizen)).await?;
                Ok(found.and_then(|citizen| {
                    let en = citizen.profile.name_en;
                    let th = citizen.profile.name_th.or_else(|| en.clone())?;
                    Some(LocalizedText { th, en })
                }))
            }
            Self::Juristic(mandate) => {
                let company = &mandate.juristic_person;
                Ok(Some(LocalizedText { th: company.name_th.clone(), en: company.name_en.clone() }))
            }
        }
    }

    /// A company's registration number (เลขทะเบียนนิติบุคคล); null for a natural person.
    async fn registration_number(&self) -> Option<&str> {
        match self {
            Self::Natural(_) => None,
            Self::Juristic(mandate) => Some(&mandate.juristic_person.registration_number),
        }
    }

    /// The mandate by which the caller acts for it; null for oneself.
    async fn mandate(&self) -> Option<Mandate> {
        match self {
            Self::Natural(_) => None,
            Self::Juristic(mandate) => Some(Mandate {
                id: mandate.id.into(),
                basis: match mandate.basis {
                    Basis::Director => MandateBasis::Director,
                },
                valid_from: mandate.valid_from.into(),
                valid_until: mandate.valid_until.map(Date::from),
            }),
        }
    }
}

/// The right to act for another party (อำนาจกระทำการแทน).
#[derive(SimpleObject)]
pub struct Mandate {
    /// Its id; every event of an application records by which mandate it was done.
    id: MandateId,
    /// Why one may act.
    basis: MandateBasis,
    /// The first day.
    valid_from: Date,
    /// The last day; null when no end is known.
    valid_until: Option<Date>,
}

/// Why one may act for another party.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum MandateBasis {
    /// A director (กรรมการ) by the registry of the Department of Business Development.
    Director,
}

/// The party with this id, if the caller's token says they act for it and the mandate still stands.
pub async fn visible(ctx: &Context<'_>, citizen: &Citizen, id: Uuid) -> Result<Option<Party>, Failure> {
    let Some(acting) = citizen.acting_for(id) else { return Ok(None) };
    if acting.mandate_id.is_none() {
        return Ok((id == citizen.citizen_id).then_some(Party::Natural(id)));
    }
    let mandates = mandates(ctx, citizen).await?;
    let found = mandates.into_iter().find(|mandate| Some(mandate.id) == acting.mandate_id);
    Ok(found.map(|mandate| Party::Juristic(Box::new(mandate))))
}

/// All parties of the caller's token whose mandate still stands, in the token's order.
pub async fn all(ctx: &Context<'_>, citizen: &Citizen) -> Result<Vec<Party>, Failure> {
    let mandates = mandates(ctx, citizen).await?;
    let shown =
        citizen.parties.iter().take(mandate::PARTIES_MAX).filter_map(|acting| match acting.mandate_id {
            None => (acting.party_id == citizen.citizen_id).then_some(Party::Natural(acting.party_id)),
            Some(id) => mandates.iter().find(|m| m.id == id).map(|m| Party::Juristic(Box::new(m.clone()))),
        });
    Ok(shown.collect())
}

async fn mandates(ctx: &Context<'_>, citizen: &Citizen) -> Result<Vec<mandate::Mandate>, Failure> {
    let loaded: Result<_, Arc<crate::store::Error>> =
        batches(ctx).load_one(MandatesOf(citizen.citizen_id)).await;
    let inner = inner(ctx);
    Ok(mandate::usable(loaded?.unwrap_or_default(), inner.clock.now(), inner.clock.today_in_thailand()))
}
