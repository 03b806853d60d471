//! An authorization request (RFC 6749 section 4.1.1): read, checked, and refused the right way.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::assurance::requested;
use super::client::{Client, Clients};
use super::pkce;

/// Bytes of one parameter. The longest legal one is an access token that names as many parties as it
/// may, given back for revocation.
const PARAMETER_BYTES_MAX: usize = 4_096;
const PARAMETERS_MAX: usize = 24;
const MAX_AGE_S_MAX: i64 = 86_400 * 365;

/// Parameters as they came; each at most once.
#[derive(Debug, Default)]
pub struct Parameters(BTreeMap<String, String>);

/// A request that may go on to a login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    pub client_id: String,
    pub redirect_uri: String,
    pub scopes: BTreeSet<String>,
    pub state: String,
    pub nonce: Option<String>,
    pub code_challenge: String,
    /// What `acr_values` asks for, if it names a level that we know.
    pub acr_values: Option<String>,
    pub max_age_s: Option<i64>,
    /// The Digital ID provider the client would start with.
    pub provider: Option<String>,
    /// The session whose person must come back, at a higher level.
    pub step_up_of: Option<Uuid>,
    /// The thumbprint of the DPoP key that alone may redeem the code (RFC 9449 section 10).
    #[serde(default)]
    pub dpop_jkt: Option<String>,
}

/// A request that may not.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nowhere safe to send anybody: said on a page of ours.
    Page { description: &'static str },
    /// Said to the client.
    Redirect { redirect_uri: String, state: Option<String>, error: &'static str, description: &'static str },
}

impl Parameters {
    /// Reads pairs; a parameter that comes twice is refused (RFC 6749 section 3.1), an empty one is absent.
    pub fn new(pairs: Vec<(String, String)>) -> Result<Self, &'static str> {
        if pairs.len() > PARAMETERS_MAX {
            return Err("too many parameters");
        }
        let mut parameters = BTreeMap::new();
        for (name, value) in pairs {
            if value.len() > PARAMETER_BYTES_MAX {
                return Err("a parameter is too long");
            }
            if parameters.insert(name, value).is_some() {
                return Err("a parameter was sent twice");
            }
        }
        parameters.retain(|_, value: &mut String| !value.is_empty());
        Ok(Self(parameters))
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// Checks a request. Until client and redirect address are known to belong together, nothing is
/// sent to that address.
pub fn check<'a>(
    parameters: &Parameters,
    clients: &'a Clients,
) -> Result<(AuthorizationRequest, &'a Client), Refusal> {
    let page = |description| Refusal::Page { description };
    let client_id = parameters.get("client_id").ok_or(page("client_id is missing"))?;
    let client = clients.get(client_id).ok_or(page("client_id is not known"))?;
    let redirect_uri = parameters.get("redirect_uri").ok_or(page("redirect_uri is missing"))?;
    if !client.redirects_to(redirect_uri) {
        return Err(page("redirect_uri is not one of this client's"));
    }
    rest(parameters, client, redirect_uri).map(|request| (request, client)).map_err(|(error, description)| {
        Refusal::Redirect {
            redirect_uri: redirect_uri.to_owned(),
            state: parameters.get("state").map(str::to_owned),
            error,
            description,
        }
    })
}

type Fault = (&'static str, &'static str);

fn rest(parameters: &Parameters, client: &Client, redirect_uri: &str) -> Result<AuthorizationRequest, Fault> {
    let invalid = |description| ("invalid_request", description);
    match parameters.get("response_type") {
        Some("code") => {}
        Some(_) => return Err(("unsupported_response_type", "response_type must be code")),
        None => return Err(invalid("response_type is missing")),
    }
    if parameters.get("request").is_some() {
        return Err(("request_not_supported", "request objects are not supported"));
    }
    if parameters.get("request_uri").is_some() {
        return Err(("request_uri_not_supported", "request_uri is not supported"));
    }
    if parameters.get("response_mode").is_some_and(|mode| mode != "query") {
        return Err(invalid("response_mode must be query"));
    }
    if parameters.get("code_challenge_method") != Some("S256") {
        return Err(invalid("code_challenge_method must be S256"));
    }
    let code_challenge = parameters.get("code_challenge").ok_or(invalid("code_challenge is missing"))?;
    if !pkce::is_challenge(code_challenge) {
        return Err(invalid("code_challenge is not an S256 challenge"));
    }
    let state = parameters.get("state").ok_or(invalid("state is missing"))?;
    if parameters.get("prompt").is_some_and(|prompt| prompt.split(' ').any(|word| word == "none")) {
        return Err(("login_required", "every authorization is a login with a Digital ID"));
    }
    let step_up_of = parameters.get("step_up_of").map(str::parse).transpose();
    let dpop_jkt = parameters.get("dpop_jkt");
    // Thumbprint and challenge are both a SHA-256 digest in base64url.
    if dpop_jkt.is_some_and(|thumbprint| !pkce::is_challenge(thumbprint)) {
        return Err(invalid("dpop_jkt is not the thumbprint of a key"));
    }
    Ok(AuthorizationRequest {
        client_id: client.id.clone(),
        redirect_uri: redirect_uri.to_owned(),
        scopes: scopes(parameters, client)?,
        state: state.to_owned(),
        nonce: parameters.get("nonce").map(str::to_owned),
        code_challenge: code_challenge.to_owned(),
        acr_values: parameters
            .get("acr_values")
            .filter(|asked| requested(asked).is_some())
            .map(str::to_owned),
        max_age_s: max_age(parameters)?,
        provider: parameters.get("provider").map(str::to_owned),
        step_up_of: step_up_of.map_err(|_| invalid("step_up_of is not a session"))?,
        dpop_jkt: dpop_jkt.map(str::to_owned),
    })
}

