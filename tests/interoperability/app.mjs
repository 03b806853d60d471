// Our mobile app, as openid-client makes it: how it finds us, logs in and comes back.
import * as oidc from 'openid-client';

const CLIENT = 'mobile-app';
// A native app listens at whatever port was free (RFC 8252), or has a scheme of its own.
export const LOOPBACK = 'http://127.0.0.1:49200/callback';
export const OWN_SCHEME = 'app.pratu:/callback';
const STEPS_MAX = 12;

/** An app of one person's at one issuer. */
export function app({ issuer, persona, scope }) {
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
        const body = new URLSearchParams({ persona });
        page = await fetch(next, { method: 'POST', redirect: 'manual', body });
      }
      const location = page.headers.get('location');
      if (location === null) throw new Error(`${page.status} without a way on at ${next.pathname}`);
      next = new URL(location, next);
      if (next.href.startsWith(redirectUri)) return next;
    }
    throw new Error(`the login goes round in circles at ${next.pathname}`);
  }

  /** One login up to the authorization response, and what its tokens are checked against. */
  async function authorize(config, redirectUri, more = {}) {
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
      ...more,
    });
    return { response: await walk(start, redirectUri), checks };
  }

  return { discover, authorize };
}

/** Why something that must not go through did not. */
export async function refusal(attempt) {
  try {
    await attempt;
  } catch (error) {
    return error.error ?? error.cause?.[0]?.parameters?.error ?? error.code ?? String(error);
  }
  return null;
}
