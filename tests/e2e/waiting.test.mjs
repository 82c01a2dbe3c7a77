// Who waits holds no thread: senders that wait for a whole answer, in a svc-chat that has few threads and a model that speaks
// when a test says so.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { slow, startStack, until } from './harness.mjs';

// Threads of svc-chat: 1 for rows, 2 for brief calls, 12 of each of five kinds.
const THREADS = 1 + 2 + 5 * 12;

let stack, people, silent = false;
const unanswered = [];
function speak(answer) {
  const chunk = (delta, finish = null) => `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
  answer.writeHead(200, { 'content-type': 'text/event-stream' });
  answer.end(`${chunk({ role: 'assistant', content: 'At last.' })}${chunk({}, 'stop')}data: [DONE]\n\n`);
}
const model = http.createServer((query, answer) => query.resume().on('end', () => (silent ? unanswered.push(answer) : speak(answer))));
function release() {
  silent = false;
  unanswered.splice(0).forEach(speak);
}

before(async () => {
  await new Promise((done) => model.listen(0, '127.0.0.1', done));
  stack = await startStack({ env: { CHAT_WORKERS: '1', CHAT_WAITING: '12', CHAT_PROVIDER: 'openai', CHAT_API_KEY: 'sk-test', CHAT_MODEL: 'm',
    CHAT_BASE_URL: `http://127.0.0.1:${model.address().port}/v1`, EGRESS_ALLOW: '127.0.0.1/32' } });
  people = await Promise.all(Array.from({ length: 4 }, () => stack.register()));
});
after(async () => {
  release();
  await stack?.stop();
  model.closeAllConnections();
  model.close();
});

const metric = async (line) => Number(new RegExp(`^parley_${line} (\\d+)$`, 'm').exec(await stack.process('chat').metrics())[1]);
const parked = () => metric('rpc_parked');
async function session(token) {
  const bot = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Slow' } });
  return `/api/chat/sessions/${(await stack.ok('POST', '/api/chat/sessions', { token, json: { chatbotId: bot.id } })).id}/messages`;
}

// Who counts threads begins with a fresh process, and lets one call come after the other: those that a crowd has made stay for a while.
async function fresh() {
  await stack.process('chat').kill();
  await stack.process('chat').start();
}
async function wait(asking, answer) {
  asking.push(answer);
  await until('the model has it', () => unanswered.length >= asking.length);
}

test('who waits for a preview, for a question to be put in other words or for an answer over MCP holds no thread either', async () => {
  const asking = [], places = [];
  await fresh();
  for (const { token } of people.slice(1)) {
    const { id } = await stack.upload(token, 'ferry.txt', 'The ferry sails to Ullapool at nine in summer.');
    const bot = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Harbour', documents: [id] } });
    const at = `/api/chat/sessions/${(await stack.ok('POST', '/api/chat/sessions', { token, json: { chatbotId: bot.id } })).id}/messages`;
    await stack.ok('POST', at, { token, json: { content: 'When does the ferry sail to Ullapool?' } });
    const { key } = await stack.ok('POST', '/auth/api-keys', { token, json: { name: 'mcp', scopes: ['chat'] } });
    places.push({ token, bot, at, key });
  }
  silent = true;
  for (const { token, bot, at, key } of places) {
    const chatHistory = [{ role: 'user', content: 'When does the ferry sail?' }, { role: 'assistant', content: 'At nine.' }];
    await wait(asking, stack.api('POST', '/api/chatbots/preview', { token, json: { chatbotId: bot.id, message: 'And in winter?', chatHistory } }));
    await wait(asking, stack.api('POST', at, { token, json: { content: 'And in winter?' } }));
    await wait(asking, stack.api('POST', `/mcp/chatbots/${bot.id}`, { token: key, headers: { Accept: 'application/json, text/event-stream' },
      json: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'ask', arguments: { question: 'And in winter?' } } } }));
  }
  const threads = await metric('rpc_threads\\{lane="writer"\\}');
  release();
  for (const answer of await Promise.all(asking)) {
    assert.equal(answer.status, 200, answer.text);
    assert.match(answer.text, /At last\./);
  }
  assert.ok(threads < asking.length, `${threads} threads for ${asking.length} who wait`);
});

test('a client of /v1 that waits for a model holds no thread either, whole or in chunks', async () => {
  await fresh();
  silent = true;
  const asking = [];
  for (const { token } of people) {
    const bot = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'V1' } });
    for (const stream of [true, false])
      await wait(asking, stack.api('POST', '/v1/chat/completions', { token, json: { model: bot.id, stream, messages: [{ role: 'user', content: 'Hm?' }] } }));
  }
  const threads = await metric('rpc_threads\\{lane="writer"\\}');
  release();
  for (const answer of await Promise.all(asking)) {
    assert.equal(answer.status, 200, answer.text);
    assert.match(answer.text, /At last\./);
  }
  assert.ok(threads < asking.length, `${threads} threads for ${asking.length} who wait`);
});

