// openid-client logs in as our mobile app does: discovery, code with PKCE, refresh, revocation.
//
// Standard input: { issuer, persona, scope }. Standard output: what came of it, as JSON.
import { readFileSync } from 'node:fs';
import * as oidc from 'openid-client';

const { issuer, persona, scope } = JSON.parse(readFileSync(0, 'utf8'));
const CLIENT = 'mobile-app';
// A native app listens at whatever port was free (RFC 8252), or has a scheme of its own.
const LOOPBACK = 'http://127.0.0.1:49200/callback';
const OWN_SCHEME = 'app.pratu:/callback';
const STEPS_MAX = 12;

async function discover(algorithm) {
  // Without the second, signatures of ID tokens that come straight from us would not be looked at.
  const execute = [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks];
  const metadata = { id_token_signed_response_alg: 'ES256' };
  return oidc.discovery(new URL(issuer), CLIENT, metadata, oidc.None(), { algorithm, execute });
}

/** Goes through the login pages like a browser, until the app's own address. */
async function walk(start, redirectUri) {
  const cookies = new Map();
  let next = start;
  for (let step = 0; step < STEPS_MAX; step += 1) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    let page = await fetch(next, { redirect: 'manual', headers: { cookie } });
    for (const line of page.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      cookies.set(name, value);
    }
    if (page.status === 200 && next.pathname.includes('/sandbox/idp/')) {
      page = await fetch(next, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ persona }) });
    }
    const location = page.headers.get('location');
    if (location === null) throw new Error(`${page.status} without a way on at ${next.pathname}`);
    next = new URL(location, next);
    if (next.href.startsWith(redirectUri)) return next;
  }
  throw new Error(`the login goes round in circles at ${next.pathname}`);
}

/** One login up to the authorization response, and what its tokens are checked against. */
async function authorize(config, redirectUri) {
  const checks = {
    pkceCodeVerifier: oidc.randomPKCECodeVerifier(),
    expectedState: oidc.randomState(),
    expectedNonce: oidc.randomNonce(),
    idTokenExpected: true,
  };
  const start = oidc.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope,
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: 'S256',
    provider: 'thaid',
  });
  return { response: await walk(start, redirectUri), checks };
}

/** Why something that must not go through did not. */
async function refusal(attempt) {
  try {
    await attempt;
  } catch (error) {
    return error.error ?? error.cause?.[0]?.parameters?.error ?? error.code ?? String(error);
  }
  return null;
}

const viewer = JSON.stringify({ query: '{ viewer { identityAssuranceLevel citizen { nameTh } } }' });
const ask = (config, token) =>
  oidc.fetchProtectedResource(config, token, new URL('/graphql', issuer), 'POST', viewer,
    new Headers({ 'content-type': 'application/json' }));

function changed(response, change) {
  const other = new URL(response);
  change(other.searchParams);
  return other;
}

const config = await discover('oidc');
const facts = { issuers: [config.serverMetadata().issuer, (await discover('oauth2')).serverMetadata().issuer] };

// An app with a loopback address: a used refresh token ends the session.
const first = await authorize(config, LOOPBACK);
const foreign = changed(first.response, (query) => query.set('iss', 'https://elsewhere.example'));
const unnamed = changed(first.response, (query) => query.delete('iss'));
facts.foreignIssuer = await refusal(oidc.authorizationCodeGrant(config, foreign, first.checks));
facts.noIssuer = await refusal(oidc.authorizationCodeGrant(config, unnamed, first.checks));
const tokens = await oidc.authorizationCodeGrant(config, first.response, first.checks);
facts.tokens = { type: tokens.token_type, expiresIn: tokens.expires_in, scope: tokens.scope };
facts.claims = tokens.claims();
facts.viewer = await (await ask(config, tokens.access_token)).json();

const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token);
facts.refreshed = {
  subject: refreshed.claims().sub,
  newAccessToken: refreshed.access_token !== tokens.access_token,
  newRefreshToken: refreshed.refresh_token !== tokens.refresh_token,
};
facts.reuse = await refusal(oidc.refreshTokenGrant(config, tokens.refresh_token));
facts.successorAfterReuse = await refusal(oidc.refreshTokenGrant(config, refreshed.refresh_token));
facts.accessAfterReuse = await refusal(ask(config, refreshed.access_token));

// An app with a scheme of its own: a refresh token that is given back ends the session too.
const second = await authorize(config, OWN_SCHEME);
const returned = await oidc.authorizationCodeGrant(config, second.response, second.checks);
facts.samePerson = returned.claims().sub === facts.claims.sub;
await oidc.tokenRevocation(config, returned.refresh_token, { token_type_hint: 'refresh_token' });
facts.refreshAfterRevocation = await refusal(oidc.refreshTokenGrant(config, returned.refresh_token));
facts.accessAfterRevocation = await refusal(ask(config, returned.access_token));

// A code proves nothing without its verifier.
const third = await authorize(config, LOOPBACK);
const guessed = { ...third.checks, pkceCodeVerifier: oidc.randomPKCECodeVerifier() };
facts.wrongVerifier = await refusal(oidc.authorizationCodeGrant(config, third.response, guessed));

console.log(JSON.stringify(facts));
