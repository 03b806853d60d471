//! How to pay here.

use crate::Sandbox;
use crate::order::Behaviour;
use crate::page::{Language, escape};

pub fn section(sandbox: &Sandbox, language: Language) -> String {
    let behaviours: String = Behaviour::ALL
        .into_iter()
        .map(|(_, name, th, en)| format!("<li><code>behave={name}</code> {}</li>", language.of(th, en)))
        .collect();
    format!(
        "<p>{links}</p><form method=\"get\" action=\"{base}/bank/scan\"><p><label>{scan}
         <input name=\"payload\" required maxlength=\"512\" size=\"40\"></label> <button>{go}</button></p></form>
         <p>{triggers}</p><ul>{behaviours}</ul>",
        base = escape(sandbox.base_url()),
        links = language.of(
            "ลิงก์ของแอปธนาคารและ G-Wallet เปิดหน้าชำระเงินที่นี่ ส่วน QR ให้วางข้อความของ QR ด้านล่าง",
            "Links to a banking app and G-Wallet open a payment page here; for a QR, paste its text below.",
        ),
        scan = language.of("ข้อความใน QR", "Text of the QR"),
        go = language.of("สแกน", "Scan"),
        triggers = language.of(
            "บนหน้าชำระเงินผู้จ่ายเลือกได้ว่าธนาคารทำตัวอย่างไร สิ่งที่ผู้จ่ายเลือกมาก่อนสิ่งที่ตั้งไว้ข้างบน",
            "On the payment page the payer chooses how the bank behaves; what they choose comes before what is set above.",
        ),
    )
}
