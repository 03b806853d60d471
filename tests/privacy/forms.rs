//! A person's data in every form in which it could lie about: plain, escaped, percent, hex, base64.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

const NAME_CHARS_MIN: usize = 5;
const BASE64_CHARS_MIN: usize = 9;

/// What must be found nowhere: each datum with the forms it may take.
pub struct Personal {
    forms: Vec<(String, String)>,
}

impl Personal {
    /// The personas' data as they stand in the sandbox's file, and what the citizen types in a journey.
    pub fn of_the_personas() -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/sandbox/src/personas.toml");
        let personas: toml::Table = toml::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        let mut data = Vec::new();
        for persona in personas["persona"].as_array().expect("there are personas") {
            // Not the family name alone: a company that bears it stands in a public register.
            data.extend(
                ["pid", "address"].iter().filter_map(|key| Some(persona.get(key)?.as_str()?.to_owned())),
            );
            for language in ["th", "en"] {
                let name = |part: &str| persona[part][language].as_str().expect("text");
                // A short one may be a word of the language: ดิน is also the ground.
                if name("given_name").chars().count() >= NAME_CHARS_MIN {
                    data.push(name("given_name").to_owned());
                }
                data.push(format!("{} {}", name("given_name"), name("family_name")));
            }
        }
        assert!(data.len() > 30, "{data:?}");
        data.extend(["0812345678", "ครัวคุณสมชาย", "99/1 ถนนทดสอบ", "แผนที่ร้าน.png"].map(str::to_owned));
        let forms = data.iter().flat_map(|datum| forms(datum).into_iter().map(|form| (datum.clone(), form)));
        Self { forms: forms.collect() }
    }

    /// Fails when any of it stands in `bytes`.
    pub fn assert_not_in(&self, place: &str, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        for (datum, form) in &self.forms {
            if let Some(at) = text.find(form.as_str()) {
                let before: Vec<char> = text[..at].chars().rev().take(160).collect();
                let before: String = before.into_iter().rev().collect();
                panic!("{place} shows {datum:?} as {form:?} after …{before}");
            }
        }
    }
}

/// The forms in which `datum` could be written.
fn forms(datum: &str) -> Vec<String> {
    let bytes = datum.as_bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let escaped: String = datum
        .encode_utf16()
        .map(|unit| match u8::try_from(unit) {
            Ok(ascii @ 0x20..=0x7e) => char::from(ascii).to_string(),
            _ => format!("\\u{unit:04x}"),
        })
        .collect();
    let percent: String = url::form_urlencoded::byte_serialize(bytes).collect();
    let mut all = vec![
        datum.to_owned(),
        percent.replace('+', "%20"),
        percent,
        escaped.to_uppercase().replace("\\U", "\\u"),
        escaped,
        hex.to_uppercase(),
        hex,
    ];
    for shift in 0..3 {
        let encoded = base64_within(bytes, shift);
        // Shorter ones would be found by chance.
        if encoded.len() >= BASE64_CHARS_MIN {
            all.extend([encoded.replace('+', "-").replace('/', "_"), encoded]);
        }
    }
    all.sort();
    all.dedup();
    all
}

/// What base64 makes of `bytes` when `shift` bytes stand before them: the part that is theirs alone.
fn base64_within(bytes: &[u8], shift: usize) -> String {
    let encoded = STANDARD_NO_PAD.encode([&vec![0; shift][..], bytes].concat());
    let (from, whole) = ((shift * 8).div_ceil(6), (shift + bytes.len()) * 8 / 6);
    encoded[from..whole].to_owned()
}

#[test]
fn each_form_of_a_datum_is_found() {
    let personal = Personal {
        forms: forms("สมชาย").into_iter().map(|form| ("สมชาย".into(), form)).collect(),
    };
    let found = |text: &str| {
        let text = text.to_owned();
        std::panic::catch_unwind(|| personal.assert_not_in("a test", text.as_bytes())).is_err()
    };
    let hidden = |text: &str, before: &str| STANDARD_NO_PAD.encode(format!("{before}{text} ใจดี"));
    for text in ["คุณสมชาย", r"\u0e2a\u0e21\u0e0a\u0e32\u0e22", r"\u0E2A\u0E21\u0E0A\u0E32\u0E22"]
    {
        assert!(found(text), "{text}");
    }
    assert!(
        found("e0b8aae0b8a1e0b88ae0b8b2e0b8a2") && found("%E0%B8%AA%E0%B8%A1%E0%B8%8A%E0%B8%B2%E0%B8%A2")
    );
    for before in ["", "a", "ab"] {
        assert!(found(&hidden("สมชาย", before)), "{before}");
        assert!(!found(&hidden("สมศรี", before)), "{before}");
    }
}
