//! What officers propose to do with money by hand, and who agreed. Rows are kept: they are the audit.

use chrono::{DateTime, Utc};
use database::{Database, Error, Row, Tx, args};
use serde_json::json;
use uuid::Uuid;

use super::code;
use crate::model::{ProposalStatus, SubjectKind};

/// A proposal as stored.
#[derive(Clone, Debug)]
pub struct Proposal {
    pub id: Uuid,
    pub subject_kind: SubjectKind,
    pub subject_id: Uuid,
    pub agency_code: String,
    /// A code of what its subject allows.
    pub action: String,
    /// The number of the transfer or document that proves it.
    pub reference: String,
    pub status: ProposalStatus,
    /// Officers, by their ids.
    pub proposed_by: String,
    pub proposed_at: DateTime<Utc>,
    pub decided_by: Option<String>,
    pub decided_at: Option<DateTime<Utc>>,
}

/// Writes a proposal; false when its subject has an open one.
pub async fn insert_proposal(tx: &mut Tx, proposal: &Proposal) -> Result<bool, Error> {
    let written = tx
        .execute(
            "insert into proposal (id, subject_kind, subject_id, agency_code, action, reference, status, \
             proposed_by, proposed_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing",
            args![
                proposal.id,
                proposal.subject_kind.code(),
                proposal.subject_id,
                &proposal.agency_code,
                &proposal.action,
                &proposal.reference,
                proposal.status.code(),
                &proposal.proposed_by,
                proposal.proposed_at,
            ],
        )
        .await?;
    Ok(written > 0)
}

/// A proposal of this agency.
pub async fn proposal(tx: &mut Tx, id: Uuid, agency_code: &str) -> Result<Option<Proposal>, Error> {
    let sql = "select * from proposal where id = $1 and agency_code = $2";
    tx.row(sql, args![id, agency_code]).await?.map(proposal_of).transpose()
}

/// The same, locked.
pub async fn proposal_locked(tx: &mut Tx, id: Uuid, agency_code: &str) -> Result<Option<Proposal>, Error> {
    let sql =
        format!("select * from proposal where id = $1 and agency_code = $2{}", tx.engine().for_update());
    tx.row(&sql, args![id, agency_code]).await?.map(proposal_of).transpose()
}

/// Decides an open proposal.
pub async fn decide_proposal(
    tx: &mut Tx,
    id: Uuid,
    status: ProposalStatus,
    decided_by: &str,
    now: DateTime<Utc>,
) -> Result<u64, Error> {
    let sql =
        "update proposal set status = $2, decided_by = $3, decided_at = $4 where id = $1 and status = 'OPEN'";
    tx.execute(sql, args![id, status.code(), decided_by, now]).await
}

/// The proposals about these subjects, oldest first.
pub async fn proposals_about(database: &Database, subject_ids: &[Uuid]) -> Result<Vec<Proposal>, Error> {
    let sql = format!(
        "select * from proposal where subject_kind in ('REFUND', 'FINDING') and subject_id in {} order by id",
        database.engine().in_uuids("$1")
    );
    database.rows(&sql, args![json!(subject_ids)]).await?.into_iter().map(proposal_of).collect()
}

fn proposal_of(row: Row) -> Result<Proposal, Error> {
    Ok(Proposal {
        id: row.get("id")?,
        subject_kind: code(&row, "subject_kind", SubjectKind::parse)?,
        subject_id: row.get("subject_id")?,
        agency_code: row.get("agency_code")?,
        action: row.get("action")?,
        reference: row.get("reference")?,
        status: code(&row, "status", ProposalStatus::parse)?,
        proposed_by: row.get("proposed_by")?,
        proposed_at: row.get("proposed_at")?,
        decided_by: row.get("decided_by")?,
        decided_at: row.get("decided_at")?,
    })
}
