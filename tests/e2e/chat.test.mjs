// Conversations: sessions and messages, answers whole and streamed, with citations; streams that are cut, resumed,
// stopped, and outlive gateways and writers.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import { after, before, test } from 'node:test';
import { longer, request, sleep, slow, startRig, startStack, unique, until } from './harness.mjs';

const ARTICLE = `Warranty

The kettle has a warranty of two years. It begins on the day of purchase. Send the kettle back in its box.

Shipping

We ship to Norway within five days. Express parcels arrive the next day. Parcels are insured up to 500 euros.
`;

let stack, rig, user, token, bot, quoter, documentId;
before(async () => {
  rig = await startRig('fakellm.mjs');
  stack = await startStack({
    replicas: { chat: 2, gateway: 2 },
    env: { CHAT_PROVIDER: 'openai', CHAT_BASE_URL: `${rig.url}/v1`, CHAT_API_KEY: 'sk-test', CHAT_MODEL: 'scripted', EGRESS_ALLOW: '127.0.0.1/32' },
  });
  user = await stack.register();
  token = user.token;
  documentId = (await stack.upload(token, 'manual.txt', ARTICLE)).id;
  bot = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Scripted', documents: [documentId] } });
  quoter = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Quoter', documents: [documentId], settings: { model: 'builtin' } } });
});
after(async () => {
  await stack?.stop();
  await rig?.stop();
});

const newSession = (chatbot = bot) => stack.ok('POST', '/api/chat/sessions', { token, json: { chatbotId: chatbot.id }, status: 201 });
const messagesOf = (id) => stack.ok('GET', `/api/chat/sessions/${id}/messages`, { token });
const send = (id, content, options = {}) => stack.api('POST', `/api/chat/sessions/${id}/messages`, { token, json: { content }, ...options });
const stream = (id, content, options = {}) => stack.stream('POST', `/api/chat/sessions/${id}/messages/stream`, { token, json: { content }, ...options });
const resume = (id, lastEventId, options = {}) => stack.stream('GET', `/api/chat/sessions/${id}/messages/stream`, { token, lastEventId, ...options });

const textOf = (events, name = 'delta') => events.filter((e) => e.event === name).map((e) => e.data.text).join('');
const sequence = (event) => Number(event.id.split('.').at(-1));
const assertWhole = (events) => assert.deepEqual(events.map(sequence), events.map((_, i) => i + 1), 'no event missing or doubled');
const withId = (id) => async () => (await messagesOf(id)).at(-1);

// The replica of svc-chat that took a request.
async function writerOf(answer) {
  const id = answer.headers['x-request-id'];
  return until('a replica has taken the request', () =>
    [1, 2].map((r) => stack.process('chat', r)).find((p) => fs.readFileSync(p.log, 'utf8').includes(id)));
}

// Every gateway knows that a replica which has just started is there.
async function bothServe() {
  const asked = (r) => stack.process('chat', r).metrics().then((text) =>
    Number(/parley_rpc_requests_total\{method="chat.list_sessions",result="ok"\} (\d+)/.exec(text)?.[1] ?? 0));
  for (const gateway of [1, 2])
    await until('both replicas of svc-chat are asked', async () => {
      const before = await Promise.all([1, 2].map(asked));
      await Promise.all(Array.from({ length: 12 }, () => stack.api('GET', '/api/chat/sessions?limit=1', { token, gateway })));
      return (await Promise.all([1, 2].map(asked))).every((n, i) => n > before[i]);
    }, 20 * slow);
}

// --- Sessions -------------------------------------------------------------------------------------------------------------

test('sessions are made, listed, shown and deleted', async () => {
  const first = await newSession();
  const second = await stack.ok('POST', '/api/chat/sessions', { token, json: { chatbotId: bot.id, title: ' Named ' } });
  assert.equal(second.title, 'Named');
  assert.equal(first.title, null);
  assert.equal(first.chatbotId, bot.id);
  assert.equal(first.userId, user.uid);
  assert.deepEqual(first.messages, []);
  const list = await stack.ok('GET', '/api/chat/sessions', { token });
  assert.deepEqual(list.slice(0, 2).map((s) => s.id), [second.id, first.id], 'newest first');
  assert.equal('messages' in list[0], false);
  const page = await stack.api('GET', '/api/chat/sessions?limit=1', { token });
  assert.deepEqual(page.body.map((s) => s.id), [second.id]);
  const next = /<([^>]+)>; rel="next"/.exec(page.headers.link)[1];
  assert.deepEqual((await stack.ok('GET', new URL(next, stack.url()).pathname + new URL(next, stack.url()).search, { token })).map((s) => s.id), [first.id]);
  await stack.ok('DELETE', `/api/chat/sessions/${first.id}`, { token, status: 204 });
  assert.equal((await stack.api('GET', `/api/chat/sessions/${first.id}`, { token })).status, 404);
  assert.equal((await stack.api('DELETE', `/api/chat/sessions/${first.id}`, { token })).status, 404);
});

