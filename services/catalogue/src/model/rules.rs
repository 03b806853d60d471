//! What must hold for each file by itself. What holds between files is checked when they are published.

use std::collections::BTreeSet;

use graphql::LocalizedText;

use super::{
    Agency, Area, Catalogue, Contact, Evidence, FactStatus, Fee, FeeDue, Findings, LegalDays, LifeEvent,
    Offering, PublicService,
};

const TEXT_CHARS_MAX: usize = 2_000;
const KEYWORD_CHARS_MAX: usize = 100;
const PHONE_CHARS_MAX: usize = 60;
const LIST_MAX: usize = 100;
const OFFERINGS_MAX: usize = 8_000;
const LEGAL_DAYS_MAX: i32 = 730;
const UPLOAD_BYTES_MAX: i64 = 20_000_000;
const MEDIA_TYPES: [&str; 3] = ["application/pdf", "image/jpeg", "image/png"];

/// Papers that the state issues or keeps: asking a citizen for a copy of one is refused.
const HELD_BY_THE_STATE: [&str; 12] = [
    "birth_certificate",
    "building_certificate",
    "company_certificate",
    "driving_licence",
    "farmer_registration",
    "financial_statement",
    "house_registration",
    "id_card",
    "land_title_deed",
    "marriage_certificate",
    "tax_return",
    "vehicle_registration",
];

/// Notes all that is wrong.
pub fn check(catalogue: &Catalogue, findings: &mut Findings) {
    for (code, agency) in &catalogue.agencies {
        check_agency(code, agency, &format!("agencies/{code}.toml"), findings);
    }
    for (code, service) in &catalogue.services {
        check_service(code, service, &format!("public_services/{code}.toml"), findings);
    }
    for (code, event) in &catalogue.life_events {
        check_life_event(code, event, &format!("life_events/{code}.toml"), findings);
    }
}

fn check_agency(code: &str, agency: &Agency, file: &str, findings: &mut Findings) {
    if !is_slug(code) {
        findings.add(file, "", "its name is not a code of small letters, digits and hyphens");
    }
    check_text("name", &agency.name, file, findings);
    if let Some(Area { code, name }) = &agency.area {
        if ![2, 4, 6].contains(&code.len()) || !code.bytes().all(|byte| byte.is_ascii_digit()) {
            findings.add(file, "area.code", "is not an area code of two, four or six digits");
        }
        check_text("area.name", name, file, findings);
    }
}

fn check_service(code: &str, service: &PublicService, file: &str, findings: &mut Findings) {
    if !is_service_code(code) {
        findings.add(file, "", "its name is not a service code such as LAO-01");
    }
    check_text("title", &service.title, file, findings);
    check_text("summary", &service.summary, file, findings);
    let lists = [
        ("keywords.th", service.keywords.th.len(), 1),
        ("keywords.en", service.keywords.en.len(), 1),
        ("audience", service.audience.len(), 1),
        ("channels", service.channels.len(), 1),
        ("steps", service.steps.len(), 1),
        ("evidence", service.evidence.len(), 0),
        ("legal_basis", service.legal_basis.len(), 0),
        ("contacts", service.contacts.len(), 1),
    ];
    for (key, count, least) in lists {
        if !(least..=LIST_MAX).contains(&count) {
            findings.add(file, key, format!("has {count} entries, not {least} to {LIST_MAX}"));
        }
    }
    for (index, step) in service.steps.iter().enumerate() {
        check_text(&format!("steps[{index}].title"), &step.title, file, findings);
    }
    check_fact("identity", service.identity.status, service.identity.source.as_deref(), file, findings);
    for (index, basis) in service.legal_basis.iter().enumerate() {
        let key = format!("legal_basis[{index}]");
        check_text(&format!("{key}.title"), &basis.title, file, findings);
        check_fact(&key, basis.status, basis.source.as_deref(), file, findings);
    }
    check_contacts("contacts", &service.contacts, file, findings);
    for (key, words) in [("keywords.th", &service.keywords.th), ("keywords.en", &service.keywords.en)] {
        if words.iter().any(|word| word.trim().is_empty() || word.chars().count() > KEYWORD_CHARS_MAX) {
            findings.add(file, key, format!("has a word that is not 1 to {KEYWORD_CHARS_MAX} characters"));
        }
    }
    check_evidence(service, file, findings);
    check_offerings(service, file, findings);
    if let Some(form) = &service.form {
        form.lint(file, findings);
    }
}

