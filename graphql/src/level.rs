//! Identity and authenticator assurance levels as the schema shows them.

use async_graphql::Enum;

/// How surely it is known who somebody is (ระดับความน่าเชื่อถือของไอเดนทิตี, IAL; ETDA ขมธอ. 19).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Enum)]
pub enum IdentityAssuranceLevel {
    /// Self-asserted.
    #[graphql(name = "IAL_1_1")]
    Ial1_1,
    /// A copy of an identity document was shown.
    #[graphql(name = "IAL_1_2")]
    Ial1_2,
    /// The document was checked with its issuer.
    #[graphql(name = "IAL_1_3")]
    Ial1_3,
    /// The card's chip or the civil registry was checked.
    #[graphql(name = "IAL_2_1")]
    Ial2_1,
    /// And the face was compared by a person.
    #[graphql(name = "IAL_2_2")]
    Ial2_2,
    /// And the face was compared by a machine with the registry's picture.
    #[graphql(name = "IAL_2_3")]
    Ial2_3,
    /// In person, with biometrics.
    #[graphql(name = "IAL_3")]
    Ial3,
}

/// How surely somebody logged in (ระดับความน่าเชื่อถือของสิ่งที่ใช้ยืนยันตัวตน, AAL; ETDA ขมธอ. 20).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Enum)]
pub enum AuthenticatorAssuranceLevel {
    /// One factor.
    #[graphql(name = "AAL_1")]
    Aal1,
    /// Two factors.
    #[graphql(name = "AAL_2_1")]
    Aal2_1,
    /// Two factors, one of them a cryptographic device.
    #[graphql(name = "AAL_2_2")]
    Aal2_2,
    /// Cryptographic hardware that withstands impersonation of the verifier.
    #[graphql(name = "AAL_3")]
    Aal3,
}
