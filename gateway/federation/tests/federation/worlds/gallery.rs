//! `@provides`, `@shareable` and `@override`.

use serde_json::json;

use super::{ask, data};

#[tokio::test]
async fn what_one_field_provides_another_does_not() {
    // Paintings of a hall come with their artist, the painting in the spotlight only with its title.
    let (answer, asked) = ask("gallery", "{ spotlight { ... on Painting { artist { name } } } }").await;
    assert_eq!(answer["data"]["spotlight"], json!({"artist": {"name": "Malee"}}));
    assert!(asked.len() > 1 && !asked[0].contains("artist"), "{asked:?}");
}

#[tokio::test]
async fn what_a_field_of_a_union_provides_is_not_fetched_again() {
    let query = "{ spotlight { ... on Painting { title } ... on Sculpture { title } } }";
    let (answer, asked) = ask("gallery", query).await;
    assert_eq!(answer["data"]["spotlight"], json!({"title": "River"}));
    assert_eq!(asked.len(), 1, "{asked:?}");
}

#[tokio::test]
async fn what_a_field_of_an_interface_does_not_provide_is_fetched() {
    let (answer, asked) = ask("gallery", "{ plain { id ... on Painting { title } } }").await;
    assert_eq!(answer["data"]["plain"][1], json!({"id": "Painting:river.id", "title": "River"}));
    assert_eq!(asked.len(), 2, "{asked:?}");
}

#[tokio::test]
async fn an_overridden_field_is_asked_of_its_new_owner_and_never_of_the_old() {
    let (_, asked) = ask("gallery", "{ byYear { insured lender } halls { stored { insured } } }").await;
    let of = |part: &str| asked.iter().filter(|it| it.starts_with(part)).cloned().collect::<String>();
    assert!(of("artists").contains("insured") && !of("collection").contains("insured"), "{asked:?}");
}

#[tokio::test]
async fn a_list_of_lists_that_two_parts_share_comes_from_one() {
    let answer = data("gallery", "{ halls { opening { hours days } } }").await;
    assert_eq!(answer["halls"][0]["opening"], json!({"hours": [[9, 12], [13, 17]], "days": ["Sat", "Sun"]}));
    assert_eq!(answer["halls"][1]["opening"], json!({"hours": null, "days": []}));
}
