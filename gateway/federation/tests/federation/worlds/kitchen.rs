//! `@requires` of every kind: with arguments, nested, through lists, in chains.

use serde_json::json;

use super::{ask, data};

#[tokio::test]
async fn a_chain_of_requirements_runs_over_three_parts() {
    // The verdict requires the duty, that the price in another part, and that the weight in a third.
    let (answer, asked) = ask("kitchen", "{ recipes { verdict { healthy because { code } } } }").await;
    let code = |name: &str| json!({"code": format!("Ingredient:{name}.code")});
    assert_eq!(
        answer["data"]["recipes"],
        json!([
            {"verdict": {"healthy": true, "because": [code("lime"), code("chili")]}},
            {"verdict": null},
            {"verdict": {"healthy": false, "because": null}},
        ])
    );
    let parts: Vec<_> = asked.iter().filter_map(|it| it.split(':').next()).collect();
    assert_eq!(parts, ["recipes", "market", "duties", "nutrition"], "{asked:#?}");
}

#[tokio::test]
async fn one_field_is_required_with_several_arguments_while_a_client_asks_for_it_with_others() {
    // `price` and `weight` require `grams`, each with other arguments; that each is told the truth is checked by
    // the part.
    let query = "{ farms { grows { price weight grams few: grams(per: 9) } } }";
    let answer = data("kitchen", query).await;
    let mut all: Vec<_> = answer["farms"][0]["grows"][0].as_object().unwrap().keys().collect();
    all.sort();
    assert_eq!(all, ["few", "grams", "price", "weight"]);
}

#[tokio::test]
async fn fields_of_one_object_may_require_one_field_with_different_arguments() {
    for fields in ["price weight", "weight price", "duty weight", "weight duty grams", "price grams"] {
        data("kitchen", &format!("{{ farms {{ grows {{ {fields} }} }} }}")).await;
        data("kitchen", &format!("{{ recipes {{ steps {{ uses {{ {fields} }} }} }} }}")).await;
    }
}

#[tokio::test]
async fn a_field_that_requires_something_may_stand_deep_below_an_object_of_its_own_type() {
    data("kitchen", "{ recipes { ingredients { origin { grows { price duty } } } } }").await;
    data("kitchen", "{ recipes { ingredients { substitutes { origin { grows { weight } } } } } }").await;
}

#[tokio::test]
async fn a_required_field_in_a_list_does_not_disturb_the_one_that_is_asked_for() {
    let (answer, asked) = ask("kitchen", "{ recipes { effort steps { minutes } } }").await;
    assert_eq!(answer["data"]["recipes"][2], json!({"effort": null, "steps": []}));
    let required = asked.iter().find(|it| it.starts_with("recipes")).unwrap();
    assert!(required.contains("minutes(altitude: 500)") && required.contains(" minutes"), "{required}");
}

#[tokio::test]
async fn a_text_that_looks_like_a_required_field_is_left_alone() {
    let answer = data("kitchen", r#"{ recipe(id: "_required_0 \"_required_1\"") { effort } }"#).await;
    assert!(answer.get("recipe").is_some());
}
