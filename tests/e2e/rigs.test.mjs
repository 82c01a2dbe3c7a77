// The scripted model is only worth something when OpenAI's own client takes it for real; the fake Slack, when Slack's own does, and when it
// refuses what Slack would.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { WebClient } from '@slack/web-api';
import OpenAI from 'openai';
import { startRig } from './harness.mjs';

let rig, client;
before(async () => {
  rig = await startRig('fakellm.mjs');
  client = new OpenAI({ apiKey: 'sk-test', baseURL: `${rig.url}/v1`, maxRetries: 0 });
});
after(() => rig.stop());

const ask = (content, more = {}) => client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content }], ...more });

test('a whole answer with usage', async () => {
  const got = await ask('hello');
  assert.equal(got.choices[0].message.content, 'You said: hello');
  assert.equal(got.usage.total_tokens, 12);
});

test('a streamed answer, citing a source and inventing one', async () => {
  let text = '';
  for await (const chunk of await ask('please cite', { stream: true })) text += chunk.choices[0].delta.content ?? '';
  assert.match(text, /\[1\].*\[9\]/);
});

test('a tool call in pieces', async () => {
  const tools = [{ type: 'function', function: { name: 'add', parameters: { type: 'object', properties: {} } } }];
  const stream = client.chat.completions.stream({ model: 'm', tools, messages: [{ role: 'user', content: 'add 2 3' }] });
  const done = await stream.finalChatCompletion();
  assert.equal(done.choices[0].message.tool_calls[0].function.arguments, '{"a":2,"b":3}');
});

test('embeddings of texts that share words are near', async () => {
  const { data } = await client.embeddings.create({ model: 'm', input: ['the cat sat', 'a cat sat', 'stock prices fell'] });
  const near = (a, b) => a.embedding.reduce((sum, x, i) => sum + x * b.embedding[i], 0);
  assert.ok(near(data[0], data[1]) > near(data[0], data[2]));
});

for (const [name, script, want] of [['a wrong key', null, 401], ['overload', 'overload', 503]])
  test(`${name} is ${want}`, async () => {
    const other = script ? client : new OpenAI({ apiKey: 'sk-wrong', baseURL: `${rig.url}/v1`, maxRetries: 0 });
    await assert.rejects(other.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: script ?? 'x' }] }),
      (error) => error.status === want);
  });

describe('the fake Slack', () => {
  let slack, web;
  before(async () => {
    slack = await startRig('fakeslack.mjs');
    web = new WebClient('xoxb-good-TR', { slackApiUrl: `${slack.url}/api/`, retryConfig: { retries: 0 } });
    web.logger?.setLevel?.('error');
  });
  after(() => slack?.stop());
  const call = (api, args, token = 'xoxb-good-TR') => fetch(`${slack.url}/api/${api}`, { method: 'POST', headers: token ? { Authorization: `Bearer ${token}` } : {}, body: new URLSearchParams(args) }).then((r) => r.json());
  const many = (n, block) => JSON.stringify(Array.from({ length: n }, () => block));

  test('Slack\'s own client takes it: who we are, a message, its thread, a stream, the home tab, a permalink', async () => {
    assert.equal((await web.auth.test()).user_id, 'U0BOT');
    const { ts } = await web.chat.postMessage({ channel: 'C1', text: 'hello' });
    const stream = await web.chat.startStream({ channel: 'C1', thread_ts: ts, markdown_text: 'one', recipient_team_id: 'TR', recipient_user_id: 'U1' });
    await web.chat.appendStream({ channel: 'C1', ts: stream.ts, markdown_text: ' two' });
    await web.chat.stopStream({ channel: 'C1', ts: stream.ts });
    const { messages } = await web.conversations.replies({ channel: 'C1', ts });
    assert.deepEqual(messages.map((m) => m.text), ['hello', 'one two']);
    assert.equal((await web.views.publish({ user_id: 'U1', view: { type: 'home', blocks: [{ type: 'section', text: { type: 'mrkdwn', text: 'x' } }] } })).ok, true);
    assert.match((await web.chat.getPermalink({ channel: 'C1', message_ts: ts })).permalink, /^https:/);
    assert.equal((await web.oauth.v2.access({ client_id: 'client', client_secret: 'secret', code: 'good-TX', redirect_uri: 'https://x/api/integrations/slack/oauth' })).team.id, 'TX');
  });

  const refused = [
    ['a method that there is not', 'chat.shout', { channel: 'C1', text: 'x' }, 'unknown_method'],
    ['no token', 'auth.test', {}, 'not_authed', ''],
    ['a token that is none', 'auth.test', {}, 'invalid_auth', 'xoxb-bad'],
    ['a message without its channel', 'chat.postMessage', { text: 'x' }, 'invalid_arguments'],
    ['a message without words', 'chat.postMessage', { channel: 'C1' }, 'invalid_arguments'],
    ['an argument that there is not', 'chat.postMessage', { channel: 'C1', text: 'x', thread: '1' }, 'invalid_arguments'],
    ['an update of nothing', 'chat.update', { channel: 'C1', text: 'x' }, 'invalid_arguments'],
    ['a stream in no thread', 'chat.startStream', { channel: 'C1' }, 'invalid_arguments'],
    ['a stream that has ended', 'chat.appendStream', { channel: 'C1', ts: '1.1', markdown_text: 'x' }, 'message_not_in_streaming_state'],
    ['a home tab of nobody', 'views.publish', { view: '{}' }, 'invalid_arguments'],
    ['a home tab that is none', 'views.publish', { user_id: 'U1', view: '{"type":"modal","blocks":[]}' }, 'invalid_arguments'],
    ['51 blocks', 'chat.postMessage', { channel: 'C1', text: 'x', blocks: many(51, { type: 'markdown', text: 'x' }) }, 'invalid_blocks'],
    ['12,001 characters of markdown', 'chat.postMessage', { channel: 'C1', text: 'x', blocks: many(1, { type: 'markdown', text: 'x'.repeat(12001) }) }, 'msg_blocks_too_long'],
    ['11 elements of a context', 'chat.postMessage', { channel: 'C1', text: 'x', blocks: many(1, { type: 'context', elements: Array(11).fill({ type: 'mrkdwn', text: 'x' }) }) }, 'invalid_blocks'],
    ['a header of 151 characters', 'views.publish', { user_id: 'U1', view: JSON.stringify({ type: 'home', blocks: [{ type: 'header', text: { type: 'plain_text', text: 'x'.repeat(151) } }] }) }, 'invalid_blocks'],
    ['blocks that are no JSON', 'chat.postMessage', { channel: 'C1', text: 'x', blocks: '[' }, 'invalid_blocks_format'],
    ['40,001 characters of text', 'chat.postMessage', { channel: 'C1', text: 'x'.repeat(40001) }, 'msg_too_long'],
    ['a code of another client', 'oauth.v2.access', { client_id: 'x', client_secret: 'y', code: 'good-T' }, 'invalid_client_id'],
    ['a token that was renewed before', 'oauth.v2.access', { client_id: 'client', client_secret: 'secret', grant_type: 'refresh_token', refresh_token: 'xoxe-1-T-9' }, 'invalid_refresh_token'],
  ];
  for (const [name, api, args, error, token] of refused) {
    test(`refused: ${name}`, async () => assert.equal((await call(api, args, token)).error, error));
  }
});
