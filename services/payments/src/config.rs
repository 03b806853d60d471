//! What an operator says about payments: where the providers are, and how we are known to them.

use chassis::Secret;
use serde::{Deserialize, Serialize};

/// Configuration of the payments service. The defaults are those of the sandbox.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the public reaches us; providers send their notifications below it.
    pub public_url: String,
    /// How long a citizen has to pay once a payment has begun, in seconds: 120 to 1800.
    pub payment_valid_s: u32,
    /// How long one call to a provider may take, in milliseconds.
    pub provider_timeout_ms: u64,
    /// The agency whose officers look after money that is nobody's: who runs this platform.
    pub operator_agency: String,
    /// The bank that makes the Thai QR codes of new payments.
    pub qr_bank: QrBank,
    pub scb: ScbConfig,
    pub kbank: KbankConfig,
    pub gwallet: GWalletConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            public_url: "http://127.0.0.1:4000".into(),
            payment_valid_s: 900,
            provider_timeout_ms: 5_000,
            operator_agency: "dga".into(),
            qr_bank: QrBank::default(),
            scb: ScbConfig::default(),
            kbank: KbankConfig::default(),
            gwallet: GWalletConfig::default(),
        }
    }
}

impl Config {
    /// The sandbox's providers, reached where the sandbox is mounted.
    pub fn sandbox(public_url: &str) -> Self {
        Self::sandbox_at(public_url, &format!("{}/sandbox", public_url.trim_end_matches('/')))
    }

    /// The same where the sandbox runs elsewhere: `base` is its own address.
    pub fn sandbox_at(public_url: &str, base: &str) -> Self {
        let mut config = Self { public_url: public_url.to_owned(), ..Self::default() };
        config.scb.base_url = format!("{base}/bank");
        config.kbank.base_url = format!("{base}/kbank");
        config.gwallet.base_url = format!("{base}/gwallet");
        config
    }

    /// What is missing for production, one line each: sandbox addresses and secrets that are not ours.
    pub fn missing_for_production(&self) -> Vec<String> {
        let sandbox = Self::default();
        let mut missing = Vec::new();
        let mut addresses = vec![("scb", &self.scb.base_url), ("gwallet", &self.gwallet.base_url)];
        let (ours, theirs) = (&self.kbank, &sandbox.kbank);
        let mut secrets = vec![
            ("scb.application_key", &self.scb.application_key, &sandbox.scb.application_key),
            ("scb.application_secret", &self.scb.application_secret, &sandbox.scb.application_secret),
            ("gwallet.api_key", &self.gwallet.api_key, &sandbox.gwallet.api_key),
            ("gwallet.webhook_secret", &self.gwallet.webhook_secret, &sandbox.gwallet.webhook_secret),
        ];
        // A bank that makes no codes for us is not asked to be set up.
        if self.qr_bank == QrBank::Kbank {
            addresses.push(("kbank", &ours.base_url));
            secrets.push(("kbank.consumer_secret", &ours.consumer_secret, &theirs.consumer_secret));
            secrets.push(("kbank.partner_secret", &ours.partner_secret, &theirs.partner_secret));
        }
        for (name, value) in addresses {
            if !value.starts_with("https://") || value.contains("sandbox") {
                missing.push(format!("payments.{name}.base_url must be the provider's, over https"));
            }
        }
        for (name, value, default) in secrets {
            if value == default || value.reveal().is_empty() {
                missing.push(format!("payments.{name} is the sandbox's"));
            }
        }
        missing
    }
}

/// A bank with SCB's API: Thai QR and its app.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScbConfig {
    pub base_url: String,
    pub application_key: Secret,
    pub application_secret: Secret,
    /// 13 digits of the tax number and a 2-digit suffix.
    pub biller_id: String,
    /// What the bank asks reference 3 to begin with; the confirmation address hangs on it.
    pub reference3_prefix: String,
}

impl Default for ScbConfig {
    fn default() -> Self {
        Self {
            base_url: "http://127.0.0.1:4000/sandbox/bank".into(),
            application_key: Secret::from("sandbox-bank-key"),
            application_secret: Secret::from("sandbox-bank-secret"),
            biller_id: "099400000010401".into(),
            reference3_prefix: "PRATU".into(),
        }
    }
}

/// Who makes Thai QR codes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QrBank {
    #[default]
    Scb,
    Kbank,
}

/// A bank with KBank's API: Thai QR alone.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KbankConfig {
    pub base_url: String,
    pub consumer_id: Secret,
    pub consumer_secret: Secret,
    pub partner_id: String,
    pub partner_secret: Secret,
    pub merchant_id: String,
    /// The biller id that its QR codes carry for us.
    pub biller_id: String,
}

impl Default for KbankConfig {
    fn default() -> Self {
        Self {
            base_url: "http://127.0.0.1:4000/sandbox/kbank".into(),
            consumer_id: Secret::from("sandbox-kbank-consumer"),
            consumer_secret: Secret::from("sandbox-kbank-secret"),
            partner_id: "PTR0000001".into(),
            partner_secret: Secret::from("sandbox-kbank-partner-secret"),
            merchant_id: "KB000000000001".into(),
            biller_id: "010700000000001".into(),
        }
    }
}

/// The G-Wallet of the Paotang app. Its contract is not public: ours is assumed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GWalletConfig {
    pub base_url: String,
    pub api_key: Secret,
    /// Signs its notifications: `whsec_` and base64.
    pub webhook_secret: Secret,
}

impl Default for GWalletConfig {
    fn default() -> Self {
        Self {
            base_url: "http://127.0.0.1:4000/sandbox/gwallet".into(),
            api_key: Secret::from("sandbox-gwallet-key"),
            webhook_secret: Secret::from("whsec_c2FuZGJveC1nd2FsbGV0LXdlYmhvb2stc2VjcmV0"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_shown() {
        let shown = format!("{:?}", Config::default());
        assert!(!shown.contains("sandbox-bank-secret") && !shown.contains("whsec_"));
    }

    #[test]
    fn production_lists_what_is_still_the_sandbox_s() {
        assert_eq!(Config::default().missing_for_production().len(), 6);
        let with_kbank = Config { qr_bank: QrBank::Kbank, ..Config::default() };
        assert_eq!(with_kbank.missing_for_production().len(), 9);
    }
}