test('what is somebody else\'s is not there', async () => {
  const session = await newSession();
  await send(session.id, 'mine');
  const [, mine] = await messagesOf(session.id);
  const stranger = await stack.register();
  const at = `/api/chat/sessions/${session.id}`;
  for (const [method, where, json] of [
    ['GET', at], ['DELETE', at], ['GET', `${at}/messages`], ['POST', `${at}/messages`, { content: 'x' }], ['POST', `${at}/messages/stream`, { content: 'x' }],
    ['GET', `${at}/messages/stream`], ['POST', `${at}/messages/${mine.id}/stop`], ['POST', '/api/chat/sessions', { chatbotId: bot.id }],
  ]) {
    const answer = await stack.api(method, where, { token: stranger.token, json });
    assert.equal(answer.status, 404, `${method} ${where}: ${answer.text}`);
    assert.equal((await stack.api(method, where, { json })).status, 401);
  }
  assert.equal((await messagesOf(session.id)).length, 2);
});

test('what cannot be is refused', async () => {
  const { id } = await newSession();
  const at = `/api/chat/sessions/${id}/messages`;
  for (const [name, method, where, options, status] of [
    ['no content', 'POST', at, { json: {} }, 422],
    ['empty content', 'POST', at, { json: { content: '' } }, 422],
    ['content that is no string', 'POST', at, { json: { content: ['x'] } }, 422],
    ['content that is too long', 'POST', at, { json: { content: 'x'.repeat(32001) } }, 422],
    ['blank content', 'POST', at, { json: { content: ' \n\t\u200b' } }, 422],
    ['content of 1 MB', 'POST', at, { json: { content: 'x'.repeat(1 << 20) } }, 413],
    ['content of 1 MB, to be streamed', 'POST', `${at}/stream`, { json: { content: 'x'.repeat(1 << 20) } }, 413],
    ['content that is no UTF-8', 'POST', `${at}/stream`, { body: Buffer.from('{"content":"\xff\xfe"}', 'latin1'), headers: { 'Content-Type': 'application/json' } }, 400],
    ['content with U+0000', 'POST', at, { body: '{"content":"a\\u0000b"}', headers: { 'Content-Type': 'application/json' } }, 400],
    ['a session id that is none', 'GET', '/api/chat/sessions/nope', {}, 404],
    ['a session that is not there', 'GET', '/api/chat/sessions/00000000-0000-7000-8000-000000000000', {}, 404],
    ['a chatbot that is not there', 'POST', '/api/chat/sessions', { json: { chatbotId: '00000000-0000-7000-8000-000000000000' } }, 404],
    ['a cursor that is none of ours', 'GET', `${at}?cursor=abc`, {}, 422],
    ['an event id that is none', 'GET', `${at}/stream`, { headers: { 'Last-Event-ID': 'abc' } }, 422],
    ['an event of no stream', 'GET', `${at}/stream`, { headers: { 'Last-Event-ID': '0011223344556677-00112233445566778899aabbccddeeff.3' } }, 404],
    ['the latest answer where there is none', 'GET', `${at}/stream`, {}, 404],
    ['stopping what is not there', 'POST', `${at}/00000000-0000-7000-8000-000000000000/stop`, {}, 404],
  ]) {
    const answer = await stack.api(method, where, { token, ...options });
    assert.equal(answer.status, status, `${name}: ${answer.status} ${answer.text}`);
    assert.equal(typeof answer.body.detail, 'string', name);
  }
  assert.deepEqual(await messagesOf(id), []);
});

