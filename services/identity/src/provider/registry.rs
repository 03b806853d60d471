//! The registry of companies (กรมพัฒนาธุรกิจการค้า): which ones a person directs.

use std::time::Duration;

use chrono::NaiveDate;
use serde::Deserialize;

use super::Failure;
use crate::config::{Config, RegistryConfig};
use crate::model::national_id::NationalId;
use crate::store::Directorship;

const ANSWER_BYTES_MAX: usize = 256 * 1024;
const NAME_CHARS_MAX: usize = 300;
/// Companies of one person. Far above what a token names: one that is left out here ends its mandate.
const COMPANIES_MAX: usize = 200;

/// Our side of the registry.
pub struct Registry {
    config: RegistryConfig,
    http: reqwest::Client,
}

#[derive(Deserialize)]
struct Answer {
    companies: Vec<Company>,
}

#[derive(Deserialize)]
struct Company {
    registration_number: String,
    name_th: String,
    name_en: Option<String>,
    role: String,
    since: NaiveDate,
}

impl Registry {
    pub fn new(config: &Config) -> Option<Self> {
        let http = chassis::http_client(Duration::from_millis(config.provider_timeout_ms));
        config.registry.clone().map(|config| Self { config, http })
    }

    /// The companies this person directs now. The number goes in the body, never in the address.
    pub async fn directorships(&self, pid: &NationalId) -> Result<Vec<Directorship>, Failure> {
        let request = self
            .http
            .post(format!("{}/companies", self.config.url))
            .bearer_auth(self.config.secret.reveal())
            .json(&serde_json::json!({ "pid": pid.digits() }));
        let mut answer =
            request.send().await.map_err(|_| Failure::Unavailable("the registry does not answer"))?;
        if !answer.status().is_success() {
            return Err(Failure::Unavailable("the registry refuses our request"));
        }
        let mut body = Vec::new();
        while let Some(chunk) =
            answer.chunk().await.map_err(|_| Failure::Unavailable("the registry broke off"))?
        {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(Failure::Unavailable("the registry's answer is too long"));
            }
            body.extend_from_slice(&chunk);
        }
        let answer: Answer = serde_json::from_slice(&body)
            .map_err(|_| Failure::Unavailable("the registry's answer cannot be read"))?;
        Ok(answer
            .companies
            .into_iter()
            .filter(Company::is_directed)
            .take(COMPANIES_MAX)
            .map(Company::into)
            .collect())
    }
}

impl Company {
    fn is_directed(&self) -> bool {
        let number = &self.registration_number;
        self.role == "director"
            && number.len() == 13
            && number.bytes().all(|byte| byte.is_ascii_digit())
            && self.name_th.chars().count() <= NAME_CHARS_MAX
    }
}

impl From<Company> for Directorship {
    fn from(company: Company) -> Self {
        Self {
            registration_number: company.registration_number,
            name_th: company.name_th,
            name_en: company.name_en,
            since: company.since,
        }
    }
}
