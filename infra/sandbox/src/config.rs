//! What the sandbox is told at start; the defaults are the sandbox's published values.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Settings of the sandbox. Its secrets are published on purpose: they open nothing real.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the gateway is reached; the sandbox is at `{public_url}/sandbox`.
    pub public_url: String,
    /// The one client registered at the Digital ID providers.
    pub idp_client_id: String,
    /// Its secret, sent with HTTP Basic: plain at ThaiD; at DGA, as at the real one (so its
    /// integrators report), in a seven-fold MD5 form.
    pub idp_client_secret: String,
    /// Bearer secret of the company registry.
    pub registry_secret: String,
    /// `applicationKey` at the bank's token endpoint.
    pub bank_application_key: String,
    /// `applicationSecret` at the bank's token endpoint.
    pub bank_application_secret: String,
    /// The state's biller id: 13-digit tax id (check digit wrong by design) and a two-digit suffix.
    pub bank_biller_id: String,
    /// Consumer id at the second bank's token endpoint.
    pub kbank_consumer_id: String,
    /// Its secret, sent with HTTP Basic.
    pub kbank_consumer_secret: String,
    /// The partner, as every body to the second bank names it.
    pub kbank_partner_id: String,
    /// Its secret, in every body.
    pub kbank_partner_secret: String,
    /// The merchant whose orders they are.
    pub kbank_merchant_id: String,
    /// The biller id in the second bank's QR codes.
    pub kbank_biller_id: String,
    /// Bearer key of the G-Wallet API.
    pub gwallet_api_key: String,
    /// Standard Webhooks secret (`whsec_` and base64) that signs G-Wallet's notifications.
    pub gwallet_webhook_secret: String,
    /// Pause between two tries of a payment confirmation. The real bank waits 12 seconds.
    pub confirmation_gap_ms: u64,
    /// How late a confirmation comes when the payer asked for a late one.
    pub confirmation_late_ms: u64,
    /// How long an order can be paid when its creator does not say.
    pub order_valid_s: i64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            public_url: "http://127.0.0.1:4000".into(),
            idp_client_id: "pratu".into(),
            idp_client_secret: "sandbox-idp-secret".into(),
            registry_secret: "sandbox-registry-secret".into(),
            bank_application_key: "sandbox-bank-key".into(),
            bank_application_secret: "sandbox-bank-secret".into(),
            bank_biller_id: "099400000010401".into(),
            kbank_consumer_id: "sandbox-kbank-consumer".into(),
            kbank_consumer_secret: "sandbox-kbank-secret".into(),
            kbank_partner_id: "PTR0000001".into(),
            kbank_partner_secret: "sandbox-kbank-partner-secret".into(),
            kbank_merchant_id: "KB000000000001".into(),
            kbank_biller_id: "010700000000001".into(),
            gwallet_api_key: "sandbox-gwallet-key".into(),
            gwallet_webhook_secret: "whsec_c2FuZGJveC1nd2FsbGV0LXdlYmhvb2stc2VjcmV0".into(),
            confirmation_gap_ms: 12_000,
            confirmation_late_ms: 60_000,
            order_valid_s: 900,
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Published or not, secrets do not belong in logs.
        f.debug_struct("Config").field("public_url", &self.public_url).finish_non_exhaustive()
    }
}

impl Config {
    /// The sandbox's own address, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("{}/sandbox", self.public_url.trim_end_matches('/'))
    }

    /// Where the bank sends its unsigned confirmations.
    pub fn bank_confirmation_url(&self) -> String {
        format!("{}/callbacks/payments/scb", self.public_url.trim_end_matches('/'))
    }

    /// Where the second bank sends its own.
    pub fn kbank_confirmation_url(&self) -> String {
        format!("{}/callbacks/payments/kbank", self.public_url.trim_end_matches('/'))
    }
}
