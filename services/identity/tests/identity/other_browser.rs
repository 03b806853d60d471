//! A provider's answer that arrives in another browser than the one that began.

use reqwest::StatusCode;

use super::driver::{Browser, location, returned, worlds};

#[tokio::test]
async fn the_other_browser_gets_no_code_and_the_first_collects_with_the_number() {
    for world in worlds().await {
        let (first, other) = (Browser::new(), Browser::new());
        let callback = world.portal().at_provider(&first, "thaid", "somchai", &[]).await;
        let page = other.get(&callback).await;
        assert_eq!(page.status(), StatusCode::OK);
        let number = number_on(&page.text().await.unwrap());
        assert_eq!(other.get(&world.url("/oauth/continue")).await.status(), StatusCode::NOT_FOUND);
        let form_url = world.url(&location(&first.get(&world.url("/oauth/continue")).await));
        let token = form_token_on(&first.get(&form_url).await.text().await.unwrap());
        let answered = |browser: Browser, number: String, token: String| {
            let form_url = form_url.clone();
            async move {
                let response = browser.post(&form_url, &[("number", &number), ("form_token", &token)]).await;
                (browser, response)
            }
        };
        let (_, stolen) = answered(other, number.clone(), token.clone()).await;
        assert_eq!(stolen.status(), StatusCode::BAD_REQUEST);
        let (first, forged) = answered(first, number.clone(), "forged".into()).await;
        assert_eq!(forged.status(), StatusCode::UNPROCESSABLE_ENTITY);
        let (first, wrong) = answered(first, "000".into(), token.clone()).await;
        assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
        let (first, right) = answered(first, number.clone(), token.clone()).await;
        assert!(world.portal().redeem(returned(&right).code()).await.is_ok());
        let (_, twice) = answered(first, number, token).await;
        assert_eq!(twice.status(), StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn five_wrong_numbers_end_the_login() {
    for world in worlds().await {
        let (first, other) = (Browser::new(), Browser::new());
        let callback = world.portal().at_provider(&first, "thaid", "somchai", &[]).await;
        let number = number_on(&other.get(&callback).await.text().await.unwrap());
        let form_url = world.url(&location(&first.get(&world.url("/oauth/continue")).await));
        let token = form_token_on(&first.get(&form_url).await.text().await.unwrap());
        for _ in 0..5 {
            let wrong = first.post(&form_url, &[("number", "1"), ("form_token", &token)]).await;
            assert!(wrong.status().is_client_error());
        }
        let right = first.post(&form_url, &[("number", &number), ("form_token", &token)]).await;
        assert_eq!(right.status(), StatusCode::BAD_REQUEST);
    }
}

pub fn number_on(page: &str) -> String {
    page.split("class=\"number\">").nth(1).unwrap().split('<').next().unwrap().to_owned()
}

pub fn form_token_on(page: &str) -> String {
    page.split("name=\"form_token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}
