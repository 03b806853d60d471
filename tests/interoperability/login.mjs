// openid-client logs in as our mobile app does: discovery, code with PKCE, refresh, revocation.
//
// Standard input: { issuer, persona, scope }. Standard output: what came of it, as JSON.
import { readFileSync } from 'node:fs';
import * as oidc from 'openid-client';
import { LOOPBACK, OWN_SCHEME, app, refusal } from './app.mjs';

const { issuer, persona, scope } = JSON.parse(readFileSync(0, 'utf8'));
const { discover, authorize } = app({ issuer, persona, scope });

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
