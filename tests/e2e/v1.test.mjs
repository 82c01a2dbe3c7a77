// OpenAI's API over one's chatbots, driven by the official client: in Node, and in a page of another origin.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { chromium } from 'playwright-core';
import { request, root, slow, startRig, startStack, unique, until } from './harness.mjs';

const ARTICLE = 'The kettle has a warranty of two years. It begins on the day of purchase.\n\nWe ship to Norway within five days.\n';

let stack, rig, ada, eve, key, bot, builtin, openai;
const ask = (content, more = {}) => ({ model: bot.id, messages: [{ role: 'user', content }], ...more });
before(async () => {
  rig = await startRig('fakellm.mjs');
  stack = await startStack({
    env: { CHAT_PROVIDER: 'openai', CHAT_BASE_URL: `${rig.url}/v1`, CHAT_API_KEY: 'sk-test', CHAT_MODEL: 'scripted', EGRESS_ALLOW: '127.0.0.1/32', METRICS_TOKEN: 'figures' },
  });
  [ada, eve] = [await stack.register(), await stack.register()];
  key = (await stack.ok('POST', '/auth/api-keys', { token: ada.token, json: { name: 'v1', scopes: ['chat'] } })).key;
  const { id } = await stack.upload(ada.token, 'manual.txt', ARTICLE);
  const make = (name, settings) => stack.ok('POST', '/api/chatbots', { token: ada.token, json: { name, documents: [id], settings } });
  bot = await make('Scripted', {});
  builtin = await make('Builtin', { model: 'builtin' });
  openai = client(key);
});
after(async () => {
  await stack?.stop();
  await rig?.stop();
});
const client = (apiKey) => new OpenAI({ apiKey, baseURL: `${stack.url()}/v1`, maxRetries: 0 });
const told = async (what) => (await request(`${rig.url}/v1/${what}`, { headers: { Authorization: 'Bearer sk-test' } })).body;
const refusal = (promise) => promise.then(() => assert.fail('was not refused'), (error) => error);

test('one\'s chatbots are the models', async () => {
  const models = [];
  for await (const model of await openai.models.list()) models.push(model);
  assert.deepEqual(models.map((m) => m.name), ['Builtin', 'Scripted']);
  assert.deepEqual(models.map((m) => m.id), [builtin.id, bot.id]);
  const one = await openai.models.retrieve(bot.id);
  assert.equal(one.object, 'model');
  assert.ok(Math.abs(one.created - Date.now() / 1000) < 600);
  assert.deepEqual((await client(eve.token).models.list()).data, []);
});

test('a whole answer, with its sources beside it', async () => {
  const answer = await openai.chat.completions.create(ask('please cite the warranty'));
  assert.equal(answer.object, 'chat.completion');
  assert.match(answer.id, /^chatcmpl-/);
  assert.equal(answer.model, bot.id);
  const [choice] = answer.choices;
  assert.equal(choice.message.role, 'assistant');
  assert.match(choice.message.content, /The first source says so \[1\]/);
  assert.doesNotMatch(choice.message.content, /\[9\]/, 'an invented citation is gone');
  assert.equal(choice.message.reasoning_content, 'Let me think.');
  assert.equal(choice.finish_reason, 'stop');
  assert.ok(answer.usage.total_tokens === answer.usage.prompt_tokens + answer.usage.completion_tokens && answer.usage.total_tokens > 0);
  assert.deepEqual(answer.citations, ['manual.txt']);
  assert.match(answer.sources[0].text, /warranty of two years/);
});

test('the same in chunks', async () => {
  const stream = await openai.chat.completions.create({ ...ask('please cite the warranty'), stream: true, stream_options: { include_usage: true } });
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  assert.equal(chunks[0].choices[0].delta.role, 'assistant');
  assert.equal(new Set(chunks.map((c) => c.id)).size, 1);
  const text = chunks.map((c) => c.choices[0]?.delta.content ?? '').join('');
  assert.equal(text, (await openai.chat.completions.create(ask('please cite the warranty'))).choices[0].message.content);
  const ends = chunks.filter((c) => c.choices[0]?.finish_reason);
  assert.equal(ends.length, 1);
  assert.deepEqual(ends[0].citations, ['manual.txt']);
  assert.match(ends[0].sources[0].text, /warranty/);
  assert.deepEqual(chunks.at(-1).choices, []);
  assert.ok(chunks.at(-1).usage.total_tokens > 0);
  const plain = await openai.chat.completions.create({ ...ask('count 3'), stream: true });
  for await (const chunk of plain) assert.ok(chunk.choices.length === 1, 'no chunk of usage that was not asked for');
});