/// Where to go: addresses that a client may show as links.
pub fn check_contacts(key: &str, contacts: &[Contact], file: &str, findings: &mut Findings) {
    if contacts.len() > LIST_MAX {
        findings.add(file, key, format!("are more than {LIST_MAX}"));
    }
    for (index, contact) in contacts.iter().enumerate() {
        let key = format!("{key}[{index}]");
        check_text(&format!("{key}.name"), &contact.name, file, findings);
        check_fact(&key, contact.status, contact.source.as_deref(), file, findings);
        let url = contact.url.as_deref();
        if url.is_some_and(|url| !url.starts_with("https://") || url.chars().count() > TEXT_CHARS_MAX) {
            findings.add(file, format!("{key}.url"), "does not begin with https://, or is too long");
        }
        let phone = contact.phone.as_deref();
        if phone.is_some_and(|phone| !(1..=PHONE_CHARS_MAX).contains(&phone.chars().count())) {
            findings.add(file, format!("{key}.phone"), format!("is not 1 to {PHONE_CHARS_MAX} characters"));
        }
    }
}

fn check_evidence(service: &PublicService, file: &str, findings: &mut Findings) {
    let mut codes = BTreeSet::new();
    for (index, evidence) in service.evidence.iter().enumerate() {
        let key = format!("evidence[{index}]");
        check_text(&format!("{key}.title"), &evidence.title, file, findings);
        if !is_field_name(&evidence.code) || !codes.insert(&evidence.code) {
            findings.add(
                file,
                format!("{key}.code"),
                "is not small letters, digits and underscores, or comes twice",
            );
        }
        let Evidence { held_by, upload, required, code, .. } = evidence;
        if let Some(holder) = held_by {
            check_text(&format!("{key}.held_by"), holder, file, findings);
        }
        match (held_by, upload) {
            (Some(_), Some(_)) => findings.add(
                file,
                format!("{key}.upload"),
                "asks for what the state already holds: leave out upload or held_by",
            ),
            (None, _) if HELD_BY_THE_STATE.contains(&code.as_str()) => findings.add(
                file,
                &key,
                format!("asks for \"{code}\", which the state already holds: say who in held_by"),
            ),
            (None, None) if *required && service.has_form() => {
                findings.add(
                    file,
                    &key,
                    "is required and can neither be fetched (held_by) nor given (upload)",
                );
            }
            _ => {}
        }
        let Some(upload) = upload else { continue };
        if upload.media_types.is_empty()
            || !upload.media_types.iter().all(|t| MEDIA_TYPES.contains(&t.as_str()))
        {
            let message = format!("is empty or has others than {}", MEDIA_TYPES.join(", "));
            findings.add(file, format!("{key}.upload.media_types"), message);
        }
        if !(1..=UPLOAD_BYTES_MAX).contains(&upload.bytes_max) {
            findings.add(file, format!("{key}.upload.bytes_max"), format!("is not 1 to {UPLOAD_BYTES_MAX}"));
        }
    }
}

fn check_offerings(service: &PublicService, file: &str, findings: &mut Findings) {
    if !(1..=OFFERINGS_MAX).contains(&service.offerings.len()) {
        findings.add(file, "offerings", format!("are not 1 to {OFFERINGS_MAX}"));
    }
    let mut agencies = BTreeSet::new();
    for (index, Offering { agency, fee, legal_days, contacts, .. }) in service.offerings.iter().enumerate() {
        let key = format!("offerings[{index}]");
        if !agencies.insert(agency) {
            findings.add(file, format!("{key}.agency"), format!("\"{agency}\" offers it twice"));
        }
        check_fee(&format!("{key}.fee"), fee, service.has_form(), file, findings);
        check_legal_days(&format!("{key}.legal_days"), legal_days, file, findings);
        check_contacts(&format!("{key}.contacts"), contacts, file, findings);
    }
}

