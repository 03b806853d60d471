//! The bank's statement of one day, as banks send it at night: a file of lines, not JSON.
//!
//! ASSUMED: banks agree on its form with each biller, and mostly put it on a file server; here it is asked
//! for. Fields are parted by a bar: `H` begins, `P` is a payment, `R` money given back, `T` counts and sums.

use std::fmt::Write as _;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::Response;
use chrono::{DateTime, NaiveDate, SecondsFormat, TimeDelta, Utc};
use serde::Deserialize;

use super::answer::{Failure, Merchant};
use crate::{Sandbox, money, page, store};

/// The query of a statement.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    biller_id: String,
    statement_date: NaiveDate,
}

/// `GET /v1/payment/statement`: what came and went on one day in Thailand, once that day is over.
pub async fn show(
    State(sandbox): State<Sandbox>,
    _: Merchant,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Failure> {
    let Query(asked) = asked.map_err(|_| Failure::input("billerId and statementDate=yyyy-MM-dd"))?;
    if asked.biller_id != sandbox.config().bank_biller_id {
        return Err(Failure::not_found());
    }
    let day = asked.statement_date;
    // A day that is not over has no statement yet.
    if day >= sandbox.clock().today_in_thailand() {
        return Err(Failure::not_found());
    }
    let text = statement(&sandbox, day).await?;
    Ok(page::private(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text)))
}

async fn statement(sandbox: &Sandbox, day: NaiveDate) -> Result<String, database::Error> {
    let mut text = format!("H|{}|{day}\n", sandbox.config().bank_biller_id);
    let (mut lines, mut paid_satang, mut refunded_satang) = (0, 0, 0);
    let mut after = String::new();
    loop {
        let page = store::order::bank_orders_paid_on(sandbox.database(), day, &after).await?;
        for paid in page.iter().filter_map(|order| Some((order, order.paid.as_ref()?))) {
            let (order, paid) = paid;
            let (id, amount, at) = (&paid.bank_transaction_id, money::baht(paid.satang), told(paid.at));
            let _ = writeln!(text, "P|{id}|{}|{amount}|{at}", order.reference1);
            lines += 1;
            paid_satang += paid.satang;
            after.clone_from(id);
        }
        if page.is_empty() {
            break;
        }
    }
    let begins_at = day.and_time(chrono::NaiveTime::MIN).and_utc() - TimeDelta::hours(7);
    let mut after = String::new();
    loop {
        let page = store::order::bank_refunds_between(
            sandbox.database(),
            (begins_at, begins_at + TimeDelta::days(1)),
            &after,
        )
        .await?;
        for (refund, bank_transaction_id) in &page {
            let (id, amount, at) =
                (&refund.refund_id, money::baht(refund.amount_satang), told(refund.created_at));
            let _ = writeln!(text, "R|{id}|{bank_transaction_id}|{amount}|{at}");
            lines += 1;
            refunded_satang += refund.amount_satang;
            after.clone_from(id);
        }
        if page.is_empty() {
            break;
        }
    }
    let _ = writeln!(text, "T|{lines}|{}|{}", money::baht(paid_satang), money::baht(refunded_satang));
    Ok(text)
}

fn told(at: DateTime<Utc>) -> String {
    at.with_timezone(&clock::thailand()).to_rfc3339_opts(SecondsFormat::Millis, false)
}
