//! Who one can be, and how a persona becomes somebody new.

use super::{done, keep};
use crate::Sandbox;
use crate::page::{Language, escape};
use crate::persona::Persona;

pub fn section(sandbox: &Sandbox, language: Language, people: &[Persona], was_done: &str) -> String {
    let card = |persona: &Persona| card(sandbox, language, persona);
    let citizens: String = people.iter().filter(|persona| !persona.officer).map(card).collect();
    let officers: String = people.iter().filter(|persona| persona.officer).map(card).collect();
    format!(
        "{said}<p>{note}</p><p>{reset}</p><h3>{citizens_title}</h3><ul class=\"cards\">{citizens}</ul>
         <h3>{officers_title}</h3><ul class=\"cards\">{officers}</ul>",
        said = done(was_done == "persona", &language.of("บุคคลนี้เป็นคนใหม่แล้ว", "The persona is somebody new now.")),
        note = language.of(
            "เลข 13 หลักทุกเลขมีหลักตรวจสอบผิดโดยตั้งใจ จึงไม่ตรงกับบุคคลจริง และรับเฉพาะในระบบจำลอง",
            "Every 13-digit number has a wrong check digit on purpose: it is nobody's, and is taken in the sandbox only.",
        ),
        reset = language.of(
            "เริ่มใหม่: บุคคลนั้นได้เลข 13 หลักและบัญชีดิจิทัลไอดีใหม่ (บริษัทก็ได้เลขทะเบียนใหม่) ประตูจึงเห็นเป็นคนที่ไม่เคยพบ ไม่มีร่างคำขอ คำขอ หรือบิล ไม่มีสิ่งใดถูกลบ: ข้อมูลของคนเดิมยังอยู่ในสมุดบัญชีที่เขียนเพิ่มได้อย่างเดียว และผู้ที่เข้าสู่ระบบอยู่แล้วยังเป็นคนเดิมจนออกจากระบบ",
            "Reset: the persona gets a new 13-digit number and new Digital ID accounts (companies a new registration number), so that Pratu meets somebody it has never seen, without drafts, applications or bills. Nothing is deleted: what the earlier person left stays in books that are only ever added to, and whoever is logged in stays the earlier person until they log out.",
        ),
        citizens_title = language.of("ประชาชน", "Citizens"),
        officers_title = language.of("เจ้าหน้าที่", "Officers"),
    )
}

fn card(sandbox: &Sandbox, language: Language, persona: &Persona) -> String {
    let name = language.of(&persona.name_th(), &persona.name_en());
    let levels: Vec<String> = persona
        .levels
        .iter()
        .map(|(provider, level)| format!("{} IAL {} AAL {}", escape(provider), level.ial, level.aal))
        .collect();
    let levels = if levels.is_empty() {
        language.of("ไม่มีดิจิทัลไอดี", "no Digital ID")
    } else {
        levels.join(" · ")
    };
    let companies: String = persona
        .companies
        .iter()
        .map(|company| {
            let name = language.of(&company.name.th, &company.name.en);
            format!("<br><small>{name} <code>{}</code></small>", escape(&company.registration_number))
        })
        .collect();
    let number = match &persona.pid {
        Some(pid) => format!("<code>{}</code>", escape(pid)),
        None => language.of("ไม่มีเลข 13 หลัก", "no 13-digit number"),
    };
    format!(
        "<li><h4>{name}</h4><p><code>{code}</code> {number}<br><small>{levels}</small></p><p>{good_for}{companies}</p>{reset}</li>",
        code = escape(persona.base_code()),
        good_for = language.of(&persona.good_for.th, &persona.good_for.en),
        reset = if persona.officer { String::new() } else { reset(sandbox, language, persona, &name) },
    )
}

fn reset(sandbox: &Sandbox, language: Language, persona: &Persona, name: &str) -> String {
    let times = match persona.generation() {
        0 => String::new(),
        times => format!(" <small>{} {times}</small>", language.of("เริ่มใหม่แล้ว (ครั้ง)", "times reset:")),
    };
    format!(
        "<form method=\"post\" action=\"{base}/personas/{code}/reset\">{keep}<button class=\"quiet\">{label}
         <span class=\"hidden\">{name}</span></button>{times}</form>",
        base = escape(sandbox.base_url()),
        code = escape(persona.base_code()),
        keep = keep(language),
        label = language.of("เริ่มใหม่", "Reset"),
    )
}
