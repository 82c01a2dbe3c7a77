// The same requests to a Bolt app and to ours, each approved by Slack's own verifier where it is well signed: where Slack's own library says
// yes, no or what, so do we. Where it is weak (a time in the future, what comes twice, other bots), we are not.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { signedHeaders } from '../rigs/slacksend.mjs';
import { request, startRig, startStack, unique, until } from './harness.mjs';

const SECRET = 'the-secret-of-both';
let stack, slacks, bolt; // a workspace each: Bolt's, and ours
before(async () => {
  slacks = await Promise.all([startRig('fakeslack.mjs'), startRig('fakeslack.mjs')]);
  bolt = await startRig('boltapp.cjs', { args: [slacks[0].url, SECRET] });
  stack = await startStack({ env: { SLACK_API_URL: `${slacks[1].url}/api`, EGRESS_ALLOW: '127.0.0.1/32' } });
  const { token } = await stack.register();
  const document = await stack.upload(token, 'manual.txt', 'The kettle has a warranty of two years. It begins on the day of purchase.\n');
  const bot = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Kettles', documents: [document.id] } });
  await stack.ok('POST', '/api/integrations/slack', { token, status: 201,
    json: { name: 'B', chatbotId: bot.id, config: { bot_token: 'xoxb-good-TB', signing_secret: SECRET } } });
});
after(async () => {
  await stack?.stop();
  await bolt?.stop();
  await Promise.all((slacks ?? []).map((s) => s.stop()));
});

const now = () => Math.floor(Date.now() / 1000);
const place = () => `C${unique('').replace(/\W/g, '').toUpperCase()}`;
const event = (inner, outer = {}) => JSON.stringify({ token: 'x', team_id: 'TB', api_app_id: 'AB', type: 'event_callback', event_id: `Ev${randomUUID()}`,
  event_time: now(), authorizations: [{ team_id: 'TB', user_id: 'U0BOT', is_bot: true }], event: { ts: '1727000000.000100', channel: 'C1', user: 'U1', ...inner }, ...outer });
const challenge = JSON.stringify({ token: 'x', challenge: 'abc', type: 'url_verification' });
const mention = (more = {}) => event({ type: 'app_mention', text: '<@U0BOT>', ...more });

async function both(body, { secret = SECRET, method = 'POST', headers, ...options } = {}) {
  const all = headers ?? signedHeaders(secret, body, options);
  const sent = (url) => request(url, { method, body, headers: all });
  return Promise.all([sent(`${bolt.url}/slack/events`), sent(`${stack.url()}/api/integrations/slack/events`)]);
}
const oneByteOn = (body, headers) => both(body.replace('"ts"', '"Ts"'), { headers });

const alike = [
  ['the check of the address', () => both(challenge)],
  ['a mention', () => both(mention())],
  ['a message', () => both(event({ type: 'message', channel_type: 'channel', text: 'hello' }))],
  ['a message of another bot', () => both(event({ type: 'message', subtype: 'bot_message', bot_id: 'B9', text: 'hello' }))],
  ['an edit', () => both(event({ type: 'message', subtype: 'message_changed', message: { text: 'x' } }))],
  ['an event nobody knows', () => both(event({ type: 'reaction_added' }))],
  ['a repeated event', () => both(mention(), { retry: [1, 'http_timeout'] })],
  ['another secret', () => both(mention(), { secret: 'another' })],
  ['no signature', () => both(mention(), { headers: { 'Content-Type': 'application/json' } })],
  ['a body that was changed', () => { const body = mention(); return oneByteOn(body, signedHeaders(SECRET, body)); }],
  ['a signature that is none', () => both(mention(), { headers: { ...signedHeaders(SECRET, mention()), 'X-Slack-Signature': `v0=${'0'.repeat(64)}` } })],
  ['a timestamp that is none', () => both(mention(), { headers: { ...signedHeaders(SECRET, mention()), 'X-Slack-Request-Timestamp': 'soon' } })],
  ['ten minutes old', () => both(mention(), { ts: now() - 600 })],
  ['a body that is no JSON', () => both('{"a')],
];
for (const [name, play] of alike) {
  test(`${name}: the same answer`, async () => {
    const [theirs, ours] = await play();
    assert.equal(ours.status, theirs.status, `${theirs.status} ${theirs.text} | ${ours.status} ${ours.text}`);
    if (theirs.body?.challenge) assert.deepEqual(ours.body, theirs.body);
  });
}

test('a time in the future: they believe it, we do not', async () => {
  const [theirs, ours] = await both(mention(), { ts: now() + 600 });
  assert.deepEqual([theirs.status, ours.status], [200, 401]);
});

describe('what is answered', () => {
  const said = (which, channel) => request(`${slacks[which].url}/messages?channel=${channel}`).then((r) => r.body.filter((m) => m.bot_id && !m.streaming));
  const write = (channel, text) => Promise.all(slacks.map((s) => request(`${s.url}/say`, { method: 'POST', body: JSON.stringify({ channel, user: 'U1', text }) }).then((r) => r.body.ts)));
  const idle = () => until('all is done', async () => (await stack.sql("SELECT 1 FROM integrations.job WHERE failed IS NULL AND kind LIKE 'slack%'")).length === 0);

  test('a mention: both, in its thread', async () => {
    const channel = place(), text = '<@U0BOT> How long is the warranty?';
    const [ts] = await write(channel, text);
    await both(mention({ text, channel, ts }));
    for (const which of [0, 1]) {
      const [answer] = await until('an answer', async () => ((await said(which, channel)).length ? said(which, channel) : null));
      assert.equal(answer.thread_ts, ts);
    }
  });
  test('what comes twice, they answer twice, and we once', async () => {
    const channel = place(), text = '<@U0BOT> How long is the warranty?';
    const [ts] = await write(channel, text);
    const body = mention({ text, channel, ts });
    await both(body);
    await both(body, { retry: [1, 'http_timeout'] });
    await until('both are answered', async () => (await said(0, channel)).length === 2 && (await said(1, channel)).length >= 1);
    await idle();
    assert.equal((await said(1, channel)).length, 1);
  });
  test('another bot that writes to ours: they answer, we do not, so that no two talk for ever', async () => {
    const channel = place();
    await both(event({ type: 'message', subtype: 'bot_message', bot_id: 'B9', channel_type: 'im', channel, text: 'How long is the warranty?' }));
    await both(event({ type: 'message', channel_type: 'im', channel, bot_id: 'B9', user: 'UBOT9', text: 'How long is the warranty?', ts: '1727000000.000200' }));
    await until('they answer', async () => (await said(0, channel)).length > 0);
    await idle();
    assert.deepEqual(await said(1, channel), []);
  });
});
