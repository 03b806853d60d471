//! The DPoP proof of a request to us (RFC 9449 section 5).

use auth::Asked;
use axum::http::HeaderMap;

use super::answer::TokenFault;
use crate::Inner;

/// The thumbprint of the key that a `POST` to `path` proves to hold; `None` when it brings no proof.
pub async fn key_of(inner: &Inner, path: &str, headers: &HeaderMap) -> Result<Option<String>, TokenFault> {
    let invalid = |fault: auth::ProofFault| TokenFault::new("invalid_dpop_proof", fault.0);
    let Some(proof) = auth::proof(headers).map_err(invalid)? else { return Ok(None) };
    let url = format!("{}{path}", inner.config.public_url);
    let asked = Asked { method: "POST", url: &url, access_token: None };
    inner.proofs.verify(proof, &asked).await.map(Some).map_err(invalid)
}
