// Conversations over time: how they are searched for, counted, chosen, stopped and forgotten, by owners and visitors.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, test } from 'node:test';
import { slow, startRig, startStack, until } from './harness.mjs';

const ARTICLE = 'The Kittiwake is a ferry. She sails to Ullapool at nine in summer.\n\nThe Petrel is a tug. She has a crew of four.\n';

let stack, rig, token, documentId, bot;
const asked = async () => (await fetch(`${rig.url}/asked`, { headers: { Authorization: 'Bearer sk-test' } })).json();
const newSession = async (of = bot) => (await stack.ok('POST', '/api/chat/sessions', { token, json: { chatbotId: of.id } })).id;
const say = (id, content) => stack.ok('POST', `/api/chat/sessions/${id}/messages`, { token, json: { content } });
const make = (name, settings = {}, documents = [documentId]) => stack.ok('POST', '/api/chatbots', { token, json: { name, documents, settings } });

before(async () => {
  rig = await startRig('fakellm.mjs');
  stack = await startStack({
    env: { CHAT_PROVIDER: 'openai', CHAT_BASE_URL: `${rig.url}/v1`, CHAT_API_KEY: 'sk-test', CHAT_MODEL: 'scripted', EGRESS_ALLOW: '127.0.0.1/32' },
  });
  token = (await stack.register()).token;
  documentId = (await stack.upload(token, 'ships.txt', ARTICLE)).id;
  bot = await make('Harbour');
});
after(async () => {
  await stack?.stop();
  await rig?.stop();
});

// --- A question that leans on the one before it -----------------------------------------------------------------------------

const rewritings = async () => (await asked()).filter((text) => text.startsWith('<conversation>'));

test('a question that leans on what was said is rewritten for the search, once, and never shown', async () => {
  const id = await newSession();
  await say(id, 'When does the Kittiwake sail to Ullapool in summer?');
  assert.equal((await rewritings()).length, 0, 'there was nothing before it');
  const answer = await say(id, 'And does it sail in winter?');
  const [told, ...more] = await rewritings();
  assert.equal(more.length, 0);
  assert.match(told, /user: When does the Kittiwake sail[^]*The last question: And does it sail in winter\?$/);
  assert.equal(answer.content, 'You said: And does it sail in winter?');
  const shown = await stack.ok('GET', `/api/chat/sessions/${id}`, { token });
  assert.deepEqual(shown.messages.map((m) => m.role), ['user', 'assistant', 'user', 'assistant']);
  assert.ok(!JSON.stringify(shown).includes('That is it'));
  await say(id, 'How many people are in the crew of the Petrel, the tug of the harbour?');
  assert.equal((await rewritings()).length, 1, 'this one stands by itself');
  const answer2 = await stack.ok('POST', `/api/chatbots/${bot.id}/answers`, { token, json: { questions: ['Why not?'], answer: 'Because of the ice.' } });
  await until('it is known', async () => (await say(id, 'Why not?')).rag_status === 'curated');
  const before = (await rewritings()).length;
  assert.equal((await say(id, 'Why not?')).content, 'Because of the ice.');
  assert.equal((await rewritings()).length, before, 'no model is asked for what is answered beforehand');
  await say(id, 'And then?');
  assert.equal((await rewritings()).length, before + 1);
  await stack.ok('DELETE', `/api/chatbots/${bot.id}/answers/${answer2.id}`, { token, status: 204 });
});

test('what the model makes of it is what is searched for; when it fails, the words before it are', async () => {
  const chatHistory = [{ role: 'user', content: 'When does the Kittiwake sail to Ullapool?' }, { role: 'assistant', content: 'At nine.' }];
  const preview = (message, settings = {}) => stack.ok('POST', '/api/chatbots/preview', { token, json: { message, chatbotId: bot.id, chatHistory, settings } });
  const before = (await rewritings()).length;
  const { rag_status: found } = await preview('Why then?');
  assert.equal(found, 'used');
  assert.equal((await rewritings()).length, before + 1);
  chatHistory[0].content = 'slowly 60000 When does the Kittiwake sail to Ullapool?';
  const began = Date.now();
  assert.equal((await preview('Why then?')).rag_status, 'used');
  assert.ok(Date.now() - began < 10_000 * slow, 'nobody waits for it long');
  chatHistory[0].content = 'When does the Kittiwake sail to Ullapool?';
  const count = (await rewritings()).length;
  await preview('Why then?', { model: 'builtin' });
  assert.equal((await rewritings()).length, count, 'the builtin answerer asks no model');
});

// --- Forgetting ---------------------------------------------------------------------------------------------------------------

