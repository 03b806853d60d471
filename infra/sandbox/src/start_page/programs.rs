//! The same doors for programs.

use crate::page::{Language, escape};
use crate::{Sandbox, idp};

/// Method, path, and what it is for in Thai and English.
const DOORS: [(&str, &str, &str, &str); 8] = [
    ("GET", "/personas", "บุคคลทั้งหมดอย่างที่เป็นขณะนี้", "all personas as they are now"),
    ("POST", "/personas/{code}/reset", "เริ่มบุคคลหนึ่งใหม่", "makes one somebody new"),
    (
        "GET",
        "/triggers",
        "ที่ตั้งไว้ ที่ตั้งได้ และจำนวนเงินที่ผิดพลาดเสมอ",
        "what is set, what can be, and the amounts that always fail",
    ),
    ("POST", "/triggers", "ตั้งหนึ่งรายการ", "sets one"),
    ("DELETE", "/triggers/{id}", "ล้างหนึ่งรายการ หรือทั้งหมดที่ /triggers", "clears one; /triggers clears all"),
    ("GET", "/clock", "เวลาขณะนี้", "what the clock shows"),
    (
        "POST",
        "/clock",
        "เลื่อนนาฬิกา: advance_s หรือ hours และ days หรือ to=next_working_day",
        "moves it: advance_s, or hours and days, or to=next_working_day",
    ),
    (
        "GET",
        "/bank/books",
        "รายการของธนาคารและ G-Wallet ทั้งหมด",
        "all that the banks and G-Wallet took and gave back",
    ),
];

pub fn section(sandbox: &Sandbox, language: Language) -> String {
    let base = escape(sandbox.base_url());
    let rows: String = DOORS
        .into_iter()
        .map(|(method, path, th, en)| {
            format!(
                "<tr><th scope=\"row\"><code>{method} {path}</code></th><td>{}</td></tr>",
                language.of(th, en)
            )
        })
        .collect();
    format!(
        "<p>{intro}</p><div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"{doors}\">
         <table><thead><tr><th scope=\"col\">{door}</th><th scope=\"col\">{what}</th></tr></thead><tbody>{rows}</tbody></table></div>
         <pre tabindex=\"0\"><code>curl -X POST {base}/triggers -H 'content-type: application/json' \\
  -d '{{\"trigger\": \"provider_down\", \"at\": \"thaid\", \"minutes\": 10}}'
curl -X POST {base}/triggers -H 'content-type: application/json' \\
  -d '{{\"trigger\": \"duplicate\", \"amount\": \"1000.00\", \"lasts\": \"once\"}}'
curl -X POST {base}/clock -H 'content-type: application/json' -d '{{\"to\": \"next_working_day\"}}'
curl -X POST {base}/personas/somchai/reset</code></pre>
         <h3>{providers_title}</h3>{providers}<p>{choose}</p>",
        intro = language.of(
            "ทุกอย่างบนหน้านี้ทำได้ด้วย JSON ที่อยู่ต่อจากที่อยู่ของหน้านี้",
            "All that this page does can be done with JSON, at addresses below this page's own.",
        ),
        doors = language.of("ที่อยู่ทั้งหมด", "All addresses"),
        door = language.of("ที่อยู่", "Address"),
        what = language.of("ใช้ทำอะไร", "What it does"),
        providers_title = language.of("ผู้ให้บริการยืนยันตัวตน", "Digital ID providers"),
        providers = providers(sandbox.providers(), language),
        choose = language.of(
            "โปรแกรมเลือกบุคคลได้โดยส่ง persona=<รหัส> ไปยังที่อยู่เดียวกับหน้าเข้าสู่ระบบ หรือ action=cancel เพื่อยกเลิก",
            "A program chooses by posting persona=<code> to the login page's own address, or action=cancel.",
        ),
    )
}

fn providers(providers: &[idp::Provider], language: Language) -> String {
    let items: String = providers
        .iter()
        .map(|provider| {
            let issuer = escape(&provider.issuer);
            let name = language.of(&provider.name.th, &provider.name.en);
            format!("<li>{name}: <a href=\"{issuer}/.well-known/openid-configuration\">{issuer}</a></li>")
        })
        .collect();
    format!("<ul>{items}</ul>")
}
