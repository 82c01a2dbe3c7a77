// Answers in Slack while they are written: streamed where the app may, else written over, with a button that stops them;
// and one message of it, whoever dies meanwhile.
import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { request, startRig, startStack, unique, until } from './harness.mjs';

let stack, slack, model, token, bot;
before(async () => {
  [slack, model] = await Promise.all([startRig('fakeslack.mjs'), startRig('fakellm.mjs')]);
  stack = await startStack({ env: { SLACK_API_URL: `${slack.url}/api`, EGRESS_ALLOW: '127.0.0.1/32',
    CHAT_PROVIDER: 'openai', CHAT_BASE_URL: `${model.url}/v1`, CHAT_API_KEY: 'sk-test', CHAT_MODEL: 'scripted' } });
  token = (await stack.register()).token;
  bot = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Counter' } });
  for (const team of ['TS', 'TNO'])
    await stack.ok('POST', '/api/integrations/slack', { token, status: 201,
      json: { name: team, chatbotId: bot.id, config: { bot_token: `xoxb-good-${team}`, signing_secret: `secret-of-${team}` } } });
});
after(async () => {
  await stack?.stop();
  await slack?.stop();
  await model?.stop();
});

const rig = async (method, where, json) => (await request(slack.url + where, { method, body: json && JSON.stringify(json) })).body;
const ours = async (channel) => (await rig('GET', `/messages?channel=${channel}`)).filter((m) => m.bot_id);
function post(team, where, body, type = 'application/json') {
  const ts = String(Math.floor(Date.now() / 1000));
  const signature = `v0=${createHmac('sha256', `secret-of-${team}`).update(`v0:${ts}:${body}`).digest('hex')}`;
  return stack.api('POST', `/api/integrations/slack/${where}`, { body, headers: { 'Content-Type': type, 'X-Slack-Request-Timestamp': ts, 'X-Slack-Signature': signature } });
}
async function mention(team, text) {
  const channel = `C${unique('').replace(/\W/g, '').toUpperCase()}`;
  const { ts } = await rig('POST', '/say', { channel, user: 'U1', text: `<@U0BOT> ${text}` });
  const body = JSON.stringify({ team_id: team, api_app_id: `A${team}`, type: 'event_callback', event_id: `Ev${randomUUID()}`,
    event: { type: 'app_mention', user: 'U1', text: `<@U0BOT> ${text}`, ts, event_ts: ts, channel } });
  assert.equal((await post(team, 'events', body)).status, 200);
  return channel;
}
const last = (n) => new RegExp(`w${n - 1} w${n}$`);
const done = (channel, pattern) => until(`the whole answer in ${channel}`, async () => {
  const [answer] = await ours(channel);
  return answer && !answer.streaming && pattern.test(answer.text) && !answer.blocks?.some((b) => b.type === 'actions') ? answer : null;
});

test('it streams into one message of its thread, and ends with thumbs', async () => {
  const channel = await mention('TS', 'count 60 60');
  await until('it has begun', async () => (await ours(channel))[0]?.streaming);
  const answer = await done(channel, last(60));
  assert.ok(answer.pieces >= 3, `${answer.pieces} pieces`);
  assert.deepEqual(answer.blocks.map((b) => b.type), ['markdown', 'context_actions']);
  assert.equal(answer.text, Array.from({ length: 60 }, (_, i) => `w${i + 1}`).join(' '));
  assert.equal((await ours(channel)).length, 1);
  const calls = (await rig('GET', '/calls')).filter((c) => (c.args.channel_id ?? c.args.channel) === channel).map((c) => c.api);
  assert.ok(calls.includes('assistant.threads.setStatus') && !calls.includes('reactions.add'), String(calls));
});

test('it streams in a thread where it takes part, without a mention, and in a direct message', async () => {
  const channel = await mention('TS', 'count 20 60');
  const first = await done(channel, last(20));
  const say = async (where, text, more) => {
    const { ts } = await rig('POST', '/say', { channel: where, user: 'U1', text, ...more });
    const body = JSON.stringify({ team_id: 'TS', api_app_id: 'ATS', type: 'event_callback', event_id: `Ev${randomUUID()}`,
      event: { type: 'message', channel_type: where.startsWith('D') ? 'im' : 'channel', user: 'U1', text, ts, event_ts: ts, channel: where, ...more } });
    assert.equal((await post('TS', 'events', body)).status, 200);
    return ts;
  };
  const direct = `D${unique('').replace(/\W/g, '').toUpperCase()}`;
  await say(channel, 'count 25 60', { thread_ts: first.thread_ts });
  const ts = await say(direct, 'count 30 60');
  for (const [where, n, place, thread] of [[channel, 25, 1, first.thread_ts], [direct, 30, 0, ts]]) {
    const answer = await until(`the answer in ${where}`, async () => {
      const m = (await ours(where))[place];
      return m && !m.streaming && last(n).test(m.text) && m;
    });
    assert.ok(answer.pieces >= 2, `${answer.pieces} pieces`);
    assert.equal(answer.thread_ts, thread);
  }
});

