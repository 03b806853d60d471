//! The books of bank and wallet, for tests and drills that compare them with the merchant's.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::answer::Failure;
use crate::order::{Order, Refund};
use crate::{Sandbox, page, store};

const LIMIT_DEFAULT: i64 = 1_000;
/// One below what one statement may return, so that a further row can be seen.
const LIMIT_MAX: i64 = 9_999;

/// The query of the books.
#[derive(Deserialize)]
pub struct Asks {
    limit: Option<i64>,
}

/// `GET /books`: totals of everything, and the newest orders.
pub async fn show(State(sandbox): State<Sandbox>, Query(asks): Query<Asks>) -> Result<Response, Failure> {
    let limit = asks.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX);
    let totals = store::order::totals(sandbox.database()).await?;
    let mut orders = store::order::orders(sandbox.database(), limit + 1).await?;
    let truncated = orders.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    if truncated {
        orders.pop();
    }
    let ids: Vec<Uuid> = orders.iter().map(|order| order.id).collect();
    let mut refunds: BTreeMap<Uuid, Vec<Refund>> = BTreeMap::new();
    for refund in store::order::refunds_of(&mut sandbox.database().clone(), &ids).await? {
        refunds.entry(refund.order_id).or_default().push(refund);
    }
    let none = Vec::new();
    let transactions: Vec<Value> =
        orders.iter().map(|order| line(&sandbox, order, refunds.get(&order.id).unwrap_or(&none))).collect();
    Ok(page::private(Json(json!({ "totals": totals, "transactions": transactions, "truncated": truncated }))))
}

fn line(sandbox: &Sandbox, order: &Order, refunds: &[Refund]) -> Value {
    let paid = order.paid.as_ref();
    let refunded: Vec<Value> = refunds
        .iter()
        .map(|refund| json!({ "refund_id": refund.refund_id, "amount_satang": refund.amount_satang }))
        .collect();
    json!({
        "id": order.id,
        "rail": order.rail.as_str(),
        "reference1": order.reference1,
        "status": order.standing(sandbox.clock().now()).word(),
        "amount_satang": order.amount_satang,
        "paid_satang": paid.map(|paid| paid.satang),
        "bank_transaction_id": paid.map(|paid| &paid.bank_transaction_id),
        "paid_at": paid.map(|paid| paid.at),
        "refunded_satang": refunds.iter().map(|refund| refund.amount_satang).sum::<i64>(),
        "refunds": refunded,
    })
}
