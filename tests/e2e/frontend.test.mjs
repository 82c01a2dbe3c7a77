// A frontend on another origin, in Chromium: the whole story of one (signing in, uploads, streams, what goes wrong), without a
// stumble; and every failure arrives as an answer that the page can read, never as a "CORS error".
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { lookAround, openChromium, openContext } from './browser.mjs';
import { freePort, root, startStack, uniqueEmail } from './harness.mjs';

let stack, site, browser, page, stranger, bot;
const email = uniqueEmail('grace'), password = 'a compiler for people';
before(async () => {
  const port = await freePort();
  site = http.createServer((query, answer) => answer.setHeader('Content-Type', 'text/html').end('<!doctype html><title>A frontend</title>'));
  await new Promise((resolve) => site.listen(port, resolve));
  stack = await startStack({ env: { CORS_ORIGINS: `http://localhost:${port}` } });
  browser = await openChromium();
  const context = await openContext(browser);
  const open = async (where) => {
    const made = await context.newPage();
    await made.goto(where);
    await made.evaluate((api) => { globalThis.api = api; }, stack.url());
    return made;
  };
  page = await open(`http://localhost:${port}/`);
  stranger = await open(`http://127.0.0.1:${port}/`);
  // The reader of streams is the one that the guide prints.
  const guide = fs.readFileSync(path.join(root, 'gateway/static/docs/guides/frontend.md'), 'utf8');
  const [reader] = /async function\* events[^]*?\n}\n/.exec(guide);
  await page.evaluate(`globalThis.events = ${reader}`);
});
after(async () => {
  await browser?.close();
  site?.closeAllConnections();
  site?.close();
  await stack?.stop();
});

// fetch in the page: what its script may know of the answer.
const ask = (where, { on = page, json, headers = {}, ...options } = {}) => on.evaluate(async ([to, init]) => {
  try {
    const answer = await fetch(globalThis.api + to, init);
    const text = await answer.text();
    let body = null;
    try { body = JSON.parse(text); } catch { /* no JSON */ }
    const header = (name) => answer.headers.get(name);
    return { status: answer.status, body, id: header('X-Request-Id'), link: header('Link'), retry: header('Retry-After') };
  } catch (error) {
    return { failed: error.message };
  }
}, [where, { credentials: 'include', ...options, headers: { ...headers, ...(json ? { 'Content-Type': 'application/json' } : {}) }, body: json ? JSON.stringify(json) : options.body }]);
const signed = (token, more = {}) => ({ Authorization: `Bearer ${token}`, ...more });
let token;

test('registering and signing in, whatever stale token the client attaches', async () => {
  const made = await ask('/api/auth/register', { method: 'POST', json: { email, password, display_name: 'Grace' } });
  assert.equal(made.status, 201, JSON.stringify(made));
  for (const stale of ['Bearer null', 'Bearer undefined', 'Bearer eyJhbGciOiJIUzI1NiJ9.e30.AAAA']) {
    const again = await ask('/api/auth/login', { method: 'POST', json: { email, password }, headers: { Authorization: stale } });
    assert.equal(again.status, 200, `${stale}: ${JSON.stringify(again)}`);
    token = again.body.token;
  }
  assert.equal((await ask('/api/auth/me', { headers: signed(token) })).body.email, email);
});

test('slips arrive as what they are: 404, 405, 401, 415, 422, 431', async () => {
  const slips = [
    ['/nope', {}, 404], ['//api/documents', {}, 404], ['/api/documents', { method: 'PATCH' }, 405], ['/api/documents', { headers: { Authorization: 'Bearer x' } }, 401],
    ['/api/chatbots', { method: 'POST', body: 'name=x', headers: signed(token, { 'Content-Type': 'text/plain' }) }, 415],
    ['/api/chatbots', { method: 'POST', json: {} }, 422],
    // refused before its origin is known: readable without credentials mode, as with a bearer token there need be none
    ['/api/documents', { credentials: 'omit', headers: signed(token, { 'X-Long': 'x'.repeat(20_000) }) }, 431],
  ];
  for (const [where, options, status] of slips) {
    const answer = await ask(where, { ...options, headers: options.headers ?? signed(token) });
    assert.equal(answer.status, status, `${options.method ?? 'GET'} ${where}: ${JSON.stringify(answer)}`);
    assert.equal(typeof answer.body.detail, 'string');
  }
});

test('headers that tools add are let through', async () => {
  const added = { 'sentry-trace': '1', baggage: 'a=b', tracestate: 'a=b', 'x-datadog-trace-id': '1', 'x-stainless-lang': 'js', 'If-None-Match': '"x"', 'X-My-Trace': '1' };
  assert.equal((await ask('/api/documents', { headers: signed(token, added) })).status, 200);
});

test('an upload tells its progress, and one that is too large is told so', async () => {
  const upload = (size) => page.evaluate(([bearer, bytes]) => new Promise((resolve) => {
    const form = new FormData(), request = new XMLHttpRequest();
    const line = 'The lighthouse was built in 1907 and is painted white. ';
    form.set('file', new Blob([line.repeat(Math.ceil(bytes / line.length))], { type: 'text/plain' }), 'lighthouse.txt');
    form.set('name', 'Lighthouse');
    let steps = 0;
    request.upload.onprogress = () => steps++;
    request.onerror = () => resolve({ failed: true });
    request.onload = () => resolve({ status: request.status, body: JSON.parse(request.responseText), steps });
    request.open('POST', `${globalThis.api}/api/documents/upload?wait=50`);
    request.setRequestHeader('Authorization', `Bearer ${bearer}`);
    request.send(form);
  }), [token, size]);
  const small = await upload(300_000);
  assert.deepEqual([small.status, small.body?.status], [201, 'ready'], JSON.stringify(small));
  assert.ok(small.steps > 0);
  const large = await upload(60 << 20);
  assert.equal(large.status, 413, JSON.stringify(large));
  bot = (await ask('/api/chatbots', { method: 'POST', headers: signed(token), json: { name: 'Keeper', documents: [small.body.id] } })).body;
});

