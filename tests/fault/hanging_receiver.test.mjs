// Receivers of webhooks that take the request and say nothing: each is given up after a while and tried again later; and whoever has more of them
// than there are threads for them delays nobody else.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { startStack, until } from '../e2e/harness.mjs';

const THREADS = 8; // INTEGRATIONS_JOBS
let stack, server, base;
const got = [];
before(async () => {
  server = http.createServer((query, answer) => {
    query.resume();
    got.push({ path: query.url, at: Date.now() });
    if (query.url !== '/hangs') answer.writeHead(204).end();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${server.address().port}`;
  stack = await startStack({ env: { EGRESS_ALLOW: '127.0.0.1/32', SLACK_API_URL: 'http://127.0.0.1:9/api', INTEGRATIONS_JOBS: String(THREADS) } });
});
after(async () => {
  await stack?.stop();
  server?.closeAllConnections();
  server?.close();
});

const hook = (token, path) => stack.ok('POST', '/api/integrations/webhook', { token, status: 201, json: { name: path, config: { url: base + path, events: ['document.ready'] } } });
const known = () => until('the services know', async () => (await stack.sql("SELECT 1 FROM integrations.job WHERE kind = 'listening'")).length === 0);

test('a receiver that hangs is tried again; another owner\'s events are told meanwhile', async () => {
  const slow = (await stack.register()).token, quick = (await stack.register()).token;
  const made = [];
  for (let i = 0; i < THREADS + 2; i++) made.push(await hook(slow, '/hangs'));
  await hook(quick, '/quick');
  await known();
  await stack.upload(slow, 'a.txt', 'Something that happens.');
  await until('they hang', () => got.filter((g) => g.path === '/hangs').length >= THREADS / 2); // as many as one owner may have at once
  const before = Date.now();
  await stack.upload(quick, 'b.txt', 'Something else that happens.');
  await until('the other is told', () => got.some((g) => g.path === '/quick'));
  const took = got.find((g) => g.path === '/quick').at - before;
  const first = await until('it is given up', async () => {
    const lists = await Promise.all(made.map(({ id }) => stack.ok('GET', `/api/integrations/${id}/deliveries`, { token: slow })));
    return lists.flat().find((delivery) => delivery.attempts >= 1);
  }, 60);
  console.log(`# told after ${took} ms, while ${THREADS + 2} hang; of those: "${first.error}"`);
  assert.ok(took < 5000, `${took} ms`);
  assert.equal(first.status, 'waiting');
  assert.ok(first.error && first.nextAttemptAt, JSON.stringify(first));
});
