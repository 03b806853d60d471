//! The codec itself, without the service around it, and what is thrown at it.

#[path = "../../src/qr.rs"]
#[allow(dead_code, reason = "the service uses what the target does not")]
pub mod qr;
pub mod target;
