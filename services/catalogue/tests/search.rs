//! Searches as people type them, slips included, over this repository's services and over thousands.

mod generated;
mod setting;

use catalogue::{Catalogue, Edits, SourceFile};
use serde::Deserialize;
use serde_json::json;
use setting::{Setting, codes, settings};

/// Made-up services beside those of this repository.
const GENERATED: usize = 1_500;

#[derive(Deserialize)]
struct Golden {
    queries: Vec<GoldenQuery>,
}

#[derive(Deserialize)]
struct GoldenQuery {
    query: String,
    service: String,
}

fn golden() -> Vec<GoldenQuery> {
    let golden: Golden =
        toml::from_str(include_str!("golden_queries.toml")).expect("the queries can be read");
    golden.queries
}

/// The queries whose service is not among the first three, with what is.
async fn missed(setting: &Setting) -> Vec<String> {
    let mut missed = Vec::new();
    for GoldenQuery { query, service } in golden() {
        let found = setting.search(&query).await;
        if !found.iter().take(3).any(|code| *code == service) {
            missed.push(format!("{query} ({service}): {}", found.join(" ")));
        }
    }
    missed
}

fn source(files: Vec<(String, String)>) -> Vec<SourceFile> {
    files.into_iter().map(|(path, text)| SourceFile { path, text }).collect()
}

#[tokio::test]
async fn each_golden_query_has_its_service_among_the_first_three() {
    assert!(golden().len() >= 60);
    for setting in settings().await {
        let missed = missed(&setting).await;
        assert!(missed.is_empty(), "{} of {}:\n{}", missed.len(), golden().len(), missed.join("\n"));
    }
}

#[tokio::test]
async fn the_right_services_stay_first_among_thousands() {
    let setting = settings().await.remove(0);
    setting
        .service
        .apply(&source(generated::files(GENERATED)), Edits::Keep)
        .await
        .expect("the files are published");
    let missed = missed(&setting).await;
    // Where thousands are as fitting ("a licence"), some of those sixty stand further down.
    assert!(missed.len() <= 3, "{} of {}:\n{}", missed.len(), golden().len(), missed.join("\n"));
    for (search, best) in [
        ("ใบอนุญาตร้านขายยาชั่วคราว", "ร้านขายยาชั่วคราว"),
        ("ไบอนุญาดร้านขายยาชัวคราว", "ร้านขายยาชั่วคราว"),
        ("temporery tour busness", "ธุรกิจนำเที่ยวชั่วคราว"),
    ] {
        let document = "query($search: String!) { publicServices(search: $search, first: 3) { nodes { title { th } } } }";
        let found = setting.ask(document, json!({ "search": search })).await;
        assert!(found.to_string().contains(best), "{search}: {found}");
    }
}

/// The title of every service with one letter missing, doubled, or changed for its neighbour on the keyboard.
#[tokio::test]
async fn a_slip_in_any_title_still_finds_the_service() {
    let setting = settings().await.remove(0);
    let all = "{ publicServices(first: 100) { nodes { code title { th en } } } }";
    let all = setting.ask(all, json!({})).await;
    let (mut tried, mut missed) = (0, Vec::new());
    for node in all["publicServices"]["nodes"].as_array().expect("a list") {
        for title in [&node["title"]["th"], &node["title"]["en"]] {
            let title: Vec<char> = title.as_str().expect("a text").chars().collect();
            // In the middle, at a third: where the words are longest.
            for at in [title.len() / 3, title.len() / 2] {
                let mut missing = title.clone();
                missing.remove(at);
                let mut doubled = title.clone();
                doubled.insert(at, title[at]);
                let mut swapped = title.clone();
                swapped.swap(at, at + 1);
                for typed in [missing, doubled, swapped] {
                    let typed: String = typed.into_iter().collect();
                    let found = setting.search(&typed).await;
                    tried += 1;
                    if !found.iter().take(3).any(|code| Some(code.as_str()) == node["code"].as_str()) {
                        missed.push(format!("{typed} ({}): {}", node["code"], found.join(" ")));
                    }
                }
            }
        }
    }
    assert!(tried > 100 && missed.is_empty(), "{} of {tried}:\n{}", missed.len(), missed.join("\n"));
}

#[tokio::test]
async fn thousands_of_services_are_filtered_and_paged_each_once() {
    let setting = settings().await.remove(0);
    let count = 600;
    setting
        .service
        .apply(&source(generated::files(count)), Edits::Keep)
        .await
        .expect("the files are published");
    let document =
        "query($after: String) { publicServices(first: 4, after: $after, search: \"ใบอนุญาต licence\",
        filter: { agency: \"generated-1\" }) { nodes { code } pageInfo { hasNextPage endCursor } } }";
    let (mut all, mut after) = (Vec::new(), json!(null));
    loop {
        let mut page = setting.ask(document, json!({ "after": after })).await;
        let page = page["publicServices"].take();
        all.extend(codes(&page["nodes"]));
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    // Of the twelve deeds the first three are about a licence; the agency has every twentieth service.
    let licences = (0..count).filter(|number| number % 20 == 1 && number % 12 < 3);
    let mut expected: Vec<String> = licences.map(|number| format!("GEN-{number:05}")).collect();
    all.sort();
    expected.sort();
    assert!(expected.len() > 4);
    assert_eq!(all, expected);
}

#[test]
fn the_generated_catalogue_is_valid_and_each_service_has_a_title_of_its_own() {
    let files = source(generated::files(4_000));
    let catalogue = Catalogue::read(&files).unwrap_or_else(|findings| panic!("{findings}"));
    let titles: std::collections::BTreeSet<_> =
        catalogue.services.values().map(|service| service.title.th.as_str()).collect();
    assert_eq!(titles.len(), 4_000);
}
