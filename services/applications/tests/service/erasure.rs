//! An applicant is forgotten: what stands in the way is said, and nothing sealed opens afterwards.

use serde_json::json;

use crate::world::{id, worlds};

#[tokio::test]
async fn an_open_application_stands_in_the_way_and_a_draft_does_not() {
    for world in worlds().await {
        world.complete_draft(5).await;
        let asked = |round| json!({ "erasure_id": id(600), "citizen_id": id(1), "round": round });
        world.hear("identity.erasure_asked", asked(1)).await;
        world.submitted(5).await;
        for _ in 0..2 {
            world.hear_as(id(601), "identity.erasure_asked", asked(2)).await;
        }
        let answers = world.published("applications.erasure_answered").await;
        let obstacles: Vec<_> =
            answers.iter().map(|answer| (&answer["round"], &answer["obstacles"])).collect();
        assert_eq!(
            obstacles,
            [(&json!(1), &json!([])), (&json!(2), &json!(["OPEN_APPLICATION"]))],
            "one answer to each question"
        );
    }
}

#[tokio::test]
async fn what_was_filed_in_the_moment_of_the_erasure_ends_with_it_and_opens_for_nobody() {
    for world in worlds().await {
        let draft = world.complete_draft(5).await;
        let application = world.submitted(5).await;
        for _ in 0..2 {
            let erased = json!({ "citizen_id": id(1), "erasure_id": id(600) });
            world.hear_as(id(602), "identity.citizen_erased", erased).await;
        }
        let seen = world.see(&world.officer, &application).await;
        assert_eq!((&seen["status"], &seen["applicantName"]), (&json!("WITHDRAWN"), &json!(null)), "{seen}");
        assert_eq!((&seen["answers"], &seen["receiptNumber"]), (&json!({}), &application["receiptNumber"]));
        assert_eq!(seen["timeline"]["nodes"].as_array().unwrap().last().unwrap()["kind"], "WITHDRAWN");
        assert_eq!(world.published("applications.closed").await.len(), 1);
        assert_eq!(world.see(&world.citizen, &draft).await["status"], "LAPSED");
        world.tick().await;
    }
}
