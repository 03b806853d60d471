//! The first page, in Thai or English: who one can be, what can be told to go wrong, how to pay, the clock.

mod clock;
mod paying;
mod personas;
mod programs;
mod triggers;

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use crate::page::{self, Language, escape};
use crate::{Sandbox, people, store};

/// What the page is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asks {
    lang: Option<String>,
    /// What was just done: it is said where it was done.
    done: String,
}

/// `GET /`.
pub async fn show(State(sandbox): State<Sandbox>, Query(asks): Query<Asks>, headers: HeaderMap) -> Response {
    let language = Language::chosen(asks.lang.as_deref(), &headers);
    let people = match people::all(&sandbox).await {
        Ok(people) => people,
        Err(error) => return page::failure(&error),
    };
    let set = match store::trigger::triggers(sandbox.database(), sandbox.clock().now()).await {
        Ok(set) => set,
        Err(error) => return page::failure(&error),
    };
    let sections = [
        section(language, "begin", TITLES[0], &begin(&sandbox, language)),
        section(language, "personas", TITLES[1], &personas::section(&sandbox, language, &people, &asks.done)),
        section(language, "triggers", TITLES[2], &triggers::section(&sandbox, language, &set, &asks.done)),
        section(language, "paying", TITLES[3], &paying::section(&sandbox, language)),
        section(language, "clock", TITLES[4], &clock::section(&sandbox, language, &asks.done)),
        section(language, "programs", TITLES[5], &programs::section(&sandbox, language)),
    ];
    let body = format!("{}{}", contents(language), sections.concat());
    page::html_in(
        language,
        &language.of("ระบบจำลองของประตู", "Pratu's sandbox"),
        &other_language(&sandbox, language),
        &body,
    )
}

/// The parts of the page, in order, in Thai and English.
const TITLES: [(&str, &str); 6] = [
    ("เริ่มที่นี่", "Begin here"),
    ("บุคคลจำลอง", "Personas"),
    ("ทำให้ผิดพลาด", "Make it go wrong"),
    ("การชำระเงิน", "Paying"),
    ("นาฬิกา", "The clock"),
    ("สำหรับโปรแกรม", "For programs"),
];
const IDS: [&str; 6] = ["begin", "personas", "triggers", "paying", "clock", "programs"];

fn section(language: Language, id: &str, (th, en): (&str, &str), body: &str) -> String {
    let title = language.of(th, en);
    format!(
        "<section id=\"{id}\" aria-labelledby=\"{id}-title\"><h2 id=\"{id}-title\">{title}</h2>{body}</section>"
    )
}

fn contents(language: Language) -> String {
    let links: String = IDS
        .into_iter()
        .zip(TITLES)
        .map(|(id, (th, en))| format!("<li><a href=\"#{id}\">{}</a></li>", language.of(th, en)))
        .collect();
    format!("<nav aria-label=\"{}\"><ul>{links}</ul></nav>", language.of("ในหน้านี้", "On this page"))
}

/// The way to the page in the other language, named in that language.
fn other_language(sandbox: &Sandbox, language: Language) -> String {
    let (code, name) = match language {
        Language::Thai => ("en", "English"),
        Language::English => ("th", "ภาษาไทย"),
    };
    let base = escape(sandbox.base_url());
    format!("<a href=\"{base}?lang={code}\" lang=\"{code}\" hreflang=\"{code}\">{name}</a>")
}

fn begin(sandbox: &Sandbox, language: Language) -> String {
    let public_url = escape(sandbox.config().public_url.trim_end_matches('/'));
    format!(
        "<p>{what}</p><ul>
         <li><a href=\"{public_url}/graphiql\">GraphiQL</a>: {graphiql}</li>
         <li><a href=\"{public_url}/.well-known/openid-configuration\">{metadata}</a>: {login}</li>
         <li><a href=\"{base}/bank/books\">{books_name}</a>: {books_what}</li></ul><p>{apart}</p>",
        what = language.of(
            "ที่นี่แทนโลกภายนอกของประตู: ผู้ให้บริการยืนยันตัวตนสองราย ทะเบียนบริษัท ธนาคารสองแห่ง และ G-Wallet คุณเป็นใครก็ได้ จ่ายเงินโดยไม่เสียเงิน ทำให้ระบบภายนอกขัดข้อง และเลื่อนเวลาได้",
            "This stands for the world outside Pratu: two Digital ID providers, the company registry, two banks and G-Wallet. Be anyone, pay without money, make the outside fail, and move time.",
        ),
        graphiql = language.of("ลองทุกคำสั่ง อ่านเอกสารของสคีมา และเข้าสู่ระบบ", "try every operation, read the schema's documentation, log in"),
        metadata = language.of("ข้อมูล OpenID ของประตู", "Pratu's OpenID metadata"),
        login = language.of("แอปของคุณเข้าสู่ระบบอย่างไร", "how your app logs in"),
        base = escape(sandbox.base_url()),
        books_name = language.of("บัญชีของธนาคาร (JSON)", "The banks' books (JSON)"),
        books_what = language.of("เทียบกับบัญชีของประตู", "to compare with Pratu's own"),
        apart = language.of(
            "ข้อมูลในระบบจำลองแยกจากข้อมูลของประตู และคงอยู่เมื่อเริ่มโปรแกรมใหม่ หากต้องการเริ่มใหม่ทั้งหมด ให้หยุดโปรแกรมแล้วลบโฟลเดอร์ข้อมูล",
            "The sandbox keeps data of its own, apart from Pratu's, and both outlive a restart. To begin anew with everything, stop the program and delete its data folder.",
        ),
    )
}

/// Says that something was done, if it was.
fn done(is_done: bool, text: &str) -> String {
    if is_done { format!("<p role=\"status\" class=\"note\">{text}</p>") } else { String::new() }
}

/// The hidden field that keeps the language over a form.
fn keep(language: Language) -> String {
    format!("<input type=\"hidden\" name=\"lang\" value=\"{}\">", language.code())
}
