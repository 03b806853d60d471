//! What can be told to go wrong, what was told, and the form for telling it.

use super::{done, keep};
use crate::page::{Language, escape};
use crate::trigger::{AMOUNTS, Effect, Lasts, Place, Trigger};
use crate::{Sandbox, money};

pub fn section(sandbox: &Sandbox, language: Language, set: &[Trigger], was_done: &str) -> String {
    let what = "ตั้งให้ระบบภายนอกผิดพลาดได้ครั้งเดียว จนกว่าจะล้าง หรือเป็นเวลาหลายนาทีตามนาฬิกาของระบบจำลอง สิ่งที่ตั้งไว้คงอยู่เมื่อเริ่มโปรแกรมใหม่ บุคคลบางคนและจำนวนเงินบางจำนวนผิดพลาดเสมอ";
    let what_en = "Make an outside system fail once, until you clear it, or for some minutes of the sandbox's clock. What you set outlives a restart. Some personas and some amounts always fail.";
    format!(
        "{set_done}{cleared}<p>{what}</p><h3>{now}</h3>{held}<h3>{new}</h3>{form}<h3>{always}</h3>{amounts}",
        set_done = done(was_done == "set", &language.of("ตั้งแล้ว", "It is set.")),
        cleared = done(was_done == "cleared", &language.of("ล้างแล้ว", "It is cleared.")),
        what = language.of(what, what_en),
        now = language.of("ที่ตั้งไว้ขณะนี้", "What is set now"),
        held = held(sandbox, language, set),
        new = language.of("ตั้งใหม่", "Set another"),
        form = form(sandbox, language),
        always = language.of("จำนวนเงินที่ผิดพลาดเสมอ", "Amounts that always fail"),
        amounts = amounts(language),
    )
}

fn held(sandbox: &Sandbox, language: Language, set: &[Trigger]) -> String {
    if set.is_empty() {
        return format!("<p>{}</p>", language.of("ไม่มี: ทุกอย่างทำงานปกติ", "Nothing: all goes well."));
    }
    let base = escape(sandbox.base_url());
    let items: String = set.iter().map(|trigger| item(&base, language, trigger)).collect();
    format!(
        "<ul class=\"cards\">{items}</ul><form method=\"post\" action=\"{base}/triggers/clear\">{keep}<button class=\"quiet\">{all}</button></form>",
        keep = keep(language),
        all = language.of("ล้างทั้งหมด", "Clear all"),
    )
}

fn item(base: &str, language: Language, trigger: &Trigger) -> String {
    let about = trigger.effect.about();
    let name = language.of(about.th, about.en);
    let scope = &trigger.scope;
    let of = [
        scope.place.map(|place| language.of(place.names().0, place.names().1)),
        scope.persona.as_deref().map(escape),
        scope.amount_satang.map(|satang| format!("{} {}", money::baht(satang), language.of("บาท", "THB"))),
        scope.reference.as_deref().map(escape),
    ];
    let of: Vec<String> = of.into_iter().flatten().collect();
    let lasts = match trigger.lasts {
        Lasts::Once => language.of("ครั้งเดียว", "once"),
        Lasts::UntilCleared => language.of("จนกว่าจะล้าง", "until cleared"),
        Lasts::Until(at) => {
            let at = at.with_timezone(&clock::thailand()).format("%Y-%m-%d %H:%M");
            format!("{} {at}", language.of("ถึง", "until"))
        }
    };
    format!(
        "<li><p><code>{code}</code> {name}<br>{of}</p><p><small>{lasts} · {used} {count}</small></p>
         <form method=\"post\" action=\"{base}/triggers/{id}/clear\">{keep}<button class=\"quiet\">{clear}
         <span class=\"hidden\">{code}</span></button></form></li>",
        code = about.code,
        of = of.join(" · "),
        used = language.of("ใช้แล้ว", "used:"),
        count = trigger.used_count,
        id = trigger.id,
        keep = keep(language),
        clear = language.of("ล้าง", "Clear"),
    )
}