test('an answer streams by the reader that the guide prints, is cut in the middle, and goes on after the last event', async () => {
  const session = (await ask('/api/chat/sessions', { method: 'POST', headers: signed(token), json: { chatbotId: bot.id } })).body;
  const got = await page.evaluate(async ([bearer, id]) => {
    const where = `${globalThis.api}/api/chat/sessions/${id}/messages/stream`, first = [], rest = [];
    for await (const event of globalThis.events(where, bearer, { content: 'When was the lighthouse built?' })) {
      first.push(event);
      if (event.event === 'delta') break; // as when the page is reloaded
    }
    for await (const event of globalThis.events(where, bearer, undefined, first.at(-1).id)) rest.push(event);
    const after = await fetch(where, { headers: { Authorization: `Bearer ${bearer}`, 'Last-Event-ID': rest.at(-1).id } });
    return { first, rest, after: after.status };
  }, [token, session.id]);
  const text = [...got.first, ...got.rest].filter(({ event }) => event === 'delta').map(({ data }) => data.text).join('');
  assert.equal(got.rest.at(-1).event, 'done');
  assert.equal(text, got.rest.at(-1).data.message.content);
  assert.match(text, /1907/);
  assert.equal(got.after, 204);
});

test('pages, ids and waiting times can be read; the next page stays below the address that was asked', async () => {
  for (let i = 0; i < 2; i++) await ask('/api/chatbots', { method: 'POST', headers: signed(token), json: { name: `More ${i}` } });
  const list = await ask('/api/chatbots?limit=1', { headers: signed(token) });
  assert.match(list.id, /^[\w-]{8,}/);
  const [, next] = /^<(\/api\/chatbots\?[^>]+)>; rel="next"/.exec(list.link) ?? assert.fail(`Link: ${list.link}`);
  assert.equal((await ask(next, { headers: signed(token) })).body.length, 1);
});

test('a platform key works from a page, and a sign-out is felt at once', async () => {
  const { body: { key } } = await ask('/auth/api-keys', { method: 'POST', headers: signed(token), json: { name: 'page' } });
  assert.equal((await ask('/api/documents', { headers: { 'X-API-Key': key } })).status, 200);
  assert.equal((await ask('/api/auth/logout', { method: 'POST', headers: signed(token) })).status, 200);
  assert.equal((await ask('/api/auth/me', { headers: signed(token) })).status, 401);
});

test('a page of an origin that is not listed reads nothing', async () => {
  assert.match((await ask('/api/auth/me', { on: stranger, headers: signed(token) })).failed, /fetch/i);
});

// --- Pages of the gateway's own --------------------------------------------------------------------------------------------
test('/docs: what is not looked at is not made; filter, link, dark mode; an operation runs from there', async () => {
  const docs = await page.context().newPage(), wrong = [];
  docs.on('pageerror', (error) => wrong.push(error.message)).on('console', (line) => line.type() === 'error' && wrong.push(line.text()));
  await docs.emulateMedia({ reducedMotion: 'reduce' }); // colours change at once
  await docs.goto(`${stack.url()}/docs#/Chatbots`);
  await docs.locator('[id="operations-tag-Chatbots"]').waitFor();
  await docs.locator('[id^="operations-Chatbots-"]').first().waitFor();
  await docs.goto('about:blank');
  await docs.goto(`${stack.url()}/docs`);
  await docs.locator('.opblock').first().waitFor();
  assert.ok(await docs.locator('.opblock-tag').count() >= 15);
  assert.ok(await docs.locator('.opblock').count() < 25, 'the first group alone');
  const filter = docs.getByLabel('Filter operations');
  await filter.fill('post upload');
  await docs.locator('.opblock-summary-control').first().click();
  await docs.locator('.responses-wrapper').waitFor();
  for (const part of ['/api/documents/upload', 'wait', 'Execute']) assert.ok((await docs.locator('.opblock').innerText()).includes(part), part);
  await lookAround(docs, 'docs', process.env.SCREENSHOTS);
  assert.equal(await docs.evaluate(() => getComputedStyle(document.body).colorScheme.includes('dark') && document.documentElement.classList.contains('dark-mode')), true);
  await filter.fill('get /health');
  await docs.locator('.opblock-summary-control').first().click();
  await docs.locator('.execute').click();
  assert.match(await docs.locator('.live-responses-table').innerText(), /\b200\b[^]*"ok"/);
  assert.deepEqual(wrong, []);
  await docs.close();
});

test('the pages are in order for narrow and wide, light and dark, eyes and screen readers', async () => {
  const own = await page.context().newPage();
  for (const [name, where] of [['front', '/'], ['guides', '/docs/guides'], ['guide', '/docs/guides/operate'], ['sign-in', '/sign-in']]) {
    await own.goto(stack.url() + where);
    await lookAround(own, name, process.env.SCREENSHOTS);
  }
  await own.close();
});
