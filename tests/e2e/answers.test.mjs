// Curated answers: given as they stand to whoever asks their questions, wherever he asks, and to nobody else.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { root, slow, startRig, startStack, until } from './harness.mjs';

const kinds = JSON.parse(fs.readFileSync(path.join(root, 'tests/eval/kinds.json'), 'utf8'));
const HOURS = 'We are open **from nine to five** [1], Monday to Friday.';

let stack, rig, token, bot, hours;
const answers = (method, where = '', json, to = bot) => stack.api(method, `/api/chatbots/${to.id}/answers${where}`, { token, json });
const add = async (json, to = bot) => {
  const { status, body, text } = await answers('POST', '', json, to);
  assert.equal(status, 201, text);
  return body;
};
const preview = async (message, chatbotId = bot.id) => stack.ok('POST', '/api/chatbots/preview', { token, json: { message, chatbotId } });
const asked = async () => (await fetch(`${rig.url}/asked`, { headers: { Authorization: 'Bearer sk-test' } })).json();

before(async () => {
  rig = await startRig('fakellm.mjs');
  stack = await startStack({
    env: {
      CHAT_PROVIDER: 'openai', CHAT_BASE_URL: `${rig.url}/v1`, CHAT_API_KEY: 'sk-test', CHAT_MODEL: 'scripted', EGRESS_ALLOW: '127.0.0.1/32',
      EMBEDDING_PROVIDER: 'openai', EMBEDDING_BASE_URL: `${rig.url}/v1`, EMBEDDING_API_KEY: 'sk-test',
    },
  });
  token = (await stack.register()).token;
  bot = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Shop' } });
  hours = await add({ questions: ['What are your opening hours?', 'When are you open?'], answer: HOURS });
});
after(async () => {
  await stack?.stop();
  await rig?.stop();
});

test('one is written, read, changed and deleted', async () => {
  assert.deepEqual(Object.keys(hours).sort(), ['answer', 'createdAt', 'enabled', 'id', 'questions', 'updatedAt']);
  const one = await add({ questions: ['Do you ship to Norway?'], answer: ' Yes. ', enabled: false });
  assert.deepEqual([one.answer, one.enabled], ['Yes.', false]);
  assert.deepEqual((await answers('GET')).body.map((a) => a.id), [hours.id, one.id]);
  let { status, body } = await answers('PUT', `/${one.id}`, { answer: 'No.' });
  assert.deepEqual([status, body.answer, body.questions, body.enabled], [200, 'No.', ['Do you ship to Norway?'], false]);
  ({ body } = await answers('PUT', `/${one.id}`, { questions: ['Is Norway far?', 'Where is Norway?'], enabled: true }));
  assert.deepEqual([body.answer, body.questions, body.enabled], ['No.', ['Is Norway far?', 'Where is Norway?'], true]);
  ({ status } = await answers('DELETE', `/${one.id}`));
  assert.equal(status, 204);
  assert.equal((await answers('DELETE', `/${one.id}`)).status, 404);
  assert.equal((await answers('PUT', `/${one.id}`, { answer: 'x' })).status, 404);
});

test('what is none is refused, field by field', async () => {
  for (const [json, field] of [
    [{ answer: 'x' }, 'questions'], [{ questions: [], answer: 'x' }, 'questions'], [{ questions: ['  '], answer: 'x' }, 'questions'],
    [{ questions: ['x'] }, 'answer'], [{ questions: ['x'], answer: ' ' }, 'answer'], [{ questions: 'x', answer: 'x' }, 'questions'],
    [{ questions: ['x'.repeat(501)], answer: 'x' }, 'questions'], [{ questions: ['x'], answer: 'x', enabled: 'maybe' }, 'enabled'],
    [{ questions: Array(51).fill('x'), answer: 'x' }, 'questions'],
  ]) {
    const { status, body, text } = await answers('POST', '', json);
    assert.equal(status, 422, text);
    assert.ok(body.errors.some((e) => e.loc[1] === field), text);
  }
});

test('it is given in a session, without asking the model, and says that it was written beforehand', async () => {
  const session = await stack.ok('POST', '/api/chat/sessions', { token, json: { chatbotId: bot.id } });
  const before = (await asked()).length;
  const where = `/api/chat/sessions/${session.id}/messages`;
  const said = await stack.ok('POST', where, { token, json: { content: 'Hello! what are your openning hours please?' } });
  assert.deepEqual([said.content, said.rag_status, said.status, said.finishReason, said.sources], [HOURS, 'curated', 'complete', 'stop', []]);
  const events = await (await stack.stream('POST', `${where}/stream`, { token, json: { content: 'When are you open?' } })).all();
  assert.deepEqual(events.map((e) => e.event), ['message', 'message', 'delta', 'sources', 'done']);
  assert.equal(events[2].data.text, HOURS);
  assert.equal(events[4].data.message.rag_status, 'curated');
  assert.equal((await asked()).length, before);
  const other = await stack.ok('POST', where, { token, json: { content: 'Where are you open?' } });
  assert.deepEqual([other.content, other.rag_status], ['You said: Where are you open?', 'off']);
});