test('messages come in pages, the latest first, each oldest first', async () => {
  const { id } = await newSession(quoter);
  for (let i = 0; i < 4; i++) await send(id, `question ${i}`);
  const all = await messagesOf(id);
  assert.deepEqual(all.map((m) => m.role), Array(4).fill(['user', 'assistant']).flat());
  assert.deepEqual((await stack.ok('GET', `/api/chat/sessions/${id}`, { token })).messages, all);
  const seen = [];
  let where = `/api/chat/sessions/${id}/messages?limit=3`;
  while (where) {
    const page = await stack.api('GET', where, { token });
    assert.equal(page.status, 200, page.text);
    seen.unshift(...page.body);
    const link = /<([^>]+)>; rel="next"/.exec(page.headers.link ?? '');
    where = link && new URL(link[1], stack.url()).pathname + new URL(link[1], stack.url()).search;
  }
  assert.deepEqual(seen, all);
});

test('deleting a chatbot deletes its sessions', async () => {
  const gone = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Gone' } });
  const session = await newSession(gone);
  await send(session.id, 'hello');
  await stack.ok('DELETE', `/api/chatbots/${gone.id}`, { token, status: 204 });
  assert.equal((await stack.api('GET', `/api/chat/sessions/${session.id}`, { token })).status, 404);
});

// --- Whole answers ----------------------------------------------------------------------------------------------------------

test('the builtin provider quotes the right sentence, and its source is found in the text', async () => {
  const { id } = await newSession(quoter);
  const { status, body: answer } = await send(id, 'How long is the warranty of the kettle?');
  assert.equal(status, 200);
  assert.match(answer.content, /two years\. .*\[1\]/);
  assert.equal(answer.model, 'builtin');
  assert.ok(answer.usage.promptTokens > 0 && answer.usage.completionTokens > 0);
  assert.equal(answer.sources.length, 1);
  const [source] = answer.sources;
  assert.equal(source.documentId, documentId);
  assert.match(source.text, /two years/);
  const { text } = await stack.ok('GET', `/api/documents/${documentId}/text`, { token });
  assert.equal([...text].slice(source.start, source.end).join(''), source.text);
  assert.deepEqual((await messagesOf(id)).at(-1), answer);
  const none = await send(id, 'Who was the first emperor of Brazil?');
  assert.match(none.body.content, /found nothing/);
  assert.deepEqual(none.body.sources, []);
});

test('a chatbot without documents says so, or answers from its model', async () => {
  const empty = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Empty', settings: { model: 'builtin', welcomeMessage: 'Welcome!' } } });
  const { id } = await newSession(empty);
  assert.match((await send(id, 'How long is the warranty?')).body.content, /no documents/);
  assert.equal((await send(id, 'Hello!')).body.content, 'Welcome!');
  const model = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Model' } });
  const session = await newSession(model);
  assert.equal((await send(session.id, 'who are you')).body.content, 'You said: who are you');
});

test('a right citation is kept, an invented one is removed, in what is stored and in what is streamed', async () => {
  const { id } = await newSession();
  const want = 'The first source says so [1]. Nobody says this. Both together [1] settle it.';
  const { body: answer } = await send(id, 'Please cite the warranty');
  assert.equal(answer.content, want);
  assert.equal(answer.sources.length, 1, 'only what is cited');
  const { text } = await stack.ok('GET', `/api/documents/${documentId}/text`, { token });
  assert.equal([...text].slice(answer.sources[0].start, answer.sources[0].end).join(''), answer.sources[0].text);
  const events = await (await stream((await newSession()).id, 'Please cite the warranty')).all();
  assert.equal(textOf(events), want);
  // The second question leans on the first, so the score is another.
  const places = (sources) => sources.map(({ score, ...place }) => place);
  assert.deepEqual(places(events.find((e) => e.event === 'sources').data), places(answer.sources));
});

test('a user\'s own key of a provider is used for their chats, and for nobody else\'s', async () => {
  const other = await stack.register();
  await stack.ok('POST', '/auth/api-keys', { token: other.token, json: { provider: 'openai', key: 'sk-of-their-own' } });
  const chatbot = await stack.ok('POST', '/api/chatbots', { token: other.token, json: { name: 'Own' } });
  const session = await stack.ok('POST', '/api/chat/sessions', { token: other.token, json: { chatbotId: chatbot.id }, status: 201 });
  const refused = await send(session.id, 'hello', { token: other.token });
  assert.equal(refused.status, 502, 'the rig knows sk-test only');
  assert.match(refused.body.detail, /does not accept our key/);
  assert.doesNotMatch(JSON.stringify(refused.body), /of-their-own/);
  assert.equal((await send((await newSession()).id, 'who are you')).body.content, 'You said: who are you');
});

