// Integrations: made, read, changed, deleted; and websites, whose origins become their chatbot's. slack.test.mjs has Slack.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { freePort, startStack, until } from './harness.mjs';

const SHOP = 'https://shop.example.com';
let stack, token, other, bot;
before(async () => {
  stack = await startStack({ env: { SLACK_API_URL: 'http://127.0.0.1:9/api', EGRESS_ALLOW: '127.0.0.1/32' } }); // no Slack here
  token = (await stack.register()).token;
  other = (await stack.register()).token;
  bot = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Shop', settings: { allowedOrigins: ['https://mine.example.com'] } } });
});
after(() => stack?.stop());

const make = (json, type = 'website') => stack.api('POST', `/api/integrations/${type}`, { token, json });
const made = async (json, type) => {
  const answer = await make(json, type);
  assert.equal(answer.status, 201, answer.text);
  return answer.body;
};
const origins = async (id = bot.id) => (await stack.ok('GET', `/api/chatbots/${id}`, { token })).settings.allowedOrigins;
const visit = async (origin, id = bot.id) => (await stack.api('POST', `/api/chat/widget/${id}/session`, { headers: { Origin: origin } })).status;

test('a website: its embed code, its origins at the chatbot, and gone with it', async () => {
  const site = await made({ type: 'website', name: ' Our shop ', chatbotId: bot.id, config: { domain: 'Shop.example.com', colour: 'blue' } });
  assert.deepEqual(Object.keys(site).sort(), ['chatbotId', 'config', 'createdAt', 'embedCode', 'id', 'name', 'status', 'statusDetail', 'type', 'updatedAt', 'userId']);
  assert.deepEqual([site.type, site.name, site.status, site.chatbotId], ['website', 'Our shop', 'active', bot.id]);
  assert.deepEqual(site.config, { domain: 'Shop.example.com', colour: 'blue' });
  assert.match(site.embedCode, new RegExp(`^<script src="http[^"]+/widget\\.js" data-chatbot="${bot.id}" async></script>$`));
  assert.deepEqual(await origins(), ['https://mine.example.com', SHOP, 'https://www.shop.example.com']);
  assert.deepEqual([await visit(SHOP), await visit('https://evil.example.com')], [201, 403]);

  const where = `/api/integrations/${site.id}`;
  assert.deepEqual(await stack.ok('GET', where, { token }), site);
  const moved = await stack.ok('PUT', where, { token, json: { config: { allowedOrigins: ['https://Other.example.com:8443/', 'http://localhost:3000'], colour: null } } });
  assert.deepEqual(moved.config, { domain: 'Shop.example.com', allowedOrigins: ['https://other.example.com:8443', 'http://localhost:3000'] });
  await until('the change is known', async () => (await visit(SHOP)) === 403);
  assert.equal(await visit('http://localhost:3000'), 201);

  const asleep = await stack.ok('PUT', where, { token, json: { status: 'inactive', name: 'Asleep' } });
  assert.deepEqual([asleep.status, asleep.name], ['inactive', 'Asleep']);
  assert.deepEqual(await origins(), ['https://mine.example.com']);
  assert.equal((await stack.ok('PUT', where, { token, json: { status: 'active' } })).status, 'active');
  await until('that, too', async () => (await visit('http://localhost:3000')) === 201);

  const gone = await stack.api('DELETE', where, { token });
  assert.deepEqual([gone.status, gone.text], [204, '']);
  assert.equal((await stack.api('GET', where, { token })).status, 404);
  assert.deepEqual(await origins(), ['https://mine.example.com']);
});

test('a website moves to another chatbot', async () => {
  const second = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Second' } });
  const site = await made({ name: 'x', chatbotId: bot.id, config: { allowedOrigins: [SHOP] } });
  await stack.ok('PUT', `/api/integrations/${site.id}`, { token, json: { chatbotId: second.id } });
  assert.deepEqual([await origins(), await origins(second.id)], [['https://mine.example.com'], [SHOP]]);
  assert.equal((await stack.api('DELETE', `/api/chatbots/${second.id}`, { token })).status, 204);
  assert.equal((await stack.api('GET', `/api/integrations/${site.id}`, { token })).status, 404, 'gone with its chatbot');
});

