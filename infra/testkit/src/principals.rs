//! Callers for tests that do not go through login.

use std::collections::BTreeSet;

use auth::{Aal, Acting, Citizen, Ial, Level, Officer, Principal, Role};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A citizen at IAL 2.3 and AAL 2.2 with every citizen's scope, acting for themselves and `companies`.
pub fn citizen(citizen_id: Uuid, companies: &[Uuid], now: DateTime<Utc>) -> Principal {
    let own = Acting { party_id: citizen_id, mandate_id: None };
    let for_companies = companies.iter().map(|company| Acting {
        party_id: *company,
        mandate_id: Some(Uuid::from_u128(company.as_u128() ^ citizen_id.as_u128())),
    });
    Principal::Citizen(Citizen {
        citizen_id,
        level: Level { ial: Ial::Ial2_3, aal: Aal::Aal2_2 },
        authenticated_at: now,
        parties: std::iter::once(own).chain(for_companies).collect(),
        client_id: "citizen-portal".into(),
        session_id: Uuid::from_u128(citizen_id.as_u128() ^ 1),
        scopes: scopes(&[
            "profile:read",
            "applications:read",
            "applications:write",
            "payments:read",
            "payments:write",
        ]),
    })
}

/// An officer of `agency` who may review and approve.
pub fn officer(officer_id: Uuid, agency: &str, now: DateTime<Utc>) -> Principal {
    Principal::Officer(Officer {
        officer_id,
        agency: agency.into(),
        roles: BTreeSet::from([Role::Reviewer, Role::Approver]),
        level: Level { ial: Ial::Ial2_3, aal: Aal::Aal2_2 },
        authenticated_at: now,
        client_id: "officer-desk".into(),
        session_id: Uuid::from_u128(officer_id.as_u128() ^ 1),
        scopes: scopes(&[
            "profile:read",
            "cases:read",
            "cases:write",
            "catalogue:edit",
            "books:read",
            "books:write",
            "switches:write",
        ]),
    })
}

/// An officer who runs this platform, and no more.
pub fn operator(officer_id: Uuid, agency: &str, now: DateTime<Utc>) -> Principal {
    let Principal::Officer(officer) = officer(officer_id, agency, now) else { return Principal::Nobody };
    let roles = BTreeSet::from([Role::Operator]);
    Principal::Officer(Officer { roles, scopes: scopes(&["profile:read", "switches:write"]), ..officer })
}

fn scopes(scopes: &[&str]) -> BTreeSet<String> {
    scopes.iter().map(|scope| (*scope).to_owned()).collect()
}