fn scopes(parameters: &Parameters, client: &Client) -> Result<BTreeSet<String>, Fault> {
    let asked: BTreeSet<String> = parameters
        .get("scope")
        .unwrap_or("")
        .split(' ')
        .filter(|s| !s.is_empty())
        .map(str::to_owned)
        .collect();
    if asked.is_empty() {
        return Err(("invalid_scope", "scope is missing"));
    }
    if !asked.is_subset(&client.scopes) {
        return Err(("invalid_scope", "a scope is not one of this client's"));
    }
    Ok(asked)
}

fn max_age(parameters: &Parameters) -> Result<Option<i64>, Fault> {
    let Some(text) = parameters.get("max_age") else { return Ok(None) };
    let seconds = text.parse().ok().filter(|seconds| (0..=MAX_AGE_S_MAX).contains(seconds));
    seconds.map(Some).ok_or(("invalid_request", "max_age is not a number of seconds"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &[(&str, &str)] = &[
        ("client_id", "citizen-portal"),
        ("redirect_uri", "https://pratu.example/portal/callback"),
        ("response_type", "code"),
        ("scope", "openid profile:read"),
        ("state", "af0ifjsldkj"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
    ];

    fn checked(changes: &[(&str, Option<&str>)]) -> Result<AuthorizationRequest, Refusal> {
        let mut pairs: BTreeMap<&str, &str> = GOOD.iter().copied().collect();
        for (name, value) in changes {
            match value {
                Some(value) => pairs.insert(name, value),
                None => pairs.remove(name),
            };
        }
        let pairs = pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let clients = Clients::built_in("https://pratu.example", true);
        check(&Parameters::new(pairs).unwrap(), &clients).map(|(request, _)| request)
    }

    fn error_of(changes: &[(&str, Option<&str>)]) -> &'static str {
        match checked(changes) {
            Err(Refusal::Redirect { error, .. }) => error,
            Err(Refusal::Page { .. }) => "page",
            Ok(_) => "none",
        }
    }

    #[test]
    fn a_good_request_goes_on() {
        assert_eq!(checked(&[]).unwrap().scopes.len(), 2);
    }

    #[test]
    fn nothing_is_sent_to_an_address_that_is_not_the_clients() {
        assert_eq!(error_of(&[("redirect_uri", Some("https://evil.example/"))]), "page");
        assert_eq!(error_of(&[("redirect_uri", None)]), "page");
        assert_eq!(error_of(&[("client_id", Some("nobody"))]), "page");
    }

    #[test]
    fn faults_are_said_in_the_words_of_the_rfc() {
        for (name, value, error) in [
            ("response_type", Some("token"), "unsupported_response_type"),
            ("response_type", None, "invalid_request"),
            ("code_challenge", None, "invalid_request"),
            ("code_challenge", Some("short"), "invalid_request"),
            ("code_challenge_method", Some("plain"), "invalid_request"),
            ("code_challenge_method", None, "invalid_request"),
            ("state", None, "invalid_request"),
            ("scope", None, "invalid_scope"),
            ("scope", Some("cases:write"), "invalid_scope"),
            ("prompt", Some("none"), "login_required"),
            ("max_age", Some("-1"), "invalid_request"),
            ("step_up_of", Some("mine"), "invalid_request"),
            ("dpop_jkt", Some("short"), "invalid_request"),
            ("request", Some("eyJ"), "request_not_supported"),
        ] {
            assert_eq!(error_of(&[(name, value)]), error, "{name}");
        }
    }

    #[test]
    fn a_parameter_sent_twice_is_refused() {
        let twice = vec![("state".to_owned(), "a".to_owned()), ("state".to_owned(), "b".to_owned())];
        assert!(Parameters::new(twice).is_err());
    }

    proptest! {
        #[test]
        fn no_redirect_address_but_the_registered_one_is_ever_used(address in "\\PC{0,80}") {
            let outcome = checked(&[("redirect_uri", Some(&address))]);
            let page = matches!(outcome, Err(Refusal::Page { .. }));
            prop_assert!(page);
        }
    }
}