test('the stream as it is on the wire', async () => {
  const answer = await stack.api('POST', '/v1/chat/completions', { token: ada.token, json: ask('count 2', { stream: true }) });
  assert.match(answer.headers['content-type'], /^text\/event-stream/);
  const lines = answer.text.split('\n\n').filter(Boolean);
  assert.ok(lines.every((line) => /^(data: |: )/.test(line)), answer.text);
  assert.equal(lines.at(-1), 'data: [DONE]');
});

test('the client\'s helper for streams', async () => {
  const runner = openai.chat.completions.stream(ask('count 5'));
  const seen = [];
  runner.on('content', (delta) => seen.push(delta));
  const final = await runner.finalChatCompletion();
  assert.equal(final.choices[0].message.content, 'w1 w2 w3 w4 w5');
  assert.equal(seen.join(''), 'w1 w2 w3 w4 w5');
});

test('a token does as well as a key; a key for other things does not', async () => {
  assert.ok((await client(ada.token).chat.completions.create(ask('count 1'))).choices[0].message.content);
  const other = (await stack.ok('POST', '/auth/api-keys', { token: ada.token, json: { name: 'd', scopes: ['documents'] } })).key;
  assert.ok((await refusal(client(other).chat.completions.create(ask('count 1')))) instanceof OpenAI.PermissionDeniedError);
  const error = await refusal(client('pk_nothing').models.list());
  assert.ok(error instanceof OpenAI.AuthenticationError);
  assert.equal(error.code, 'invalid_api_key');
});

test('what is not there, or somebody else\'s, is no model', async () => {
  for (const [who, model] of [[key, 'gpt-4o'], [key, '01900000-0000-7000-8000-000000000000'], [eve.token, bot.id]]) {
    for (const stream of [false, true]) {
      const error = await refusal(client(who).chat.completions.create({ ...ask('hello'), model, stream }));
      assert.ok(error instanceof OpenAI.NotFoundError, String(error));
      assert.equal(error.code, 'model_not_found');
      assert.equal(error.param, 'model');
      assert.equal(error.type, 'invalid_request_error');
    }
  }
  assert.ok((await refusal(client(eve.token).models.retrieve(bot.id))) instanceof OpenAI.NotFoundError);
});

test('the conversation is what `messages` says', async () => {
  const create = (messages) => openai.chat.completions.create({ model: bot.id, messages });
  await create([
    { role: 'system', content: 'Answer in rhymes.' },
    { role: 'user', content: 'My name is Grace.' },
    { role: 'assistant', content: [{ type: 'text', text: 'Pleased to ' }, { type: 'text', text: 'meet you.' }] },
    { role: 'user', content: [{ type: 'text', text: 'count ' }, { type: 'text', text: '2' }] },
  ]).then((answer) => assert.equal(answer.choices[0].message.content, 'w1 w2', 'parts are one text'));
  assert.equal((await stack.ok('GET', '/api/chat/sessions', { token: ada.token })).length, 0, 'nothing is stored');
  const first = await openai.chat.completions.create({ model: builtin.id, messages: [
    { role: 'user', content: 'How long is the warranty of the kettle?' }, { role: 'assistant', content: 'Two years. [1]' }, { role: 'user', content: 'And when does it begin?' }] });
  assert.match(first.choices[0].message.content, /day of purchase/, 'a follow-up is understood by what was said before');
});

test('what cannot be asked is said clearly, what does not matter is ignored', async () => {
  const bad = [
    [{ n: 2 }, 'n'], [{ tools: [{ type: 'function', function: { name: 'f' } }] }, 'tools'], [{ logprobs: true }, 'logprobs'],
    [{ response_format: { type: 'json_object' } }, 'response_format'], [{ messages: [] }, 'messages'], [{ messages: [{ role: 'user', content: ' ' }] }, 'messages'],
    [{ messages: [{ role: 'user', content: 'x' }, { role: 'assistant', content: 'y' }] }, 'messages'], [{ temperature: 3 }, 'temperature'],
    [{ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }] }] }, 'messages.0.content'],
    [{ messages: [{ role: 'tool', content: 'x', tool_call_id: 'y' }] }, 'messages.0.role'], [{ messages: [{ role: 'user', content: 5 }] }, 'messages.0.content'],
    [{ messages: [{ role: 'user', content: 'x'.repeat(32_001) }] }, 'messages'],
  ];
  for (const [more, param] of bad) {
    const error = await refusal(openai.chat.completions.create(ask('hello', more)));
    assert.ok(error instanceof OpenAI.BadRequestError, `${param}: ${error}`);
    assert.equal(error.param, param);
    assert.equal(error.type, 'invalid_request_error');
  }
  const fine = { top_p: 0.5, presence_penalty: 1, seed: 7, user: 'u', stop: null, tools: [], n: 1, response_format: { type: 'text' }, metadata: {}, parallel_tool_calls: true, max_completion_tokens: 50 };
  assert.ok((await openai.chat.completions.create(ask('count 1', fine))).choices[0].message.content);
  const raw = await stack.api('POST', '/v1/chat/completions', { token: ada.token, body: '{"model":', headers: { 'Content-Type': 'application/json' } });
  assert.equal(raw.status, 400);
  assert.equal(raw.body.error.type, 'invalid_request_error');
});

