// openid-client logs in with a key of its own (DPoP), and thieves try what they took.
//
// Standard input: { issuer, persona, scope }. Standard output: what came of it, as JSON.
import { readFileSync } from 'node:fs';
import * as oidc from 'openid-client';
import WebSocket from 'ws';
import { LOOPBACK, app, refusal } from './app.mjs';

const asked = JSON.parse(readFileSync(0, 'utf8'));
const { discover, authorize } = app(asked);
const config = await discover('oidc');
const graph = new URL('/graphql', asked.issuer);
const viewer = JSON.stringify({ query: '{ viewer { citizen { nameTh } } }' });
const json = () => new Headers({ 'content-type': 'application/json' });

/** Holds a key. `Ed25519` is openid-client's own word; others still say `EdDSA`. */
async function holder(algorithm) {
  const older = { [oidc.modifyAssertion]: (header) => { header.alg = 'EdDSA'; } };
  const keys = await oidc.randomDPoPKeyPair(algorithm === 'EdDSA' ? 'Ed25519' : algorithm);
  return oidc.getDPoPHandle(config, keys, algorithm === 'EdDSA' ? older : undefined);
}

const ask = (token, options) => oidc.fetchProtectedResource(config, token, graph, 'POST', viewer, json(), options);

/** A whole login with a key. */
async function logIn(DPoP) {
  const dpop_jkt = await DPoP.calculateThumbprint();
  const { response, checks } = await authorize(config, LOOPBACK, { dpop_jkt });
  return { response, checks, redeem: (options) => oidc.authorizationCodeGrant(config, response, checks, undefined, options) };
}

const facts = { supported: config.serverMetadata().dpop_signing_alg_values_supported, algorithms: {} };
for (const algorithm of facts.supported) {
  const DPoP = await holder(algorithm);
  const tokens = await (await logIn(DPoP)).redeem({ DPoP }).catch((error) => ({ token_type: error.error ?? String(error) }));
  facts.algorithms[algorithm] = tokens.token_type;
}

/** A proof of our own making, as one for a WebSocket has to be. */
async function proof(keys, htm, htu, token) {
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', keys.publicKey);
  const base64url = (bytes) => Buffer.from(bytes).toString('base64url');
  const ath = base64url(await crypto.subtle.digest('SHA-256', Buffer.from(token)));
  const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: { kty, crv, x, y } };
  const claims = { jti: crypto.randomUUID(), htm, htu, iat: Math.floor(Date.now() / 1000), ath };
  const message = [header, claims].map((part) => base64url(JSON.stringify(part))).join('.');
  const algorithm = { name: 'ECDSA', hash: 'SHA-256' };
  return `${message}.${base64url(await crypto.subtle.sign(algorithm, keys.privateKey, Buffer.from(message)))}`;
}

/** What a WebSocket answers to this greeting: a citizen's name, or the code it is closed with. */
function line(payload) {
  const socket = new WebSocket(graph.href.replace('http', 'ws'), 'graphql-transport-ws');
  const say = (message) => socket.send(JSON.stringify(message));
  return new Promise((resolve, reject) => {
    socket.on('open', () => say({ type: 'connection_init', payload }));
    socket.on('message', (data) => {
      const message = JSON.parse(data);
      if (message.type === 'connection_ack') say({ id: '1', type: 'subscribe', payload: JSON.parse(viewer) });
      if (message.type === 'next') resolve(message.payload.data?.viewer?.citizen?.nameTh ?? null);
    });
    socket.on('close', resolve);
    socket.on('error', reject);
  }).finally(() => socket.close());
}

const [keys, thief] = [await oidc.randomDPoPKeyPair('ES256'), await holder('ES256')];
const DPoP = oidc.getDPoPHandle(config, keys);
const login = await logIn(DPoP);
facts.codeWithoutKey = await refusal(login.redeem());
facts.codeOfThief = await refusal(login.redeem({ DPoP: thief }));
const tokens = await login.redeem({ DPoP });
facts.type = tokens.token_type;
facts.viewer = await (await ask(tokens.access_token, { DPoP })).json();
facts.asBearer = await refusal(ask(tokens.access_token));
facts.askedByThief = await refusal(ask(tokens.access_token, { DPoP: thief }));

facts.refreshWithoutKey = await refusal(oidc.refreshTokenGrant(config, tokens.refresh_token));
facts.refreshOfThief = await refusal(oidc.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP: thief }));
const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });
const again = await oidc.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });
facts.lostAnswer = { type: again.token_type, another: again.refresh_token !== refreshed.refresh_token };
facts.viewerAfter = (await (await ask(again.access_token, { DPoP })).json()).data?.viewer !== undefined;

const authorization = `DPoP ${again.access_token}`;
const address = graph.href.replace('http', 'ws');
const forLine = await proof(keys, 'GET', address, again.access_token);
facts.lines = {
  good: await line({ authorization, dpop: forLine }),
  replayed: await line({ authorization, dpop: forLine }),
  httpName: await line({ authorization, dpop: await proof(keys, 'GET', graph.href, again.access_token) }),
  forPost: await line({ authorization, dpop: await proof(keys, 'POST', address, again.access_token) }),
  ofThief: await line({
    authorization,
    dpop: await proof(await oidc.randomDPoPKeyPair('ES256'), 'GET', address, again.access_token),
  }),
  noProof: await line({ authorization }),
  asBearer: await line({ authorization: `Bearer ${again.access_token}` }),
};

// What travelled can be seen; sent again, it is worth nothing.
let seen;
const listening = await discover('oidc');
listening[oidc.customFetch] = (url, options) => {
  seen = { url, options };
  return fetch(url, options);
};
const listened = oidc.getDPoPHandle(listening, await oidc.randomDPoPKeyPair('ES256'));
const bound = await (await logIn(listened)).redeem({ DPoP: listened });
await oidc.fetchProtectedResource(listening, bound.access_token, graph, 'POST', viewer, json(), { DPoP: listened });
const replayed = await fetch(seen.url, seen.options);
facts.replay = { status: replayed.status, challenge: replayed.headers.get('www-authenticate') };

await oidc.tokenRevocation(config, again.refresh_token);
facts.afterRevocation = await refusal(ask(again.access_token, { DPoP }));

console.log(JSON.stringify(facts));
