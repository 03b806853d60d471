//! The types and rules of money owed, tried, arrived and given back: no I/O, no clock.

mod evidence;
mod finding;
mod ledger;
mod payment;
mod proposal;
mod refund;
mod settlement;
mod statement;

pub use evidence::{Evidence, Trust};
pub use finding::{FindingKind, FindingResolution, FindingStatus};
pub use ledger::{Account, Transfer, TransferKind};
pub use payment::{PaymentEvent, PaymentMethod, PaymentStatus, reference_of};
pub use proposal::{ProposalStatus, RefundCompletion, SubjectKind};
pub use refund::{RefundEvent, RefundReason, RefundStatus};
pub use settlement::{Arrival, BillStatus, Classification, arrival};
pub use statement::{LineKind, StatementLine};

/// Gives an enum its codes, as they stand in the database and in GraphQL.
macro_rules! codes {
    ($name:ident { $($variant:ident = $code:literal),+ $(,)? }) => {
        impl $name {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The code in the database, the messages and GraphQL.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// The value with this code.
            pub fn parse(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}
use codes;