test('previews and visitors are given it, too', async () => {
  const shown = await preview('Opening hours');
  assert.deepEqual([shown.response, shown.rag_status, shown.sources], [HOURS, 'curated', []]);
  const { sessionId } = await stack.ok('POST', `/api/chat/widget/${bot.id}/session`);
  const reply = await stack.ok('POST', `/api/chat/widget/${bot.id}/message`, { json: { sessionId, message: 'When are you open?' } });
  assert.equal(reply.response, HOURS);
});

test('where a model knows meaning, another way to ask will do; other numbers and denials will not', async () => {
  const now = async (message) => (await preview(message)).rag_status;
  await add({ questions: ['What does error 503 on the display of the kettle mean?'], answer: 'It is too hot.' });
  // A busy machine may make a vector too late once; the next one who asks finds it.
  await until('it is known', async () => (await now('Please explain: what does error 503 on the display of the kettle mean?')) === 'curated');
  assert.equal(await now('What does error 502 on the display of the kettle mean?'), 'off');
  assert.equal(await now('What does error 503 on the display of the kettle not mean?'), 'off');
  assert.equal(await stack.sql('SELECT count(*) > 0 FROM documents.known_question').then(String), 't');
});

test('of answers that contradict each other the oldest is given, every time', async () => {
  const first = await add({ questions: ['Is there parking?'], answer: 'Yes.' });
  await add({ questions: ['Is there parking?'], answer: 'No.' });
  await until('it is known', async () => (await preview('Is there parking?')).response === 'Yes.');
  for (let i = 0; i < 4; i++) assert.equal((await preview('Is there parking?')).response, 'Yes.');
  await answers('PUT', `/${first.id}`, { enabled: false });
  await until('the change', async () => (await preview('Is there parking?')).response === 'No.');
});

test('what changes is known within a second, and nobody asks for the chatbot at each message', async () => {
  const looked = () => fs.readFileSync(stack.process('chatbots').log, 'utf8').split('chatbots.find_chatbot').length - 1;
  let before = 0;
  await until('the log, which is a moment late, tells of no new look', async () => {
    const was = before;
    await preview('When are you open?');
    before = looked();
    return was > 0 && before === was;
  });
  for (let i = 0; i < 5; i++) await preview('When are you open?');
  assert.equal(looked(), before);
  await answers('PUT', `/${hours.id}`, { answer: 'Always.' });
  await until('the new answer', async () => (await preview('When are you open?')).response === 'Always.', 3 * slow);
  await answers('PUT', `/${hours.id}`, { answer: HOURS });
  await until('the old answer', async () => (await preview('When are you open?')).response === HOURS, 3 * slow);
});

test('none of the questions from elsewhere is given one', async () => {
  const faq = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Many' } });
  const own = kinds.cases.filter((c) => !['foreign', 'near', 'chitchat'].includes(c.kind)).map((c) => c.turns[0].ask);
  for (let i = 0; i < own.length; i += 50) await add({ questions: own.slice(i, i + 50).map((q) => q.slice(0, 500)), answer: `Group ${i}` }, faq);
  for (const { turns } of kinds.cases.filter((c) => ['foreign', 'near'].includes(c.kind)))
    assert.notEqual((await preview(turns[0].ask, faq.id)).rag_status, 'curated', turns[0].ask);
  const right = await preview(own[60], faq.id);
  assert.deepEqual([right.response, right.rag_status], ['Group 50', 'curated']);
});

test('they go along when a chatbot is copied, exported and imported', async () => {
  const list = async (id) => (await answers('GET', '', undefined, { id })).body.map(({ questions, answer, enabled }) => ({ questions, answer, enabled }));
  const want = await list(bot.id);
  assert.ok(want.length >= 3 && want.some((a) => !a.enabled));
  const copy = await stack.ok('POST', `/api/chatbots/${bot.id}/copy`, { token, status: 201 });
  assert.deepEqual(await list(copy.id), want);
  const exported = await stack.ok('GET', `/api/chatbots/${bot.id}/export`, { token });
  assert.deepEqual(exported.answers, want);
  const imported = await stack.ok('POST', '/api/chatbots/import', { token, json: exported, status: 201 });
  assert.deepEqual(await list(imported.id), want);
  assert.equal((await stack.api('POST', '/api/chatbots/import', { token, json: { name: 'x', answers: [{ questions: [], answer: 'x' }] } })).status, 422);
});
