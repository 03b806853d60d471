//! A service on throw-away databases, a graph that knows two people, and offerings to file.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use applications::{Foundations, Service, schema::Schema};
use async_graphql::{Request, Variables};
use auth::Principal;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cache::Wake;
use chassis::{Graph, GraphFailure};
use clock::Clock;
use database::Target;
use graphql::{OfferingId, PartyId};
use outbox::{Received, Relay};
use sealing::{Keys, Sealer};
use serde_json::{Value as Json, json};
use testkit::{Engines, TestDatabase};
use uuid::Uuid;

/// The persona whose data must never be found in the clear.
pub const NAME: &str = "สมหญิง ใจดี";
pub const NUMBER: &str = "1100100001015";
pub const ADDRESS: &str = "99 หมู่ 1 ตำบลบางรัก";

pub struct World {
    pub service: Service,
    pub schema: Schema,
    pub clock: Clock,
    sealer: Sealer,
    pub graph: Arc<Profiles>,
    wake: Wake,
    pub citizen: Principal,
    pub stranger: Principal,
    pub officer: Principal,
    pub place: TestDatabase,
}

/// One per engine.
pub async fn worlds() -> Vec<World> {
    let mut worlds = Vec::new();
    for place in Engines::all().await {
        worlds.push(World::new(place).await);
    }
    worlds
}

async fn open(
    target: &Target,
    place: &TestDatabase,
    clock: &Clock,
    sealer: &Sealer,
    graph: &Arc<Profiles>,
    wake: &Wake,
) -> Service {
    let foundations = Foundations {
        clock: clock.clone(),
        sealer: sealer.clone(),
        graph: graph.clone(),
        wake: wake.clone(),
        public_url: "http://localhost:4000".into(),
        config: applications::Config::default(),
    };
    Service::open(target, place.directory(), foundations).await.unwrap()
}

pub fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

pub const COMPANY: u128 = 77;

impl World {
    pub async fn new(place: TestDatabase) -> Self {
        Self::woken_by(place, Wake::new(None)).await
    }

    pub async fn woken_by(place: TestDatabase, wake: Wake) -> Self {
        let clock = testkit::clock();
        let sealer = Sealer::new(Keys::from_base64(&Keys::generate()).unwrap());
        let number_index = URL_SAFE_NO_PAD.encode(sealer.blind_index("party.number", NUMBER));
        let graph = Arc::new(Profiles { number_index, ..Profiles::default() });
        let service = open(&place.target, &place, &clock, &sealer, &graph, &wake).await;
        let now = clock.now();
        let world = Self {
            schema: service.schema(),
            service,
            clock,
            sealer,
            graph,
            wake,
            citizen: testkit::citizen(id(1), &[id(COMPANY)], now),
            stranger: testkit::citizen(id(2), &[], now),
            officer: testkit::officer(id(9), "LAO-1201", now),
            place,
        };
        world.publish(|_| {}).await;
        world
    }

    pub fn folder(&self) -> PathBuf {
        self.place.directory().to_owned()
    }

    /// Publishes revision 1 of the food-premises offering (number 5), changed as one likes.
    pub async fn publish(&self, change: impl FnOnce(&mut Json)) {
        let mut offering = offering();
        change(&mut offering);
        self.hear("catalogue.offering_published", offering).await;
    }

    /// A message of another service arrives.
    pub async fn hear(&self, topic: &str, payload: Json) {
        self.hear_as(Uuid::from_u128(rand::random()), topic, payload).await;
    }

    pub async fn hear_as(&self, message_id: Uuid, topic: &str, payload: Json) {
        let message = Received { id: message_id, topic: topic.into(), payload };
        for consumer in self.service.consumers() {
            consumer.receive(&message).await.unwrap();
        }
    }

    /// Delivers what is due, timers too, until nothing is.
    pub async fn tick(&self) {
        let (database, outbox) = (self.service.database().clone(), self.service.outbox().clone());
        let relay = Relay::new(database, self.clock.clone(), outbox, self.service.consumers());
        while relay.deliver_due().await.unwrap() > 0 {}
    }

    /// The process goes, and another one begins on the same data.
    pub async fn restarted(self) -> Self {
        let target = self.place.target.clone();
        self.restarted_at(&target).await
    }

    /// The same, and it reaches its place in another way.
    pub async fn restarted_at(self, target: &Target) -> Self {
        let Self { service, schema, clock, sealer, graph, .. } = self;
        service.database().close().await;
        drop((service, schema));
        let service = open(target, &self.place, &clock, &sealer, &graph, &self.wake).await;
        Self { schema: service.schema(), service, clock, sealer, graph, ..self }
    }

