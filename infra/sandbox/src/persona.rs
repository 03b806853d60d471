//! The people of the sandbox, read from `personas.toml`.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer};

use crate::level::Level;
use crate::trigger::Effect;

const PERSONAS: &str = include_str!("personas.toml");

/// A generation has three digits of a number.
pub const GENERATION_MAX: i64 = 999;
/// Where they stand in a 13-digit number: zeros in every number of the file.
const GENERATION_DIGITS: std::ops::Range<usize> = 6..9;

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
    /// As in the file; with a point and the generation once they were reset.
    pub code: String,
    /// Thirteen digits whose check digit is wrong on purpose; a foreigner has none.
    pub pid: Option<String>,
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
    /// Works for an agency: has roles there and nothing of their own.
    #[serde(default)]
    pub officer: bool,
    /// What goes wrong at every login of this person.
    #[serde(default, deserialize_with = "effect")]
    pub always: Option<Effect>,
    /// The family name that a provider still knows them by.
    #[serde(default)]
    pub formerly: BTreeMap<String, Bilingual>,
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

    /// The same persona as somebody nobody has seen: another code, other numbers, invalid by design
    /// as well. Generation zero is that of the file.
    #[must_use]
    pub fn again(&self, generation: i64) -> Self {
        let mut other = self.clone();
        if generation > 0 {
            other.code = format!("{}.{generation}", self.base_code());
            other.pid = self.pid.as_deref().map(|pid| renumbered(pid, generation));
            for company in &mut other.companies {
                company.registration_number = renumbered(&company.registration_number, generation);
            }
        }
        other
    }

    /// The code in the file, whatever the generation.
    pub fn base_code(&self) -> &str {
        self.code.split_once('.').map_or(&self.code, |(base, _)| base)
    }

    pub fn generation(&self) -> i64 {
        self.code.split_once('.').and_then(|(_, generation)| generation.parse().ok()).unwrap_or(0)
    }

    /// As this provider knows them.
    #[must_use]
    pub fn known_at(&self, provider: &str) -> Self {
        let mut known = self.clone();
        if let Some(former) = self.formerly.get(provider) {
            known.family_name = former.clone();
        }
        known
    }
}

/// The number of another generation: its digits change, and how far the last one is from being right stays.
fn renumbered(number: &str, generation: i64) -> String {
    let mut other = number.to_owned();
    other.replace_range(GENERATION_DIGITS, &format!("{generation:03}"));
    let (Some(before), Some(after)) = (check_digit(number), check_digit(&other)) else { return other };
    let last = number.bytes().last().map_or(0, |byte| u32::from(byte - b'0'));
    let last = (after + 10 + last - before) % 10;
    other.replace_range(12.., &last.to_string());
    other
}

/// The check digit that a real number would end in: eleven less the weighted sum modulo eleven, modulo ten.
fn check_digit(number: &str) -> Option<u32> {
    let digits: Option<Vec<u32>> = number.chars().map(|c| c.to_digit(10)).collect();
    let digits = digits.filter(|digits| digits.len() == 13)?;
    let sum: u32 = digits[..12].iter().zip((2..=13).rev()).map(|(digit, weight)| digit * weight).sum();
    Some((11 - sum % 11) % 10)
}

fn effect<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Effect>, D::Error> {
    let code = String::deserialize(deserializer)?;
    Effect::parse(&code).map(Some).ok_or_else(|| serde::de::Error::custom("not a trigger"))
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

    /// The persona of that code, of whichever generation it names.
    pub fn by_code(&self, code: &str) -> Option<Persona> {
        let (base, generation) = match code.split_once('.') {
            Some((base, generation)) => (base, generation.parse().ok()?),
            None => (code, 0),
        };
        let found = self.all.iter().find(|persona| persona.code == base)?;
        (0..=GENERATION_MAX).contains(&generation).then(|| found.again(generation))
    }

    /// The persona of that number, of whichever generation it names.
    pub fn by_pid(&self, pid: &str) -> Option<Persona> {
        let generation = pid.get(GENERATION_DIGITS)?.parse().ok()?;
        self.all
            .iter()
            .map(|persona| persona.again(generation))
            .find(|persona| persona.pid.as_deref() == Some(pid))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_check_digit_is_that_of_real_numbers() {
        assert_eq!(check_digit("0107544000108"), Some(8));
    }

    #[test]
    fn no_number_of_the_sandbox_can_be_a_real_one_in_any_generation() {
        let personas = Personas::load().unwrap();
        let biller = crate::Config::default().bank_biller_id[..13].to_owned();
        let mut seen = BTreeSet::new();
        for generation in 0..=GENERATION_MAX {
            for persona in personas.all().iter().map(|persona| persona.again(generation)) {
                let companies = persona.companies.iter().map(|company| company.registration_number.clone());
                for number in persona.pid.clone().into_iter().chain(companies) {
                    let last = number.chars().last().unwrap().to_digit(10);
                    assert!(check_digit(&number).is_some() && check_digit(&number) != last, "{number}");
                    assert!(seen.insert(number.clone()), "{number} twice");
                }
            }
        }
        assert_ne!(biller.chars().last().unwrap().to_digit(10), check_digit(&biller));
    }

    #[test]
    fn the_numbers_of_the_file_leave_room_for_generations() {
        let personas = Personas::load().unwrap();
        let companies = personas.all().iter().flat_map(|p| &p.companies).map(|c| &c.registration_number);
        for number in personas.all().iter().filter_map(|p| p.pid.as_ref()).chain(companies) {
            assert_eq!(&number[GENERATION_DIGITS], "000", "{number}");
        }
    }

    #[test]
    fn a_persona_is_found_by_code_and_number_in_every_generation() {
        let personas = Personas::load().unwrap();
        for generation in [0, 1, 41, GENERATION_MAX] {
            for base in personas.all() {
                let persona = base.again(generation);
                let found = personas.by_code(&persona.code).unwrap();
                assert_eq!((found.generation(), &found.pid), (generation, &persona.pid));
                assert_eq!(found.base_code(), base.code);
                if let Some(pid) = &persona.pid {
                    assert_eq!(personas.by_pid(pid).unwrap().code, persona.code);
                }
            }
        }
        for unknown in ["nobody", "somchai.", "somchai.1000", "somchai.-1", "somchai.1.1"] {
            assert!(personas.by_code(unknown).is_none(), "{unknown}");
        }
        assert!(personas.by_pid("ไม่ใช่ตัวเลข").is_none());
    }

    #[test]
    fn codes_and_numbers_are_unique_and_of_the_right_kind() {
        let personas = Personas::load().unwrap();
        let codes: BTreeSet<&str> = personas.all().iter().map(|p| p.code.as_str()).collect();
        assert_eq!(codes.len(), personas.all().len());
        for persona in personas.all() {
            assert!(persona.pid.as_ref().is_none_or(|pid| pid.starts_with(|c| ('1'..='8').contains(&c))));
            assert!(persona.companies.iter().all(|c| c.registration_number.starts_with('0')));
            assert!(!persona.code.contains('.'));
            assert_eq!(persona.officer, persona.code.contains("-"), "{}", persona.code);
        }
    }
}
