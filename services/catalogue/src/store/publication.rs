//! Publishing a set of files: new revisions of what changed, each with its message, in one transaction.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use database::{Tx, args};
use outbox::Outbox;
use serde_json::json;
use uuid::Uuid;

use super::listing::{CHUNK_ROWS, is_last};
use super::{Store, agency, content, offering, service};
use crate::Error;
use crate::events::{changed, offering_published};
use crate::model::{
    Agency, Catalogue, Findings, LifeEvent, Offering, OfferingContent, PublicService, fingerprint,
    offering_id,
};

/// What a publication changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    pub agencies: Vec<String>,
    pub services: Vec<String>,
    pub offerings: Vec<Uuid>,
    pub life_events: Vec<String>,
}

/// What becomes of officers' edits that a file says otherwise of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edits {
    /// They are kept: nothing is published, and they are told.
    Keep,
    /// The file has the last word.
    Undo,
}

impl Applied {
    /// Whether everything was as it is already.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Store {
    /// Publishes what differs from what is published; all of it or nothing. An offering that a service's
    /// file no longer names stops accepting; a service without a file stays as it is.
    pub async fn apply(
        &self,
        catalogue: &Catalogue,
        edits: Edits,
        embedded_set: Option<&str>,
    ) -> Result<Applied, Error> {
        let mut publication = Publication {
            tx: self.database.begin().await?,
            outbox: &self.outbox,
            now: self.clock.now(),
            agencies: BTreeMap::new(),
            applied: Applied::default(),
            undone: Vec::new(),
        };
        publication.run(catalogue).await?;
        if edits == Edits::Keep && !publication.undone.is_empty() {
            return Err(Error::Edited(publication.undone));
        }
        let Publication { mut tx, now, applied, .. } = publication;
        if !applied.is_empty() {
            count(&mut tx).await?;
            self.outbox.publish(&mut tx, changed()).await?;
        }
        if let Some(set) = embedded_set {
            let sql = "insert into embedded_set (fingerprint, published_at) values ($1, $2)
                       on conflict (fingerprint) do nothing";
            tx.execute(sql, args![set, now]).await?;
        }
        tx.commit().await?;
        Ok(applied)
    }
}

/// One publication on its way.
struct Publication<'store> {
    tx: Tx,
    outbox: &'store Outbox,
    now: DateTime<Utc>,
    /// All agencies there are: those published before and those of the files.
    agencies: BTreeMap<String, Agency>,
    applied: Applied,
    /// Edits that are no more, as `LAO-01 by nonthaburi`.
    undone: Vec<String>,
}

