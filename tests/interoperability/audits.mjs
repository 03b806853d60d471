// graphql-http audits a server: every MUST, SHOULD and MAY of GraphQL over HTTP.
//
// Standard input: { url }. Standard output: a list of { name, status, reason }, as JSON.
import { readFileSync } from 'node:fs';
import { serverAudits } from 'graphql-http';

const { url } = JSON.parse(readFileSync(0, 'utf8'));
const results = [];
for (const { name, fn } of serverAudits({ url, fetchFn: fetch })) {
  const { status, reason } = await fn();
  results.push({ name, status, reason });
}
console.log(JSON.stringify(results));
