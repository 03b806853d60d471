//! Types and rules of identity: who someone is, how sure we are, and what a token may say.

pub mod assurance;
pub mod citizen;
pub mod client;
pub mod erasure;
pub mod joining;
pub mod login;
pub mod mandate;
pub mod national_id;
pub mod officer;
pub mod pkce;
pub mod refresh;
pub mod request;
pub mod secret;
