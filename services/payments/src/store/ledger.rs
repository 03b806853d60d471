//! The books: rows are only ever added, and triggers on both engines refuse anything else.

use database::{Database, Error, Tx, args};

use crate::model::{Account, Transfer};

/// Adds one transfer.
pub async fn insert_transfer(tx: &mut Tx, transfer: &Transfer) -> Result<(), Error> {
    for account in [&transfer.debit, &transfer.credit] {
        let sql = "insert into ledger_account (code, kind) values ($1, $2) on conflict do nothing";
        tx.execute(sql, args![account.code(), account.kind()]).await?;
    }
    tx.execute(
        "insert into ledger_transfer (id, debit_account, credit_account, amount_satang, kind, \
         external_reference, bill_id, occurred_at, posted_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        args![
            transfer.id,
            transfer.debit.code(),
            transfer.credit.code(),
            transfer.amount_satang,
            transfer.kind.code(),
            &transfer.external_reference,
            transfer.bill_id,
            transfer.occurred_at,
            transfer.posted_at,
        ],
    )
    .await?;
    Ok(())
}

/// What an account holds: debits less credits, in satang.
pub async fn balance(database: &Database, account: &Account) -> Result<i64, Error> {
    let sql = "select cast(coalesce(sum(case when debit_account = $1 then amount_satang \
               else -amount_satang end), 0) as bigint) as balance \
               from ledger_transfer where debit_account = $1 or credit_account = $1";
    database.row(sql, args![account.code()]).await?.map_or(Ok(0), |row| row.get("balance"))
}