test('conversations are forgotten after the days that their chatbot says, and no others', async () => {
  const forgetful = await make('Forgetful', { retentionDays: 30 }, []);
  const keeping = await make('Keeping', {}, []);
  const ids = {};
  for (const [name, of, days] of [['old', forgetful, 31], ['new', forgetful, 29], ['kept', keeping, 400]]) {
    ids[name] = await newSession(of);
    await say(ids[name], 'hello');
    await stack.sql(`UPDATE chat.session SET updated_at = now() - interval '${days} days' WHERE id = '${ids[name]}'`);
  }
  const { sessionId } = await stack.ok('POST', `/api/chat/widget/${forgetful.id}/session`);
  await stack.ok('POST', `/api/chat/widget/${forgetful.id}/message`, { json: { sessionId, message: 'hello' } });
  await stack.sql(`UPDATE chat.session SET updated_at = now() - interval '31 days' WHERE visitor AND chatbot_id = '${forgetful.id}'`);
  await stack.sql("UPDATE chat.job SET run_at = now() WHERE kind = 'retention'; SELECT pg_notify('parley_job', 'retention')");
  await until('the old one is gone', async () => (await stack.api('GET', `/api/chat/sessions/${ids.old}`, { token })).status === 404);
  await until('the visitor\'s is gone', async () => (await stack.ok('GET', `/api/chatbots/${forgetful.id}/conversations`, { token })).length === 0);
  for (const name of ['new', 'kept']) await stack.ok('GET', `/api/chat/sessions/${ids[name]}`, { token });
  await until('it looks again', async () => String(await stack.sql("SELECT count(*) FROM chat.job WHERE kind = 'retention' AND run_at > now() + interval '50 minutes'")) === '1');
  for (const retentionDays of [0, -1, 'soon', 1.5, 40000])
    assert.equal((await stack.api('PUT', `/api/chatbots/${keeping.id}`, { token, json: { settings: { retentionDays } } })).status, 422, `${retentionDays}`);
  assert.equal((await stack.ok('PUT', `/api/chatbots/${forgetful.id}`, { token, json: { settings: { retentionDays: null } } })).settings.retentionDays, undefined);
});

// --- Figures ------------------------------------------------------------------------------------------------------------------

test('what was not answered is counted on its day, by UTC', async () => {
  const shop = await make('Shop', { refusalMessage: 'No idea.' });
  const id = await newSession(shop);
  for (const content of ['Zzyzx quux?', 'Xyzzy plugh?', 'Is the Petrel a tug?']) await say(id, content);
  const [, first] = (await stack.ok('GET', `/api/chat/sessions/${id}/messages`, { token }));
  await stack.sql(`UPDATE chat.message SET created_at = date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' - interval '1 second' WHERE id = '${first.id}'`);
  const figures = async (days) => (await stack.ok('GET', `/api/chatbots/${shop.id}/analytics?days=${days}`, { token }));
  const both = await figures(2);
  assert.deepEqual(both.days.map((d) => [d.messages, d.unanswered]), [[1, 1], [2, 1]]);
  assert.equal(Date.parse(both.days[1].day) - Date.parse(both.days[0].day), 86_400_000);
  assert.deepEqual(both.unansweredQuestions.sort(), ['Xyzzy plugh?', 'Zzyzx quux?']);
  const today = await figures(1);
  assert.deepEqual([today.days.map((d) => d.unanswered), today.unansweredQuestions], [[1], ['Xyzzy plugh?']]);
});

// --- Siblings -----------------------------------------------------------------------------------------------------------------

test('of answers written anew and questions asked otherwise, one is chosen to be shown', async () => {
  const plain = await make('Plain', {}, []);
  const id = await newSession(plain);
  const at = `/api/chat/sessions/${id}/messages`;
  const shown = async () => (await stack.ok('GET', at, { token })).map((m) => m.content);
  const choose = (message, options = {}) => stack.api('POST', `${at}/${message}/choose`, { token, ...options });
  const first = await say(id, 'one');
  const second = await stack.ok('POST', `${at}/${first.id}/regenerate`, { token });
  const [question] = await stack.ok('GET', at, { token });
  const edited = await stack.ok('POST', `${at}/${question.id}/edit`, { token, json: { content: 'two' } });
  assert.deepEqual(await shown(), ['two', 'You said: two']);
  assert.equal((await choose(first.id)).body.id, first.id);
  let all = await stack.ok('GET', at, { token });
  assert.deepEqual(all.map((m) => m.id), [question.id, first.id]);
  await choose(second.id);
  all = await stack.ok('GET', at, { token });
  assert.deepEqual(all.map((m) => m.id), [question.id, second.id]);
  await choose(edited.questionId);
  assert.deepEqual(await shown(), ['two', 'You said: two']);
  await choose(question.id);
  assert.deepEqual((await stack.ok('GET', at, { token })).map((m) => m.id), [question.id, second.id], 'a question comes with its latest answer');
  const next = await say(id, 'three');
  assert.deepEqual(await shown(), ['one', 'You said: one', 'three', 'You said: three']);
  await choose(edited.id);
  assert.deepEqual(await shown(), ['two', 'You said: two', 'three', 'You said: three'], 'also further up');
  assert.equal((await stack.ok('GET', `${at}?siblings=1`, { token })).length, 7);
  assert.match((await say(id, 'what was said')).content, /^user: two \| assistant: You said: two \| user: three \| assistant: You said: three$/);
  await choose(question.id);
  assert.match((await say(id, 'what was said')).content, /^user: one \| assistant: You said: one \| user: three/, 'the model is told what is shown');
  const other = await newSession(plain);
  assert.equal((await stack.api('POST', `/api/chat/sessions/${other}/messages/${next.id}/choose`, { token })).status, 404);
  const running = await stack.stream('POST', `${at}/stream`, { token, json: { content: 'count 200 20' } });
  await running.upTo('delta');
  assert.equal((await choose(first.id)).status, 409);
  running.cut();
});