test('--check-model asks the model for a word, and says in a sentence what is wrong', async () => {
  const run = (env) => new Promise((done) =>
    execFile(stack.process('chat').program, ['--check-model'], { env: { ...process.env, CHAT_PROVIDER: 'openai', CHAT_MODEL: 'scripted',
      EGRESS_ALLOW: '127.0.0.1/32', CHAT_BASE_URL: `${rig.url}/v1`, ...env } }, (error, stdout) => done({ code: error ? error.code : 0, stdout })));
  const good = await run({ CHAT_API_KEY: 'sk-test' });
  assert.equal(good.code, 0, good.stdout);
  assert.match(good.stdout, /CHAT_BASE_URL: the model \S+ answers "You said: Say: ready"/);
  const bad = await run({ CHAT_API_KEY: 'sk-wrong', CHAT_2_BASE_URL: 'http://127.0.0.1:1/v1' });
  assert.notEqual(bad.code, 0);
  assert.match(bad.stdout, /CHAT_BASE_URL: the model's provider does not accept our key/);
  assert.match(bad.stdout, /CHAT_2_BASE_URL: the model cannot be reached/);
  assert.doesNotMatch(bad.stdout, /sk-wrong/);
});

test('reasoning, usage and the conversation so far', async () => {
  const { id } = await newSession();
  const { body } = await send(id, 'first');
  assert.equal(body.reasoning, 'Let me think.');
  assert.deepEqual(body.usage, { promptTokens: 5, completionTokens: 7 });
  assert.equal((await stack.ok('GET', `/api/chat/sessions/${id}`, { token })).title, 'first');
  await send(id, 'second');
  assert.deepEqual((await messagesOf(id)).map((m) => m.content), ['first', 'You said: first', 'second', 'You said: second']);
});

test('a short question leans on the one before it', async () => {
  const topics = ['kettles', 'bicycles', 'lanterns', 'umbrellas', 'violins', 'carpets', 'anchors', 'windmills', 'compasses', 'saddles', 'mirrors', 'ladders'];
  const article = topics.map((t) => `${t}\n\n${`The ${t} of our house are made by hand. `.repeat(18)}\n\n`).join('');
  const long = await stack.upload(token, 'house.txt', article);
  const house = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'House', documents: [long.id], settings: { topK: 1 } } });
  const { id } = await newSession(house);
  assert.match((await send(id, 'Tell me of violins, and cite')).body.sources[0].text, /violins/);
  const [source] = (await send(id, 'And who builds those? Cite!')).body.sources;
  assert.match(source?.text ?? 'nothing', /violins/);
});

// --- Streams ----------------------------------------------------------------------------------------------------------------

test('a stream tells everything once, and its text is the stored message', async () => {
  const { id } = await newSession();
  const events = await (await stream(id, 'tell me')).all();
  assertWhole(events);
  assert.deepEqual(events.slice(0, 2).map((e) => e.data.role), ['user', 'assistant']);
  const names = events.map((e) => e.event).filter((name, i, all) => name !== all[i - 1]);
  assert.deepEqual(names, ['message', 'reasoning', 'delta', 'sources', 'done']);
  const stored = (await messagesOf(id)).at(-1);
  assert.deepEqual(events.at(-1).data.message, stored);
  assert.equal(textOf(events), stored.content);
  assert.equal(textOf(events, 'reasoning'), stored.reasoning);
  assert.equal(events[1].data.id, stored.id);
});

test('cut after three deltas and resumed through another gateway: byte for byte', async () => {
  const { id } = await newSession();
  const first = await stream(id, 'count 80 10', { gateway: 1 });
  const last = await first.upTo('delta', 3);
  first.cut();
  const seen = first.events.slice(0, first.events.indexOf(last) + 1);
  const rest = await (await resume(id, last.id, { gateway: 2 })).all();
  const events = [...seen, ...rest];
  assertWhole(events);
  assert.ok(rest.filter((e) => e.event === 'delta').length > 20, 'it was really resumed while being written');
  const stored = await withId(id)();
  assert.equal(textOf(events), stored.content);
  assert.equal(stored.content, Array.from({ length: 80 }, (_, i) => `w${i + 1}`).join(' '));
});

