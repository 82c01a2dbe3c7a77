// What people get out again as a file: the original of a document, a conversation, figures.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { check } from './accounts.mjs';
import { request, startStack, variant } from './harness.mjs';

const NAME = 'Größe "42"; \u4ef7\u683c/../\u202ex.txt';
const CONTENT = `The kettle has a warranty of two years.\n${'It is made of steel. '.repeat(40_000)}\n`; // several pieces
let stack, ada, eve, document, bot;
before(async () => {
  stack = await startStack();
  [ada, eve] = [await stack.register(), await stack.register()];
  document = await stack.ok('POST', '/api/documents/upload?wait=30', { token: ada.token, status: 201, form: { name: NAME, file: { filename: 'a.txt', content: CONTENT } } });
  bot = await stack.ok('POST', '/api/chatbots', { token: ada.token, json: { name: 'Kettles', documents: [document.id] } });
});
after(() => stack?.stop());

const content = (more = {}, method = 'GET', id = document.id) => stack.api(method, `/api/documents/${id}/content`, { token: ada.token, ...more });
const ranged = (range, more = {}) => content({ headers: { Range: range, ...more } });

test('the original, byte for byte, offered for saving, and harmless', async () => {
  const answer = await content();
  assert.equal(answer.status, 200);
  assert.equal(answer.text, CONTENT);
  assert.equal(answer.headers['content-length'], String(Buffer.byteLength(CONTENT)));
  assert.equal(answer.headers['content-type'], 'text/plain');
  assert.equal(answer.headers['x-content-type-options'], 'nosniff');
  assert.equal(answer.headers['content-security-policy'], "default-src 'none'; sandbox");
  assert.match(answer.headers['cache-control'], /private/);
  const [, whole] = /filename\*=UTF-8''([\w.~%-]+)$/.exec(answer.headers['content-disposition']);
  assert.equal(decodeURIComponent(whole), NAME);
  assert.match(answer.headers['content-disposition'], /^attachment; filename="[\x20-\x7e]+"; filename\*=/);
  assert.equal(answer.headers['content-disposition'].match(/"/g).length, 2);
});

test('its head alone', async () => {
  const answer = await content({}, 'HEAD');
  assert.equal(answer.status, 200);
  assert.equal(answer.bytes.length, 0);
  assert.equal(answer.headers['content-length'], String(Buffer.byteLength(CONTENT)));
});

test('a part of it, or that there is no such part', async () => {
  const size = Buffer.byteLength(CONTENT);
  for (const [range, from, to] of [['bytes=0-9', 0, 10], ['bytes=4-', 4, size], ['bytes=-7', size - 7, size], ['bytes=262140-262150', 262140, 262151],
    [`bytes=500000-${size + 5}`, 500000, size], [`bytes=-${size + 5}`, 0, size]]) {
    const answer = await ranged(range);
    assert.equal(answer.status, 206, range);
    assert.equal(answer.headers['content-range'], `bytes ${from}-${to - 1}/${size}`);
    assert.equal(answer.text, CONTENT.slice(from, to), range);
  }
  for (const range of [`bytes=${size}-`, 'bytes=-0']) {
    const answer = await ranged(range);
    assert.equal(answer.status, 416, range);
    assert.equal(answer.headers['content-range'], `bytes */${size}`);
  }
  for (const range of ['bytes=0-1,3-4', 'lines=0-1', 'bytes=x', 'bytes=5-2', 'bytes=', 'bytes=1-2x', 'bytes=-', 'bytes=-7x']) {
    const answer = await ranged(range);
    assert.equal(answer.status, 200, range);
    assert.equal(answer.text.length, CONTENT.length);
  }
});

test('who has it already is told so', async () => {
  const { etag } = (await content()).headers;
  assert.match(etag, /^"[\w-]+"$/);
  const again = await content({ headers: { 'If-None-Match': etag } });
  assert.equal(again.status, 304);
  assert.equal(again.text, '');
  assert.equal((await ranged('bytes=0-3', { 'If-Range': '"another"' })).status, 200);
  assert.equal((await ranged('bytes=0-3', { 'If-Range': etag })).status, 206);
});

test('a page of the web is not kept as a file; what is another\'s is not there', async () => {
  check(await content({ token: eve.token }), 404);
  check(await content({ token: null }), 401);
  check(await content({}, 'GET', '01900000-0000-7000-8000-000000000000'), 404);
});

test('HTML that was uploaded runs nowhere', async () => {
  const { id } = await stack.upload(ada.token, 'evil.html', '<html><title>x</title><body><p>The kettle is made of steel and has a warranty.</p><script>alert(1)</script></body></html>');
  const answer = await content({}, 'GET', id);
  assert.equal(answer.headers['content-type'], 'text/html');
  assert.match(answer.headers['content-security-policy'], /sandbox$/);
  assert.match(answer.headers['content-disposition'], /^attachment/);
});

const pss = (name) => {
  const { pid } = stack.process(name).child;
  const real = fs.readdirSync(`/proc/${pid}/task/${pid}/`) && pid;
  return Number(/^Pss:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${real}/smaps_rollup`, 'utf8'))[1]) / 1024;
};

test('fifty megabytes pass through in little memory', async () => {
  const large = Buffer.concat([Buffer.from('%PDF-1.4\n'), randomBytes(49 << 20)]); // no PDF at all: kept, though it cannot be read
  const { id } = await stack.upload(ada.token, 'large.pdf', large);
  const before = ['gateway', 'documents'].map(pss);
  let peak = [...before];
  const sum = await new Promise((resolve, reject) => {
    http.get(`${stack.url()}/api/documents/${id}/content`, { headers: { Authorization: `Bearer ${ada.token}` } }, (answer) => {
      let at = 0;
      let same = true;
      answer.on('data', (piece) => {
        same &&= piece.equals(large.subarray(at, at + piece.length));
        if (Math.floor(at / (4 << 20)) !== Math.floor((at + piece.length) / (4 << 20))) peak = ['gateway', 'documents'].map((n, i) => Math.max(peak[i], pss(n)));
        at += piece.length;
      });
      answer.on('end', () => resolve({ at, same }));
      answer.on('error', reject);
    }).on('error', reject);
  });
  assert.deepEqual(sum, { at: large.length, same: true });
  if (variant === 'release') peak.forEach((mb, i) => assert.ok(mb - before[i] < 12, `${['gateway', 'documents'][i]}: ${before[i]} -> ${mb} MB`));
});

test('a client that hangs up in the middle of a download harms nobody', async () => {
  await new Promise((resolve) => {
    http.get(`${stack.url()}/api/documents/${document.id}/content`, { headers: { Authorization: `Bearer ${ada.token}` } }, (answer) => answer.once('data', () => { answer.destroy(); resolve(); })).on('error', resolve);
  });
  assert.equal((await content()).text, CONTENT);
});

test('a conversation as Markdown and as JSON', async () => {
  const { token } = ada;
  const session = await stack.ok('POST', '/api/chat/sessions', { token, json: { chatbotId: bot.id, title: 'Fragen \u2014 zum Kessel' } });
  const where = `/api/chat/sessions/${session.id}`;
  await stack.ok('POST', `${where}/messages`, { token, json: { content: 'How long is the warranty of the kettle?' } });
  const md = await stack.api('GET', `${where}/export`, { token });
  assert.equal(md.status, 200);
  assert.equal(md.headers['content-type'], 'text/markdown; charset=utf-8');
  assert.match(md.headers['content-disposition'], /filename\*=UTF-8''Fragen%20%E2%80%94%20zum%20Kessel\.md$/);
  assert.match(md.text, /^# Fragen \u2014 zum Kessel\n/);
  assert.match(md.text, /\n## Question \u00b7 \d{4}-\d\d-\d\d \d\d:\d\d\n\nHow long is the warranty of the kettle\?\n/);
  assert.match(md.text, /\n## Answer [\s\S]*two years[\s\S]*\nSources:\n\n1\. .*\u201c[^\n]*two years/);
  const json = await stack.api('GET', `${where}/export?format=json`, { token });
  const { messages, ...head } = await stack.ok('GET', where, { token });
  assert.deepEqual(json.body.messages, messages);
  assert.equal(json.body.title, head.title);
  check(await stack.api('GET', `${where}/export?format=pdf`, { token }), 422);
  check(await stack.api('GET', `${where}/export`, { token: eve.token }), 404);
});

test('the same of a chat of ChatConnect, under its numbers', async () => {
  const { token } = ada;
  const chat = await stack.ok('POST', '/chat/chats', { token, status: 201, json: { title: 'Mine' } });
  await stack.ok('POST', `/chat/chats/${chat.id}/messages`, { token, json: { content: 'hello' } });
  const { body } = await stack.api('GET', `/chat/chats/${chat.id}/export?format=json`, { token });
  assert.equal(body.id, chat.id);
  assert.deepEqual(body.messages, await stack.ok('GET', `/chat/chats/${chat.id}/messages`, { token }));
  assert.match((await stack.api('GET', `/chat/chats/${chat.id}/export?format=md`, { token })).text, /^# Mine\n[\s\S]*hello/);
  check(await stack.api('GET', `/chat/chats/${chat.id}/export`, { token: eve.token }), 404);
});

test('a very long conversation comes whole, in pieces', async () => {
  const { token } = ada;
  const session = await stack.ok('POST', '/api/chat/sessions', { token, json: { chatbotId: bot.id } });
  await stack.ok('POST', `/api/chat/sessions/${session.id}/messages`, { token, json: { content: 'How long is the warranty?' } });
  await stack.sql(`INSERT INTO chat.message (owner_id, number, id, session_id, role, status, content, sources)
    SELECT owner_id, 2 + n, gen_random_uuid(), session_id, 'user', 'complete', 'message ' || n || repeat(' "x" ', 300), sources
    FROM chat.message m, generate_series(1, 5000) AS n WHERE m.session_id = '${session.id}' AND role = 'user'`);
  const { headers, body } = await stack.api('GET', `/api/chat/sessions/${session.id}/export?format=json`, { token });
  assert.equal(headers['transfer-encoding'], 'chunked');
  assert.equal(body.messages.length, 5002);
  const said = body.messages.map((m) => /^message (\d+)/.exec(m.content)?.[1]).filter(Boolean).map(Number);
  assert.deepEqual(said, Array.from({ length: 5000 }, (_, i) => i + 1));
  const old = await request(`${stack.url()}/api/chat/sessions/${session.id}/export`, { method: 'HEAD', headers: { Authorization: `Bearer ${token}` } });
  assert.equal(old.status, 200);
});

test('figures as a table', async () => {
  const { token } = ada;
  const where = `/api/chatbots/${bot.id}/analytics`;
  const { days } = await stack.ok('GET', `${where}?days=3`, { token });
  const csv = await stack.api('GET', `${where}?days=3&format=csv`, { token });
  assert.equal(csv.headers['content-type'], 'text/csv; charset=utf-8');
  const [head, ...rows] = csv.text.trimEnd().split('\r\n');
  const names = head.split(',');
  assert.deepEqual(rows.map((row) => Object.fromEntries(row.split(',').map((v, i) => [names[i], i ? Number(v) : v]))), days);
  check(await stack.api('GET', `${where}?format=csv`, { token: eve.token }), 404);
});
