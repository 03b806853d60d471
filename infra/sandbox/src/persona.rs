//! The people of the sandbox, read from `personas.toml`.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;

use crate::level::Level;

const PERSONAS: &str = include_str!("personas.toml");

/// A text in Thai and English.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bilingual {
    pub th: String,
    pub en: String,
}

/// A person who exists only here.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Persona {
    pub code: String,
    /// Thirteen digits whose check digit is wrong on purpose.
    pub pid: String,
    pub title: Bilingual,
    pub given_name: Bilingual,
    pub family_name: Bilingual,
    pub gender: String,
    pub birthdate: NaiveDate,
    pub address: String,
    /// What one can try as this person.
    pub good_for: Bilingual,
    /// By code of the Digital ID provider; no entry, no account there.
    pub levels: BTreeMap<String, Level>,
    #[serde(default)]
    pub companies: Vec<Company>,
}

/// A company the person directs.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Company {
    pub registration_number: String,
    pub name: Bilingual,
    pub since: NaiveDate,
}

impl Persona {
    pub fn name_th(&self) -> String {
        format!("{} {}", self.given_name.th, self.family_name.th)
    }

    pub fn name_en(&self) -> String {
        format!("{} {}", self.given_name.en, self.family_name.en)
    }
}

/// All of them, in the order of the file.
#[derive(Clone, Debug, Deserialize)]
pub struct Personas {
    #[serde(rename = "persona")]
    all: Vec<Persona>,
}

impl Personas {
    pub fn load() -> anyhow::Result<Self> {
        Ok(toml::from_str(PERSONAS)?)
    }

    pub fn all(&self) -> &[Persona] {
        &self.all
    }

    pub fn by_code(&self, code: &str) -> Option<&Persona> {
        self.all.iter().find(|persona| persona.code == code)
    }

    pub fn by_pid(&self, pid: &str) -> Option<&Persona> {
        self.all.iter().find(|persona| persona.pid == pid)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The check digit that a real number would end in: eleven less the weighted sum modulo eleven, modulo ten.
    fn check_digit(number: &str) -> u32 {
        let digits: Vec<u32> = number.chars().map(|c| c.to_digit(10).unwrap()).collect();
        let sum: u32 = digits[..12].iter().zip((2..=13).rev()).map(|(digit, weight)| digit * weight).sum();
        (11 - sum % 11) % 10
    }

    #[test]
    fn the_check_digit_is_that_of_real_numbers() {
        assert_eq!(check_digit("0107544000108"), 8);
    }

    #[test]
    fn no_number_of_the_sandbox_can_be_a_real_one() {
        let personas = Personas::load().unwrap();
        let companies = personas.all().iter().flat_map(|p| &p.companies).map(|c| &c.registration_number);
        let biller = crate::Config::default().bank_biller_id[..13].to_owned();
        for number in personas.all().iter().map(|p| &p.pid).chain(companies).chain([&biller]) {
            assert_eq!(number.len(), 13);
            assert_ne!(number.chars().last().unwrap().to_digit(10), Some(check_digit(number)), "{number}");
        }
    }

    #[test]
    fn codes_and_numbers_are_unique_and_of_the_right_kind() {
        let personas = Personas::load().unwrap();
        let codes: BTreeSet<&str> = personas.all().iter().map(|p| p.code.as_str()).collect();
        let pids: BTreeSet<&str> = personas.all().iter().map(|p| p.pid.as_str()).collect();
        assert_eq!((codes.len(), pids.len()), (personas.all().len(), personas.all().len()));
        for persona in personas.all() {
            assert!(persona.pid.starts_with(|c| ('1'..='8').contains(&c)));
            assert!(persona.companies.iter().all(|c| c.registration_number.starts_with('0')));
        }
    }
}