test('the gateway that serves a stream is killed: same', async () => {
  const { id } = await newSession();
  const first = await stream(id, 'count 80 10', { gateway: 2 });
  await first.upTo('delta', 5);
  await stack.process('gateway', 2).kill('SIGKILL');
  await first.all().catch(() => {});
  const rest = await (await resume(id, first.events.at(-1).id, { gateway: 1 })).all();
  const events = [...first.events, ...rest];
  assertWhole(events);
  assert.equal(textOf(events), (await withId(id)()).content);
  await stack.process('gateway', 2).start();
});

test('the model is told all that was said, whichever replica asks it', async () => {
  const { id } = await newSession();
  const said = [];
  for (let i = 0; i < 8; i++) {
    const content = `This is the sentence with the number ${i}, which leans on none before it.`;
    const answer = await (await stream(id, content, { gateway: 1 + (i % 2) })).all();
    said.push(`user: ${content}`, `assistant: ${textOf(answer)}`);
  }
  const told = textOf(await (await stream(id, 'what was said')).all());
  assert.equal(told, said.join(' | '));
});

test('a finished stream can be told again, also by another replica', async () => {
  const { id } = await newSession();
  const first = await stream(id, 'count 20');
  const events = await first.all();
  assert.deepEqual(await (await resume(id)).all(), events, 'from the start');
  assert.deepEqual(await (await resume(id, events[4].id)).all(), events.slice(5));
  assert.equal((await stack.api('GET', `/api/chat/sessions/${id}/messages/stream`, { token, headers: { 'Last-Event-ID': events.at(-1).id } })).status, 204);
  const writer = await writerOf(first);
  await writer.kill('SIGKILL');
  assert.deepEqual(await (await resume(id, events[4].id)).all(), events.slice(5), 'from the database');
  await writer.start();
  // When its events are gone, too, it is told anew, in fewer words.
  await stack.sql(`UPDATE chat.message SET cuts = NULL, last_event = NULL WHERE id = '${events[1].data.id}'`);
  await stack.process('chat', 1).kill();
  await stack.process('chat', 2).kill();
  await Promise.all([1, 2].map((r) => stack.process('chat', r).start()));
  const anew = await (await resume(id)).all();
  assertWhole(anew);
  assert.equal(textOf(anew), textOf(events));
  assert.deepEqual(anew.at(-1).data, events.at(-1).data);
  assert.deepEqual(await (await resume(id, anew[2].id, { gateway: 2 })).all(), anew.slice(3));
});

test('a client that goes away does not lose the answer', async () => {
  const { id } = await newSession();
  const streamed = await stream(id, 'count 40');
  await streamed.upTo('delta');
  streamed.cut();
  const stored = await until('the answer is whole', async () => {
    const last = await withId(id)();
    return last.status === 'complete' && last;
  });
  assert.equal(stored.content.split(' ').length, 40);
});

test('stopped from elsewhere: what there is is stored, and the reader is told', async () => {
  const { id } = await newSession();
  for (const gateway of [1, 2]) {
    const streamed = await stream(id, 'count 2000 10', { gateway });
    await streamed.upTo('delta', 5);
    const at = `/api/chat/sessions/${id}/messages/${streamed.events[1].data.id}/stop`;
    const began = Date.now();
    const stopped = await stack.ok('POST', at, { token, gateway: 3 - gateway });
    assert.ok(Date.now() - began < 3000 * slow, 'soon');
    assert.equal(stopped.status, 'stopped');
    const events = await streamed.all();
    assertWhole(events);
    assert.equal(events.at(-1).event, 'done');
    assert.deepEqual(events.at(-1).data.message, stopped);
    assert.equal(textOf(events), stopped.content);
    assert.ok(stopped.content.startsWith('w1 w2 w3 w4') && stopped.content.length < 2000);
    assert.deepEqual(await stack.ok('POST', at, { token }), stopped, 'again');
  }
});

