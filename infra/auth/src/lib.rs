//! Who is calling, at which identity level, and what they may do.
//!
//! The gateway makes a [`Principal`] of the access token; every subgraph gets it as typed data (or
//! signed, over HTTP) and checks for itself: [`citizen`], [`officer`], [`Principal::require_scope`],
//! [`Principal::require_level`].

mod directive;
mod dpop;
mod guard;
mod level;
mod principal;
mod scheme;
mod signature;
mod token;

pub use directive::authenticated;
pub use dpop::{Asked, PROOF_ALGORITHMS, PROOF_HEADER, ProofFault, ProofVerifier, proof};
pub use guard::{citizen, officer, principal};
pub use level::{Aal, Ial, Level, Requirement};
pub use principal::{Acting, Citizen, Officer, Principal, Role};
pub use scheme::{Scheme, Unidentified};
pub use signature::{Announced, PRINCIPAL_HEADER, PrincipalSigner, SignatureError};
pub use token::{AccessTokenClaims, Confirmation, EndedSessions, Keys, TokenError, TokenVerifier};