test('without a chatbot: pending, no embed code; type and config may be left out', async () => {
  const site = await made({ name: 'x' });
  assert.deepEqual([site.status, site.chatbotId, site.embedCode, site.config], ['pending', null, undefined, {}]);
  const slack = await made({ name: 'y' }, 'slack');
  assert.deepEqual([slack.type, slack.status, slack.config], ['slack', 'pending', { configured: false }]);
});

test('newest first, pages, complete without a limit', async () => {
  const mine = (await stack.register()).token;
  const ids = [];
  for (let i = 0; i < 40; i++) ids.unshift((await stack.ok('POST', '/api/integrations/website', { token: mine, status: 201, json: { name: `n${i}` } })).id);
  assert.deepEqual((await stack.ok('GET', '/api/integrations', { token: mine })).map((i) => i.id), ids);
  const page = await stack.api('GET', '/api/integrations?limit=7', { token: mine });
  assert.deepEqual(page.body.map((i) => i.id), ids.slice(0, 7));
  assert.match(page.headers.link, /rel="next"/);
});

const bad = [
  ['no name', {}, 422, 'name'],
  ['a blank name', { name: '  ' }, 422, 'name'],
  ['a type unlike the path', { name: 'x', type: 'slack' }, 422, 'type'],
  ['a chatbot that is no id', { name: 'x', chatbotId: 'nope' }, 422, 'chatbotId'],
  ['config that is no object', { name: 'x', config: [] }, 422, 'config'],
  ['a domain that is a sentence', { name: 'x', config: { domain: 'our shop' } }, 422, 'config.domain'],
  ['a domain with a path', { name: 'x', config: { domain: 'https://a.example/b' } }, 422, 'config.domain'],
  ['an address that is no website', { name: 'x', config: { allowedOrigins: ['ftp://a.example'] } }, 422, 'config.allowedOrigins.0'],
  ['any origin, where none named is any', { name: 'x', config: { allowedOrigins: ['*'] } }, 422, 'config.allowedOrigins.0'],
  ['all hosts of a domain', { name: 'x', config: { allowedOrigins: ['https://*.example.com'] } }, 422, 'config.allowedOrigins.0'],
  ['origins that are no list', { name: 'x', config: { allowedOrigins: 'https://a.example' } }, 422, 'config.allowedOrigins'],
  ['an origin that is no text', { name: 'x', config: { allowedOrigins: [1] } }, 422, 'config.allowedOrigins.0'],
];
for (const [name, json, status, field] of bad) {
  test(`refused: ${name}`, async () => {
    const answer = await make(json);
    assert.equal(answer.status, status, answer.text);
    assert.ok(answer.body.errors.some((e) => e.loc.slice(1).join('.') === field), answer.text);
  });
}

test('an unknown type is refused, a chatbot of another is not there', async () => {
  assert.equal((await make({ name: 'x' }, 'teams')).status, 422);
  const theirs = await stack.ok('POST', '/api/chatbots', { token: other, json: { name: 'Theirs' } });
  for (const type of ['website', 'slack']) {
    assert.equal((await make({ name: 'x', chatbotId: theirs.id }, type)).status, 404, type);
  }
  const mine = await made({ name: 'x' });
  assert.equal((await stack.api('PUT', `/api/integrations/${mine.id}`, { token, json: { chatbotId: theirs.id } })).status, 404);
  assert.deepEqual((await stack.ok('GET', `/api/chatbots/${theirs.id}`, { token: other })).settings.allowedOrigins, []);
});

