// Composes the subgraphs' SDL (argument 1: a folder) and writes the supergraph (argument 2: a file).
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { composeServices } from '@theguild/federation-composition';
import { parse } from 'graphql';

const [folder, output] = process.argv.slice(2);
const services = readdirSync(folder).filter((file) => file.endsWith('.graphql')).sort().map((file) => ({
  name: file.replace(/\.graphql$/, ''),
  typeDefs: parse(readFileSync(join(folder, file), 'utf8')),
}));
const composed = composeServices(services);
if (composed.errors) {
  for (const error of composed.errors) console.error(`- ${error.message}`);
  process.exit(1);
}
writeFileSync(output, composed.supergraphSdl.trimEnd() + '\n');
