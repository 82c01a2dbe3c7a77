// alone: it measures time
// What one owner may take from another, in figures: while the first has 200 jobs queued, 80 slow pages, 300 half-sent bodies, 60
// half-sent uploads and 270 followers, the second's document, search and login are as quick as ever; a minute after the first has
// hung up nothing of its work is left. (tests/e2e/shares asserts the order of the same things.)
import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { check, client, from, password, trusting } from '../e2e/accounts.mjs';
import { multipart, startStack, until } from '../e2e/harness.mjs';

let stack, gateway, greedy, other, slowSite;
const open = new Set(), asked = [];
before(async () => {
  slowSite = net.createServer((socket) => open.add(socket.on('error', () => {}))).listen(0, '127.0.0.1');
  await new Promise((resolve) => slowSite.once('listening', resolve));
  stack = await startStack({ env: { ...trusting, EGRESS_ALLOW: '127.0.0.1/32' } });
  gateway = new URL(stack.url());
  [greedy, other] = [{ ...(await stack.register()), ip: client() }, { ...(await stack.register()), ip: client() }];
  await stack.upload(other.token, 'mine.txt', 'The warranty of the lamp is seven years.');
});
after(async () => {
  for (const socket of open) socket.destroy();
  slowSite?.close();
  await stack?.stop();
});

// A request that is begun, and not ended.
const begin = (text) => new Promise((resolve) => {
  const socket = net.connect(gateway.port, gateway.hostname, () => socket.write(text, () => resolve(socket)));
  open.add(socket.on('error', resolve));
});
// One whose answer nobody waits for; ended with the others.
function ask(method, where, headers, body) {
  const query = http.request(stack.url() + where, { method, headers: { Authorization: `Bearer ${greedy.token}`, ...from(greedy.ip), ...headers }, agent: false });
  query.on('error', () => {}).on('response', (answer) => answer.on('error', () => {}).resume()).end(body);
  asked.push(query);
}
const metrics = async (name) => (await stack.process(name).metrics()).split('\n');
const sum = (lines, name) => lines.filter((line) => line.startsWith(`parley_${name}`)).reduce((all, line) => all + Number(line.split(' ').at(-1)), 0);
const jobs = async () => Number((await stack.sql(`SELECT count(*) FROM documents.job WHERE owner_id = '${greedy.uid}'`))[0][0]);

async function timed(work, times) {
  const took = [];
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    await work(i);
    took.push(performance.now() - start);
  }
  return took.sort((a, b) => a - b).map(Math.round);
}

test('while one owner takes all it can get, another is served as ever', async (t) => {
  const paragraph = 'A lamp gives light, and a kettle boils water; neither of them is a boat on the sea. ';
  const text = (i) => multipart({ file: { filename: `${i}.txt`, content: Array.from({ length: 1500 }, (_, k) => `${k + i * 7919} ${paragraph}`).join('\n\n') } });
  for (let i = 0; i < 200; i += 4)
    await Promise.all([0, 1, 2, 3].map(async (k) => {
      const { body, headers } = text(i + k);
      check(await stack.api('POST', '/api/documents/upload', { token: greedy.token, headers: { ...headers, ...from(greedy.ip) }, body, timeout: 60_000 }), 201);
    }));
  const [[pending]] = await stack.sql(`SELECT id FROM documents.document WHERE owner_id = '${greedy.uid}' AND status = 'pending' ORDER BY created_at DESC LIMIT 1`);
  for (let i = 0; i < 80; i++)
    ask('POST', '/api/documents/url', { 'Content-Type': 'application/json' }, JSON.stringify({ url: `http://127.0.0.1:${slowSite.address().port}/${i}` }));
  for (let i = 0; i < 270; i++) ask('GET', `/api/documents/${pending}/events`, { Accept: 'text/event-stream' });
  const common = `Host: x\r\nX-Forwarded-For: ${greedy.ip}\r\n`;
  await Promise.all(Array.from({ length: 300 }, () =>
    begin(`POST /api/auth/login HTTP/1.1\r\n${common}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{`)));
  const { body, headers } = multipart({ file: { filename: 'half.txt', content: 'x'.repeat(1000) } });
  await Promise.all(Array.from({ length: 60 }, () =>
    begin(`POST /api/documents/upload HTTP/1.1\r\n${common}Authorization: Bearer ${greedy.token}\r\nContent-Type: ${headers['Content-Type']}\r\n` +
      `Content-Length: ${body.length}\r\n\r\n${body.subarray(0, 200)}`)));
  const queued = await jobs();
  t.diagnostic(`${queued} jobs queued, ${sum(await metrics('gateway'), 'http_connections')} connections, ${sum(await metrics('gateway'), 'http_streams ')} streams`);

  const mine = { token: other.token, headers: from(other.ip) };
  const login = await timed(() => stack.ok('POST', '/api/auth/login', { json: { email: other.email, password }, headers: from(other.ip), status: 200 }), 5);
  const search = await timed(() => stack.ok('POST', '/api/documents/search', { ...mine, json: { query: 'warranty of the lamp' } }), 20);
  const ready = await timed(async (i) => {
    const form = { file: { filename: `line-${i}.txt`, content: `The password of line ${i} is swordfish.` } };
    assert.equal((await stack.ok('POST', '/api/documents/upload?wait=20', { ...mine, form, timeout: 30_000 })).status, 'ready');
  }, 5);
  const left = await jobs();
  for (const [what, took, most] of [['login', login, 1000], ['search', search, 200], ['document', ready, 3000]])
    t.diagnostic(`${what}: ${took[took.length >> 1]} ms, at worst ${took.at(-1)} (at most ${most})`);
  t.diagnostic(`${left} jobs still queued then`);
  assert.ok(left > 20, `the queue was through already (${queued}, then ${left}): this says nothing`);
  assert.ok(login.at(-1) <= 1000, `login ${login}`);
  assert.ok(search.at(-1) <= 200, `search ${search}`);
  assert.ok(ready.at(-1) <= 3000, `document ${ready}`);
});

test('a minute after it has hung up, and deleted what it sent, nothing is left of its work', async (t) => {
  asked.forEach((query) => query.destroy());
  for (const socket of open) socket.destroy();
  const start = Date.now();
  const ids = (await stack.sql(`SELECT id FROM documents.document WHERE owner_id = '${greedy.uid}'`)).map(([id]) => id);
  for (let i = 0; i < ids.length; i += 100)
    check(await stack.api('POST', '/api/documents/delete', { token: greedy.token, headers: from(greedy.ip), json: { ids: ids.slice(i, i + 100) }, timeout: 60_000 }), 200);
  const busy = async () => {
    const lines = await Promise.all(['gateway', 'documents', 'auth'].map(metrics));
    return { connections: sum(lines[0], 'http_connections'), streams: sum(lines[0], 'http_streams '), parked: sum(lines[1], 'rpc_parked'),
      queued: sum(lines.flat(), 'rpc_queue_depth'), jobs: await jobs() };
  };
  await until('nothing is left', async () => Object.values(await busy()).every((n) => n === 0), 60).catch(async (error) => {
    t.diagnostic(JSON.stringify(await busy()));
    throw error;
  });
  t.diagnostic(`nothing left after ${((Date.now() - start) / 1000).toFixed(1)} s`);
});
