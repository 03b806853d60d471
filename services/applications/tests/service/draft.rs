//! Beginning and saving a draft.

use std::sync::atomic::Ordering;

use graphql::{OfferingId, PartyId};
use serde_json::json;

use crate::files::attach;
use crate::world::{ADDRESS, COMPANY, NAME, id, worlds};

#[tokio::test]
async fn a_draft_begins_with_what_the_state_knows_and_says_from_where() {
    for world in worlds().await {
        let draft = world.draft_of(5).await;
        assert_eq!(draft["answers"], json!({ "owner_name": NAME, "owner_address": ADDRESS }));
        let sources = &draft["answerSources"];
        assert_eq!(sources[0]["pointer"], "/owner_name");
        assert_eq!(sources[0]["source"], "profile.name_th");
        assert_eq!(draft["status"], "DRAFT");
        assert_eq!(draft["applicantName"]["th"], NAME);
        assert_eq!(draft["nextAction"]["action"], "SUBMIT");
        assert_eq!(draft["publicService"]["code"], "food-premises");
    }
}

#[tokio::test]
async fn a_draft_for_a_company_records_the_mandate() {
    for world in worlds().await {
        let input = json!({
            "idempotencyKey": "k",
            "offeringId": OfferingId::from(id(5)),
            "partyId": PartyId::from(id(COMPANY)),
        });
        let started = world.change(&world.citizen, "startApplication", input.clone()).await;
        let draft = &started["application"];
        assert_eq!(draft["answers"]["company_number"], "0105500000001");
        assert_eq!(draft["applicant"]["id"], PartyId::from(id(COMPANY)).to_string());
        assert!(draft["timeline"]["nodes"][0]["mandateId"].as_str().unwrap().starts_with("man_"));

        // Neither the graph nor the offering is asked again.
        world.graph.down.store(true, Ordering::Relaxed);
        let again = world.change(&world.citizen, "startApplication", input).await;
        assert_eq!(again["application"]["id"], draft["id"], "a lost answer is asked for again");
        let other = json!({
            "idempotencyKey": "k",
            "offeringId": OfferingId::from(id(5)),
            "partyId": PartyId::from(id(1)),
        });
        let conflict = world.change(&world.citizen, "startApplication", other).await;
        assert_eq!(conflict["__typename"], "ConflictProblem");
    }
}

#[tokio::test]
async fn nothing_is_begun_for_others_or_for_what_is_not_offered() {
    for world in worlds().await {
        world
            .publish(|offering| {
                offering["offering_id"] = json!(id(6));
                offering["accepting"] = json!(false);
            })
            .await;
        world
            .publish(|offering| {
                offering["offering_id"] = json!(id(7));
                offering["audience"] = json!(["citizen"]);
            })
            .await;
        for (offering, party, problem) in [
            (5, 2, "NotFoundProblem"),
            (404, 1, "NotFoundProblem"),
            (6, 1, "StateProblem"),
            (7, COMPANY, "StateProblem"),
        ] {
            let input = json!({
                "idempotencyKey": format!("{offering}-{party}"),
                "offeringId": OfferingId::from(id(offering)),
                "partyId": PartyId::from(id(party)),
            });
            let refused = world.change(&world.citizen, "startApplication", input).await;
            assert_eq!(refused["__typename"], problem, "{offering} {party}: {refused}");
        }
    }
}

#[tokio::test]
async fn without_the_graph_nothing_is_begun_and_one_may_try_again() {
    for world in worlds().await {
        let input = json!({
            "idempotencyKey": "k",
            "offeringId": OfferingId::from(id(5)),
            "partyId": PartyId::from(id(1)),
        });
        world.graph.down.store(true, Ordering::Relaxed);
        let refused = world.change(&world.citizen, "startApplication", input.clone()).await;
        assert_eq!((&refused["code"], &refused["retryable"]), (&json!("UNAVAILABLE"), &json!(true)));
        let mine = world.ask(&world.citizen, "{ applications { nodes { id } } }", json!({})).await;
        assert_eq!(mine["data"]["applications"]["nodes"], json!([]));

        world.graph.down.store(false, Ordering::Relaxed);
        let started = world.change(&world.citizen, "startApplication", input).await;
        assert_eq!(started["__typename"], "ApplicationStarted");
    }
}