test('messages at once are answered in order, the sixth is refused', async () => {
  const { id } = await newSession();
  const streamed = await stream(id, 'count 300 10');
  await streamed.upTo('delta');
  const waiting = [];
  for (const n of [2, 3, 4]) waiting.push(await stream(id, `the ${n}th`, { gateway: 2 }));
  const whole = send(id, 'the 5th');
  await until('the fifth has come', async () => (await messagesOf(id)).filter((m) => m.status === 'queued').length === 4);
  const sixth = await send(id, 'the 6th');
  assert.equal(sixth.status, 409);
  assert.match(sixth.body.detail, /not answered yet/);
  assert.deepEqual((await messagesOf(id)).filter((m) => m.role === 'assistant').map((m) => m.status), ['generating', ...Array(4).fill('queued')]);
  assert.equal((await streamed.all()).at(-1).event, 'done');
  for (const [i, one] of waiting.entries()) {
    const events = await one.all();
    assertWhole(events);
    assert.equal(textOf(events), `You said: the ${i + 2}th`);
  }
  assert.equal((await whole).body.content, 'You said: the 5th');
  const answers = (await messagesOf(id)).filter((m) => m.role === 'assistant');
  assert.deepEqual(answers.map((m) => m.status), Array(5).fill('complete'));
  assert.deepEqual(answers.slice(1).map((m) => m.content), [2, 3, 4, 5].map((n) => `You said: the ${n}th`));
});

test('one that waits can be stopped, and those behind it go on', async () => {
  const { id } = await newSession();
  const first = await stream(id, 'count 60 10');
  await first.upTo('delta');
  const second = await stream(id, 'second');
  const third = await stream(id, 'third');
  const message = (await second.upTo('message', 2)).data.id;
  const stopped = await stack.ok('POST', `/api/chat/sessions/${id}/messages/${message}/stop`, { token });
  assert.equal(stopped.status, 'stopped');
  assert.equal((await second.all()).at(-1).event, 'done');
  assert.equal((await first.all()).at(-1).data.message.status, 'complete');
  assert.equal(textOf(await third.all()), 'You said: third');
});

// Everybody takes the session before its messages.
test('two senders and a deleter in one session: nothing is 5xx, nothing deadlocks', async () => {
  const statuses = {};
  const end = Date.now() + 4000 * longer;
  // On a slow database the deleter may be the first again and again: it gives the senders more time each round.
  for (let round = 0; Date.now() < end || (!statuses[200] && round < 20); round++) {
    const { id } = await newSession(quoter);
    const sender = async () => {
      for (let i = 0; i < 6; i++) {
        const { status } = await send(id, 'How long is the warranty?');
        statuses[status] = (statuses[status] ?? 0) + 1;
      }
    };
    const deleter = async () => {
      await sleep(10 + Math.random() * (statuses[200] ? 60 : 60 + 20 * round));
      const { status } = await stack.api('DELETE', `/api/chat/sessions/${id}`, { token });
      statuses[`deleted ${status}`] = (statuses[`deleted ${status}`] ?? 0) + 1;
    };
    await Promise.all([sender(), sender(), deleter()]);
  }
  assert.deepEqual(Object.keys(statuses).filter((s) => !['200', '404', '409', 'deleted 204'].includes(s)), [], JSON.stringify(statuses));
  assert.ok(statuses[200] > 0 && statuses[404] > 0, JSON.stringify(statuses));
  for (const r of [1, 2]) assert.doesNotMatch(fs.readFileSync(stack.process('chat', r).log, 'utf8'), /40P01|deadlock/);
});

test('a session deleted in mid-stream: the reader is told so', async () => {
  for (const r of [1, 2]) {
    const { id } = await newSession();
    const streamed = await stream(id, 'count 2000 10');
    await streamed.upTo('delta', 3);
    const other = await stack.api('DELETE', `/api/chat/sessions/${id}`, { token, gateway: r });
    assert.equal(other.status, 204);
    const events = await streamed.all();
    assert.equal(events.at(-1).event, 'error');
    assert.equal(events.at(-1).data.detail, 'the session was deleted');
  }
});

test('a repeated Idempotency-Key is one turn', async () => {
  const { id } = await newSession();
  const headers = { 'Idempotency-Key': unique('key') };
  const both = await Promise.all([send(id, 'count 30', { headers }), send(id, 'count 30', { headers, gateway: 2 })]);
  assert.deepEqual(both.map((a) => a.status), [200, 200], both.map((a) => a.text).join('\n'));
  assert.deepEqual(both[0].body, both[1].body);
  assert.deepEqual((await send(id, 'count 30', { headers })).body, both[0].body);
  assert.equal((await send(id, 'something else', { headers })).status, 422);
  assert.equal((await messagesOf(id)).length, 2);
  // A stream that is started again is the same stream.
  const other = { 'Idempotency-Key': unique('key') };
  const first = await stream(id, 'count 60 10', { headers: other });
  await first.upTo('delta', 3);
  first.cut();
  const again = await (await stream(id, 'count 60 10', { headers: other, gateway: 2 })).all();
  assertWhole(again);
  assert.deepEqual(again.slice(0, first.events.length), first.events);
  assert.equal((await messagesOf(id)).length, 4);
});