test('is the script on the page? Looked at when asked, and every day; the status says', async () => {
  let html = '<html><body>A shop</body></html>', status = 200;
  const shop = http.createServer((query, answer) => answer.writeHead(status, { 'Content-Type': 'text/html' }).end(html));
  const port = await freePort();
  await new Promise((resolve) => shop.listen(port, '127.0.0.1', resolve));
  const mine = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Looked at' } });
  const site = await made({ name: 'x', chatbotId: mine.id, config: { domain: `http://127.0.0.1:${port}` } });
  const look = () => stack.ok('POST', `/api/integrations/${site.id}/check`, { token });
  const without = await look();
  assert.equal(without.status, 'pending');
  assert.match(without.statusDetail, /embed code is not on http:/);
  assert.equal((await visit(`http://127.0.0.1:${port}`, mine.id)), 201, 'the widget works all the same');
  html = `<html><body>A shop ${site.embedCode}</body></html>`;
  const found = await look();
  assert.deepEqual([found.status, found.statusDetail], ['active', null]);
  status = 503;
  assert.match((await look()).statusDetail, /answered 503/);
  shop.closeAllConnections();
  await new Promise((resolve) => shop.close(resolve));
  const away = await look();
  assert.deepEqual([away.status, /cannot be looked at/.test(away.statusDetail)], ['error', true], away.statusDetail);

  const again = http.createServer((query, answer) => answer.writeHead(200, { 'Content-Type': 'text/html' }).end(html));
  await new Promise((resolve) => again.listen(port, '127.0.0.1', resolve));
  await stack.sql(`WITH moved AS (UPDATE integrations.job SET run_at = now() WHERE kind = 'website' AND key = '${site.id}' RETURNING kind) SELECT pg_notify('parley_job', kind) FROM moved`);
  await until('it was looked at by itself', async () => (await stack.ok('GET', `/api/integrations/${site.id}`, { token })).status === 'active');
  const [[hours]] = await until('tomorrow again', async () => {
    const rows = await stack.sql(`SELECT extract(epoch FROM run_at - now())::int / 3600 FROM integrations.job WHERE kind = 'website' AND key = '${site.id}' AND lease_until IS NULL`);
    return rows.length && rows;
  });
  assert.ok(hours >= 22 && hours <= 24, `${hours} h`);
  again.closeAllConnections();
  await new Promise((resolve) => again.close(resolve));
});

