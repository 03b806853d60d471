// Apollo Client asks over HTTP, where subscriptions come as parts of one answer, and over a WebSocket.
//
// Standard input: { url, tokens, applications, documents }, each of the two lists with one for either way.
// Standard output: { multipart, socket }: what came of the same scenario, as JSON.
import { readFileSync } from 'node:fs';
import { ApolloClient, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

globalThis.WebSocket ??= WebSocket;
const { url, tokens, applications, documents } = JSON.parse(readFileSync(0, 'utf8'));

/** What Apollo made of an error: its own name for it, and our codes. */
function wrong(error) {
  const codes = error.errors?.map(({ extensions }) => extensions?.code) ?? [];
  return { name: error.name, message: error.message, codes };
}

async function answer(asking) {
  try {
    const { data, error } = await asking;
    return { data: data ?? null, wrong: error ? wrong(error) : null };
  } catch (error) {
    return { data: null, wrong: wrong(error) };
  }
}

/** Subscribes, until it ends; `each` is called with the number of events so far. */
function watch(client, query, variables, each = () => {}) {
  const seen = { kinds: [], wrong: null, completed: false };
  return new Promise((enough) => {
    client.subscribe({ query: gql(query), variables, errorPolicy: 'all' }).subscribe({
      next: ({ data, error }) => {
        // With an error of the transport Apollo hands out the last data again.
        if (error) seen.wrong = wrong(error);
        else each(seen.kinds.push(data.applicationEvents.kind));
      },
      error: (error) => enough({ ...seen, wrong: wrong(error) }),
      complete: () => enough({ ...seen, completed: true }),
    });
  });
}

async function scenario(link, application) {
  const client = new ApolloClient({ link, cache: new InMemoryCache() });
  const seen = {};
  seen.query = await answer(client.query({ query: gql(documents.Viewer) }));
  const mutation = gql(documents.WithdrawApplication);
  const variables = { input: { idempotencyKey: `withdraw-${application}`, applicationId: application } };
  const input = { input: { idempotencyKey: `end-${application}` } };
  let mutated;
  // The second event is answered by the mutation that makes the third, after which the session ends.
  seen.watched = await watch(client, documents.ApplicationEvents, { id: application, after: 0 }, (count) => {
    if (count === 2) mutated = answer(client.mutate({ mutation, variables }));
    if (count === 3) mutated.then(() => client.mutate({ mutation: gql(documents.EndSession), variables: input }));
  });
  seen.mutation = await mutated;
  return seen;
}

async function mistakes(link) {
  const client = new ApolloClient({ link, cache: new InMemoryCache() });
  return {
    query: await answer(client.query({ query: gql('{ nonsense }') })),
    subscription: await watch(client, 'subscription { nonsense }', {}),
    stranger: await watch(client, documents.ApplicationEvents, { id: 'app_unknown', after: 0 }),
  };
}

const http = (token) => new HttpLink({ uri: `${url}/graphql`, headers: { authorization: `Bearer ${token}` } });
const socket = (token) => new GraphQLWsLink(createClient({
  url: `${url.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket, retryAttempts: 0,
  connectionParams: { authorization: `Bearer ${token}` },
}));

const seen = {};
for (const [name, link] of [['multipart', http], ['socket', socket]]) {
  seen[name] = await scenario(link(tokens[name]), applications[name]);
  seen[name].mistakes = await mistakes(link(tokens.stranger));
}
console.log(JSON.stringify(seen));
process.exit(0);
