// Apollo Client's link for persisted queries: asks by hash with GET, and sends the text when it has to.
//
// Standard input: { url, query, variables }.
// Standard output: { requests, answers }: what it sent, and what came of asking the same twice and anew, as JSON.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';

const { url, query, variables } = JSON.parse(readFileSync(0, 'utf8'));
const requests = [];

async function watched(address, options) {
  const response = await fetch(address, options);
  const body = options.body ? JSON.parse(options.body) : Object.fromEntries(new URL(address).searchParams);
  requests.push({ method: options.method, text: 'query' in body, status: response.status });
  return response;
}

function client() {
  const sha256 = (text) => createHash('sha256').update(text).digest('hex');
  const persisted = new PersistedQueryLink({ sha256, useGETForHashedQueries: true });
  const http = new HttpLink({ uri: `${url}/graphql`, fetch: watched });
  return new ApolloClient({ link: ApolloLink.from([persisted, http]), cache: new InMemoryCache() });
}

async function ask(asking) {
  const { data, error } = await asking.query({ query: gql(query), variables, fetchPolicy: 'no-cache', errorPolicy: 'all' });
  return { data: data ?? null, wrong: error ? error.message : null };
}

const first = client();
const answers = [await ask(first), await ask(first), await ask(client())];
console.log(JSON.stringify({ requests, answers }));