// Pages as there are in the field: what is said of each.
test('a page that is odd: cut, led elsewhere, kept from us, under a policy', async () => {
  const ports = [await freePort(), await freePort()];
  const [here, there] = ports.map((port) => `http://127.0.0.1:${port}`);
  let play, asked;
  const shops = ports.map((port, i) => http.createServer((query, answer) => {
    asked = query.headers;
    play(answer, i);
  }));
  await Promise.all(shops.map((shop, i) => new Promise((resolve) => shop.listen(ports[i], '127.0.0.1', resolve))));
  const mine = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Odd' } });
  const site = await made({ name: 'x', chatbotId: mine.id, config: { domain: here } });
  const job = `kind = 'website' AND key = '${site.id}' AND lease_until IS NULL`;
  const look = async () => { // as every day; whoever asks may do so twenty times a minute
    await stack.sql(`WITH moved AS (UPDATE integrations.job SET run_at = now() WHERE ${job} RETURNING kind) SELECT pg_notify('parley_job', kind) FROM moved`);
    await until('it was looked at', async () => (await stack.sql(`SELECT 1 FROM integrations.job WHERE ${job} AND run_at > now() + interval '1 hour'`)).length);
    return stack.ok('GET', `/api/integrations/${site.id}`, { token });
  };
  const send = (body, headers = {}, status = 200) => (answer) => answer.writeHead(status, { 'Content-Type': 'text/html', ...headers }).end(body);
  const ours = new URL(/src="([^"]+)"/.exec(site.embedCode)[1]).origin;
  const filler = `${'<p>kettles</p>'.repeat(1000)}\n`.repeat(760); // 10 MB
  const policy = (text) => `<meta http-equiv="Content-Security-Policy" content="${text}">${site.embedCode}`;
  const cases = [
    ['10 MB, the code at the beginning', send(site.embedCode + filler), 'active', null],
    ['10 MB, the code at the end', send(filler + site.embedCode), 'pending', /in its first 4 MB: put it before/],
    ['led to an origin that is none of its', (answer, i) => (i ? send(site.embedCode)(answer) : answer.writeHead(301, { Location: `${there}/` }).end()), 'error', new RegExp(`leads to ${there}, where the chatbot may not be shown`)],
    ['led elsewhere on its own', (() => { let n = 0; return (answer) => (n++ ? send(site.embedCode)(answer) : answer.writeHead(302, { Location: '/start' }).end()); })(), 'active', null],
    ['led in a circle', (answer) => answer.writeHead(302, { Location: '/' }).end(), 'error', /cannot be looked at/],
    ['403 for programs', send('Are you human?', {}, 403), 'pending', /keeps us out \(403\): whether the embed code is there cannot be seen/],
    ['a policy in the header', send(site.embedCode, { 'Content-Security-Policy': "script-src 'self'" }), 'error', new RegExp(`Content-Security-Policy of ${here}/ keeps .*add ${ours} to its script-src`)],
    ['a policy in the page', send(policy(`script-src ${ours}; connect-src 'self'`)), 'error', /to its connect-src/],
    ['a policy that lets it in', send(policy(`default-src 'self' ${ours}`)), 'active', null],
    ['packed, whether or not we want it', (answer) => answer.writeHead(200, { 'Content-Type': 'text/html', 'Content-Encoding': 'gzip' }).end(gzipSync(site.embedCode)), 'active', null],
    ['a byte that is none', send(`<p>a\0b</p>${site.embedCode}`), 'active', null],
    ['added by a tag manager', send('<script src="https://www.googletagmanager.com/gtm.js?id=GTM-X"></script>'), 'pending', /what a tag manager adds later cannot be seen/],
    ['nothing', send(''), 'pending', /embed code is not on/],
  ];
  for (const [name, how, status, detail] of cases) {
    play = how;
    const now = await look();
    assert.equal(now.status, status, `${name}: ${now.status} ${now.statusDetail}`);
    if (detail) assert.match(now.statusDetail, detail, name);
    else assert.equal(now.statusDetail, null, name);
  }
  assert.match(asked['user-agent'], /^Mozilla\/5\.0 \(compatible; Parley; \+http/);
  await stack.ok('PUT', `/api/integrations/${site.id}`, { token, json: { config: { allowedOrigins: [there, here] } } });
  play = (answer, i) => (i ? send(site.embedCode)(answer) : answer.writeHead(301, { Location: `${there}/` }).end());
  assert.equal((await look()).status, 'active', 'led to one of its own');
  for (const shop of shops) {
    shop.closeAllConnections();
    await new Promise((resolve) => shop.close(resolve));
  }
});

test('what cannot be looked at: no domain, no chatbot, switched off, another type, a private address', async () => {
  const check = async (id) => (await stack.api('POST', `/api/integrations/${id}/check`, { token })).status;
  const bare = await made({ name: 'x' });
  assert.equal(await check(bare.id), 422);
  const noDomain = await made({ name: 'x', chatbotId: bot.id });
  assert.equal(await check(noDomain.id), 422);
  await stack.ok('PUT', `/api/integrations/${noDomain.id}`, { token, json: { status: 'inactive' } });
  assert.equal(await check(noDomain.id), 409);
  assert.equal(await check((await made({ name: 'y' }, 'slack')).id), 422);
  const mine = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Inside' } });
  const inside = await made({ name: 'x', chatbotId: mine.id, config: { domain: 'http://10.1.2.3' } });
  const said = await stack.ok('POST', `/api/integrations/${inside.id}/check`, { token });
  assert.deepEqual([said.status, /no public address/.test(said.statusDetail)], ['error', true], said.statusDetail);
});

test('credentials of a website integration: 422', async () => {
  const site = await made({ name: 'x' });
  const answer = await stack.api('POST', `/api/integrations/slack/${site.id}/credentials`, { token, json: { bot_token: 'xoxb-1' } });
  assert.equal(answer.status, 422, answer.text);
});