test('a piece of which nobody knows whether it was added: the answer is whole at its end', async () => {
  await rig('POST', '/next', { api: 'chat.appendStream', silent: true });
  const channel = await mention('TS', 'count 40 60');
  const answer = await done(channel, last(40));
  assert.equal(answer.text, Array.from({ length: 40 }, (_, i) => `w${i + 1}`).join(' '));
  assert.ok(answer.edits >= 1, 'written over');
  assert.equal((await ours(channel)).length, 1);
});

test('an answer longer than Slack takes comes in several messages of the thread, whole and in order', async () => {
  const channel = await mention('TS', 'count 4000 0');
  const parts = await until('its end', async () => {
    const all = await ours(channel);
    return /w4000$/.test(all.at(-1)?.text ?? '') || /w4000$/.test(all.at(-1)?.blocks?.[0]?.text ?? '') ? all : null;
  });
  assert.ok(parts.length >= 2, `${parts.length} messages`);
  const words = parts.map((m) => m.blocks.filter((b) => b.type === 'markdown').map((b) => b.text).join('')).join(' ').split(/\s+/).filter(Boolean);
  assert.deepEqual([words.length, words[0], words.at(-1)], [4000, 'w1', 'w4000']);
  assert.equal(new Set(parts.map((m) => m.thread_ts)).size, 1);
  assert.deepEqual(parts.map((m) => m.blocks.some((b) => b.type === 'context_actions')), parts.map((_, i) => i === parts.length - 1), 'thumbs below the last');
});

test('a long answer to a command comes in parts as well', async () => {
  const form = new URLSearchParams({ team_id: 'TS', api_app_id: 'ATS', command: '/ask', text: 'count 3000 0', channel_id: 'C9', user_id: 'U1', response_url: `${slack.url}/respond` }).toString();
  assert.equal((await post('TS', 'commands', form, 'application/x-www-form-urlencoded')).status, 200);
  const parts = await until('its end', async () => {
    const all = await rig('GET', '/responses');
    return all.at(-1)?.blocks?.some((b) => b.type === 'context_actions') && all;
  });
  assert.deepEqual(parts.map((p) => [p.response_type, p.replace_original]), parts.map((_, i) => ['ephemeral', i === 0]));
  const words = parts.map((p) => p.blocks[0].text).join(' ').split(/\s+/).filter(Boolean);
  assert.deepEqual([words.length, words[0], words.at(-1)], [3000, 'w1', 'w3000']);
});

// All that came for one command, to its end: Slack takes five messages.
async function command(text) {
  const of = unique('r');
  const form = new URLSearchParams({ team_id: 'TS', api_app_id: 'ATS', command: '/ask', text, channel_id: 'C9', user_id: 'U1', response_url: `${slack.url}/respond?of=${of}` }).toString();
  assert.equal((await post('TS', 'commands', form, 'application/x-www-form-urlencoded')).status, 200);
  return until('its end', async () => {
    const all = (await rig('GET', '/responses')).filter((r) => r.of === of);
    return all.at(-1)?.blocks?.some((b) => b.type === 'context_actions') && all;
  });
}
const wordsOf = (parts) => parts.flatMap((p) => p.blocks.filter((b) => b.type === 'markdown').map((b) => b.text)).join(' ').split(/\s+/).filter(Boolean);

test('a command whose answer is cut off between two parts: none of them comes twice', async () => {
  await rig('POST', '/next', { api: 'respond', status: 503, after: 2 }); // the third
  const parts = await command('count 6000 0');
  assert.ok(parts.length >= 3, `${parts.length} parts`);
  assert.deepEqual(parts.map((p) => p.replace_original), parts.map((_, i) => i === 0));
  assert.deepEqual([wordsOf(parts).length, new Set(wordsOf(parts)).size], [6000, 6000]);
});

