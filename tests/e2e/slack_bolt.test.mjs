// The same requests to a Bolt app and to ours: where Slack's own library says yes, no or what, so do we; where it is weak
// (a time in the future), we are not.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import { request, startRig, startStack } from './harness.mjs';

const SECRET = 'the-secret-of-both';
let stack, slack, bolt;
before(async () => {
  slack = await startRig('fakeslack.mjs');
  bolt = await startRig('boltapp.cjs', { args: [slack.url, SECRET] });
  stack = await startStack({ env: { SLACK_API_URL: `${slack.url}/api`, EGRESS_ALLOW: '127.0.0.1/32' } });
  const { token } = await stack.register();
  await stack.ok('POST', '/api/integrations/slack', { token, status: 201,
    json: { name: 'B', config: { bot_token: 'xoxb-good-TB', signing_secret: SECRET } } });
});
after(async () => {
  await stack?.stop();
  await bolt?.stop();
  await slack?.stop();
});

const now = () => Math.floor(Date.now() / 1000);
const event = (inner) => JSON.stringify({ token: 'x', team_id: 'TB', api_app_id: 'AB', type: 'event_callback', event_id: `Ev${Math.random()}`,
  event_time: now(), authorizations: [{ team_id: 'TB', user_id: 'U0BOT', is_bot: true }], event: { ts: '1727000000.000100', channel: 'C1', user: 'U1', ...inner } });
const challenge = JSON.stringify({ token: 'x', challenge: 'abc', type: 'url_verification' });
const mention = () => event({ type: 'app_mention', text: '<@U0BOT>' });

async function both(body, { secret = SECRET, ts = now(), headers } = {}) {
  const signature = `v0=${createHmac('sha256', secret).update(`v0:${ts}:${body}`).digest('hex')}`;
  const all = headers ?? { 'Content-Type': 'application/json', 'X-Slack-Request-Timestamp': String(ts), 'X-Slack-Signature': signature };
  const sent = (url) => request(url, { method: 'POST', body, headers: all });
  return Promise.all([sent(`${bolt.url}/slack/events`), sent(`${stack.url()}/api/integrations/slack/events`)]);
}

const alike = [
  ['the check of the address', () => both(challenge)],
  ['a mention', () => both(mention())],
  ['a message', () => both(event({ type: 'message', channel_type: 'channel', text: 'hello' }))],
  ['a message of another bot', () => both(event({ type: 'message', subtype: 'bot_message', bot_id: 'B9', text: 'hello' }))],
  ['an event nobody knows', () => both(event({ type: 'reaction_added' }))],
  ['a repeated event', () => both(mention())],
  ['another secret', () => both(mention(), { secret: 'another' })],
  ['no signature', () => both(mention(), { headers: { 'Content-Type': 'application/json' } })],
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
