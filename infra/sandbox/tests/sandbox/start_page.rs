//! The first page: what it says in each language, and that its structure serves a keyboard and a screen reader.

use std::collections::BTreeSet;

use testkit::TestDatabase;

use crate::world::World;

async fn page(world: &World, language: &str) -> String {
    let answer = world.client.get(format!("{}?lang={language}", world.at(""))).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.text().await.unwrap()
}

/// The tags of a page, in order, each without its angle brackets.
fn tags(page: &str) -> Vec<&str> {
    page.split('<').skip(1).filter_map(|rest| rest.split_once('>')).map(|(tag, _)| tag).collect()
}

fn name(tag: &str) -> &str {
    tag.split(|c: char| c.is_whitespace()).next().unwrap_or_default()
}

fn attribute<'a>(tag: &'a str, attribute: &str) -> Option<&'a str> {
    tag.split_once(&format!(" {attribute}=\""))?.1.split('"').next()
}

#[tokio::test]
async fn the_start_page_introduces_everybody_in_the_language_that_was_chosen() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    let answer = world.client.get(world.at("")).send().await.unwrap();
    assert!(answer.headers()["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    let thai = answer.text().await.unwrap();
    for text in
        ["<html lang=\"th\">", "สมชาย ครัวอุดม", "ขณะนี้ในประเทศไทย", "provider_down", "90001.00", "วันทำการ"]
    {
        assert!(thai.contains(text), "{text}");
    }
    assert!(!thai.contains("Now in Thailand"));
    let english = page(&world, "en").await;
    for text in [
        "<html lang=\"en\">",
        "Malee Nadon",
        "Now in Thailand",
        "behave=duplicate",
        "ThaiD (sandbox)",
        "/graphiql",
    ] {
        assert!(english.contains(text), "{text}");
    }
    assert!(!english.contains("สมชาย"));
    assert!(thai.contains("lang=\"en\" hreflang=\"en\">English</a>"));
    assert!(english.contains("lang=\"th\" hreflang=\"th\">ภาษาไทย</a>"));
    let preferred = world.client.get(world.at("")).header("accept-language", "en-GB,th;q=0.3");
    assert!(preferred.send().await.unwrap().text().await.unwrap().contains("<html lang=\"en\">"));
}

#[tokio::test]
async fn nothing_on_the_page_runs_or_comes_from_elsewhere() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    for language in ["th", "en"] {
        let page = page(&world, language).await;
        assert!(!page.contains("<script") && !page.contains("src=") && !page.contains("javascript:"));
        for tag in tags(&page) {
            if let Some(address) = attribute(tag, "href").or(attribute(tag, "action")) {
                assert!(address.starts_with('#') || address.starts_with(&world.url), "{tag}");
            }
        }
    }
}

#[tokio::test]
async fn headings_step_down_one_level_at_a_time_under_one_title() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    let page = page(&world, "en").await;
    let levels: Vec<u32> =
        tags(&page).iter().filter_map(|tag| name(tag).strip_prefix('h')?.parse().ok()).collect();
    assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1);
    assert_eq!(levels[0], 1);
    assert!(levels.windows(2).all(|two| two[1] <= two[0] + 1), "{levels:?}");
}

#[tokio::test]
async fn every_field_has_a_label_and_every_button_a_name() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    world.send_form(&world.at("/triggers"), "trigger=late").await;
    let page = page(&world, "en").await;
    let (mut in_label, mut fields, mut buttons) = (false, 0, 0);
    for piece in page.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').unwrap_or((piece, ""));
        match name(tag) {
            "label" => in_label = true,
            "/label" => in_label = false,
            "input" | "select" if attribute(tag, "type") != Some("hidden") => {
                assert!(in_label, "{tag}");
                fields += 1;
            }
            "button" => {
                assert!(!text.trim().is_empty(), "{tag}");
                buttons += 1;
            }
            _ => {}
        }
    }
    assert!(fields >= 10 && buttons >= 20, "{fields} fields, {buttons} buttons");
}

#[tokio::test]
async fn links_within_the_page_lead_somewhere_and_the_first_one_skips_to_the_content() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    let page = page(&world, "th").await;
    let tags = tags(&page);
    let ids: Vec<&str> = tags.iter().filter_map(|tag| attribute(tag, "id")).collect();
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len());
    let first = tags.iter().find(|tag| name(tag) == "a").unwrap();
    assert_eq!(attribute(first, "href"), Some("#content"));
    for tag in &tags {
        let target = attribute(tag, "href").and_then(|href| href.strip_prefix('#'));
        let labelled = attribute(tag, "aria-labelledby");
        for id in target.into_iter().chain(labelled) {
            assert!(unique.contains(id), "{tag}");
        }
    }
    for landmark in ["header", "nav", "main"] {
        assert!(tags.iter().any(|tag| name(tag) == landmark), "{landmark}");
    }
}

#[tokio::test]
async fn tags_are_closed_in_the_order_they_were_opened() {
    const EMPTY: [&str; 4] = ["meta", "input", "br", "!doctype"];
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    world
        .send_form(&world.at("/triggers"), "trigger=login_cancelled&persona=malee&lasts=until_cleared")
        .await;
    for language in ["th", "en"] {
        let page = page(&world, language).await;
        let mut open = Vec::new();
        for tag in tags(&page).into_iter().map(name) {
            match tag.strip_prefix('/') {
                Some(closed) => assert_eq!(open.pop(), Some(closed)),
                None if EMPTY.contains(&tag) => {}
                None => open.push(tag),
            }
        }
        assert_eq!(open, Vec::<&str>::new());
    }
}

#[tokio::test]
async fn what_a_form_did_is_said_where_it_was_done_in_the_same_language() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    for (path, form, part, said) in [
        ("/triggers", "trigger=late&lang=en", "#triggers", "It is set."),
        ("/triggers/clear", "lang=en", "#triggers", "It is cleared."),
        ("/clock", "hours=1&lang=en", "#clock", "The clock was moved."),
        ("/personas/malee/reset", "lang=en", "#personas", "The persona is somebody new now."),
    ] {
        let sent = world.send_form(&world.at(path), form).await;
        let location = sent.headers()["location"].to_str().unwrap().to_owned();
        assert!(sent.status() == 303 && location.ends_with(part), "{location}");
        let page = world.client.get(&location).send().await.unwrap().text().await.unwrap();
        assert!(page.contains("<html lang=\"en\">") && page.contains(said), "{said}");
    }
}
