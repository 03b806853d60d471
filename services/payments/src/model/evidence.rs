//! Evidence that money came, and how far it can be trusted.

use chrono::{DateTime, Utc};

/// How far evidence can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Anyone could have sent it: it may only make us ask the provider.
    Unsigned,
    /// Its signature was verified.
    Signed,
    /// We asked the provider ourselves.
    Inquired,
}

super::codes!(Trust { Unsigned = "UNSIGNED", Signed = "SIGNED", Inquired = "INQUIRED" });

impl Trust {
    /// Whether evidence of this kind may move money.
    pub const fn moves_money(self) -> bool {
        matches!(self, Self::Signed | Self::Inquired)
    }
}

/// That an amount came by a reference, said by a provider. It names no payer: we have no need to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// How far it can be trusted.
    pub trust: Trust,
    /// The provider's own number of the transfer; the same transfer always has the same one.
    pub provider_txn_id: String,
    /// Our reference, as given when the payment was made.
    pub reference: String,
    /// What came, in satang.
    pub amount_satang: i64,
    /// When it came, by the provider's clock.
    pub occurred_at: DateTime<Utc>,
}