    /// What another process on the same data answers, told by `wake` of what this one does.
    pub async fn beside(&self, wake: &Wake) -> Schema {
        open(&self.place.target, &self.place, &self.clock, &self.sealer, &self.graph, wake).await.schema()
    }

    /// What was published on a topic, oldest first.
    pub async fn published(&self, topic: &str) -> Vec<Json> {
        let sql = "select payload from outbox_message where topic = $1 order by created_at, id";
        let rows = self.service.database().rows(sql, database::args![topic]).await.unwrap();
        rows.iter().map(|row| row.get("payload").unwrap()).collect()
    }

    /// The whole answer.
    pub async fn ask(&self, principal: &Principal, document: &str, variables: Json) -> Json {
        let request =
            Request::new(document).variables(Variables::from_json(variables)).data(principal.clone());
        serde_json::to_value(self.schema.execute(request).await).unwrap()
    }

    /// The payload of a mutation with one input.
    pub async fn change(&self, principal: &Principal, mutation: &str, input: Json) -> Json {
        let input_type = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
        let document = format!(
            "mutation($input: {input_type}!) {{ it: {mutation}(input: $input) {{ __typename
                ... on Problem {{ code message retryable }}
                {} }} }}",
            members(mutation)
        );
        let answer = self.ask(principal, &document, json!({ "input": input })).await;
        match answer.get("errors") {
            Some(errors) => errors[0].clone(),
            None => answer["data"]["it"].clone(),
        }
    }

    /// A fresh draft of offering `number`.
    pub async fn draft_of(&self, number: u128) -> Json {
        let input = json!({
            "idempotencyKey": format!("start-{}", rand::random::<u64>()),
            "offeringId": OfferingId::from(id(number)),
            "partyId": PartyId::from(id(1)),
        });
        let started = self.change(&self.citizen, "startApplication", input).await;
        assert_eq!(started["__typename"], "ApplicationStarted", "{started}");
        started["application"].clone()
    }

    /// A draft of offering 5 with every answer given.
    pub async fn complete_draft(&self, number: u128) -> Json {
        let draft = self.draft_of(number).await;
        let saved = self.save(&draft, json!({ "shop_name": "ร้านป้าสม", "area_sqm": 40 })).await;
        assert_eq!(saved["__typename"], "DraftSaved", "{saved}");
        saved["application"].clone()
    }

    pub async fn save(&self, draft: &Json, answers: Json) -> Json {
        let input = json!({
            "idempotencyKey": format!("save-{}", rand::random::<u64>()),
            "applicationId": draft["id"],
            "revision": draft["revision"],
            "answers": answers,
        });
        self.change(&self.citizen, "saveApplicationDraft", input).await
    }

    pub async fn submit(&self, draft: &Json, key: &str) -> Json {
        let input = json!({
            "idempotencyKey": key,
            "applicationId": draft["id"],
            "revision": draft["revision"],
        });
        self.change(&self.citizen, "submitApplication", input).await
    }

    /// A submitted application of offering `number`.
    pub async fn submitted(&self, number: u128) -> Json {
        let draft = self.complete_draft(number).await;
        let submitted = self.submit(&draft, &format!("submit-{}", rand::random::<u64>())).await;
        assert_eq!(submitted["__typename"], "ApplicationSubmitted", "{submitted}");
        submitted["application"].clone()
    }

    /// An officer's move under a fresh key.
    pub async fn officer_does(&self, mutation: &str, application: &Json, more: Json) -> Json {
        let mut input = json!({
            "idempotencyKey": format!("{mutation}-{}", rand::random::<u64>()),
            "applicationId": application["id"],
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            input[name] = value.clone();
        }
        self.change(&self.officer, mutation, input).await
    }

    /// The application as somebody sees it.
    pub async fn see(&self, principal: &Principal, application: &Json) -> Json {
        let document = format!("query($id: ID!) {{ application(id: $id) {{ {FIELDS} }} }}");
        self.ask(principal, &document, json!({ "id": application["id"] })).await["data"]["application"]
            .clone()
    }

    /// Kinds of events, in order.
    pub async fn timeline(&self, application: &Json) -> Vec<String> {
        let seen = self.see(&self.citizen, application).await;
        let nodes = seen["timeline"]["nodes"].as_array().cloned().unwrap_or_default();
        nodes.iter().map(|event| event["kind"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

pub const FIELDS: &str = "id receiptNumber status revision answers applicantName { th }
    applicant { id } offering { id } publicService { code } agency { code }
    answerSources { pointer source fetchedAt }
    evidence { id code fileName mediaType sizeBytes url }
    decision { outcome automatic reason }
    nextAction { actor action description { th en } dueAt overdue }
    documentsWanted { evidenceCode received } documentsDueOn legalDaysLeft latenessNotices expiresAt
    receivedAt legallyReceivedAt dueOn ruleSet
    timeline { nodes { sequence kind legallyReceivedAt actor { kind label { th } } mandateId party { id } statusAfter
        message requestedDocuments { evidenceCode message } description { th en } } }";

/// The fragments a mutation's payload union allows.
fn members(mutation: &str) -> String {
    let invalid = "... on InvalidInput { fields { pointer message { th en } } }";
    let conflict = "... on RevisionConflict { application { revision answers id } }";
    let (member, problems) = match mutation {
        "startApplication" => ("ApplicationStarted", String::new()),
        "saveApplicationDraft" => ("DraftSaved", format!("{invalid} {conflict}")),
        "submitApplication" => ("ApplicationSubmitted", format!("{invalid} {conflict}")),
        "withdrawApplication" => ("ApplicationWithdrawn", String::new()),
        "takeApplication" => ("ApplicationTaken", String::new()),
        "requestMoreDocuments" => ("DocumentsRequested", invalid.into()),
        "explainDelay" => ("DelayExplained", invalid.into()),
        "approveApplication" => ("ApplicationApproved", invalid.into()),
        "rejectApplication" => ("ApplicationRejected", invalid.into()),
        _ => {
            let upload = "upload { url expiresAt evidence { id status } }";
            return format!("... on EvidenceUploadStarted {{ {upload} }} {invalid}");
        }
    };
    format!("... on {member} {{ application {{ {FIELDS} }} }} {problems}")
}

fn offering() -> Json {
    json!({
        "offering_id": id(5),
        "revision": 1,
        "service_code": "food-premises",
        "service_title": { "th": "หนังสือรับรองการแจ้งจัดตั้งสถานที่จำหน่ายอาหาร", "en": "Food premises" },
        "agency_code": "LAO-1201",
        "agency_name": { "th": "เทศบาลตัวอย่าง", "en": "Sample municipality" },
        "area": "1201",
        "audience": ["citizen", "business"],
        "ial": "2.1",
        "aal": "2.1",
        "fee_satang": 50_000,
        "fee_due": "approval",
        "fee_on_rejection": "refund",
        "legal_days": 7,
        "decision": "officer",
        "accepting": true,
        "form": {
            "revision": 1,
            "schema": {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "type": "object",
                "additionalProperties": false,
                "required": ["owner_name", "shop_name", "area_sqm"],
                "properties": {
                    "owner_name": { "type": "string", "title": "ชื่อเจ้าของ", "x-source": "profile.name_th" },
                    "owner_address": { "type": "string", "x-source": "profile.address" },
                    "company_number": { "type": "string", "x-source": "party.registration_number" },
                    "shop_name": { "type": "string", "minLength": 1, "maxLength": 100 },
                    "area_sqm": { "type": "number", "minimum": 1, "maximum": 10_000 },
                },
            },
            "layout": { "sections": [] },
        },
        "evidence": [
            { "code": "map", "title": { "th": "แผนที่", "en": "Map" }, "required": false,
              "media_types": ["application/pdf", "image/png"], "bytes_max": 2_000, "held_by_state": false },
            { "code": "id-card", "title": { "th": "บัตรประชาชน" }, "required": true,
              "media_types": [], "bytes_max": 1, "held_by_state": true },
        ],
    })
}

/// The graph, as far as applications asks it: profiles by citizen.
#[derive(Default)]
pub struct Profiles {
    pub down: AtomicBool,
    number_index: String,
}

#[async_trait::async_trait]
impl Graph for Profiles {
    async fn query(
        &self,
        principal: &Principal,
        document: &'static str,
        _variables: Json,
    ) -> Result<Json, GraphFailure> {
        assert!(document.contains("viewer"));
        if self.down.load(Ordering::Relaxed) {
            return Err(GraphFailure { codes: vec!["UNAVAILABLE".into()] });
        }
        let Principal::Citizen(citizen) = principal else {
            return Ok(json!({ "viewer": null }));
        };
        let parties = citizen.parties.iter().enumerate().map(|(index, acting)| {
            json!({
                "id": PartyId::from(acting.party_id),
                "kind": if index == 0 { "NATURAL" } else { "JURISTIC" },
                "displayName": {
                    "th": if index == 0 { NAME } else { "บริษัท ใจดี จำกัด" },
                    "en": null,
                },
                "registrationNumber": if index == 0 { Json::Null } else { json!("0105500000001") },
            })
        });
        Ok(json!({ "viewer": {
            "citizen": {
                "id": citizen.citizen_id,
                "nameTh": NAME,
                "nameEn": "Somying Jaidee",
                "birthDate": "1980-01-02",
                "address": ADDRESS,
                "nationalIdIndex": self.number_index,
            },
            "parties": parties.collect::<Vec<_>>(),
        } }))
    }
}
