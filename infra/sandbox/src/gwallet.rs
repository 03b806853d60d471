//! G-Wallet (เป๋าตัง): an ASSUMED server API, as the real one is known to its contract partners only.
//!
//! Known: the app opens a `txnRefId` and reports no success, so that a signed notification or an
//! inquiry decides. Everything else here is our guess.

mod orders_api;

use axum::Router;
use axum::routing::{get, post};
use serde_json::json;

use crate::confirmation::Confirmation;
use crate::order::Order;
use crate::{Sandbox, money, pay_page};

/// The doors of the wallet.
pub fn routes() -> Router<Sandbox> {
    Router::new()
        .route("/v1/orders", post(orders_api::create))
        .route("/v1/orders/{id}", get(orders_api::show))
        .route("/v1/orders/{id}/cancel", post(orders_api::cancel))
        .route("/v1/orders/{id}/refunds", post(orders_api::refund))
        .route("/pay/{id}", get(pay_page::show_gwallet).post(pay_page::choose_gwallet))
}

/// The signed notification of a payment (Standard Webhooks). `None`: nothing was paid.
pub fn notification(order: &Order) -> Option<Confirmation> {
    let paid = order.paid.as_ref()?;
    let body = json!({
        "type": "order.paid",
        "timestamp": paid.at,
        "data": {
            "txn_ref_id": order.id,
            "reference": order.reference1,
            "amount": money::baht(paid.satang),
            "status": "PAID",
            "paid_at": paid.at,
            "wallet_reference": paid.bank_transaction_id,
        },
    });
    // One id per event, the same on every try: the receiver dedupes by it.
    let id = format!("msg_{}", order.id.simple());
    Some(Confirmation { url: order.callback_url.clone(), body: body.to_string(), signed_as: Some(id) })
}
