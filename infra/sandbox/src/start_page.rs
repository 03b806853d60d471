//! The first page: who one can be, how to pay, what can be made to fail, and the clock.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::order::Behaviour;
use crate::page::{self, escape, two};
use crate::persona::Persona;
use crate::{Sandbox, idp};

/// `GET /`.
pub async fn show(State(sandbox): State<Sandbox>) -> Response {
    let body = format!(
        "<p>{intro}</p>
         <h2>{people_title}</h2>{people}
         <h2>{providers_title}</h2>{providers}
         <h2>{pay_title}</h2>{pay}
         <h2>{clock_title}</h2>{clock}",
        intro = two(
            "ที่นี่แทนโลกภายนอกของประตู: ผู้ให้บริการยืนยันตัวตน ทะเบียนบริษัท ธนาคาร และ G-Wallet",
            "This stands for the world outside Pratu: Digital ID, the company registry, a bank and G-Wallet."
        ),
        people_title = two("บุคคลจำลอง", "Personas"),
        people = people(&sandbox),
        providers_title = two("ผู้ให้บริการยืนยันตัวตน", "Digital ID providers"),
        providers = providers(sandbox.providers()),
        pay_title = two("การชำระเงิน", "Paying"),
        pay = paying(sandbox.base_url()),
        clock_title = two("นาฬิกา", "The clock"),
        clock = clock(&sandbox),
    );
    page::html(StatusCode::OK, "ระบบจำลองของประตู", "Pratu's sandbox", &body)
}

fn people(sandbox: &Sandbox) -> String {
    let rows: String = sandbox.personas().all().iter().map(person).collect();
    format!(
        "<p>{note}</p><div class=\"wide\"><table><thead><tr><th scope=\"col\">{who}</th><th scope=\"col\">{level}</th>
         <th scope=\"col\">{for_what}</th></tr></thead><tbody>{rows}</tbody></table></div>",
        note = two(
            "เลข 13 หลักทุกเลขมีหลักตรวจสอบผิดโดยตั้งใจ จึงไม่ตรงกับบุคคลจริง",
            "Every 13-digit number has a wrong check digit on purpose, so that it is nobody's."
        ),
        who = two("บุคคล", "Person"),
        level = two("ระดับ", "Levels"),
        for_what = two("ใช้ลองอะไร", "Good for"),
    )
}

fn person(persona: &Persona) -> String {
    let levels: Vec<String> = persona
        .levels
        .iter()
        .map(|(provider, level)| format!("{} IAL {} AAL {}", escape(provider), level.ial, level.aal))
        .collect();
    let companies: String = persona
        .companies
        .iter()
        .map(|c| {
            format!(
                "<br><small>{} <code>{}</code></small>",
                two(&c.name.th, &c.name.en),
                escape(&c.registration_number)
            )
        })
        .collect();
    format!(
        "<tr><th scope=\"row\">{name}<br><code>{code}</code> <code>{pid}</code></th><td>{levels}</td><td>{good_for}{companies}</td></tr>",
        name = two(&persona.name_th(), &persona.name_en()),
        code = escape(&persona.code),
        pid = escape(&persona.pid),
        levels = levels.join("<br>"),
        good_for = two(&persona.good_for.th, &persona.good_for.en),
    )
}

fn providers(providers: &[idp::Provider]) -> String {
    let items: String = providers
        .iter()
        .map(|provider| {
            let issuer = escape(&provider.issuer);
            let name = two(&provider.name.th, &provider.name.en);
            format!("<li>{name}: <a href=\"{issuer}/.well-known/openid-configuration\">{issuer}</a></li>")
        })
        .collect();
    format!(
        "<ul>{items}</ul><p>{}</p>",
        two(
            "โปรแกรมเลือกบุคคลได้โดยส่ง persona=<รหัส> ไปยังที่อยู่เดียวกับหน้าเข้าสู่ระบบ หรือ action=cancel เพื่อยกเลิก",
            "A program chooses by posting persona=<code> to the login page's own address, or action=cancel."
        )
    )
}

fn paying(base_url: &str) -> String {
    let base_url = escape(base_url);
    let behaviours: String = Behaviour::ALL
        .into_iter()
        .map(|(_, name, th, en)| format!("<li><code>behave={name}</code> {}</li>", two(th, en)))
        .collect();
    format!(
        "<p>{links}</p><form method=\"get\" action=\"{base_url}/bank/scan\"><p><label>{scan}
         <input name=\"payload\" required maxlength=\"512\" size=\"40\"></label> <button>{go}</button></p></form>
         <p>{triggers}</p><ul>{behaviours}</ul><p><a href=\"{base_url}/bank/books\">{books}</a></p>",
        links = two(
            "ลิงก์ของแอปธนาคารและ G-Wallet เปิดหน้าชำระเงินที่นี่ ส่วน QR ให้วางข้อความของ QR ด้านล่าง",
            "Links to the banking app and G-Wallet open a payment page here; for a QR, paste its text below."
        ),
        scan = two("ข้อความใน QR", "Text of the QR"),
        go = two("สแกน", "Scan"),
        triggers = two("บนหน้าชำระเงินเลือกได้ว่าให้ธนาคารทำตัวอย่างไร", "The payment page lets you choose how the bank behaves:"),
        books = two("บัญชีของธนาคาร (JSON)", "The bank's books (JSON)"),
    )
}

fn clock(sandbox: &Sandbox) -> String {
    let now = sandbox.clock().now().with_timezone(&clock::thailand()).format("%Y-%m-%d %H:%M:%S");
    let steps = [
        (600, "10 นาที", "10 minutes"),
        (86_400, "1 วัน", "1 day"),
        (7 * 86_400, "7 วัน", "7 days"),
        (30 * 86_400, "30 วัน", "30 days"),
    ];
    let buttons: String = steps
        .into_iter()
        .map(|(advance_s, th, en)| {
            format!(
                "<button name=\"advance_s\" value=\"{advance_s}\" class=\"quiet\">+ {}</button> ",
                two(th, en)
            )
        })
        .collect();
    format!(
        "<p>{label} <time>{now}</time></p>
         <form method=\"post\" action=\"{base}/clock\"><p class=\"actions\">{buttons}</p></form>",
        label = two("ขณะนี้ในประเทศไทย", "Now in Thailand:"),
        base = escape(sandbox.base_url()),
    )
}