test('more senders wait than there are threads, and other calls are answered at once', async () => {
  const sending = [];
  silent = true;
  // In each session one answer is written, another waits for its turn, and a client that is impatient asks for both again and again.
  const sessions = await Promise.all(people.map(async ({ token }) => ({ token, at: await session(token) })));
  for (const content of [...Array(8).fill('one'), ...Array(8).fill('two')]) {
    for (const { token, at } of sessions)
      sending.push(stack.api('POST', at, { token, json: { content }, headers: { 'Idempotency-Key': content }, timeout: 120_000 }));
    await until('they wait', async () => (await parked()) === sending.length);
  }
  assert.ok(sending.length > THREADS, `${sending.length} senders, ${THREADS} threads`);
  assert.ok((await metric('rpc_threads\\{lane="reader"\\}')) < 12, 'threads that serve who waits');
  const { token } = people[0];
  const start = Date.now();
  await stack.ok('GET', '/api/chat/sessions', { token });
  await stack.ok('GET', await session(token), { token });
  assert.ok(Date.now() - start < 3000 * slow, `${Date.now() - start} ms`);
  release();
  for (const answer of await Promise.all(sending)) {
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.body.content, 'At last.');
  }
  assert.equal(await parked(), 0);
});

// An owner alone may have half of the 12 writers.
test('where no writer is to be had: what waits in a session is taken, in order, the sixth refused; a new session is asked to come later', async () => {
  const { token } = people[0], sending = [];
  silent = true;
  const sessions = await Promise.all(Array.from({ length: 7 }, () => session(token)));
  const send = (at, content) => stack.api('POST', at, { token, json: { content }, timeout: 120_000 });
  for (const at of sessions.slice(0, 6)) sending.push(send(at, 'one'));
  await until('all writers that it may have are at work', () => unanswered.length === 6);
  assert.equal((await send(sessions[6], 'too many')).status, 503);
  for (const content of ['two', 'three', 'four', 'five']) {
    sending.push(send(sessions[0], content));
    await until('it waits', async () => (await parked()) === sending.length);
  }
  assert.equal((await send(sessions[0], 'six')).status, 409);
  const other = stack.api('POST', await session(people[1].token), { token: people[1].token, json: { content: 'Me too?' } });
  await until('another owner has one', () => unanswered.length === 7);
  release();
  for (const answer of [...(await Promise.all(sending)), await other]) assert.equal(answer.status, 200, answer.text);
  const said = (await stack.ok('GET', sessions[0], { token })).map((m) => m.content);
  assert.deepEqual(said, ['one', 'two', 'three', 'four', 'five'].flatMap((content) => [content, 'At last.']));
  assert.equal((await send(sessions[6], 'now')).status, 200);
});

test('two at once in one session, where one writer is left: both are answered', async () => {
  const { token } = people[2];
  for (let i = 0; i < 8; i++) {
    const sending = [];
    silent = true;
    const sessions = await Promise.all(Array.from({ length: 6 }, () => session(token)));
    for (const at of sessions.slice(0, 5)) sending.push(stack.api('POST', at, { token, json: { content: 'one' } }));
    await until('five are at work', () => unanswered.length === 5);
    for (const content of ['first', 'second']) sending.push(stack.api('POST', sessions[5], { token, json: { content } }));
    await until('both are taken', async () => (await parked()) === 7);
    release();
    for (const answer of await Promise.all(sending)) assert.equal(answer.status, 200, answer.text);
  }
});

test('a client that hangs up gives its place back: its call ends, the answer is written all the same', async () => {
  const { token } = people[0];
  const at = await session(token);
  silent = true;
  const query = http.request(stack.url() + at, { method: 'POST', headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' } });
  query.on('error', () => {}).end('{"content":"Are you there?"}');
  await until('it waits', async () => (await parked()) === 1);
  query.destroy();
  await until('it waits no longer', async () => (await parked()) === 0);
  assert.equal((await stack.ok('GET', at, { token })).at(-1).status, 'generating');
  release();
  await until('the answer is there', async () => (await stack.ok('GET', at, { token })).at(-1).status === 'complete');
});

test('a visitor\'s running answer ends when its owner is disabled; others\' go on', async () => {
  silent = true;
  const follow = async ({ token }) => {
    const bot = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Shop' } });
    const { sessionId } = await stack.ok('POST', `/api/chat/widget/${bot.id}/session`, { status: 201 });
    return stack.stream('POST', `/api/chat/widget/${bot.id}/message/stream`, { json: { sessionId, message: 'Are you there?' } });
  };
  const ends = await follow(people[0]), stays = await follow(people[1]);
  await until('the model is asked', () => unanswered.length === 2);
  await stack.sql(`UPDATE auth.users SET disabled_at = now() WHERE uid = '${people[0].uid}'`);
  const start = Date.now(), events = await ends.all();
  assert.equal(events.at(-1).event, 'error');
  assert.ok(Date.now() - start < 5000 * slow, `${Date.now() - start} ms`);
  const [[status, error]] = await stack.sql(`SELECT status, error FROM chat.message WHERE owner_id = '${people[0].uid}' ORDER BY created_at DESC, number DESC LIMIT 1`);
  assert.deepEqual([status, error], ['failed', 'this account is disabled']);
  release();
  assert.equal((await stays.all()).at(-1).event, 'done');
});