// --- When something fails -------------------------------------------------------------------------------------------------

test('a model that refuses, and one that breaks off', async () => {
  const { id } = await newSession();
  const busy = await send(id, 'overload');
  assert.equal(busy.status, 502, busy.text);
  const cut = await send(id, 'cut off');
  assert.equal(cut.status, 502);
  assert.match(cut.body.detail, /broke off/);
  const all = await messagesOf(id);
  assert.deepEqual(all.map((m) => m.status), ['complete', 'failed', 'complete', 'failed']);
  assert.equal(all[3].content, 'You ');
  const events = await (await stream(id, 'cut off')).all();
  assert.equal(events.at(-1).event, 'error');
  assert.match(events.at(-1).data.detail, /broke off/);
  assert.ok(!events.some((e) => e.event === 'done'));
  assert.equal((await send(id, 'go on')).body.content, 'You said: go on');
});

test('an answer that never ends is ended, in whole characters', async () => {
  const { id } = await newSession();
  const { status, body } = await send(id, 'burst 60000');
  assert.equal(status, 200);
  assert.ok(body.content.length > 40_000 && Buffer.byteLength(body.content) <= 256 * 1024);
  assert.ok(!body.content.includes('\ufffd'));
  assert.deepEqual((await messagesOf(id)).at(-1), body);
});

test('the writer is killed: interrupted, with what there was, and the reader is told', async () => {
  const { id } = await newSession();
  const streamed = await stream(id, 'count 4000 10');
  const writer = await writerOf(streamed);
  await streamed.upTo('delta', 300); // some of it is stored by now
  await writer.kill('SIGKILL');
  const events = await streamed.all();
  assertWhole(events);
  assert.equal(events.at(-1).event, 'error');
  assert.match(events.at(-1).data.detail, /interrupted/);
  const stored = await withId(id)();
  assert.equal(stored.status, 'interrupted');
  assert.match(stored.error, /interrupted/);
  assert.ok(stored.content.length > 100 && textOf(events).startsWith(stored.content), stored.content);
  // Whoever resumes is told so, after all that it has seen; from the start there is what was stored.
  const resumed = await (await resume(id, events[100].id)).all();
  assert.deepEqual(resumed.map((e) => e.event), ['error']);
  assert.ok(sequence(resumed[0]) > sequence(events[100]));
  assert.equal((await stack.api('GET', `/api/chat/sessions/${id}/messages/stream`, { token, headers: { 'Last-Event-ID': resumed[0].id } })).status, 204);
  const anew = await (await resume(id)).all();
  assert.equal(textOf(anew), stored.content);
  assert.equal(anew.at(-1).event, 'error');
  assert.equal((await send(id, 'go on')).status, 200);
  await writer.start();
});

// Nothing was heard of it: another one goes on, and the reader sees one whole answer.
test('the writer is killed before the model speaks: another goes on, once', async () => {
  await bothServe();
  const { id } = await newSession();
  const streamed = await stream(id, 'slowly 3000 and well');
  await streamed.upTo('message', 2);
  const writer = await writerOf(streamed);
  await until('the model is asked', async () => (await request(`${rig.url}/asked`, { headers: { authorization: 'Bearer sk-test' } })).text.includes('slowly 3000'));
  const waits = stack.process('chat', writer.replica === 1 ? 2 : 1);
  await writer.kill('SIGKILL');
  const events = await streamed.all();
  assertWhole(events);
  assert.equal(events.at(-1).event, 'done');
  assert.equal(textOf(events), 'You said: slowly 3000 and well');
  const messages = await messagesOf(id);
  assert.deepEqual(messages.map((m) => [m.role, m.status]), [['user', 'complete'], ['assistant', 'complete']]);
  assert.match(waits.tail(400), /goes on with turns/);
  await writer.start();
});

test('the writer is killed while it searches: another goes on, once', async () => {
  await bothServe();
  const { id } = await newSession();
  await stack.process('documents').kill('SIGSTOP');
  const streamed = await stream(id, 'after a search');
  const writer = await writerOf(streamed);
  await writer.kill('SIGKILL');
  await stack.process('documents').kill('SIGCONT');
  const events = await streamed.all();
  assertWhole(events);
  assert.equal(textOf(events), 'You said: after a search');
  assert.equal((await messagesOf(id)).length, 2);
  await writer.start();
});

