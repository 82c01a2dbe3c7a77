// svc-chat is away for a minute, while people ask in Slack: each question is acknowledged at once, and each is answered, once, when it is
// back. (tests/e2e/slack.test.mjs has a short one.)
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { request, sleep, startRig, startStack, unique, until } from '../e2e/harness.mjs';
import { signedHeaders } from '../rigs/slacksend.mjs';

const AWAY = 60, ASKED = 30; // seconds; questions in that time
let stack, slack;
before(async () => {
  slack = await startRig('fakeslack.mjs');
  stack = await startStack({ replicas: { integrations: 2 }, env: { SLACK_API_URL: `${slack.url}/api`, EGRESS_ALLOW: '127.0.0.1/32' } });
  const { token } = await stack.register();
  const document = await stack.upload(token, 'manual.txt', 'The kettle has a warranty of two years. It begins on the day of purchase.\n');
  const bot = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Kettles', documents: [document.id] } });
  await stack.ok('POST', '/api/integrations/slack', { token, status: 201, json: { name: 'S', chatbotId: bot.id, config: { bot_token: 'xoxb-good-TM', signing_secret: 'secret' } } });
});
after(async () => {
  await stack?.stop();
  await slack?.stop();
});

const rig = async (method, where, json) => (await request(slack.url + where, { method, body: json && JSON.stringify(json) })).body;
const answers = async (channel) => (await rig('GET', `/messages?channel=${channel}`)).filter((m) => m.bot_id && !m.streaming);
async function ask(channel) {
  const text = '<@U0BOT> How long is the warranty?';
  const { ts } = await rig('POST', '/say', { channel, user: 'U1', text });
  const body = JSON.stringify({ team_id: 'TM', api_app_id: 'ATM', type: 'event_callback', event_id: `Ev${randomUUID()}`, event: { type: 'app_mention', user: 'U1', text, ts, event_ts: ts, channel } });
  const start = Date.now();
  const taken = await stack.api('POST', '/api/integrations/slack/events', { body, headers: signedHeaders('secret', body) });
  return { status: taken.status, ms: Date.now() - start };
}

test(`svc-chat is away for ${AWAY} s: nothing is lost, nothing comes twice, nobody is told "sorry"`, async () => {
  const channels = [], chat = stack.process('chat');
  await chat.kill('SIGKILL');
  const end = Date.now() + AWAY * 1000;
  let slowest = 0;
  for (let n = 0; n < ASKED; n++) {
    const channel = `C${unique('').replace(/\W/g, '').toUpperCase()}`;
    const { status, ms } = await ask(channel);
    assert.equal(status, 200);
    slowest = Math.max(slowest, ms);
    channels.push(channel);
    await sleep(AWAY * 1000 / ASKED); // the minute itself, not a wait for anything
  }
  await until('the minute is over', () => Date.now() >= end, AWAY);
  await chat.start();
  const back = Date.now();
  await until('all are answered', async () => (await Promise.all(channels.map(answers))).every((list) => list.length > 0), 180);
  console.log(`# ${ASKED} questions: the slowest acknowledgement took ${slowest} ms, the last answer came ${Math.round((Date.now() - back) / 1000)} s after svc-chat was back`);
  await until('no job is left', async () => (await stack.sql("SELECT 1 FROM integrations.job WHERE failed IS NULL AND kind LIKE 'slack%'")).length === 0);
  for (const list of await Promise.all(channels.map(answers))) {
    assert.equal(list.length, 1);
    assert.match(list[0].text, /two years/);
  }
  assert.ok(slowest < 1000, `${slowest} ms`);
});
