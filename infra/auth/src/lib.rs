//! Who is calling, at which identity level, and what they may do.
//!
//! The gateway makes a [`Principal`] of the bearer token; every subgraph gets it as typed data (or
//! signed, over HTTP) and checks for itself: [`citizen`], [`officer`], [`Principal::require_scope`],
//! [`Principal::require_level`].

mod directive;
mod guard;
mod level;
mod principal;
mod signature;
mod token;

pub use directive::authenticated;
pub use guard::{citizen, officer, principal};
pub use level::{Aal, Ial, Level, Requirement};
pub use principal::{Acting, Citizen, Officer, Principal, Role};
pub use signature::{PRINCIPAL_HEADER, PrincipalSigner, SignatureError};
pub use token::{AccessTokenClaims, EndedSessions, Keys, TokenError, TokenVerifier};