fn form(sandbox: &Sandbox, language: Language) -> String {
    let option = |value: &str, name: &str| format!("<option value=\"{}\">{name}</option>", escape(value));
    let effects: String = Effect::ALL
        .into_iter()
        .map(|about| option(about.code, &format!("{}: {}", about.code, language.of(about.th, about.en))))
        .collect();
    let places: String = Place::ALL
        .into_iter()
        .map(|place| option(place.code(), &language.of(place.names().0, place.names().1)))
        .collect();
    let people = sandbox.personas().all().iter();
    let people: String = people
        .map(|persona| option(&persona.code, &language.of(&persona.name_th(), &persona.name_en())))
        .collect();
    let any = option("", &language.of("ทุกที่ที่เกิดได้", "wherever it can happen"));
    let anyone = option("", &language.of("ทุกคน", "everyone"));
    format!(
        "<form method=\"post\" action=\"{base}/triggers\">{keep}<div class=\"fields\">
         <label class=\"whole\">{what} <select name=\"trigger\" required>{effects}</select></label>
         <label>{at} <select name=\"at\">{any}{places}</select></label>
         <label>{who} <select name=\"persona\">{anyone}{people}</select></label>
         <label>{amount} <input name=\"amount\" inputmode=\"decimal\" maxlength=\"12\" pattern=\"[0-9]+([.][0-9]{{1,2}})?\"></label>
         <label>{reference} <input name=\"reference\" maxlength=\"64\"></label></div>{lasts}
         <p><button>{set}</button></p></form>",
        base = escape(sandbox.base_url()),
        keep = keep(language),
        what = language.of("ให้เกิดอะไร", "What goes wrong"),
        at = language.of("ที่ไหน", "Where"),
        who = language.of("กับใคร (เฉพาะการเข้าสู่ระบบ)", "To whom (logins only)"),
        amount = language.of("จำนวนเงิน บาท (เฉพาะการชำระเงิน)", "Amount in baht (payments only)"),
        reference = language.of("เลขอ้างอิง (เฉพาะการชำระเงิน)", "Reference (payments only)"),
        lasts = lasts(language),
        set = language.of("ตั้ง", "Set"),
    )
}

fn lasts(language: Language) -> String {
    let radio = |value: &str, checked: &str, name: &str| {
        format!("<label><input type=\"radio\" name=\"lasts\" value=\"{value}\"{checked}> {name}</label> ")
    };
    format!(
        "<fieldset><legend>{legend}</legend>{once}{cleared}{minutes}
         <label>{how_many} <input type=\"number\" name=\"minutes\" min=\"1\" max=\"{max}\" value=\"10\"></label></fieldset>",
        legend = language.of("นานเท่าใด", "For how long"),
        once = radio("once", " checked", &language.of("ครั้งเดียว", "once")),
        cleared = radio("until_cleared", "", &language.of("จนกว่าจะล้าง", "until cleared")),
        minutes = radio("minutes", "", &language.of("เป็นนาที", "for minutes")),
        how_many = language.of("กี่นาที", "How many minutes"),
        max = Lasts::MINUTES.end(),
    )
}

fn amounts(language: Language) -> String {
    let rows: String = AMOUNTS
        .into_iter()
        .map(|(satang, effect)| {
            let about = effect.about();
            let name = language.of(about.th, about.en);
            format!(
                "<tr><th scope=\"row\">{}</th><td><code>{}</code> {name}</td></tr>",
                money::baht(satang),
                about.code
            )
        })
        .collect();
    format!(
        "<table><thead><tr><th scope=\"col\">{amount}</th><th scope=\"col\">{what}</th></tr></thead><tbody>{rows}</tbody></table>",
        amount = language.of("บาท", "Baht"),
        what = language.of("เกิดอะไร", "What happens"),
    )
}
