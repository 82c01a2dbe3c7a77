// Webhooks out: signed as Standard Webhooks has it, at least once under one id, for a day; private addresses refused.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { startStack, until } from './harness.mjs';

const ARTICLE = 'The kettle has a warranty of two years. It begins on the day of purchase.\n';
let stack, token, bot, server, base;
const got = []; // what came: { path, headers, body }
const answers = new Map(); // path -> what is answered: a status, or a function of the response
before(async () => {
  server = http.createServer(async (request, response) => {
    let body = '';
    for await (const piece of request) body += piece;
    got.push({ path: request.url, headers: request.headers, body });
    const answer = answers.get(request.url) ?? 204;
    if (typeof answer === 'function') return answer(response);
    response.writeHead(answer).end();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${server.address().port}`;
  stack = await startStack({ replicas: { integrations: 2 }, env: { EGRESS_ALLOW: '127.0.0.1/32', SLACK_API_URL: 'http://127.0.0.1:9/api' } });
  token = (await stack.register()).token;
  const document = await stack.upload(token, 'manual.txt', ARTICLE);
  bot = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Kettles', documents: [document.id] } });
});
after(async () => {
  await stack?.stop();
  server?.closeAllConnections();
  server?.close();
});

const at = (path) => got.filter((g) => g.path === path);
const of = (path, type) => at(path).filter((g) => JSON.parse(g.body).type === type);
const make = (config, more = {}) => stack.api('POST', '/api/integrations/webhook', { token, json: { name: 'Ours', config, ...more } });
// Made, and heard of by the services that will tell.
async function hook(path, config = {}, more = {}) {
  const answer = await make({ url: base + path, ...config }, more);
  assert.equal(answer.status, 201, answer.text);
  await until('the services know', async () => (await stack.sql("SELECT 1 FROM integrations.job WHERE kind = 'listening'")).length === 0);
  return answer.body;
}
const remove = (made) => stack.api('DELETE', `/api/integrations/${made.id}`, { token });
const ask = async (content = 'How long is the warranty?') => {
  const session = await stack.ok('POST', '/api/chat/sessions', { token, json: { chatbotId: bot.id } });
  const message = await stack.ok('POST', `/api/chat/sessions/${session.id}/messages`, { token, json: { content } });
  return { session, message };
};
const deliveries = (made) => stack.ok('GET', `/api/integrations/${made.id}/deliveries`, { token });
// By the standard's own library, which takes no other body, secret or time.
function verified(request, secret) {
  const receiver = new Webhook(secret);
  assert.throws(() => receiver.verify(`${request.body} `, request.headers), /signature/i);
  return { id: request.headers['webhook-id'], ...receiver.verify(request.body, request.headers) };
}
const hurry = (made) => stack.sql(`UPDATE integrations.job SET run_at = now() WHERE kind = 'webhook' AND payload->>'integration' = '${made.id}' AND lease_until IS NULL; SELECT pg_notify('parley_job', 'webhook')`);

test('a conversation, its rating, a document: signed, under the secret that was shown once', async () => {
  const made = await hook('/all');
  assert.deepEqual([made.type, made.status, made.config.url, made.config.configured], ['webhook', 'active', `${base}/all`, true]);
  assert.match(made.signing_secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
  assert.equal(made.config.signing_secret, `****${made.signing_secret.slice(-4)}`);
  const again = await stack.ok('GET', `/api/integrations/${made.id}`, { token });
  assert.equal(again.signing_secret, undefined, 'shown once');

  const { session, message } = await ask();
  await stack.ok('PUT', `/api/chat/sessions/${session.id}/messages/${message.id}/feedback`, { token, json: { value: 'down', comment: 'No.' } });
  const ready = await stack.upload(token, 'more.txt', ARTICLE);
  const failed = await stack.upload(token, 'torn.pdf', '%PDF-1.4\nnothing of one');
  await until('all of them', () => at('/all').length >= 5);
  const events = at('/all').map((g) => verified(g, made.signing_secret));
  assert.equal(new Set(events.map((e) => e.id)).size, 5);
  const named = (type) => events.filter((e) => e.type === type);
  const [question, answer] = named('message.created').sort((a) => (a.data.message.role === 'user' ? -1 : 1));
  assert.deepEqual([question.data.message.content, question.data.chatbotId], ['How long is the warranty?', bot.id]);
  assert.deepEqual([answer.data.message.id, answer.data.question], [message.id, 'How long is the warranty?']);
  assert.match(answer.data.message.content, /two years/);
  assert.equal(answer.data.message.sources[0].documentName, 'manual.txt');
  const [rated] = named('answer.rated');
  assert.deepEqual([rated.data.message.feedback, rated.data.message.feedbackComment], ['down', 'No.']);
  assert.deepEqual([named('document.ready')[0].data.document.id, named('document.failed')[0].data.document.id], [ready.id, failed.id]);
  assert.match(named('document.ready')[0].timestamp, /^\d{4}-\d\d-\d\dT/);

  const list = await until('they are done', async () => {
    const all = await deliveries(made);
    return all.every((d) => d.status === 'delivered') ? all : null;
  });
  assert.deepEqual(new Set(list.map((d) => d.id)), new Set(events.map((e) => e.id)));
  assert.deepEqual([list[0].attempts, list[0].responseStatus, list[0].error], [1, 204, null]);
  assert.equal((await stack.api('GET', `/api/integrations/${made.id}/deliveries?limit=2`, { token })).body.length, 2);
  await remove(made);
});

test('only what it asked for, of its chatbot alone; nothing after it is gone', async () => {
  const other = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Other' } });
  const made = await hook('/some', { events: ['conversation.unanswered'] }, { chatbotId: bot.id });
  const theirs = await hook('/theirs', {}, { chatbotId: other.id });
  await ask();
  await ask('Who painted the ceiling of the Sistine Chapel?');
  await ask('I want to talk to a human');
  await until('both', () => at('/some').length === 2);
  assert.deepEqual(at('/some').map((g) => JSON.parse(g.body).data.reason).sort(), ['asked_for_person', 'nothing_found']);
  assert.equal(at('/theirs').length, 0);
  await remove(made);
  await remove(theirs);
  await until('nobody listens', async () => (await stack.sql("SELECT 1 FROM chat.listening UNION ALL SELECT 1 FROM chat.job WHERE kind = 'event'")).length === 0);
  await ask('Who wrote Faust?');
  assert.deepEqual(await stack.sql("SELECT 1 FROM chat.job WHERE kind = 'event'"), []);
});

test('a receiver that fails, redirects, hangs up: again under the same id, until it takes it', async () => {
  for (const [path, bad] of [['/500', 500], ['/redirects', (r) => r.writeHead(302, { Location: `${base}/elsewhere` }).end()], ['/cuts', (r) => r.socket.destroy()]]) {
    answers.set(path, bad);
    const made = await hook(path, { events: ['answer.rated'] });
    const { session, message } = await ask();
    await stack.ok('PUT', `/api/chat/sessions/${session.id}/messages/${message.id}/feedback`, { token, json: { value: 'up' } });
    const [waiting] = await until(`${path} was tried`, async () => {
      const all = await deliveries(made);
      return all[0]?.attempts ? all : null;
    });
    assert.equal(waiting.status, 'waiting');
    assert.ok(waiting.error && waiting.nextAttemptAt, JSON.stringify(waiting));
    answers.delete(path);
    await hurry(made);
    await until('taken', async () => (await deliveries(made))[0].status === 'delivered');
    const ids = at(path).map((g) => verified(g, made.signing_secret).id);
    assert.ok(ids.length >= 2 && new Set(ids).size === 1, String(ids));
    assert.equal(at(path)[0].body, at(path)[1].body);
    await remove(made);
  }
  assert.equal(at('/elsewhere').length, 0, 'redirects are not followed');
});

test('a receiver that asks to wait, for seconds or until a date, is waited for', async () => {
  const inAnHour = () => new Date(Date.now() + 3600_000).toUTCString();
  for (const [path, after] of [['/429', () => '3600'], ['/503-date', inAnHour], ['/429-nonsense', () => 'soon']]) {
    answers.set(path, (r) => r.writeHead(path === '/503-date' ? 503 : 429, { 'Retry-After': after() }).end());
    const made = await hook(path, { events: ['document.ready'] });
    await stack.upload(token, `${path.slice(1)}.txt`, ARTICLE);
    const [waiting] = await until(`${path} was tried`, async () => {
      const all = await deliveries(made);
      return all[0]?.attempts ? all : null;
    });
    assert.equal(waiting.status, 'waiting');
    const minutes = (Date.parse(waiting.nextAttemptAt) - Date.now()) / 60_000;
    assert.ok(path === '/429-nonsense' ? minutes < 5 : minutes > 50 && minutes <= 61, `${path}: ${minutes} min`);
    await remove(made);
  }
});

test('two owners whose receivers hang keep nobody else\'s from hearing', async () => {
  const held = [];
  let over = 0;
  for (const path of ['/hangs-1', '/hangs-2'])
    answers.set(path, (response) => { held.push(response); response.on('close', () => { over += 1; }); });
  const hooks = [];
  for (const path of ['/hangs-1', '/hangs-2', '/hears']) {
    const owner = await stack.register();
    hooks.push({ path, owner, ...await stack.ok('POST', '/api/integrations/webhook', { token: owner.token, status: 201, json: { name: 'x', config: { url: base + path } } }) });
  }
  // As if so much had happened to each.
  const happen = (n, count) => stack.sql(`WITH made AS (INSERT INTO integrations.delivery (owner_id, integration_id, id, event, body)
    SELECT '${hooks[n].owner.uid}', '${hooks[n].id}', gen_random_uuid(), 'document.ready', '{}' FROM generate_series(1, ${count}) RETURNING *),
    added AS (INSERT INTO integrations.job (kind, owner_id, key, payload) SELECT 'webhook', owner_id, integration_id || '/' || id,
    jsonb_build_object('integration', integration_id, 'delivery', id) FROM made RETURNING kind) SELECT pg_notify('parley_job', kind) FROM added`);
  const begun = Date.now();
  await happen(0, 30);
  await until('the first hangs', () => at('/hangs-1').length >= 2);
  await happen(1, 30);
  await until('the second hangs', () => at('/hangs-2').length >= 1);
  await happen(2, 5);
  await until('the third hears', () => at('/hears').length === 5);
  // and what else is done for the first goes on
  hooks.push({ owner: hooks[0].owner, ...await stack.ok('POST', '/api/integrations/webhook', { token: hooks[0].owner.token, status: 201, json: { name: 'y', config: { url: `${base}/hears` } } }) });
  await until('the services know', async () => (await stack.sql(`SELECT 1 FROM integrations.job WHERE kind = 'listening' AND owner_id = '${hooks[0].owner.uid}'`)).length === 0);
  if (Date.now() - begun < 12_000) assert.equal(over, 0, 'before any of the others was given up, which is after 15 s');
  for (const path of ['/hangs-1', '/hangs-2']) answers.delete(path);
  for (const { id, owner } of hooks) await stack.ok('DELETE', `/api/integrations/${id}`, { token: owner.token, status: 204 });
  for (const response of held) response.writeHead(204).end();
});

test('410 switches it off at once, a day of nothing as well; repeated by hand when it is on again', async () => {
  answers.set('/gone', 410);
  const gone = await hook('/gone', { events: ['document.ready'] });
  await stack.upload(token, 'a.txt', ARTICLE);
  const off = await until('it is off', async () => {
    const now = await stack.ok('GET', `/api/integrations/${gone.id}`, { token });
    return now.status === 'error' ? now : null;
  });
  assert.match(off.statusDetail, /gone for good \(410\)/);
  await until('nothing is written for it any more', async () => (await stack.sql('SELECT 1 FROM documents.listening')).length === 0);
  const [given] = await deliveries(gone);
  assert.deepEqual([given.status, given.attempts], ['given_up', 1]);
  const where = `/api/integrations/${gone.id}/deliveries/${given.id}/repeat`;
  assert.equal((await stack.api('POST', where, { token })).status, 409);
  answers.delete('/gone');
  assert.equal((await stack.ok('PUT', `/api/integrations/${gone.id}`, { token, json: { status: 'active' } })).status, 'active');
  const repeated = await stack.api('POST', where, { token });
  assert.equal(repeated.status, 200);
  assert.match(repeated.body.status, /^(waiting|delivered)$/); // it may have gone by now
  await until('it is taken', async () => (await deliveries(gone))[0].status === 'delivered');
  assert.deepEqual(new Set(at('/gone').map((g) => g.headers['webhook-id'])), new Set([given.id]));
  await remove(gone);

  answers.set('/never', 503);
  const never = await hook('/never', { events: ['document.ready'] });
  await stack.upload(token, 'b.txt', ARTICLE);
  const end = await until('a day later', async () => { // each pause cut short
    await hurry(never);
    const now = await stack.ok('GET', `/api/integrations/${never.id}`, { token });
    return now.status === 'error' ? now : null;
  });
  assert.match(end.statusDetail, /nothing for a day: the receiver answered 503/);
  assert.equal((await deliveries(never))[0].attempts, 10);
  await remove(never);
});

test('killed between taking and sending, and while sending: at least once, under the same id', async () => {
  let hold;
  answers.set('/slow', (response) => { hold = response; });
  const made = await hook('/slow', { events: ['document.ready'] });
  await stack.upload(token, 'c.txt', ARTICLE);
  await until('it is being sent', () => at('/slow').length > 0);
  const [[by]] = await stack.sql("SELECT lease_by FROM integrations.job WHERE kind = 'webhook' AND lease_until IS NOT NULL");
  assert.ok(by);
  for (const replica of [1, 2]) await stack.process('integrations', replica).kill('SIGKILL');
  answers.delete('/slow');
  hold.destroy();
  await stack.sql("UPDATE integrations.job SET lease_until = now() WHERE lease_until IS NOT NULL");
  for (const replica of [1, 2]) await stack.process('integrations', replica).start();
  await until('it arrived', async () => (await deliveries(made))[0].status === 'delivered');
  const ids = at('/slow').map((g) => verified(g, made.signing_secret).id);
  assert.ok(ids.length >= 2 && new Set(ids).size === 1, String(ids));
  await remove(made);
});

test('what happens while svc-integrations is away is told later', async () => {
  const made = await hook('/later', { events: ['document.ready'] });
  for (const replica of [1, 2]) await stack.process('integrations', replica).kill('SIGKILL');
  await stack.upload(token, 'd.txt', ARTICLE);
  for (const replica of [1, 2]) await stack.process('integrations', replica).start();
  await until('it arrived', () => at('/later').length === 1);
  await remove(made);
});

const bad = [
  ['no address', {}, 'config.url'],
  ['a private address', { url: 'http://10.1.2.3/x' }, 'config.url', /private networks/],
  ['the address of clouds\' secrets', { url: 'http://169.254.169.254/latest' }, 'config.url', /private networks/],
  ['a name of this machine', { url: 'http://[::1]:80/' }, 'config.url', /private networks/],
  ['another scheme', { url: 'file:///etc/passwd' }, 'config.url'],
  ['a password in it', { url: 'https://a:b@example.com/' }, 'config.url'],
  ['an event that there is not', { url: 'http://127.0.0.1:1/', events: ['x'] }, 'config.events.0'],
  ['a secret that is none', { url: 'http://127.0.0.1:1/', signing_secret: 'whsec_short' }, 'config.signing_secret'],
];
for (const [name, config, field, words] of bad) {
  test(`refused: ${name}`, async () => {
    const answer = await make(config);
    assert.equal(answer.status, 422, answer.text);
    assert.equal(answer.body.errors[0].loc.slice(1).join('.'), field);
    if (words) assert.match(answer.body.detail, words);
  });
}

test('a secret of one\'s own is kept, masked, and replaced by a PUT', async () => {
  const secret = `whsec_${randomBytes(24).toString('base64')}`;
  const made = await hook('/own', { events: ['document.ready'], signing_secret: secret });
  assert.equal(made.signing_secret, undefined);
  const same = await stack.ok('PUT', `/api/integrations/${made.id}`, { token, json: { config: made.config } });
  assert.equal(same.config.signing_secret, made.config.signing_secret);
  await stack.upload(token, 'e.txt', ARTICLE);
  await until('it came', () => at('/own').length === 1);
  verified(at('/own')[0], secret);
  const change = (signing_secret) => stack.ok('PUT', `/api/integrations/${made.id}`, { token, json: { config: { signing_secret } } });
  const again = async (n) => {
    const [delivery] = await deliveries(made);
    await stack.ok('POST', `/api/integrations/${made.id}/deliveries/${delivery.id}/repeat`, { token });
    await until('it came again', () => at('/own').length === n);
    return at('/own')[n - 1];
  };
  const next = `whsec_${randomBytes(32).toString('base64')}`;
  await change(next);
  const both = await again(2);
  verified(both, next);
  verified(both, secret); // for a day, so that the receiver may change meanwhile
  const third = `whsec_${randomBytes(32).toString('base64')}`;
  await change(third);
  const later = await again(3);
  verified(later, third);
  verified(later, next);
  assert.throws(() => verified(later, secret), /No matching signature/i);
  const [[row]] = await stack.sql(`SELECT i::text FROM integrations.integration i WHERE id = '${made.id}'`);
  assert.ok(!row.includes(next) && !row.includes(secret), 'sealed at rest');
  await remove(made);
});

test('deliveries of more than 30 days go by themselves, whether anything happens or not', async () => {
  const made = await hook('/old', { events: ['document.ready'] });
  await stack.upload(token, 'f.txt', ARTICLE);
  await until('it came', async () => (await deliveries(made))[0]?.status === 'delivered');
  await stack.sql(`UPDATE integrations.delivery SET created_at = now() - interval '31 days' WHERE integration_id = '${made.id}'`);
  await stack.sql("WITH moved AS (UPDATE integrations.job SET run_at = now() WHERE kind = 'sweep' AND lease_until IS NULL RETURNING kind) SELECT pg_notify('parley_job', kind) FROM moved");
  await until('it is gone', async () => (await deliveries(made)).length === 0);
  await until('the next time is set', async () => (await stack.sql("SELECT 1 FROM integrations.job WHERE kind = 'sweep' AND run_at > now() + interval '30 minutes'")).length === 1);
  await remove(made);
});

test('an account that is deleted listens to nothing any more', async () => {
  const gone = await stack.register();
  await stack.ok('POST', '/api/integrations/webhook', { token: gone.token, status: 201, json: { name: 'x', config: { url: `${base}/x` } } });
  const rows = async () => (await stack.sql(`SELECT 1 FROM chat.listening WHERE owner_id = '${gone.uid}' UNION ALL SELECT 1 FROM documents.listening WHERE owner_id = '${gone.uid}'`)).length;
  await until('both services know', async () => (await rows()) === 2);
  await stack.ok('DELETE', '/api/auth/me', { token: gone.token, json: { password: gone.password } });
  assert.equal(await rows(), 0);
});

test('a webhook of another is not there', async () => {
  const made = await hook('/mine', { events: ['document.ready'] });
  const other = (await stack.register()).token;
  assert.equal((await stack.api('GET', `/api/integrations/${made.id}/deliveries`, { token: other })).status, 404);
  assert.equal((await stack.api('POST', `/api/integrations/${made.id}/deliveries/${made.id}/repeat`, { token: other })).status, 404);
  assert.equal((await stack.api('POST', `/api/integrations/${made.id}/deliveries/${made.id}/repeat`, { token })).status, 404);
});
