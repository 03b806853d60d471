//! Verifying Standard Webhooks: HMAC-SHA256 over id, timestamp and the raw body.

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::NotificationError;
use chassis::Secret;

/// How far the sender's clock may be from ours, in seconds, either way.
const TOLERANCE_S: i64 = 300;
/// Signatures looked at; a rotation sends two.
const SIGNATURES_MAX: usize = 8;

/// Checks the signature of a notification.
pub fn verify(
    secret: &Secret,
    headers: &HeaderMap,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<(), NotificationError> {
    let text = |name: &str| {
        headers.get(name).and_then(|value| value.to_str().ok()).ok_or(NotificationError::BadSignature)
    };
    let (id, timestamp, signatures) =
        (text("webhook-id")?, text("webhook-timestamp")?, text("webhook-signature")?);
    let sent_s: i64 = timestamp.parse().map_err(|_| NotificationError::BadSignature)?;
    // A point in the id would let what is signed be cut elsewhere.
    if id.contains('.') || now.timestamp().abs_diff(sent_s) > TOLERANCE_S.unsigned_abs() {
        return Err(NotificationError::BadSignature);
    }
    let encoded = secret.reveal().strip_prefix("whsec_").unwrap_or(secret.reveal());
    let key = STANDARD.decode(encoded).map_err(|_| NotificationError::BadSignature)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| NotificationError::BadSignature)?;
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    let matches = |signature: &str| {
        let given = signature.strip_prefix("v1,").and_then(|text| STANDARD.decode(text).ok());
        // `verify_slice` takes the same time wherever they differ.
        given.is_some_and(|given| mac.clone().verify_slice(&given).is_ok())
    };
    if signatures.split(' ').take(SIGNATURES_MAX).any(matches) {
        Ok(())
    } else {
        Err(NotificationError::BadSignature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example that the Standard Webhooks libraries test with.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn verified(signature: &str, body: &[u8], sent_s: i64) -> Result<(), NotificationError> {
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek".parse().unwrap());
        headers.insert("webhook-timestamp", "1614265330".parse().unwrap());
        headers.insert("webhook-signature", signature.parse().unwrap());
        verify(&Secret::from(SECRET), &headers, body, DateTime::from_timestamp(sent_s, 0).unwrap())
    }

    #[test]
    fn the_specification_s_example_is_accepted() {
        assert_eq!(verified(SIGNATURE, BODY, 1_614_265_330), Ok(()));
        let rotated = format!("v1a,AAAA v1,AAAA {SIGNATURE}");
        assert_eq!(verified(&rotated, BODY, 1_614_265_330), Ok(()));
    }

    #[test]
    fn another_body_an_old_time_or_no_signature_is_refused() {
        assert!(verified(SIGNATURE, b"{}", 1_614_265_330).is_err());
        assert!(verified(SIGNATURE, BODY, 1_614_265_330 + 301).is_err());
        assert!(verified(SIGNATURE, BODY, 1_614_265_330 - 301).is_err());
        assert!(verified("v1,", BODY, 1_614_265_330).is_err());
        assert!(verified("", BODY, 1_614_265_330).is_err());
    }
}
