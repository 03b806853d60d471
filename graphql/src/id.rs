//! Opaque ids: a short prefix that says what it is, and a uuid.

use std::borrow::Cow;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{
    ContextSelectionSet, ID, InputType, InputValueResult, OutputType, Positioned, ServerResult, Value,
};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident $prefix:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// The uuid inside.
            pub fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0.simple())
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::convert::Infallible;

            /// What is not such an id is the nil id, which finds nothing: a stranger learns no more
            /// from a malformed id than from one that is not theirs.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let uuid = text.strip_prefix(concat!($prefix, "_")).filter(|rest| rest.len() == 32);
                Ok(Self(uuid.and_then(|rest| Uuid::try_parse(rest).ok()).unwrap_or(Uuid::nil())))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl InputType for $name {
            type RawValueType = Self;

            fn type_name() -> Cow<'static, str> {
                <ID as InputType>::type_name()
            }

            fn create_type_info(registry: &mut Registry) -> String {
                <ID as InputType>::create_type_info(registry)
            }

            fn parse(value: Option<Value>) -> InputValueResult<Self> {
                let id = <ID as InputType>::parse(value).map_err(async_graphql::InputValueError::propagate)?;
                Ok(id.parse().unwrap_or(Self(Uuid::nil())))
            }

            fn to_value(&self) -> Value {
                Value::String(self.to_string())
            }

            fn as_raw_value(&self) -> Option<&Self> {
                Some(self)
            }
        }

        impl OutputType for $name {
            fn type_name() -> Cow<'static, str> {
                <ID as OutputType>::type_name()
            }

            fn create_type_info(registry: &mut Registry) -> String {
                <ID as OutputType>::create_type_info(registry)
            }

            async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
                Ok(Value::String(self.to_string()))
            }
        }
    )+};
}

ids! {
    /// Names an offering.
    OfferingId "off";
    /// Names a party: a citizen or a company.
    PartyId "pty";
    /// Names a mandate to act for another party.
    MandateId "man";
    /// Names an application.
    ApplicationId "app";
    /// Names a piece of evidence of an application.
    EvidenceId "evi";
    /// Names a bill.
    BillId "bil";
    /// Names a payment: one try at paying a bill.
    PaymentId "pay";
    /// Names a refund.
    RefundId "rfd";
    /// Names a receipt.
    ReceiptId "rcp";
    /// Names a finding: a difference between our books and a provider's.
    FindingId "fnd";
    /// Names a proposal that a second person has to confirm.
    ProposalId "prp";
    /// Names the erasure of a person's data.
    ErasureId "era";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_and_a_malformed_one_finds_nothing() {
        let id = ApplicationId::from(Uuid::from_u128(7));
        assert_eq!(id.to_string().parse(), Ok(id));
        for malformed in ["", "app_", "bil_00000000000000000000000000000007", "7", "app_ก", "app_0-0"] {
            assert_eq!(malformed.parse(), Ok(ApplicationId::from(Uuid::nil())), "{malformed}");
        }
    }
}