impl Publication<'_> {
    async fn run(&mut self, catalogue: &Catalogue) -> Result<(), Error> {
        lock(&mut self.tx).await?;
        self.read_agencies().await?;
        for (code, agency) in &catalogue.agencies {
            self.publish_agency(code, agency).await?;
        }
        self.check_references(catalogue).await?;
        for (code, service) in &catalogue.services {
            self.publish_service(code, service).await?;
        }
        self.republish_for_changed_agencies(catalogue).await?;
        for (code, event) in &catalogue.life_events {
            self.publish_life_event(code, event).await?;
        }
        Ok(())
    }

    async fn read_agencies(&mut self) -> Result<(), Error> {
        let sql = "select code, content from agency where code > $1 order by code limit $2";
        let mut after = String::new();
        loop {
            let rows = self.tx.rows(sql, args![&after, CHUNK_ROWS]).await?;
            for row in &rows {
                let record = agency(row)?;
                after.clone_from(&record.code);
                self.agencies.insert(record.code, record.content);
            }
            if is_last(rows.len()) {
                return Ok(());
            }
        }
    }

    async fn publish_agency(&mut self, code: &str, agency: &Agency) -> Result<(), Error> {
        let before = self.agencies.insert(code.to_owned(), agency.clone());
        if before.is_some_and(|before| fingerprint(&before) == fingerprint(agency)) {
            return Ok(());
        }
        let area = agency.area.as_ref().map(|area| area.code.as_str());
        let sql = "insert into agency (code, area_code, content) values ($1, $2, $3)
                   on conflict (code) do update set area_code = excluded.area_code, content = excluded.content";
        self.tx.execute(sql, args![code, area, json!(agency)]).await?;
        self.applied.agencies.push(code.to_owned());
        Ok(())
    }

    /// What one file says of another must be there: in the files, or published before.
    async fn check_references(&mut self, catalogue: &Catalogue) -> Result<(), Error> {
        let mut findings = Findings::default();
        for (code, service) in &catalogue.services {
            let file = format!("public_services/{code}.toml");
            let offered = service.offerings.iter().enumerate();
            let offered =
                offered.map(|(index, offering)| (format!("offerings[{index}].agency"), &offering.agency));
            for (key, agency) in std::iter::once(("agency".to_owned(), &service.agency)).chain(offered) {
                if !self.agencies.contains_key(agency) {
                    findings.add(&file, key, format!("there is no agency \"{agency}\""));
                }
            }
        }
        for (code, event) in &catalogue.life_events {
            for service in &event.services {
                let sql = "select 1 as one from public_service where code = $1";
                if !catalogue.services.contains_key(service)
                    && self.tx.row(sql, args![service]).await?.is_none()
                {
                    let file = format!("life_events/{code}.toml");
                    findings.add(&file, "services", format!("there is no public service \"{service}\""));
                }
            }
        }
        Ok(findings.into_result()?)
    }

    async fn publish_service(&mut self, code: &str, service: &PublicService) -> Result<(), Error> {
        let fileable = service.has_form() && service.offerings.iter().any(|offering| offering.accepting);
        let form_revision = self.publish_service_revision(code, service, fileable).await?;
        let mut offered = BTreeSet::new();
        for offering in &service.offerings {
            let agency = &self.agencies[&offering.agency];
            let content =
                OfferingContent::new((code, service), form_revision, (&offering.agency, agency), offering);
            self.publish_offering(&content).await?;
            offered.insert(&offering.agency);
        }
        let sql = "select o.id, o.revision, r.content from offering o
                   join offering_revision r on r.offering_id = o.id and r.revision = o.revision
                   where o.public_service_code = $1";
        for row in self.tx.rows(sql, args![code]).await? {
            let before = offering(&row)?.content;
            // A life of its own ends here; what the service says of itself still holds for it.
            if !offered.contains(&before.agency_code) {
                let withdrawn = Offering { accepting: false, ..before.offering() };
                let agency = (before.agency_code.as_str(), &self.agencies[&before.agency_code]);
                let content = OfferingContent::new((code, service), form_revision, agency, &withdrawn);
                self.publish_offering(&content).await?;
            }
        }
        Ok(())
    }

    /// Publishes the service by itself; answers with the revision of its form.
    async fn publish_service_revision(
        &mut self,
        code: &str,
        new: &PublicService,
        fileable: bool,
    ) -> Result<i64, Error> {
        let new = PublicService { offerings: Vec::new(), ..new.clone() };
        let sql = "select s.code, s.revision, s.fileable, r.form_revision, r.content, r.fingerprint
                   from public_service s join public_service_revision r
                   on r.public_service_code = s.code and r.revision = s.revision where s.code = $1";
        let before = self.tx.row(sql, args![code]).await?;
        let digest = fingerprint(&new);
        let (revision, form_revision) = match &before {
            None => (1, i64::from(new.has_form())),
            Some(row) => {
                let record = service(row)?;
                if row.get::<String>("fingerprint")? == digest {
                    if record.fileable != fileable {
                        let sql = "update public_service set fileable = $2 where code = $1";
                        self.tx.execute(sql, args![code, fileable]).await?;
                        self.applied.services.push(code.to_owned());
                    }
                    return Ok(record.form_revision);
                }
                let same_form = fingerprint(&record.content.form) == fingerprint(&new.form);
                let step = i64::from(new.has_form() && !same_form);
                (record.revision + 1, record.form_revision + step)
            }
        };
        let sql = "insert into public_service (code, agency_code, revision, fileable) values ($1, $2, $3, $4)
                   on conflict (code) do update set agency_code = excluded.agency_code,
                       revision = excluded.revision, fileable = excluded.fileable";
        self.tx.execute(sql, args![code, &new.agency, revision, fileable]).await?;
        let sql = "insert into public_service_revision
                   (public_service_code, revision, form_revision, content, fingerprint, published_at)
                   values ($1, $2, $3, $4, $5, $6)";
        self.tx.execute(sql, args![code, revision, form_revision, json!(new), digest, self.now]).await?;
        self.applied.services.push(code.to_owned());
        Ok(form_revision)
    }

    async fn publish_offering(&mut self, new: &OfferingContent) -> Result<(), Error> {
        if self.undoes_an_edit(new).await? {
            self.undone.push(format!("{} by {}", new.service_code, new.agency_code));
        }
        let published = publish_offering(&mut self.tx, self.outbox, self.now, new).await?;
        self.applied.offerings.extend(published.map(|published| published.id));
        Ok(())
    }

    /// Whether an officer's latest edit holds until now, and would no longer.
    async fn undoes_an_edit(&mut self, new: &OfferingContent) -> Result<bool, Error> {
        let sql = "select e.content as edited, r.content from offering o
            join offering_revision r on r.offering_id = o.id and r.revision = o.revision
            join offering_revision e on e.offering_id = o.id and e.revision =
                (select max(revision) from offering_edit where offering_id = o.id)
            where o.id = $1";
        let id = offering_id(&new.service_code, &new.agency_code);
        let Some(row) = self.tx.row(sql, args![id]).await? else { return Ok(false) };
        let edited: OfferingContent = serde_json::from_value(row.get("edited")?)?;
        let edited = fingerprint(&edited.offering());
        let now = fingerprint(&content::<OfferingContent>(&row)?.offering());
        Ok(edited == now && edited != fingerprint(&new.offering()))
    }

    /// An agency's new name or area shows in all it offers, also in services whose files are not here.
    async fn republish_for_changed_agencies(&mut self, catalogue: &Catalogue) -> Result<(), Error> {
        for code in self.applied.agencies.clone() {
            let agency = self.agencies[&code].clone();
            let sql = "select r.content from offering o join offering_revision r
                       on r.offering_id = o.id and r.revision = o.revision where o.agency_code = $1";
            for row in self.tx.rows(sql, args![&code]).await? {
                let mut offered: OfferingContent = content(&row)?;
                if !catalogue.services.contains_key(&offered.service_code) {
                    offered.agency_name = agency.name.clone();
                    offered.area = agency.area.clone();
                    self.publish_offering(&offered).await?;
                }
            }
        }
        Ok(())
    }

    async fn publish_life_event(&mut self, code: &str, new: &LifeEvent) -> Result<(), Error> {
        let before = self.tx.row("select content from life_event where code = $1", args![code]).await?;
        if let Some(row) = &before
            && fingerprint(&content::<LifeEvent>(row)?) == fingerprint(new)
        {
            return Ok(());
        }
        let sql = "insert into life_event (code, content) values ($1, $2)
                   on conflict (code) do update set content = excluded.content";
        self.tx.execute(sql, args![code, json!(new)]).await?;
        self.tx.execute("delete from life_event_service where life_event_code = $1", args![code]).await?;
        for (position, service) in (0_i64..).zip(&new.services) {
            let sql = "insert into life_event_service (life_event_code, public_service_code, position)
                       values ($1, $2, $3)";
            self.tx.execute(sql, args![code, service, position]).await?;
        }
        self.applied.life_events.push(code.to_owned());
        Ok(())
    }
}

