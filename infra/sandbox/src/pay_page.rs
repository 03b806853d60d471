//! The page on which the payer pays or declines, the same for the bank's app and the wallet.

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use uuid::Uuid;

use crate::order::{Behaviour, Order, Refused, Standing};
use crate::orders::NotDone;
use crate::page::{self, escape, two};
use crate::triggers::Payer;
use crate::{Sandbox, bank, gwallet, kbank, money, orders, store, triggers};

/// How the payer wants the bank to behave: in the address, or chosen on the page.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Trigger {
    behave: String,
}

/// What the page sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Choice {
    action: String,
    behave: String,
}

/// `GET /bank/pay/{reference}`.
pub async fn show_bank(sandbox: State<Sandbox>, id: Path<String>, trigger: Query<Trigger>) -> Response {
    show(&sandbox, "bank", &id, &trigger).await
}

/// `GET /gwallet/pay/{reference}`.
pub async fn show_gwallet(sandbox: State<Sandbox>, id: Path<String>, trigger: Query<Trigger>) -> Response {
    show(&sandbox, "gwallet", &id, &trigger).await
}

/// `POST /bank/pay/{reference}`.
pub async fn choose_bank(
    sandbox: State<Sandbox>,
    id: Path<String>,
    trigger: Query<Trigger>,
    choice: Form<Choice>,
) -> Response {
    choose(&sandbox, "bank", &id, &trigger, &choice).await
}

/// `POST /gwallet/pay/{reference}`.
pub async fn choose_gwallet(
    sandbox: State<Sandbox>,
    id: Path<String>,
    trigger: Query<Trigger>,
    choice: Form<Choice>,
) -> Response {
    choose(&sandbox, "gwallet", &id, &trigger, &choice).await
}

async fn show(sandbox: &Sandbox, provider: &str, id: &str, trigger: &Trigger) -> Response {
    match order_of(sandbox, provider, id).await {
        Ok(Some(order)) => view(sandbox, &order, &trigger.behave, StatusCode::OK),
        Ok(None) => unknown(),
        Err(error) => page::failure(&error),
    }
}

async fn choose(sandbox: &Sandbox, provider: &str, id: &str, trigger: &Trigger, choice: &Choice) -> Response {
    let order = match order_of(sandbox, provider, id).await {
        Ok(Some(order)) => order,
        Ok(None) => return unknown(),
        Err(error) => return page::failure(&error),
    };
    let named = if choice.behave.is_empty() { &trigger.behave } else { &choice.behave };
    let behaviour = if named.is_empty() { Some(Behaviour::Normal) } else { Behaviour::parse(named) };
    let payer = match behaviour {
        Some(chosen) if choice.action == "pay" => Some(triggers::payer(sandbox, &order, chosen).await),
        _ => None,
    };
    let done = match (choice.action.as_str(), payer) {
        ("pay", Some(Payer::Pays(behaviour))) => {
            orders::pay(sandbox, order.id, behaviour).await.inspect(|paid| {
                confirm(sandbox, paid, behaviour);
            })
        }
        ("decline", _) | ("pay", Some(Payer::Declines)) => orders::decline(sandbox, order.id).await,
        _ => {
            let en = "Send action=pay or action=decline, and behave as one of the page's choices.";
            return page::notice(StatusCode::BAD_REQUEST, "คำสั่งไม่ถูกต้อง", en);
        }
    };
    match done {
        Ok(order) => view(sandbox, &order, "", StatusCode::OK),
        Err(NotDone::Refused(Refused::Standing(_))) => view(sandbox, &order, named, StatusCode::CONFLICT),
        Err(error) => page::failure(&error),
    }
}

fn confirm(sandbox: &Sandbox, order: &Order, behaviour: Behaviour) {
    let confirmation = match order.rail.provider() {
        "gwallet" => gwallet::notification(order),
        "kbank" => kbank::confirmation(sandbox, order),
        _ => bank::confirmation(sandbox, order),
    };
    if let Some(confirmation) = confirmation {
        sandbox.confirmations().send(sandbox.clock(), confirmation, behaviour);
    }
}

