//! The subgraph through its GraphQL door.

use async_graphql::Request;
use auth::Principal;
use serde_json::{Value, json};

use super::driver::{World, worlds};

pub async fn ask(world: &World, principal: &Principal, document: &str, variables: Value) -> Value {
    let request = Request::new(document)
        .variables(async_graphql::Variables::from_json(variables))
        .data(principal.clone());
    serde_json::to_value(world.service.schema().execute(request).await).unwrap()
}

const VIEWER: &str = "{ viewer { identityAssuranceLevel authenticatorAssuranceLevel
    citizen { id nameTh nameEn birthDate nationalIdMasked }
    officer { agency { code } roles }
    parties { id kind displayName { th en } registrationNumber mandate { basis validFrom } } } }";

#[tokio::test]
async fn the_viewer_is_null_for_nobody_and_shows_a_citizen_themselves() {
    for world in worlds().await {
        let nobody = ask(&world, &Principal::Nobody, VIEWER, json!({})).await;
        assert_eq!(nobody, json!({ "data": { "viewer": null } }));
        let (somchai, _) = world.portal().log_in("thaid", "somchai").await.access(&world).unwrap();
        let mut answer = ask(&world, &somchai, VIEWER, json!({})).await;
        let viewer = &mut answer["data"]["viewer"];
        assert_eq!(viewer["citizen"]["id"], viewer["parties"][0]["id"]);
        viewer["citizen"]["id"].take();
        viewer["parties"][0]["id"].take();
        viewer["parties"][1]["id"].take();
        assert_eq!(
            answer,
            json!({ "data": { "viewer": {
            "identityAssuranceLevel": "IAL_2_3",
            "authenticatorAssuranceLevel": "AAL_2_2",
            "officer": null,
            "citizen": {
                "id": null,
                "nameTh": "นายสมชาย ครัวอุดม",
                "nameEn": "Somchai Kruaudom",
                "birthDate": "1984-03-12",
                "nationalIdMasked": "x-xxxx-xxxxx-01-5",
            },
            "parties": [{
                "id": null,
                "kind": "NATURAL",
                "displayName": { "th": "นายสมชาย ครัวอุดม", "en": "Somchai Kruaudom" },
                "registrationNumber": null,
                "mandate": null,
            }, {
                "id": null,
                "kind": "JURISTIC",
                "displayName": { "th": "บริษัท ครัวอุดม จำกัด", "en": "Kruaudom Kitchen Co., Ltd." },
                "registrationNumber": "0105550000113",
                "mandate": { "basis": "DIRECTOR", "validFrom": "2019-06-03" },
            }],
        } } })
        );
    }
}

#[tokio::test]
async fn an_officer_sees_agency_and_roles_and_no_parties() {
    for world in worlds().await {
        let (officer, _) = world.desk().log_in("thaid", "approver-nonthaburi").await.access(&world).unwrap();
        let answer = ask(
            &world,
            &officer,
            "{ viewer { officer { agency { code } roles } parties { id } } }",
            json!({}),
        )
        .await;
        let viewer = &answer["data"]["viewer"];
        assert_eq!(viewer["officer"], json!({ "agency": { "code": "nonthaburi" }, "roles": ["APPROVER"] }));
        assert_eq!(viewer["parties"], json!([]));
    }
}

#[tokio::test]
async fn personal_data_needs_its_scope() {
    for world in worlds().await {
        let (mut somchai, _) = world.portal().log_in("thaid", "somchai").await.access(&world).unwrap();
        if let Principal::Citizen(citizen) = &mut somchai {
            citizen.scopes.remove("profile:read");
        }
        let answer =
            ask(&world, &somchai, "{ viewer { citizen { id } parties { displayName { th } } } }", json!({}))
                .await;
        assert_eq!(answer["data"]["viewer"]["citizen"], Value::Null);
        assert_eq!(answer["data"]["viewer"]["parties"][0]["displayName"], Value::Null);
        assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN");
    }
}

#[tokio::test]
async fn a_party_is_seen_by_those_who_may_act_for_it_alone() {
    for world in worlds().await {
        let entities = "query($r: [_Any!]!) { _entities(representations: $r) { ... on Party { id kind } } }";
        let ids = |principal: &Principal| match principal {
            Principal::Citizen(citizen) => citizen.party_ids(),
            _ => Vec::new(),
        };
        let (somchai, _) = world.portal().log_in("thaid", "somchai").await.access(&world).unwrap();
        let (malee, _) = world.portal().log_in("thaid", "malee").await.access(&world).unwrap();
        let representations: Vec<Value> = ids(&somchai)
            .into_iter()
            .map(|id| json!({ "__typename": "Party", "id": graphql::PartyId::from(id).to_string() }))
            .collect();
        let variables = json!({ "r": representations });
        let own = ask(&world, &somchai, entities, variables.clone()).await;
        assert_eq!(own["data"]["_entities"][0]["kind"], "NATURAL");
        assert_eq!(own["data"]["_entities"][1]["kind"], "JURISTIC");
        let (officer, _) = world.desk().log_in("thaid", "officer-nonthaburi").await.access(&world).unwrap();
        for stranger in [malee, officer, Principal::Nobody] {
            let answer = ask(&world, &stranger, entities, variables.clone()).await;
            assert_eq!(answer, json!({ "data": { "_entities": [null, null] } }));
        }
    }
}

#[tokio::test]
async fn ending_the_session_ends_its_tokens_and_is_safe_to_ask_twice() {
    for world in worlds().await {
        let tokens = world.portal().log_in("thaid", "somchai").await;
        let (somchai, _) = tokens.access(&world).unwrap();
        let document = "mutation($key: String!) { endSession(input: { idempotencyKey: $key }) {
            __typename ... on SessionEnded { endedAt } ... on Problem { code } } }";
        let first = ask(&world, &somchai, document, json!({ "key": "k1" })).await;
        assert_eq!(first["data"]["endSession"]["__typename"], "SessionEnded");
        world.clock.advance(chrono::Duration::seconds(9));
        assert_eq!(ask(&world, &somchai, document, json!({ "key": "k1" })).await, first);
        let empty = ask(&world, &somchai, document, json!({ "key": "" })).await;
        assert_eq!(empty["data"]["endSession"]["code"], "CONFLICT");
        assert_eq!(tokens.access(&world).unwrap_err(), auth::TokenError::Ended);
        assert!(world.portal().refresh(tokens.text("refresh_token")).await.is_err());
        let nobody = ask(&world, &Principal::Nobody, document, json!({ "key": "k" })).await;
        assert_eq!(nobody["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    }
}

#[tokio::test]
async fn the_providers_are_listed_with_the_levels_they_can_give() {
    for world in worlds().await {
        let answer = ask(
            &world,
            &Principal::Nobody,
            "{ identityProviders { code name { en } identityAssuranceLevelMax } }",
            json!({}),
        )
        .await;
        let providers = &answer["data"]["identityProviders"];
        assert_eq!(
            providers[0],
            json!({ "code": "thaid", "name": { "en": "ThaID" }, "identityAssuranceLevelMax": "IAL_2_3" })
        );
        assert_eq!(providers.as_array().unwrap().len(), 2);
    }
}

#[test]
fn the_sdl_marks_what_needs_a_login_or_a_scope() {
    let sdl = identity::sdl();
    assert!(sdl.contains("type Party @key(fields: \"id\")"), "{sdl}");
    assert!(sdl.contains("endSession(") && sdl.contains("@authenticated"), "{sdl}");
    assert!(sdl.contains("@requiresScopes(scopes: [[\"profile:read\"]])"), "{sdl}");
}
