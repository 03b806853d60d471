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
    pub scb: ScbConfig,
    pub gwallet: GWalletConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            public_url: "http://127.0.0.1:4000".into(),
            payment_valid_s: 900,
            provider_timeout_ms: 5_000,
            scb: ScbConfig::default(),
            gwallet: GWalletConfig::default(),
        }
    }
}

impl Config {
    /// The sandbox's providers, reached where the sandbox is mounted.
    pub fn sandbox(public_url: &str) -> Self {
        let base = format!("{}/sandbox", public_url.trim_end_matches('/'));
        let mut config = Self { public_url: public_url.to_owned(), ..Self::default() };
        config.scb.base_url = format!("{base}/bank");
        config.gwallet.base_url = format!("{base}/gwallet");
        config
    }

    /// What is missing for production, one line each: sandbox addresses and secrets that are not ours.
    pub fn missing_for_production(&self) -> Vec<String> {
        let sandbox = Self::default();
        let mut missing = Vec::new();
        for (name, value) in [("scb", &self.scb.base_url), ("gwallet", &self.gwallet.base_url)] {
            if !value.starts_with("https://") || value.contains("sandbox") {
                missing.push(format!("payments.{name}.base_url must be the provider's, over https"));
            }
        }
        for (name, value, default) in [
            ("scb.application_key", &self.scb.application_key, &sandbox.scb.application_key),
            ("scb.application_secret", &self.scb.application_secret, &sandbox.scb.application_secret),
            ("gwallet.api_key", &self.gwallet.api_key, &sandbox.gwallet.api_key),
            ("gwallet.webhook_secret", &self.gwallet.webhook_secret, &sandbox.gwallet.webhook_secret),
        ] {
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
    }
}