test('the writer of a session where others wait is killed: all are answered, in order', async () => {
  await bothServe();
  const { id } = await newSession();
  const first = await stream(id, 'slowly 2000 first');
  const writer = await writerOf(first);
  const second = await stream(id, 'second');
  const third = send(id, 'third');
  await until('all have come', async () => (await messagesOf(id)).length === 6);
  await writer.kill('SIGKILL');
  assert.equal(textOf(await first.all()), 'You said: slowly 2000 first');
  assert.equal(textOf(await second.all()), 'You said: second');
  await until('the last is answered', async () => (await messagesOf(id)).at(-1).status === 'complete', 30 * slow);
  assert.deepEqual((await messagesOf(id)).filter((m) => m.role === 'assistant').map((m) => m.content),
    ['You said: slowly 2000 first', 'You said: second', 'You said: third']);
  await third.catch(() => null);
  await writer.start();
});

test('SIGTERM lets a running answer end', async () => {
  await bothServe();
  const { id } = await newSession();
  const streamed = await stream(id, 'count 200 10');
  const writer = await writerOf(streamed);
  await streamed.upTo('delta', 3);
  const ended = await writer.kill('SIGTERM');
  assert.equal(ended.code, 0);
  const events = await streamed.all();
  assertWhole(events);
  assert.equal(events.at(-1).event, 'done');
  assert.equal(textOf(events), (await withId(id)()).content);
  await writer.start();
});

test('the database goes away while an answer is written: it is stored when it is back', async () => {
  const { id } = await newSession();
  const streamed = await stream(id, 'count 100 10');
  await streamed.upTo('delta', 10);
  await stack.stopDatabase();
  await until('the last word', () => streamed.raw.includes('w100')); // pieces that came together are one
  await stack.startDatabase();
  const events = await streamed.all();
  assertWhole(events);
  assert.equal(events.at(-1).event, 'done');
  assert.equal(textOf(events), (await withId(id)()).content);
});

test('nothing follows the end of a stream: 204', async () => {
  const { id } = await newSession();
  const events = await (await stream(id, 'go on')).all();
  const at = `/api/chat/sessions/${id}/messages/stream`;
  const again = await (await resume(id, events[1].id)).all();
  assert.deepEqual(again.map(sequence), events.slice(2).map(sequence), 'from the middle it is told again');
  assert.equal((await stack.api('GET', at, { token, headers: { 'Last-Event-ID': events.at(-1).id } })).status, 204);
  assert.equal((await stack.api('GET', `${at}?lastEventId=${events.at(-1).id}`, { token })).status, 204);
  const queried = await (await stack.stream('GET', `${at}?lastEventId=${events[1].id}`, { token })).all();
  assert.deepEqual(queried.map(sequence), events.slice(2).map(sequence));
});

test('a streamed message waits for PostgreSQL at most ten times', async () => {
  const names = ['chat', 'documents', 'chatbots'];
  const processes = names.flatMap((name) => (name === 'chat' ? [1, 2] : [1]).map((r) => stack.process(name, r)));
  const waits = async () => (await Promise.all(processes.map(async (p) => Number(/parley_db_waits_total(?:\{[^}]*\})? (\d+)/.exec(await p.metrics())[1])))).reduce((a, b) => a + b);
  const { id } = await newSession();
  await (await stream(id, 'warm up cite')).all();
  const before = await waits();
  const n = 40;
  for (let i = 0; i < n; i++) assert.equal((await (await stream(id, 'cite')).all()).at(-1).event, 'done');
  const each = ((await waits()) - before) / n;
  assert.ok(each <= 10, `${each} waits for each message`);
});

test('what was answered is counted', async () => {
  const text = (await stack.process('chat', 1).metrics()) + (await stack.process('chat', 2).metrics());
  for (const series of ['chat_answers_total{provider="openai",result="complete"}', 'chat_tokens_total{kind="completion"}', 'chat_first_token_seconds_count{provider="openai"}'])
    assert.ok(text.includes(`parley_${series}`), `${series} in\n${text.split('\n').filter((l) => /chat_/.test(l)).join('\n')}`);
});
