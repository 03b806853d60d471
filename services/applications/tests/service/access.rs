//! Who may see and do what: not yours and not there look the same.

use auth::Principal;
use serde_json::json;

use crate::world::{World, id, worlds};

#[tokio::test]
async fn a_draft_is_the_applicants_alone() {
    for world in worlds().await {
        let draft = world.complete_draft(5).await;
        assert_eq!(world.see(&world.citizen, &draft).await["id"], draft["id"]);
        for other in [&world.stranger, &world.officer, &elsewhere(&world)] {
            assert_eq!(world.see(other, &draft).await, json!(null));
            assert_eq!(entity(&world, other, &draft["id"]).await, json!(null));
        }
        assert_eq!(entity(&world, &world.citizen, &draft["id"]).await["id"], draft["id"]);
        assert_eq!(entity(&world, &Principal::Nobody, &draft["id"]).await, json!(null));
        // Withdrawing a draft does not show it to the agency.
        let input = json!({ "idempotencyKey": "w", "applicationId": draft["id"] });
        world.change(&world.citizen, "withdrawApplication", input).await;
        assert_eq!(world.see(&world.officer, &draft).await, json!(null));
        assert!(world.published("applications.closed").await.is_empty());
    }
}

#[tokio::test]
async fn a_case_is_the_applicants_and_that_agencys_alone() {
    for world in worlds().await {
        let application = world.submitted(5).await;
        assert_eq!(world.see(&world.officer, &application).await["applicantName"]["th"], crate::world::NAME);
        for other in [&world.stranger, &elsewhere(&world)] {
            assert_eq!(world.see(other, &application).await, json!(null));
            assert_eq!(entity(&world, other, &application["id"]).await, json!(null));
        }
        let of_id = json!({ "idempotencyKey": "k", "applicationId": application["id"] });
        let with = |more: serde_json::Value| {
            let mut input = of_id.clone();
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            input
        };
        for (mutation, input) in [
            ("saveApplicationDraft", with(json!({ "revision": 2, "answers": {} }))),
            ("submitApplication", with(json!({ "revision": 2 }))),
            ("withdrawApplication", of_id.clone()),
            (
                "startEvidenceUpload",
                with(json!({ "evidenceCode": "map", "fileName": "a.pdf",
                    "mediaType": "application/pdf", "sizeBytes": 1 })),
            ),
        ] {
            let refused = world.change(&world.stranger, mutation, input.clone()).await;
            assert_eq!(refused["__typename"], "NotFoundProblem", "{mutation}: {refused}");
            let nobody = world.change(&Principal::Nobody, mutation, input.clone()).await;
            assert_eq!(nobody["extensions"]["code"], "UNAUTHENTICATED", "{mutation}");
            let officer = world.change(&world.officer, mutation, input).await;
            assert_eq!(officer["extensions"]["code"], "FORBIDDEN", "{mutation}");
        }
        for (mutation, input) in [
            ("takeApplication", of_id.clone()),
            ("requestMoreDocuments", with(json!({ "items": [], "message": "x" }))),
            ("explainDelay", with(json!({ "reason": "x" }))),
            ("approveApplication", of_id.clone()),
            ("rejectApplication", with(json!({ "reason": "x" }))),
        ] {
            let refused = world.change(&elsewhere(&world), mutation, input.clone()).await;
            assert_eq!(refused["__typename"], "NotFoundProblem", "{mutation}: {refused}");
            let citizen = world.change(&world.citizen, mutation, input).await;
            assert_eq!(citizen["extensions"]["code"], "FORBIDDEN", "{mutation}");
        }
        assert_eq!(world.see(&world.citizen, &application).await["status"], "SUBMITTED");
    }
}

#[tokio::test]
async fn entities_are_read_in_one_batch_and_each_is_checked() {
    for world in worlds().await {
        let (mine, other) = (world.submitted(5).await, world.draft_of(5).await);
        let document =
            "query($of: [_Any!]!) { _entities(representations: $of) { ... on Application { id } } }";
        let of = |id: &serde_json::Value| json!({ "__typename": "Application", "id": id });
        let all = json!({ "of": [of(&mine["id"]), of(&json!("app_x")), of(&other["id"]), of(&mine["id"])] });
        let seen = world.ask(&world.citizen, document, all.clone()).await;
        let ids = [mine["id"].clone(), other["id"].clone()];
        let expected = json!([{ "id": ids[0] }, null, { "id": ids[1] }, { "id": ids[0] }]);
        assert_eq!(seen["data"]["_entities"], expected, "{seen}");
        let officer = world.ask(&world.officer, document, all).await;
        assert_eq!(officer["data"]["_entities"], json!([{ "id": ids[0] }, null, null, { "id": ids[0] }]));
    }
}

#[tokio::test]
async fn a_token_without_the_scope_gets_nothing() {
    for world in worlds().await {
        let application = world.submitted(5).await;
        let Principal::Citizen(mut bare) = world.citizen.clone() else { unreachable!() };
        bare.scopes.clear();
        let bare = Principal::Citizen(bare);
        let read = "query($id: ID!) { application(id: $id) { id } }";
        let answer = world.ask(&bare, read, json!({ "id": application["id"] })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN");
        let list = world.ask(&bare, "{ applications { nodes { id } } }", json!({})).await;
        assert_eq!(list["errors"][0]["extensions"]["code"], "FORBIDDEN");
        assert_eq!(entity(&world, &bare, &application["id"]).await, json!(null));
        let input = json!({ "idempotencyKey": "k", "applicationId": application["id"] });
        let write = world.change(&bare, "withdrawApplication", input).await;
        assert_eq!(write["extensions"]["code"], "FORBIDDEN");
    }
}

#[tokio::test]
async fn unknown_and_malformed_ids_find_nothing() {
    for world in worlds().await {
        for unknown in ["", "app_", "x", "app_00000000000000000000000000000001", "bil_1"] {
            assert_eq!(world.see(&world.citizen, &json!({ "id": unknown })).await, json!(null), "{unknown}");
        }
    }
}

#[test]
fn the_schema_is_exported_for_composition() {
    let sdl = applications::sdl();
    assert!(sdl.contains("type Application @key(fields: \"id\")"));
    assert!(sdl.contains("type Party @key(fields: \"id\", resolvable: false)"));
    assert!(sdl.contains("interface Problem"));
}

fn elsewhere(world: &World) -> Principal {
    testkit::officer(id(10), "LAO-1202", world.clock.now())
}

async fn entity(
    world: &World,
    principal: &Principal,
    application_id: &serde_json::Value,
) -> serde_json::Value {
    let document = "query($of: [_Any!]!) { _entities(representations: $of) { ... on Application { id } } }";
    let of = json!({ "of": [{ "__typename": "Application", "id": application_id }] });
    let answer = world.ask(principal, document, of).await;
    assert!(answer.get("errors").is_none(), "{answer}");
    answer["data"]["_entities"][0].clone()
}