// --- Visitors -----------------------------------------------------------------------------------------------------------------

test('a visitor stops and judges the answers of his own session, and no others', async () => {
  const plain = await make('Plain', {}, []);
  const route = `/api/chat/widget/${plain.id}`;
  const [own, others] = [(await stack.ok('POST', `${route}/session`)).sessionId, (await stack.ok('POST', `${route}/session`)).sessionId];
  const streamed = await stack.stream('POST', `${route}/message/stream`, { json: { sessionId: own, message: 'count 300 20' } });
  const { data: { id } } = await streamed.upTo('message', 2);
  await streamed.upTo('delta', 3);
  const stop = (sessionId, message = id) => stack.api('POST', `${route}/message/${message}/stop`, { json: { sessionId } });
  const judge = (sessionId, json, message = id) => stack.api('PUT', `${route}/message/${message}/feedback`, { json: { sessionId, ...json } });
  for (const attempt of [stop, judge]) assert.equal((await attempt(others, { value: 'up' })).status, 404, 'of another session');
  const { status, body } = await stop(own);
  assert.deepEqual([status, body.status], [200, 'stopped']);
  assert.equal((await streamed.all()).at(-1).event, 'done');
  assert.equal((await judge(own, { value: 'up', comment: 'Thanks' })).body.feedback, 'up');
  assert.equal((await judge(own, { value: null })).body.feedback, undefined);
  assert.equal((await judge(own, { value: 'meh' })).status, 422);
  assert.equal((await judge(own, { value: 'up' }, crypto.randomUUID())).status, 404);
  assert.equal((await stop('x'.repeat(40))).status, 404);
});

test('who a visitor is, a site says with a signature; it stands in the transcript and the export', async () => {
  const plain = await make('Plain', {}, []);
  const secretOf = async () => (await stack.ok('GET', `/api/chatbots/${plain.id}/visitor-secret`, { token })).secret;
  const secret = await secretOf();
  const sign = (visitor, key = secret) => crypto.createHmac('sha256', key).update(visitor).digest('hex');
  const enter = (json) => stack.api('POST', `/api/chat/widget/${plain.id}/session`, { json });
  const visitor = JSON.stringify({ name: 'Zoë', email: 'zoe@example.com', exp: Math.floor(Date.now() / 1000) + 600 });
  const { status, body } = await enter({ visitor, signature: sign(visitor) });
  assert.equal(status, 201);
  await stack.ok('POST', `/api/chat/widget/${plain.id}/message`, { json: { sessionId: body.sessionId, message: 'hello' } });
  const [conversation] = await stack.ok('GET', `/api/chatbots/${plain.id}/conversations`, { token });
  assert.deepEqual([conversation.visitorName, conversation.visitorEmail], ['Zoë', 'zoe@example.com']);
  const whole = await stack.ok('GET', `/api/chatbots/${plain.id}/conversations/${conversation.id}`, { token });
  assert.deepEqual([whole.visitorName, whole.messages.length], ['Zoë', 2]);
  assert.match((await stack.api('GET', `/api/chat/sessions/${conversation.id}/export?format=md`, { token })).text, /^Visitor: Zoë <zoe@example\.com>$/m);
  assert.equal((await stack.api('GET', `/api/chat/sessions/${conversation.id}/export?format=json`, { token })).body.visitorEmail, 'zoe@example.com');
  for (const [name, json, want] of [
    ['no signature', { visitor }, 403], ['another\'s', { visitor, signature: sign(visitor, 'x') }, 403],
    ['of something else', { visitor, signature: sign(`${visitor} `) }, 403], ['half of one', { visitor, signature: sign(visitor).slice(0, 32) }, 403],
    ['a time that is over', ...[JSON.stringify({ name: 'Zoë', exp: 1 })].map((v) => ({ visitor: v, signature: sign(v) })), 403],
    ...['no JSON', '[]', '{"name":5}', JSON.stringify({ name: 'x'.repeat(201) })].map((v) => [v.slice(0, 20), { visitor: v, signature: sign(v) }, 422]),
  ])
    assert.equal((await enter(json)).status, want, name);
  await stack.ok('PUT', `/api/chatbots/${plain.id}`, { token, json: { settings: { identityVersion: 1 } } });
  await until('there is another secret', async () => (await secretOf()) !== secret);
  await until('the old one is refused', async () => (await enter({ visitor, signature: sign(visitor) })).status === 403);
  assert.equal((await enter({ visitor, signature: sign(visitor, await secretOf()) })).status, 201);
});