/// The days and what is said of them.
pub fn check_legal_days(key: &str, legal_days: &LegalDays, file: &str, findings: &mut Findings) {
    check_fact(key, legal_days.status, legal_days.source.as_deref(), file, findings);
    if !(0..=LEGAL_DAYS_MAX).contains(&legal_days.days) {
        findings.add(file, format!("{key}.days"), format!("is not 0 to {LEGAL_DAYS_MAX}"));
    }
    if let Some(note) = &legal_days.note {
        check_text(&format!("{key}.note"), note, file, findings);
    }
}

/// An amount that fits when it is due, and what is said of it.
pub fn check_fee(key: &str, fee: &Fee, fileable: bool, file: &str, findings: &mut Findings) {
    check_fact(key, fee.status, fee.source.as_deref(), file, findings);
    if let Some(note) = &fee.note {
        check_text(&format!("{key}.note"), note, file, findings);
    }
    let amount = format!("{key}.amount_baht");
    match (fee.due, fee.satang) {
        (FeeDue::None, Some(0)) | (FeeDue::Submission | FeeDue::Approval, Some(1..)) => {}
        (FeeDue::None, _) => findings.add(file, amount, "is not \"0.00\" though no fee is due"),
        (_, Some(_)) => findings.add(file, amount, "is nothing though a fee is due"),
        (_, None) if fileable => findings.add(file, amount, "is missing: a bill needs an amount"),
        (_, None) if fee.note.is_none() => {
            findings.add(file, format!("{key}.note"), "must tell how it is assessed");
        }
        (_, None) => {}
    }
}

fn check_life_event(code: &str, event: &LifeEvent, file: &str, findings: &mut Findings) {
    if !is_slug(code) {
        findings.add(file, "", "its name is not a code of small letters, digits and hyphens");
    }
    check_text("title", &event.title, file, findings);
    check_text("summary", &event.summary, file, findings);
    let different: BTreeSet<_> = event.services.iter().collect();
    if event.services.is_empty() || event.services.len() > LIST_MAX || different.len() < event.services.len()
    {
        findings.add(file, "services", format!("are not 1 to {LIST_MAX} different codes"));
    }
}

fn check_text(key: &str, text: &LocalizedText, file: &str, findings: &mut Findings) {
    for (language, text) in [("th", Some(&text.th)), ("en", text.en.as_ref())] {
        match text {
            Some(text) if !text.trim().is_empty() && text.chars().count() <= TEXT_CHARS_MAX => {}
            _ => findings.add(
                file,
                format!("{key}.{language}"),
                format!("is not 1 to {TEXT_CHARS_MAX} characters"),
            ),
        }
    }
}

fn check_fact(key: &str, status: FactStatus, source: Option<&str>, file: &str, findings: &mut Findings) {
    if status == FactStatus::Verified && source.is_none_or(|source| source.trim().is_empty()) {
        findings.add(file, format!("{key}.source"), "is missing: a verified fact names where it was read");
    }
    if source.is_some_and(|source| source.chars().count() > TEXT_CHARS_MAX) {
        findings.add(file, format!("{key}.source"), format!("is more than {TEXT_CHARS_MAX} characters"));
    }
}

fn is_slug(code: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (2..=60).contains(&code.len()) && code.bytes().all(inside)
}

fn is_service_code(code: &str) -> bool {
    let Some((letters, digits)) = code.split_once('-') else { return false };
    (2..=8).contains(&letters.len())
        && (2..=5).contains(&digits.len())
        && letters.bytes().all(|byte| byte.is_ascii_uppercase())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
}

pub fn is_field_name(code: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (2..=60).contains(&code.len()) && code.bytes().all(inside)
}