test('a model that fails: an error in OpenAI\'s form, whole or in the middle of a stream', async () => {
  const whole = await refusal(openai.chat.completions.create(ask('overload')));
  assert.ok(whole.status >= 500 && whole.type === 'server_error', `${whole.status} ${whole}`);
  const stream = await openai.chat.completions.create({ ...ask('overload'), stream: true });
  const error = await refusal((async () => { for await (const chunk of stream) void chunk; })());
  assert.ok(error instanceof OpenAI.APIError, String(error));
});

test('who goes away in mid-answer is not written for any longer', async () => {
  const stream = await openai.chat.completions.create({ ...ask('count 2000 20 aborted'), stream: true });
  for await (const chunk of stream) if (/w3/.test(chunk.choices[0].delta.content ?? '')) stream.controller.abort();
  await until('the model is left alone', async () => (await told('left')).some((text) => /aborted/.test(text)));
});

test('many at once, and nothing is left open', async () => {
  const answers = await Promise.all(Array.from({ length: 6 }, (_, i) => client(key).chat.completions.create({ ...ask(`count ${i + 1}`), stream: false }).catch((e) => e)));
  const good = answers.filter((a) => a.choices);
  assert.ok(good.length >= 1);
  for (const a of answers) assert.ok(a.choices || a.status === 503, String(a));
  await until('no stream is open', async () => /^parley_http_streams 0$/m.test((await request(`${stack.url()}/metrics`, { headers: { Authorization: 'Bearer figures' } })).text));
});

test('in a browser, from a page of another origin', async () => {
  const files = path.join(root, 'tests/node_modules/openai');
  const site = http.createServer((query, answer) => {
    const { pathname } = new URL(query.url, 'http://site');
    const file = path.join(files, pathname.replace('/openai/', ''));
    if (!pathname.startsWith('/openai/') || !file.startsWith(files) || !fs.existsSync(file)) return answer.end('<!doctype html><title>app</title>');
    answer.setHeader('Content-Type', 'text/javascript');
    return fs.createReadStream(file).pipe(answer);
  });
  await new Promise((resolve) => site.listen(0, '127.0.0.1', resolve));
  const context = await chromium.launchPersistentContext(path.join(stack.state, unique('chromium')), {
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  try {
    context.setDefaultTimeout(15_000 * slow);
    const page = await context.newPage();
    await page.goto(`http://127.0.0.1:${site.address().port}/`);
    const got = await page.evaluate(async ({ baseURL, apiKey, model }) => {
      const { default: OpenAI } = await import('/openai/index.mjs');
      const openai = new OpenAI({ baseURL, apiKey, dangerouslyAllowBrowser: true, maxRetries: 0 });
      const messages = [{ role: 'user', content: 'count 4' }];
      const whole = await openai.chat.completions.create({ model, messages });
      let text = '';
      for await (const chunk of await openai.chat.completions.create({ model, messages, stream: true })) text += chunk.choices[0]?.delta.content ?? '';
      const error = await openai.chat.completions.create({ model: 'gpt-4o', messages }).catch((e) => ({ name: e.constructor.name, code: e.code }));
      return { whole: whole.choices[0].message.content, text, error, models: (await openai.models.list()).data.length };
    }, { baseURL: `${stack.url()}/v1`, apiKey: key, model: bot.id });
    assert.equal(got.whole, 'w1 w2 w3 w4');
    assert.equal(got.text, 'w1 w2 w3 w4');
    assert.equal(got.error.code, 'model_not_found');
    assert.equal(got.models, 2);
  } finally {
    await context.close();
    site.closeAllConnections();
    site.close();
  }
});
