// graphql-ws asks everything over WebSockets, as an app does that knows no other transport.
//
// Standard input: { url, tokens, application, documents }, with `tokens` of the applicant on two devices
// and of a stranger. Standard output: what came of each scenario below, by name, as JSON.
import { readFileSync } from 'node:fs';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const { url, tokens, application, documents } = JSON.parse(readFileSync(0, 'utf8'));
const address = `${url.replace('http', 'ws')}/graphql`;

/** A client that says how its socket was closed; it does not come back by itself. */
function open(connectionParams, options = {}) {
  const line = { closed: null, pings: 0, pongs: 0 };
  line.client = createClient({
    url: address, connectionParams, webSocketImpl: WebSocket, retryAttempts: 0, ...options,
    on: {
      closed: ({ code, reason }) => { line.closed = { code, reason }; },
      ping: (received) => { line.pings += received ? 1 : 0; },
      pong: (received) => { line.pongs += received ? 1 : 0; },
    },
  });
  return line;
}

const bearer = (token) => ({ Authorization: `Bearer ${token}` });
const events = (after) => ({ query: documents.ApplicationEvents, variables: { id: application, after } });
const kind = ({ data }) => data?.applicationEvents?.kind;

/** Every result until `enough`, the end, or what went wrong. */
async function all({ client }, request, enough = Infinity, each = () => {}) {
  const seen = { results: [], completed: false, wrong: null };
  try {
    for await (const result of client.iterate(request)) {
      seen.results.push(result);
      await each(seen.results.length);
      if (seen.results.length >= enough) return seen;
    }
    seen.completed = true;
  } catch (error) {
    seen.wrong = Array.isArray(error) ? error : { code: error.code, reason: error.reason };
  }
  return seen;
}

const seen = {};

// One line carries an open subscription, a query, and the mutation that makes the next event.
const line = open(bearer(tokens.phone), { keepAlive: 50 });
const asked = {};
const watched = await all(line, events(0), 3, async (count) => {
  if (count !== 2) return;
  asked.query = await all(line, { query: documents.Viewer });
  const variables = { input: { idempotencyKey: 'over-the-socket', applicationId: application } };
  asked.mutation = await all(line, { query: documents.WithdrawApplication, variables });
});
seen.oneLine = { kinds: watched.results.map(kind), ...asked };

// It broke after the first event: a new one begins after what was seen.
const broken = open(bearer(tokens.phone));
const first = await all(broken, events(0), 1);
broken.client.terminate();
const again = open(bearer(tokens.phone));
const after = first.results[0].data.applicationEvents.sequence;
seen.afterBreak = (await all(again, events(after), 2)).results.map(kind);

seen.stranger = await all(open(bearer(tokens.stranger)), events(0));

const nobody = open(undefined);
seen.nobody = await all(nobody, events(0));
seen.nobodyAsksWhatIsPublic = await all(nobody, { query: '{ __typename }' });

seen.wrongDocuments = [];
for (const request of [
  { query: 'subscription { nonsense }' },
  { query: '{' },
  { query: documents.ApplicationEvents, variables: { id: application, after: 'yesterday' } },
]) {
  seen.wrongDocuments.push(await all(nobody, request));
}

seen.badToken = (await all(open({ Authorization: 'Bearer nonsense' }), events(0))).wrong;
seen.tokenElsewhere = [];
for (const parameters of [{ authorization: `Bearer ${tokens.phone}` }, { headers: bearer(tokens.phone) }]) {
  const { results } = await all(open(parameters), { query: documents.Viewer });
  seen.tokenElsewhere.push(results[0].data.viewer !== null);
}

// A line that is idle but for signs of life, both ways; then its session ends, on the other line's word.
const watching = all(line, events(3));
const idle = open(bearer(tokens.tablet), { keepAlive: 50 });
const idling = all(idle, events(3));
await new Promise((enough) => {
  const look = setInterval(() => {
    if (idle.pings < 2 || idle.pongs < 2) return;
    clearInterval(look);
    enough();
  }, 20);
});
const input = { idempotencyKey: 'end-over-the-socket' };
const ended = await all(open(bearer(tokens.phone)), { query: documents.EndSession, variables: { input } });
seen.sessionEnd = { said: ended.results[0]?.data?.endSession?.__typename, wrong: (await watching).wrong };
seen.otherSessionLives = idle.closed === null;

// Time passes, and with it the other token.
await fetch(`${url}/sandbox/clock`, {
  method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"advance_s":400}',
});
seen.tokenEnd = (await idling).wrong;

console.log(JSON.stringify(seen));
process.exit(0);
