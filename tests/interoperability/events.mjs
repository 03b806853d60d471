// graphql-sse subscribes, and asks other things through the same client (distinct connections mode).
//
// Standard input: { url, token, subscription, steps, enough }. When it has seen as many events as a step
// says, it asks what the step says; it leaves with `enough` events, or else when the server completes.
// Standard output: { events, answers, completed, refused }, as JSON.
import { readFileSync } from 'node:fs';
import { createClient } from 'graphql-sse';

const { url, token, subscription, steps = [], enough = Infinity } = JSON.parse(readFileSync(0, 'utf8'));
const headers = token ? { authorization: `Bearer ${token}` } : {};
const client = createClient({ url, headers, retryAttempts: 0 });
const seen = { events: [], answers: [], completed: false, refused: null };

/** A query or mutation: one result, then the end. */
async function answer(request) {
  const results = [];
  for await (const result of client.iterate(request)) results.push(result);
  return results;
}

async function subscribe() {
  for await (const event of client.iterate(subscription)) {
    seen.events.push(event);
    const step = steps.find(({ after }) => after === seen.events.length);
    for (const request of step?.ask ?? []) seen.answers.push(await answer(request));
    if (seen.events.length >= enough) return;
  }
  seen.completed = true;
}

try {
  await subscribe();
} catch (error) {
  seen.refused = error.response?.status ?? String(error);
}
client.dispose();
console.log(JSON.stringify(seen));
