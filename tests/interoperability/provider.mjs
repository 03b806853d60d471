// oidc-provider as a Digital ID provider at which our relying party logs people in.
//
// Standard input, a line of JSON each: first { redirectUri, secret, inIdToken, requireAuthTime }, then
// changes such as { rotate: true }, { skewS: 120 }, { issuer: … } or { levels: { acr, ial } }. Each is
// answered by a line with { issuer }. It ends with its input.
import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import Provider from 'oidc-provider';

// Standard output is for our answers alone.
for (const level of ['log', 'info', 'warn']) console[level] = console.error;

/** Numbers that nobody can have: their check digits are wrong. */
const PEOPLE = {
  somchai: { pid: '1100100001015', name: 'สมชาย ครัวอุดม', title: 'นาย', birthdate: '1984-03-12' },
  malee: { pid: '1500100004045', name: 'มาลี นาดอน', title: 'นาง', birthdate: '1969-11-30' },
};
const ACCOUNT_CLAIMS = ['pid', 'name', 'title', 'birthdate', 'ial', 'citizen_id', 'citizen_id_verified', 'ial_level'];

let settings;
let levels = { acr: 'urn:th:ial:2.3:aal:2.2', ial: '2.3' };
let key;
let current;

function rotate() {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  key = { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), alg: 'ES256', use: 'sig' };
}

function account(id) {
  const person = PEOPLE[id];
  const claims = {
    ...person, sub: `op-${id}`, ial: levels.ial,
    citizen_id: person.pid, citizen_id_verified: true, ial_level: Number(levels.ial),
  };
  return { accountId: id, claims: () => claims };
}

/** What DGA takes for a client secret, written a third time. */
function dgaSecret(secret) {
  let text = secret;
  for (let round = 0; round < 7; round += 1) text = createHash('md5').update(`${text}EGA`).digest('hex');
  return text;
}

function build() {
  return new Provider(settings.issuer, {
    clients: [{
      client_id: 'pratu',
      client_secret: settings.inIdToken ? settings.secret : dgaSecret(settings.secret),
      redirect_uris: [settings.redirectUri],
      grant_types: ['authorization_code'],
      id_token_signed_response_alg: 'ES256',
      require_auth_time: settings.requireAuthTime,
    }],
    jwks: { keys: [key] },
    cookies: { keys: ['not a secret: nothing here is'] },
    findAccount: (_context, id) => account(id),
    claims: {
      openid: ['sub', 'acr', 'amr', 'auth_time'],
      profile: ['name', 'title', 'birthdate'],
      ...Object.fromEntries(ACCOUNT_CLAIMS.map((claim) => [claim, [claim]])),
    },
    acrValues: ['urn:th:ial:2.3:aal:2.2', 'urn:th:ial:2.3:aal:2.1', 'urn:th:ial:2.3:aal:1'],
    conformIdTokenClaims: !settings.inIdToken,
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    // Whoever logs in here agrees to everything.
    async loadExistingGrant({ oidc }) {
      const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
      grant.addOIDCScope([...oidc.requestParamScopes].join(' '));
      grant.addOIDCClaims([...oidc.requestParamClaims]);
      await grant.save();
      return grant;
    },
  });
}

async function body(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  return new URLSearchParams(text);
}

async function interact(request, response) {
  if (request.method !== 'POST') return response.end('who are you?');
  const login = (await body(request)).get('login');
  const result = login === null
    ? { error: 'access_denied', error_description: 'the person went away' }
    : { login: { accountId: login, acr: levels.acr, amr: ['hwk', 'pin'] } };
  return current.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

const server = createServer((request, response) => {
  const answered = request.url.startsWith('/interaction/')
    ? interact(request, response)
    : current.callback()(request, response);
  Promise.resolve(answered).catch((error) => {
    console.error(error);
    response.statusCode = 500;
    response.end();
  });
});
await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
const own = `http://127.0.0.1:${server.address().port}`;

const clock = Date.now;
for await (const line of createInterface({ input: process.stdin })) {
  const change = JSON.parse(line);
  if (change.skewS !== undefined) Date.now = () => clock() + change.skewS * 1000;
  if (change.levels !== undefined) levels = change.levels;
  settings = { issuer: own, ...settings, ...change };
  if (change.rotate || key === undefined) rotate();
  if (current === undefined || change.rotate || change.issuer) current = build();
  process.stdout.write(`${JSON.stringify({ issuer: own })}\n`);
}
process.exit(0);
