//! The pages of a login without a mouse or a script, in two languages; and the ways back to an app.

use reqwest::{Response, StatusCode};

use super::driver::{App, Browser, World, location, returned, worlds};

/// Reads a page as somebody without script, mouse or English would have to.
async fn page(response: Response, status: StatusCode) -> String {
    assert_eq!(response.status(), status);
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    let policy = header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(!policy.contains("script-src"), "{policy}");
    assert_eq!(
        (header("cache-control"), header("referrer-policy")),
        ("no-store".into(), "no-referrer".into())
    );
    let html = response.text().await.unwrap();
    for part in ["<!doctype html>", "<html lang=\"th\">", "name=\"viewport\"", "<main>", "<title>"] {
        assert!(html.contains(part), "{part} is missing: {html}");
    }
    assert_eq!(html.matches("<h1>").count(), 1);
    assert!(html.contains("<span lang=\"en\">") && html.chars().any(|c| ('ก'..='๙').contains(&c)));
    for foreign in ["<script", "javascript:", " onclick", " onload", " style=", "tabindex", "<img", "<link"] {
        assert!(!html.contains(foreign), "{foreign}: {html}");
    }
    for input in html.split("<input ").skip(1).filter(|input| !input.contains("type=\"hidden\"")) {
        let id = input.split("id=\"").nth(1).unwrap().split('"').next().unwrap();
        assert!(html.contains(&format!("<label for=\"{id}\">")), "{id} has no label");
    }
    html
}

fn link(html: &str) -> &str {
    html.split("href=\"").nth(1).unwrap().split('"').next().unwrap()
}

#[tokio::test]
async fn every_page_of_a_login_is_plain_html_in_thai_and_english() {
    for world in worlds().await {
        let (first, other) = (Browser::new(), Browser::new());
        let choose = page(first.get(&world.portal().authorize_url(&[])).await, StatusCode::OK).await;
        assert_eq!(choose.matches("<a class=\"choice\" href=\"/oauth/start/").count(), 2);
        let at_provider = location(&first.get(&world.url(link(&choose))).await);
        let callback = location(&first.post(&at_provider, &[("persona", "somchai")]).await);
        let number = page(other.get(&callback).await, StatusCode::OK).await;
        assert!(
            number.contains("class=\"number\"") && number.contains("Citizen Portal will be logged in as you")
        );
        page(other.get(&world.url("/oauth/continue")).await, StatusCode::NOT_FOUND).await;
        let form_url = world.url(&location(&first.get(&world.url("/oauth/continue")).await));
        let form = page(first.get(&form_url).await, StatusCode::OK).await;
        assert!(form.contains("<form method=\"post\"") && form.contains("<button>"), "Enter sends it");
        let wrong = first.post(&form_url, &[("number", "1"), ("form_token", "x")]).await;
        let wrong = page(wrong, StatusCode::UNPROCESSABLE_ENTITY).await;
        assert!(
            wrong.contains("role=\"alert\"") && wrong.contains("aria-describedby=\"refusal\""),
            "a screen reader says that it was wrong"
        );
        page(other.get(&callback).await, StatusCode::BAD_REQUEST).await;
        let faulty = world.portal().authorize_url(&[("redirect_uri", "https://evil.example/")]);
        page(other.get(&faulty).await, StatusCode::BAD_REQUEST).await;
    }
}

#[tokio::test]
async fn the_page_of_a_provider_that_is_down_offers_the_others_that_reach_the_level() {
    let down = |config: &mut identity::Config| config.providers[0].issuer = "http://127.0.0.1:9/idp".into();
    let world = World::open(testkit::TestDatabase::sqlite(), down).await;
    let start =
        |extra: &[(&str, &str)]| world.portal().authorize_url(&[&[("provider", "thaid")], extra].concat());
    let browser = Browser::new();
    let html = page(browser.get(&start(&[])).await, StatusCode::SERVICE_UNAVAILABLE).await;
    let at_other = location(&browser.get(&world.url(link(&html))).await);
    assert!(at_other.contains("/sandbox/idp/dga/authorize"));
}

#[tokio::test]
async fn an_app_gets_its_code_at_its_own_scheme_and_at_any_loopback_port() {
    for world in worlds().await {
        for address in [
            "app.pratu:/callback",
            "http://127.0.0.1:49152/callback",
            "http://127.0.0.1:1/callback",
            "http://127.0.0.1/callback",
            "http://[::1]:65535/callback",
        ] {
            let app = App { redirect_uri: address.into(), ..world.mobile() };
            let back = app.authorize("thaid", "somchai", &[]).await;
            assert!(back.address.as_str().starts_with(address), "{}", back.address);
            let port_of_another =
                App { redirect_uri: "http://127.0.0.1:2/callback".into(), ..world.mobile() };
            let stolen = port_of_another.redeem(back.code()).await.unwrap_err();
            assert_eq!(stolen["error"], "invalid_grant", "another port redeems nothing");
            assert!(app.redeem(back.code()).await.is_ok(), "{address}");
        }
    }
}

#[tokio::test]
async fn a_cancelled_login_comes_back_to_the_app_wherever_it_listens() {
    for world in worlds().await {
        for address in ["app.pratu:/callback", "http://127.0.0.1:49153/callback"] {
            let (app, browser) = (App { redirect_uri: address.into(), ..world.mobile() }, Browser::new());
            let at_provider = location(&browser.get(&app.authorize_url(&[("provider", "dga")])).await);
            let callback = location(&browser.post(&at_provider, &[("action", "cancel")]).await);
            let back = returned(&browser.get(&callback).await);
            assert!(back.address.as_str().starts_with(address), "{}", back.address);
            assert_eq!(
                (back.error(), back.get("iss")),
                ("access_denied".into(), Some(world.public_url.clone()))
            );
        }
    }
}