#[tokio::test]
async fn two_devices_lose_no_answer() {
    for world in worlds().await {
        let draft = world.draft_of(5).await;
        let phone = world.save(&draft, json!({ "shop_name": "ร้านป้าสม" })).await;
        assert_eq!(phone["application"]["revision"], 2);
        let portal = world.save(&draft, json!({ "area_sqm": 12 })).await;
        assert_eq!(portal["__typename"], "RevisionConflict");
        assert_eq!(portal["application"]["revision"], 2);
        assert_eq!(portal["application"]["answers"]["shop_name"], "ร้านป้าสม");
    }
}

#[tokio::test]
async fn a_draft_may_be_incomplete_but_not_wrong() {
    for world in worlds().await {
        let draft = world.draft_of(5).await;
        let wrong = json!({ "area_sqm": "large", "pets": 3, "owner_name": "คนอื่น" });
        let refused = world.save(&draft, wrong).await;
        assert_eq!(refused["__typename"], "InvalidInput");
        let mut pointers: Vec<_> = refused["fields"]
            .as_array()
            .unwrap()
            .iter()
            .map(|field| field["pointer"].as_str().unwrap())
            .collect();
        pointers.sort_unstable();
        assert_eq!(pointers, ["/area_sqm", "/owner_name", "/pets"]);
        assert!(!refused.to_string().contains("large"), "what was typed is not repeated in a message");

        let mut deep = json!(1);
        for _ in 0..50 {
            deep = json!([deep]);
        }
        for answers in [deep, json!({ "shop_name": "x".repeat(70_000) }), json!("text"), json!([])] {
            assert_eq!(world.save(&draft, answers).await["__typename"], "InvalidInput");
        }
        let saved = world.save(&draft, json!({ "shop_name": "ร้าน", "area_sqm": null })).await;
        assert_eq!(saved["application"]["revision"], 2, "refused saves changed nothing");
        assert_eq!(saved["application"]["answers"]["owner_name"], NAME);
        assert!(saved["application"]["answers"].get("area_sqm").is_none());
    }
}

#[tokio::test]
async fn a_draft_of_before_drafts_ran_out_runs_out_once_it_is_touched() {
    for world in worlds().await {
        let (saved, attached) = (world.draft_of(5).await, world.draft_of(5).await);
        let database = world.service.database();
        for old in [
            "update application set expires_at = null",
            "delete from outbox_message where topic = 'applications.draft_runs_out'",
        ] {
            database.execute(old, Vec::new()).await.unwrap();
        }
        world.save(&saved, json!({ "shop_name": "ร้านป้าสม" })).await;
        attach(&world, &attached).await;
        for draft in [&saved, &attached] {
            assert_eq!(world.see(&world.citizen, draft).await["expiresAt"], "2027-01-22T03:00:00+00:00");
        }
        world.clock.advance(chrono::Duration::days(61));
        world.tick().await;
        for draft in [&saved, &attached] {
            assert_eq!(world.see(&world.citizen, draft).await["status"], "LAPSED");
        }
    }
}

#[tokio::test]
async fn a_party_has_twenty_drafts_at_most_however_fast_they_are_begun() {
    for world in worlds().await {
        let mut first = None;
        for _ in 0..19 {
            first = Some(world.draft_of(5).await);
        }
        let begin = |number: u32| {
            let input = json!({
                "idempotencyKey": format!("more-{number}"),
                "offeringId": OfferingId::from(id(5)),
                "partyId": PartyId::from(id(1)),
            });
            world.change(&world.citizen, "startApplication", input)
        };
        let answers = futures::future::join_all((0..4).map(begin)).await;
        let count = |kind: &str| answers.iter().filter(|answer| answer["__typename"] == kind).count();
        assert_eq!((count("ApplicationStarted"), count("StateProblem")), (1, 3), "{answers:?}");
        // A company the same person acts for has its own.
        let company = json!({
            "idempotencyKey": "company",
            "offeringId": OfferingId::from(id(5)),
            "partyId": PartyId::from(id(COMPANY)),
        });
        let company = world.change(&world.citizen, "startApplication", company).await;
        assert_eq!(company["__typename"], "ApplicationStarted");
        let input = json!({ "idempotencyKey": "w", "applicationId": first.unwrap()["id"] });
        world.change(&world.citizen, "withdrawApplication", input).await;
        assert_eq!(begin(9).await["__typename"], "ApplicationStarted", "a withdrawn one makes room");
    }
}
