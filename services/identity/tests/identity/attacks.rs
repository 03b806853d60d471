//! What somebody tries who wants another person's login, or another person in theirs.

use axum::response::IntoResponse;
use reqwest::StatusCode;
use serde_json::{Value, json};
use url::Url;

use super::driver::{Browser, World, location, returned, worlds};
use super::rogue::Rogue;

async fn sessions(world: &World) -> usize {
    world.service.database().rows("select 1 as one from session", vec![]).await.unwrap().len()
}

#[tokio::test]
async fn a_login_that_somebody_else_began_gives_the_victims_browser_nothing() {
    for world in worlds().await {
        let (attacker, victim) = (Browser::new(), Browser::new());
        let planted = world.portal().at_provider(&attacker, "thaid", "prasert", &[]).await;
        let own = world.portal().at_provider(&victim, "thaid", "somchai", &[]).await;
        let page = victim.get(&planted).await;
        assert_eq!(page.status(), StatusCode::OK, "a number to carry over, and no code");
        assert!(page.headers().get("location").is_none());
        // Nor has what the victim was doing been disturbed.
        let back = returned(&victim.get(&own).await);
        let tokens = world.portal().redeem(back.code()).await.unwrap();
        let other = world.portal().log_in("thaid", "prasert").await;
        assert_ne!(tokens.claims(&world).sub, other.claims(&world).sub);
    }
}

#[tokio::test]
async fn a_code_or_a_state_of_another_login_fits_no_other() {
    for world in worlds().await {
        let (attacker, victim) = (Browser::new(), Browser::new());
        let theirs =
            Url::parse(&world.portal().at_provider(&attacker, "thaid", "prasert", &[]).await).unwrap();
        let own = Url::parse(&world.portal().at_provider(&victim, "thaid", "somchai", &[]).await).unwrap();
        let injected = with(&own, "code", Some(&parameter(&theirs, "code")));
        assert_eq!(returned(&victim.get(injected.as_str()).await).error(), "access_denied");
        assert_eq!(victim.get(own.as_str()).await.status(), StatusCode::BAD_REQUEST, "its state is used");
        assert_eq!(sessions(&world).await, 0);
    }
}

#[tokio::test]
async fn of_many_answers_at_once_one_gets_a_code() {
    for world in worlds().await {
        let browser = Browser::new();
        let callback = world.portal().at_provider(&browser, "thaid", "somchai", &[]).await;
        let all = tokio::join!(
            browser.get(&callback),
            browser.get(&callback),
            browser.get(&callback),
            browser.get(&callback)
        );
        let mut answers = [all.0, all.1, all.2, all.3].map(|answer| answer.status().as_u16());
        answers.sort_unstable();
        assert_eq!(answers, [303, 400, 400, 400]);
    }
}