test('an answer that is longer than five messages says that a part is left out, and has its end', async () => {
  const parts = await command('count 9000 0');
  assert.equal(parts.length, 5);
  const words = wordsOf(parts);
  assert.deepEqual([words[0], words.at(-1)], ['w1', 'w9000']);
  assert.match(JSON.stringify(parts[4].blocks[0]), /is left out here/);
  assert.ok(parts.slice(0, 4).every((p) => !/is left out/.test(JSON.stringify(p.blocks))));
});

test('what a model writes pings nobody and hides no address', async () => {
  const channel = await mention('TNO', 'say <!channel> <@U1> [my bank](https://evil.example/login) & <https://evil.example|here>');
  const [answer] = await until('the answer', async () => {
    const all = await ours(channel);
    return all[0] && !all[0].blocks?.some((b) => b.type === 'actions') ? all : null;
  });
  for (const text of [answer.text, ...answer.blocks.filter((b) => b.type === 'markdown').map((b) => b.text)]) {
    assert.doesNotMatch(text, /<[!@#h]|\]\(/, text);
    assert.match(text, /my bank \(https:\/\/evil\.example\/login\)/);
  }
});

test('where the app may not: written over, and "Stop" ends it', async () => {
  const channel = await mention('TNO', 'count 400 60');
  const begun = await until('the button', async () => (await ours(channel))[0]?.blocks?.find((b) => b.type === 'actions'));
  await until('it was written over', async () => (await ours(channel))[0].edits >= 1);
  const form = new URLSearchParams({ payload: JSON.stringify({ type: 'block_actions', team: { id: 'TNO' }, api_app_id: 'ATNO', user: { id: 'U1' },
    actions: [{ type: 'button', action_id: begun.elements[0].action_id, value: begun.elements[0].value }] }) }).toString();
  assert.equal((await post('TNO', 'interactivity', form, 'application/x-www-form-urlencoded')).status, 200);
  const answer = await done(channel, /w\d+/);
  assert.doesNotMatch(answer.text, /w400/);
  const [, session, message] = begun.elements[0].value.split(' ');
  const { messages } = await stack.ok('GET', `/api/chatbots/${bot.id}/conversations/${session}`, { token });
  assert.equal(messages.find((m) => m.id === message).status, 'stopped');
});

test('a model that fails for good: a short word instead of silence, in the thread and to a command', async () => {
  const channel = await mention('TS', 'overload, please');
  const form = new URLSearchParams({ team_id: 'TS', api_app_id: 'ATS', command: '/ask', text: 'overload again', channel_id: 'C9', user_id: 'U1', response_url: `${slack.url}/respond?of=sorry` }).toString();
  assert.equal((await post('TS', 'commands', form, 'application/x-www-form-urlencoded')).status, 200);
  // The pauses of two minutes are cut short: the next attempt is the last.
  await until('both have failed once', async () => (await stack.sql("SELECT 1 FROM integrations.job WHERE kind = 'slack_answer' AND attempt > 0 AND lease_until IS NULL")).length === 2, 60);
  await stack.sql("WITH moved AS (UPDATE integrations.job SET attempt = 7, run_at = now() WHERE kind = 'slack_answer' RETURNING kind) SELECT pg_notify('parley_job', kind) FROM moved");
  const [said] = await until('the word', async () => (await ours(channel)).length && ours(channel), 60);
  assert.match(said.text, /could not answer that just now/);
  const [told] = await until('the word to the command', async () => (await rig('GET', '/responses')).filter((r) => r.of === 'sorry').slice(0, 1).map((r) => [r])[0], 60);
  assert.deepEqual([told.replace_original, /could not answer that just now/.test(told.text)], [true, true]);
  await stack.sql("DELETE FROM integrations.job WHERE failed IS NOT NULL");
});

test('killed in the middle of a stream: the same message is gone on with, and it is the only one', async () => {
  const channel = await mention('TS', 'count 120 50');
  const begun = await until('it has begun', async () => (await ours(channel))[0]?.streaming && (await ours(channel))[0]);
  const victim = stack.process('integrations');
  await victim.kill('SIGKILL');
  await stack.sql('UPDATE integrations.job SET lease_until = now() WHERE lease_until IS NOT NULL');
  await victim.start();
  const answer = await done(channel, last(120));
  assert.equal(answer.ts, begun.ts);
  await until('no job is left', async () => (await stack.sql("SELECT 1 FROM integrations.job WHERE failed IS NULL AND kind <> 'sweep'")).length === 0);
  assert.equal((await ours(channel)).length, 1);
  const asked = (await stack.sql("SELECT 1 FROM chat.message WHERE role = 'user' AND content = 'count 120 50'")).length;
  assert.equal(asked, 1, 'asked once');
});