/// A revision of an offering that was just made.
pub(super) struct Published {
    pub id: Uuid,
    pub revision: i64,
}

/// Publishes an offering and its message, if anything that an application pins has changed.
pub(super) async fn publish_offering(
    tx: &mut Tx,
    outbox: &Outbox,
    now: DateTime<Utc>,
    new: &OfferingContent,
) -> Result<Option<Published>, Error> {
    let id = offering_id(&new.service_code, &new.agency_code);
    let digest = fingerprint(new);
    let sql = "select o.revision, r.fingerprint from offering o join offering_revision r
               on r.offering_id = o.id and r.revision = o.revision where o.id = $1";
    let revision = match tx.row(sql, args![id]).await? {
        Some(row) if row.get::<String>("fingerprint")? == digest => return Ok(None),
        Some(row) => row.get::<i64>("revision")? + 1,
        None => 1,
    };
    let sql = "insert into offering (id, public_service_code, agency_code, area_code, revision)
               values ($1, $2, $3, $4, $5)
               on conflict (id) do update set area_code = excluded.area_code, revision = excluded.revision";
    tx.execute(sql, args![id, &new.service_code, &new.agency_code, new.area_code(), revision]).await?;
    let sql = "insert into offering_revision (offering_id, revision, content, fingerprint, published_at)
               values ($1, $2, $3, $4, $5)";
    tx.execute(sql, args![id, revision, json!(new), digest, now]).await?;
    outbox.publish(tx, offering_published(id, revision, new)).await?;
    Ok(Some(Published { id, revision }))
}

/// Publications and edits come one after another, also from several processes.
pub(super) async fn lock(tx: &mut Tx) -> Result<(), Error> {
    let sql = format!("select number from publication where id = 1{}", tx.engine().for_update());
    tx.row(&sql, args![]).await?;
    Ok(())
}

/// What the search index is made of has changed.
pub(super) async fn count(tx: &mut Tx) -> Result<(), Error> {
    tx.execute("update publication set number = number + 1 where id = 1", args![]).await?;
    Ok(())
}