#[tokio::test]
async fn an_answer_is_taken_from_the_provider_that_was_asked_and_no_other() {
    let rogue = Rogue::start().await;
    let world = rogue.world().await;
    let browser = Browser::new();
    let honest = world.url("/sandbox/idp/dga");
    for (what, issuer) in [("another's name", Some(honest.as_str())), ("no name, though promised", None)] {
        let callback = rogue.callback(&world.portal(), &browser, &[]).await;
        let mixed_up = with(&callback, "iss", issuer);
        assert_eq!(returned(&browser.get(mixed_up.as_str()).await).error(), "access_denied", "{what}");
    }
    assert_eq!(rogue.asked("token"), 0, "no code goes to a provider that may not have made it");
    let callback = rogue.callback(&world.portal(), &browser, &[]).await;
    let elsewhere = callback.as_str().replace("/oauth/callback/thaid", "/oauth/callback/dga");
    assert_eq!(browser.get(&elsewhere).await.status(), StatusCode::BAD_REQUEST);

    // One that sends people to an honest provider to catch their codes: that one knows its own callback.
    let catcher = Rogue::start().await;
    let world = catcher.world().await;
    let honest = world.url("/sandbox/idp/dga/authorize");
    catcher.discovery(move |document| document["authorization_endpoint"] = json!(honest));
    let at_honest = location(&browser.get(&world.portal().authorize_url(&[("provider", "thaid")])).await);
    assert!(at_honest.contains("/sandbox/idp/dga/authorize"));
    let refused = browser.post(&at_honest, &[("persona", "somchai")]).await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_provider_that_never_names_itself_is_still_known_by_its_callback() {
    let rogue = Rogue::start().await;
    rogue.discovery(|document| document["authorization_response_iss_parameter_supported"] = json!(false));
    let world = rogue.world().await;
    let browser = Browser::new();
    let callback = with(&rogue.callback(&world.portal(), &browser, &[]).await, "iss", None);
    assert!(returned(&browser.get(callback.as_str()).await).get("code").is_some());
}

#[tokio::test]
async fn nobody_is_sent_to_an_address_that_is_not_the_clients() {
    for world in worlds().await {
        let own = world.portal().redirect_uri;
        for (client, address) in [
            ("citizen-portal", "//evil.example/".to_owned()),
            ("citizen-portal", "javascript:alert(1)".to_owned()),
            ("citizen-portal", own.replace("http://", "http://evil@")),
            ("citizen-portal", own.replace("/portal/", "/portal/../")),
            ("citizen-portal", own.replace("/callback", "/callback%0d%0aLocation:%20x")),
            ("citizen-portal", format!("{own}#fragment")),
            ("citizen-portal", own.to_uppercase()),
            ("citizen-portal", "http://127.0.0.1:1/callback".to_owned()),
            ("mobile-app", "app.pratu://evil.example/callback".to_owned()),
            ("mobile-app", "app.pratu:/callback?next=x".to_owned()),
            ("mobile-app", "http://127.0.0.1:1/callback?next=x".to_owned()),
            ("mobile-app", "http://127.0.0.1.evil.example:1/callback".to_owned()),
            ("mobile-app", "http://[::1]:1@evil.example/callback".to_owned()),
            ("mobile-app", "http://2130706433:1/callback".to_owned()),
        ] {
            let extra = [("client_id", client), ("redirect_uri", address.as_str()), ("scope", "openid")];
            let answer = Browser::new().get(&world.portal().authorize_url(&extra)).await;
            assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{address}");
            assert!(answer.headers().get("location").is_none(), "{address}");
            assert!(!answer.text().await.unwrap().contains("evil"), "{address}");
        }
    }
}

#[tokio::test]
async fn a_callback_of_any_size_or_shape_is_refused_and_uses_nothing_up() {
    for world in worlds().await {
        let browser = Browser::new();
        let callback = world.portal().at_provider(&browser, "thaid", "somchai", &[]).await;
        let many = (0..100).map(|n| format!("&p{n}=x")).collect::<String>();
        for shape in [
            format!("{callback}&code=another"),
            format!("{callback}&state=another"),
            format!("{callback}&x={}", "x".repeat(5_000)),
            format!("{callback}{many}"),
            callback.replace("state=", "state=%00%ff%fe"),
            callback.replace("state=", "State="),
            callback.split('?').next().unwrap().to_owned(),
            format!("{}?state[]=x&code[]=y", callback.split('?').next().unwrap()),
            callback.replace("/thaid?", "/%2e%2e%2fdga?"),
            callback.replace("/thaid?", "/nobody?"),
        ] {
            let answer = browser.get(&shape).await;
            assert!(
                answer.status().is_client_error(),
                "{}: {}",
                answer.status(),
                &shape[..shape.len().min(200)]
            );
            assert!(answer.headers().get("location").is_none());
        }
        let huge = browser.get(&format!("{callback}&x={}", "x".repeat(60_000))).await;
        assert!(huge.status().is_client_error(), "{}", huge.status());
        assert_eq!(browser.head(&callback).await.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert!(
            returned(&browser.get(&callback).await).get("code").is_some(),
            "the honest answer still counts"
        );
    }
}

#[tokio::test]
async fn what_an_app_sends_as_its_state_cannot_become_markup() {
    let rogue = Rogue::start().await;
    let world = rogue.world().await;
    let state = "\"><script>alert(1)</script>";
    rogue.token(|| axum::http::StatusCode::BAD_GATEWAY.into_response());
    let browser = Browser::new();
    let callback = rogue.callback(&world.portal(), &browser, &[("state", state)]).await;
    let page = browser.get(callback.as_str()).await;
    assert_eq!(page.status(), StatusCode::SERVICE_UNAVAILABLE);
    let html = page.text().await.unwrap();
    assert!(html.contains("%3Cscript%3E") && !html.contains("<script"), "{html}");
}

#[tokio::test]
async fn the_errors_of_a_provider_are_told_in_our_words() {
    for world in worlds().await {
        for (error, told) in [
            ("access_denied", Some("access_denied")),
            ("login_required", Some("access_denied")),
            ("<script>", Some("access_denied")),
            ("server_error", None),
            ("temporarily_unavailable", None),
        ] {
            let browser = Browser::new();
            let callback = world.portal().at_provider(&browser, "thaid", "somchai", &[]).await;
            let mut failed = with(&Url::parse(&callback).unwrap(), "code", None);
            failed
                .query_pairs_mut()
                .append_pair("error", error)
                .append_pair("error_description", "<b>evil</b>");
            let answer = browser.get(failed.as_str()).await;
            match told {
                Some(told) => {
                    let back = returned(&answer);
                    assert_eq!(back.error(), told);
                    assert!(!back.address.as_str().contains("evil"));
                }
                None => {
                    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
                    assert!(!answer.text().await.unwrap().contains("evil"));
                }
            }
        }
    }
}

#[tokio::test]
async fn a_number_that_is_claimed_at_a_low_level_takes_nobody_over() {
    let rogue = Rogue::start().await;
    let world = rogue.world().await;
    let somchai = world.portal().log_in("dga", "somchai").await.claims(&world);
    rogue.claims(|claims| claims["ial"] = Value::from("1.1"));
    let browser = Browser::new();
    let callback = rogue.callback(&world.portal(), &browser, &[]).await;
    let back = returned(&browser.get(callback.as_str()).await);
    let claimed = world.portal().redeem(back.code()).await.unwrap().claims(&world);
    assert_ne!(claimed.sub, somchai.sub);
    assert_eq!((claimed.parties.len(), claimed.acr.as_str()), (1, "urn:th:ial:1.1:aal:2.2"));
}

/// The address with one parameter changed or left out.
fn with(url: &Url, name: &str, value: Option<&str>) -> Url {
    let pairs: Vec<_> = url.query_pairs().into_owned().filter(|(n, _)| n != name).collect();
    let mut changed = url.clone();
    changed.query_pairs_mut().clear().extend_pairs(pairs).extend_pairs(value.map(|value| (name, value)));
    changed
}

fn parameter(url: &Url, name: &str) -> String {
    url.query_pairs().find(|(n, _)| n == name).unwrap().1.into_owned()
}
