// s3rver keeps objects as an S3-compatible store does; in front of it aws4 checks each signature, which
// s3rver leaves out for version 4.
//
// First line of standard input: { directory, bucket, region, accessKeyId, secretAccessKey }. First line of
// standard output: { port }. It ends when standard input does.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import aws4 from 'aws4';
import S3rver from 's3rver';

const lines = createInterface({ input: process.stdin });
lines.once('line', (line) => serve(JSON.parse(line)));
lines.once('close', () => process.exit(0));

async function serve({ directory, bucket, region, ...keys }) {
  const store = new S3rver({ directory, silent: true, configureBuckets: [{ name: bucket }] });
  await store.configureBuckets();
  const answer = store.callback();
  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts);
    if (!signed(request, body, region, keys)) {
      response.writeHead(403, { 'content-type': 'application/xml' });
      response.end('<Error><Code>SignatureDoesNotMatch</Code></Error>');
      return;
    }
    // s3rver knows this pair alone; ours has been checked.
    request.headers.authorization = request.headers.authorization.replace(keys.accessKeyId, 'S3RVER');
    answer(Object.assign(Readable.from([body]), head(request)), response);
  });
  server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })));
}

/** What koa reads of a request besides its body. */
function head({ method, url, headers, rawHeaders, socket, httpVersion }) {
  return { method, url, headers, rawHeaders, socket, connection: socket, httpVersion };
}

/** Whether the request carries the signature that aws4 makes for it, over the body it has. */
function signed(request, body, region, keys) {
  const { authorization = '', ...sent } = request.headers;
  const names = /SignedHeaders=([^,]+)/.exec(authorization)?.[1].split(';') ?? [];
  const hash = createHash('sha256').update(body).digest('hex');
  if (!names.includes('host') || sent['x-amz-content-sha256'] !== hash) return false;
  const headers = Object.fromEntries(names.map((name) => [name, sent[name]]));
  const { method, url } = request;
  const made = aws4.sign({ service: 's3', region, method, path: url, headers }, keys);
  const signature = (text) => /Signature=([0-9a-f]{64})$/.exec(text)?.[1];
  return signature(authorization) === signature(made.headers.Authorization);
}
