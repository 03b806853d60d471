//! The clock: what it shows, and the buttons that move it.

use super::{done, keep};
use crate::page::{Language, escape};
use crate::{Sandbox, working_day};

/// Steps that have a button, in seconds, with their names in Thai and English.
const STEPS: [(i64, &str, &str); 4] = [
    (3_600, "1 ชั่วโมง", "1 hour"),
    (86_400, "1 วัน", "1 day"),
    (7 * 86_400, "7 วัน", "7 days"),
    (30 * 86_400, "30 วัน", "30 days"),
];

pub fn section(sandbox: &Sandbox, language: Language, was_done: &str) -> String {
    let now = sandbox.clock().now().with_timezone(&::clock::thailand());
    let kind = if working_day::is_working_day(now.date_naive()) {
        language.of("วันทำการ", "a working day")
    } else {
        language.of("วันหยุด", "not a working day")
    };
    let buttons: String = STEPS
        .into_iter()
        .map(|(advance_s, th, en)| {
            format!(
                "<button name=\"advance_s\" value=\"{advance_s}\" class=\"quiet\">+ {}</button> ",
                language.of(th, en)
            )
        })
        .collect();
    format!(
        "{said}<p>{what}</p><p>{label} <time datetime=\"{iso}\">{now}</time> ({kind})</p>
         <form method=\"post\" action=\"{base}/clock\">{keep}<p class=\"actions\">{buttons}
         <button name=\"to\" value=\"next_working_day\" class=\"quiet\">{next}</button></p></form>
         <form method=\"post\" action=\"{base}/clock\">{keep}<div class=\"fields\">
         <label>{days} <input type=\"number\" name=\"days\" min=\"0\" max=\"366\" value=\"0\"></label>
         <label>{hours} <input type=\"number\" name=\"hours\" min=\"0\" max=\"8784\" value=\"0\"></label></div>
         <p><button class=\"quiet\">{go}</button></p></form>",
        said = done(was_done == "moved", &language.of("เลื่อนนาฬิกาแล้ว", "The clock was moved.")),
        what = language.of(
            "ทุกส่วนของประตูใช้นาฬิกานี้: กำหนดเวลาตามกฎหมาย เวลาชำระเงิน และการหมดอายุ เลื่อนไปข้างหน้าได้อย่างเดียว การเข้าสู่ระบบที่หมดอายุต้องทำใหม่",
            "All of Pratu goes by this clock: legal terms, times to pay, expiry. It only goes forward; logins that expire by it begin anew.",
        ),
        label = language.of("ขณะนี้ในประเทศไทย", "Now in Thailand:"),
        iso = now.to_rfc3339(),
        now = now.format("%Y-%m-%d %H:%M:%S"),
        base = escape(sandbox.base_url()),
        keep = keep(language),
        next = language.of("วันทำการถัดไป 8.30 น.", "Next working day, 8:30"),
        days = language.of("วัน", "Days"),
        hours = language.of("ชั่วโมง", "Hours"),
        go = language.of("เลื่อนไปข้างหน้า", "Move forward"),
    )
}
