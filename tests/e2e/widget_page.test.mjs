// The chat widget in a browser: a page on another origin, with a strict Content-Security-Policy, embeds /widget.js.
// SHOTS=DIR leaves screenshots there.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import zlib from 'node:zlib';
import { chromium } from 'playwright-core';
import { root, slow, startRig, startStack, unique, until } from './harness.mjs';

const ARTICLE = 'The kettle has a warranty of two years. It begins on the day of purchase.\n\nWe ship to Norway within five days.\n';
const shots = process.env.SHOTS;

const axe = fs.readFileSync(path.join(root, 'tests/node_modules/axe-core/axe.min.js'), 'utf8');

let stack, rig, shop, shopUrl, context, userData, token, scripted, builtin;
before(async () => {
  rig = await startRig('fakellm.mjs');
  stack = await startStack({
    env: { CHAT_PROVIDER: 'openai', CHAT_BASE_URL: `${rig.url}/v1`, CHAT_API_KEY: 'sk-test', CHAT_MODEL: 'scripted', EGRESS_ALLOW: '127.0.0.1/32' },
  });
  ({ token } = await stack.register());
  const { id } = await stack.upload(token, 'manual.txt', ARTICLE);
  const make = (name, settings) => stack.ok('POST', '/api/chatbots', { token, json: { name, documents: [id], settings } });
  scripted = await make('Scripted', {});
  builtin = await make('Shop help', {
    model: 'builtin', welcomeMessage: 'Welcome! Ask me about our **kettles**.', suggestedQuestions: ['How long is the warranty?', 'Do you ship to Norway?'],
    appearance: { primaryColor: '#0f766e', chatTitle: 'Kettle help' },
  });
  // /CHATBOT?lang=ar is a page of a shop that embeds it; other parameters are attributes of the tag.
  shop = http.createServer((query, answer) => {
    const url = new URL(query.url, 'http://shop');
    answer.writeHead(200, {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': `default-src 'none'; script-src ${stack.url()}; connect-src ${stack.url()}; require-trusted-types-for 'script'; trusted-types 'none'`,
    });
    const { lang = 'en', src = '/widget.js', ...attributes } = Object.fromEntries(url.searchParams);
    const more = Object.entries(attributes).map(([name, value]) => ` ${name}="${value.replaceAll('&', '&amp;').replaceAll('"', '&quot;')}"`).join('');
    answer.end(`<!doctype html><html lang="${lang}" dir="${lang === 'ar' ? 'rtl' : 'ltr'}"><meta name="viewport" content="width=device-width,initial-scale=1">` +
      `<title>Shop</title><h1>A shop</h1><script src="${stack.url()}${src}" data-chatbot="${url.pathname.slice(1)}" data-mode="open"${more} async></script></html>`);
  });
  await new Promise((resolve) => shop.listen(0, '127.0.0.1', resolve));
  shopUrl = `http://127.0.0.1:${shop.address().port}`;
  userData = path.join(stack.state, unique('chromium'));
  context = await chromium.launchPersistentContext(userData, {
    executablePath: '/usr/bin/chromium',
    viewport: { width: 1280, height: 800 },
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  context.setDefaultTimeout(15_000 * slow);
});
after(async () => {
  await context?.close();
  shop?.closeAllConnections();
  shop?.close();
  await stack?.stop();
  await rig?.stop();
});

// A page of the shop with the widget on it; what the browser complains of is in page.complaints.
async function visit(bot, { open = true, ...attributes } = {}) {
  const page = await context.newPage();
  page.complaints = [];
  page.on('console', (m) => /Content Security Policy|Trusted/i.test(m.text()) && page.complaints.push(m.text()));
  page.on('pageerror', (error) => page.complaints.push(String(error)));
  page.on('dialog', (d) => { page.complaints.push(`a dialog: ${d.message()}`); d.dismiss(); });
  await page.goto(`${shopUrl}/${bot.id}?${new URLSearchParams(attributes)}`);
  if (open) await page.locator('.launch').click();
  return page;
}
const say = async (page, text) => {
  await page.locator('textarea').fill(text);
  await page.keyboard.press('Enter');
};
const answers = (page) => page.locator('.msg.bot .text');
const shoot = (page, name) => shots && page.screenshot({ path: path.join(shots, `widget-${name}.png`) });
const forget = (page) => page.evaluate(() => localStorage.clear());

test('the script is served to any page, small, and is asked for again by its tag', async () => {
  const { status, headers, bytes } = await stack.api('GET', '/widget.js', { headers: { 'Accept-Encoding': 'gzip', Origin: shopUrl } });
  assert.equal(status, 200);
  assert.equal(headers['access-control-allow-origin'], '*');
  assert.equal(headers['cross-origin-resource-policy'], 'cross-origin');
  assert.equal(headers['cache-control'], 'public, max-age=300');
  assert.ok(bytes.length < 15 * 1024, `${bytes.length} bytes`);
  assert.match(zlib.gunzipSync(bytes).toString(), /data-chatbot/);
  assert.equal((await stack.api('GET', '/widget.js', { headers: { 'If-None-Match': headers.etag } })).status, 304);
});

test('a site may pin it: a name that is never another file, and its integrity', async () => {
  const { url, integrity } = await stack.ok('GET', '/widget.json');
  const { status, headers, bytes } = await stack.api('GET', url);
  assert.equal(status, 200);
  assert.equal(headers['cache-control'], 'public, max-age=31536000, immutable');
  assert.equal(integrity, `sha384-${crypto.createHash('sha384').update(bytes).digest('base64')}`);
  assert.equal((await stack.api('GET', '/widget.0000000000000000.js')).status, 404);
  const page = await visit(builtin, { src: url, integrity, crossorigin: 'anonymous' });
  await page.locator('textarea').waitFor();
  await page.close();
  const other = await visit(builtin, { src: url, integrity: integrity.replace(/.{4}$/, 'AAAA'), crossorigin: 'anonymous', open: false });
  assert.equal(await other.locator('.launch').count(), 0);
  await other.close();
});

test('a visitor asks, sees the answer with its source, and finds both after a reload', async () => {
  const page = await visit(builtin);
  assert.equal(await page.locator('h2').textContent(), 'Kettle help');
  assert.equal(await page.locator('.launch').evaluate((e) => getComputedStyle(e).backgroundColor), 'rgb(15, 118, 110)');
  assert.equal(await page.evaluate(() => localStorage.length), 0, 'no session before the first message');
  await page.getByRole('button', { name: 'How long is the warranty?' }).click();
  await page.locator('summary').first().waitFor();
  assert.match(await answers(page).last().textContent(), /two years/);
  await page.locator('summary').first().click();
  assert.match(await page.locator('details[open] blockquote').textContent(), /warranty of two years/);
  await page.reload();
  await page.locator('.launch').click();
  await page.locator('summary').first().waitFor();
  assert.equal(await page.locator('.msg.user').count(), 1);
  assert.match(await answers(page).last().textContent(), /two years/);
  assert.deepEqual(page.complaints, []);
  await forget(page);
  await page.close();
});

test('a reload in mid-answer loses nothing of it', async () => {
  const page = await visit(scripted);
  await say(page, 'count 120 25');
  await until('some words', async () => /w5 /.test(await answers(page).last().textContent()));
  await page.reload();
  await page.locator('.launch').click();
  await until('the end', async () => /w120$/.test(await answers(page).last().textContent().catch(() => '')), 20 * slow);
  assert.equal(await answers(page).last().textContent(), Array.from({ length: 120 }, (_, i) => `w${i + 1}`).join(' '));
  assert.equal(await page.locator('.msg.user').count(), 1);
  await forget(page);
  await page.close();
});

test('a connection that breaks is taken up where it was', async () => {
  const page = await visit(scripted);
  let broken = 0;
  await page.route('**/message/stream', async (r) => {
    broken += 1;
    const got = await r.fetch(); // all of it; the page is given a part
    await r.fulfill({ response: got, body: (await got.text()).split('\n\n').slice(0, 9).join('\n\n') + '\n\n' });
  });
  await say(page, 'count 40 2');
  await until('the end', async () => /w40$/.test(await answers(page).last().textContent().catch(() => '')), 20 * slow);
  assert.equal(await answers(page).last().textContent(), Array.from({ length: 40 }, (_, i) => `w${i + 1}`).join(' '));
  assert.equal(broken, 1);
  await forget(page);
  await page.close();
});

// A proxy that cuts streams off, and a server that has forgotten them.
test('a stream that ends with nothing, and of which nothing follows, is not asked for again and again', async () => {
  const page = await visit(scripted);
  const tried = [];
  const headers = { 'Content-Type': 'text/event-stream', 'Access-Control-Allow-Origin': '*' };
  await page.route('**/message/stream**', (r) => {
    tried.push(r.request().url().includes('lastEventId'));
    if (tried.at(-1)) return r.fulfill({ status: 204, headers });
    return r.fulfill({ status: 200, headers, body: 'id: s.1\nevent: message\ndata: {"id":"m","role":"assistant"}\n\nid: s.2\nevent: delta\ndata: {"text":"Half"}\n\n' });
  });
  await page.route('**/session/*', (r) => r.fulfill({ status: 200, headers: { ...headers, 'Content-Type': 'application/json' }, body: JSON.stringify({ messages: [{ role: 'user', content: 'hello', status: 'complete' }, { id: 'm', role: 'assistant', content: 'Half', status: 'generating', sources: [] }] }) }));
  await say(page, 'hello');
  await page.locator('.msg.error').waitFor();
  assert.equal(await page.locator('.msg.error').textContent(), 'No connection. Please try again.');
  assert.deepEqual(tried, [false, true, false, true]);
  assert.equal(await answers(page).last().textContent(), 'Half');
  await forget(page);
  await page.close();
});

test('a visitor stops an answer, and says what he thinks of it', async () => {
  const page = await visit(scripted);
  await say(page, 'count 1500 25');
  await until('some words', async () => /w5 /.test(await answers(page).last().textContent()));
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await page.locator('.foot span').waitFor();
  assert.equal(await page.locator('.foot span').textContent(), 'Stopped.');
  assert.match(await answers(page).last().textContent(), /^w1 w2 .*w\d+ ?$/);
  await page.getByRole('button', { name: 'Not helpful' }).click();
  const stored = async () => (await stack.sql(`SELECT status, coalesce(feedback, '') FROM chat.message m WHERE role = 'assistant' AND content LIKE 'w1 w2%' ORDER BY created_at DESC LIMIT 1`))[0];
  await until('the thumb is stored', async () => (await stored()).join() === 'stopped,down');
  await page.reload();
  await page.locator('.launch').click();
  await page.locator('.foot [aria-pressed=true]').waitFor();
  assert.equal(await page.locator('.foot [aria-pressed=true]').getAttribute('aria-label'), 'Not helpful');
  assert.equal(await page.locator('.foot span').textContent(), 'Stopped.');
  await page.getByRole('button', { name: 'Not helpful' }).click();
  await until('it is taken back', async () => (await stored()).join() === 'stopped,');
  await forget(page);
  await page.close();
});

test('a citation leads to its source', async () => {
  const page = await visit(scripted);
  await say(page, 'Cite the warranty');
  await page.locator('.cite').first().waitFor();
  assert.equal(await page.locator('.cite').first().textContent(), '[1]');
  assert.match(await page.locator('summary').first().textContent(), /^\[1\] manual\.txt/);
  await page.locator('.cite').first().click();
  assert.match(await page.locator('details[open] blockquote').textContent(), /warranty of two years/);
  await forget(page);
  await page.close();
});

test('a visitor whom the site has named keeps his name in the transcript; another does not see his conversation', async () => {
  const { secret } = await stack.ok('GET', `/api/chatbots/${scripted.id}/visitor-secret`, { token });
  const named = (visitor) => ({ 'data-visitor': visitor, 'data-signature': crypto.createHmac('sha256', secret).update(visitor).digest('hex') });
  const ada = JSON.stringify({ name: 'Ada "L." Lovelace', email: 'ada@example.com' });
  let page = await visit(scripted, named(ada));
  await say(page, 'hello from Ada');
  await page.locator('.foot').waitFor();
  const conversations = await stack.ok('GET', `/api/chatbots/${scripted.id}/conversations`, { token });
  const hers = conversations.find((c) => c.title === 'hello from Ada');
  assert.deepEqual([hers.visitorName, hers.visitorEmail], ['Ada "L." Lovelace', 'ada@example.com']);
  await page.close();
  page = await visit(scripted, { 'data-visitor': '{"email":"eve@example.com"}', 'data-signature': '00' });
  assert.equal(await page.locator('.msg').count(), 0);
  await say(page, 'hello from Eve');
  await page.locator('.foot').waitFor();
  const eves = (await stack.ok('GET', `/api/chatbots/${scripted.id}/conversations`, { token })).find((c) => c.title === 'hello from Eve');
  assert.equal(eves.visitorName ?? eves.visitorEmail, undefined, 'what is not signed is not believed');
  await forget(page);
  await page.close();
});

test('what a model writes is text, never a program', async () => {
  const page = await visit(scripted);
  await say(page, '<img src=x onerror=alert(1)><script>alert(2)</script> [a](javascript:alert(3)) [b](https://example.com/) **bold** `code`');
  await page.locator('.msg.bot strong').waitFor();
  await page.waitForFunction(() => !document.querySelector('parley-chat').shadowRoot.querySelector('[aria-busy]'));
  assert.match(await answers(page).last().textContent(), /<img src=x onerror=alert\(1\)>/);
  assert.equal(await page.locator('.msg img, .msg script').count(), 0);
  assert.deepEqual(await page.locator('.msg.bot a').evaluateAll((all) => all.map((a) => [a.href, a.rel])), [['https://example.com/', 'noopener noreferrer nofollow']]);
  assert.deepEqual(page.complaints, []);
  await forget(page);
  await page.close();
});

test('keys: Tab stays in the dialog, Escape closes it and the focus returns', async () => {
  const page = await visit(builtin);
  const focused = () => page.evaluate(() => document.activeElement.shadowRoot?.activeElement?.getAttribute('aria-label'));
  assert.equal(await focused(), 'Write a message');
  for (let i = 0; i < 12; i++) {
    await page.keyboard.press(i % 2 ? 'Tab' : 'Shift+Tab');
    assert.ok(await page.evaluate(() => document.activeElement.shadowRoot?.activeElement?.closest('[role=dialog]')), `after ${i + 1} of both`);
  }
  for (let i = 0; i < 12; i++) {
    await page.keyboard.press('Tab');
    assert.ok(await page.evaluate(() => document.activeElement.shadowRoot?.activeElement?.closest('[role=dialog]')), `after ${i + 1} Tabs`);
  }
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('[role=dialog]').isVisible(), false);
  assert.equal(await focused(), 'Open the chat');
  await page.close();
});

test('who was not helped is asked where he can be reached, in his language; after a reload as well; and told that it went', async () => {
  const bot = await stack.ok('POST', `/api/chatbots/${builtin.id}/copy`, { token, status: 201 });
  await stack.ok('POST', '/api/integrations/website', { token, status: 201, json: { name: 'Shop', chatbotId: bot.id, config: { handover: { email: 'help@example.com' } } } });
  await until('it is known', async () => (await stack.sql("SELECT 1 FROM chat.listening WHERE handover <> '{}'")).length > 0);
  for (const [lang, width, colorScheme, asked, told] of [['en', 1280, 'light', /like a person/, /A person has been told/], ['de', 390, 'dark', /ein Mensch/, /weiß Bescheid/], ['ar', 390, 'light', /شخص/, /أُبلغ/]]) {
    const page = await visit(bot, { lang, open: false });
    await page.setViewportSize({ width, height: 800 });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.locator('.launch').click();
    await say(page, 'Wer malte die Sixtinische Kapelle?');
    await page.locator('.hand').waitFor();
    await page.reload();
    await page.locator('.launch').click();
    const field = page.getByLabel(asked);
    await field.waitFor();
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => axe.run({ include: [['parley-chat']] })); // eslint-disable-line no-undef
    assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(' ')}`), [], lang);
    await shoot(page, `handover-${lang}`);
    await field.fill('nobody');
    await field.press('Enter');
    assert.equal(await field.evaluate((e) => e.validity.valid), false, 'the browser says so itself');
    await field.fill(`visitor-${lang}@example.com`);
    await field.press('Enter');
    await until('it is said', async () => told.test(await answers(page).last().textContent()));
    assert.equal(await page.locator('.hand').count(), 0);
    await shoot(page, `handover-${lang}-told`);
    assert.equal((await stack.ok('GET', `/api/chatbots/${bot.id}/conversations`, { token }))[0].contact, `visitor-${lang}@example.com`);
    assert.deepEqual(page.complaints, []);
    await forget(page);
    await page.close();
  }
});

test('too many messages: a short sentence, and the question is kept', async () => {
  const page = await visit(builtin);
  await page.route('**/message/stream', (r) => r.fulfill({ status: 429, headers: { 'Retry-After': '7', 'Access-Control-Allow-Origin': '*', 'Access-Control-Expose-Headers': 'Retry-After' }, body: '{}' }));
  await say(page, 'Once more');
  await page.locator('.msg.error').waitFor();
  assert.equal(await page.locator('.msg.error').textContent(), 'Too many messages. Please try again in 7 s.');
  assert.equal(await page.locator('textarea').inputValue(), 'Once more');
  await forget(page);
  await page.close();
});

test('on a phone it fills the screen; it stands left or right; Arabic runs from right to left; nothing bars anybody', async () => {
  const left = await stack.ok('POST', `/api/chatbots/${builtin.id}/copy`, { token, status: 201 });
  await stack.ok('PUT', `/api/chatbots/${left.id}`, { token, json: { settings: { appearance: { position: 'bottom-left', primaryColor: '#facc15' } } } });
  for (const [name, lang, width, colorScheme, bot] of [
    ['390-light', 'en', 390, 'light', builtin], ['390-rtl-dark', 'ar', 390, 'dark', builtin], ['1280-light', 'en', 1280, 'light', builtin],
    ['1280-dark', 'de', 1280, 'dark', builtin], ['1280-left', 'de', 1280, 'light', left], ['1280-left-rtl', 'ar', 1280, 'light', left],
  ]) {
    const page = await visit(bot, { lang, open: false });
    await page.setViewportSize({ width, height: 800 });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const launch = await page.locator('.launch').boundingBox();
    assert.equal(launch.x < width / 2, bot === left, name);
    await page.locator('.launch').click();
    await shoot(page, `${name}-start`);
    await say(page, 'How long is the warranty?');
    await page.locator('summary').first().click();
    await page.locator('.foot').waitFor();
    const box = await page.locator('[role=dialog]').boundingBox();
    if (width === 390) assert.deepEqual([box.x, box.y, box.width, box.height], [0, 0, 390, 800]);
    else assert.ok(box.width < 400 && (bot === left ? box.x < 40 : box.x > 800));
    assert.equal(await page.locator('.log').evaluate((e) => getComputedStyle(e).direction), lang === 'ar' ? 'rtl' : 'ltr');
    // English stays English: its question mark is at its end.
    for (const said of ['.msg.user div', '.msg.bot .text blockquote']) {
      assert.equal(await page.locator(said).first().evaluate((e) => getComputedStyle(e).direction), 'ltr', said);
    }
    await shoot(page, name);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => axe.run({ include: [['parley-chat']] })); // eslint-disable-line no-undef
    assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(' ')}`), [], name);
    await forget(page);
    await page.close();
  }
});