async fn order_of(sandbox: &Sandbox, provider: &str, id: &str) -> Result<Option<Order>, database::Error> {
    let Ok(id) = Uuid::parse_str(id) else { return Ok(None) };
    let order = store::order::order(&mut sandbox.database().clone(), id).await?;
    // A Thai QR is paid in any bank's app.
    let of_wallet = provider == "gwallet";
    Ok(order.filter(|order| (order.rail.provider() == "gwallet") == of_wallet))
}

fn unknown() -> Response {
    page::notice(StatusCode::NOT_FOUND, "ไม่พบรายการชำระเงินนี้", "There is no such payment.")
}

fn view(sandbox: &Sandbox, order: &Order, behave: &str, status: StatusCode) -> Response {
    let (title_th, title_en) = match order.rail.provider() {
        "gwallet" => ("เป๋าตัง G-Wallet (จำลอง)", "G-Wallet (sandbox)"),
        _ => ("แอปธนาคาร (จำลอง)", "Mobile banking (sandbox)"),
    };
    let standing = order.standing(sandbox.clock().now());
    let expires_at = order.expires_at.with_timezone(&clock::thailand()).format("%Y-%m-%d %H:%M:%S");
    let body = format!(
        "<p role=\"status\" class=\"note\">{state}</p>
         <p class=\"amount\">{amount} <small>{baht}</small></p>
         <dl><dt>{to}</dt><dd>{biller}</dd><dt>{reference}</dt><dd><code>{reference1}</code> {description}</dd>
         <dt>{until}</dt><dd>{expires_at}</dd></dl>{form}{back}",
        state = sentence(standing),
        amount = money::baht(order.paid.as_ref().map_or(order.amount_satang, |paid| paid.satang)),
        baht = two("บาท", "THB"),
        to = two("ผู้รับชำระ", "Payee"),
        biller = two("รัฐบาลไทย (จำลอง)", "The Thai state (sandbox)"),
        reference = two("เลขอ้างอิง", "Reference"),
        reference1 = escape(&order.reference1),
        description = escape(order.description.as_deref().unwrap_or_default()),
        until = two("ชำระได้ถึง", "Can be paid until"),
        form = if matches!(standing, Standing::Waiting | Standing::Expired) { form(behave) } else { String::new() },
        back = order.return_url.as_deref().map(back_link).unwrap_or_default(),
    );
    page::html(status, title_th, title_en, &body)
}

fn sentence(standing: Standing) -> String {
    match standing {
        Standing::Waiting => two("รอชำระเงิน", "Waiting for payment"),
        Standing::Paid => two("ชำระเงินแล้ว", "Paid"),
        Standing::Declined => two("ผู้จ่ายปฏิเสธรายการนี้", "Declined by the payer"),
        Standing::Cancelled => two("ผู้รับชำระยกเลิกรายการนี้", "Cancelled by the payee"),
        Standing::Expired => two("หมดเวลาชำระแล้ว", "The time to pay is over"),
    }
}

fn form(behave: &str) -> String {
    let options: String = Behaviour::ALL
        .into_iter()
        .map(|(_, name, th, en)| {
            let selected = if name == behave { " selected" } else { "" };
            format!("<option value=\"{name}\"{selected}>{th} · {en}</option>")
        })
        .collect();
    format!(
        "<form method=\"post\">
         <p><label>{how} <select name=\"behave\">{options}</select></label></p>
         <p class=\"actions\"><button name=\"action\" value=\"pay\">{pay}</button>
         <button name=\"action\" value=\"decline\" class=\"quiet\">{decline}</button></p></form>",
        how = two("ให้ธนาคารทำตัวอย่างไร", "How the bank behaves"),
        pay = two("ชำระเงิน", "Pay"),
        decline = two("ไม่ชำระ", "Decline"),
    )
}

fn back_link(url: &str) -> String {
    format!("<p><a href=\"{}\">{}</a></p>", escape(url), two("กลับไปที่แอป", "Back to the app"))
}
