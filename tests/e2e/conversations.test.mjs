// Conversations over time: how they are searched for, counted, chosen, stopped and forgotten, by owners and visitors.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startRig, startStack, until } from './harness.mjs';

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
});

test('what the model makes of it is what is searched for; when it fails, the words before it are', async () => {
  const chatHistory = [{ role: 'user', content: 'When does the Kittiwake sail to Ullapool?' }, { role: 'assistant', content: 'At nine.' }];
  const preview = (message, settings = {}) => stack.ok('POST', '/api/chatbots/preview', { token, json: { message, chatbotId: bot.id, chatHistory, settings } });
  const before = (await rewritings()).length;
  const { rag_status: found } = await preview('Why then?');
  assert.equal(found, 'used');
  assert.equal((await rewritings()).length, before + 1);
  chatHistory[0].content = 'slowly 9000 When does the Kittiwake sail to Ullapool?';
  const began = Date.now();
  assert.equal((await preview('Why then?')).rag_status, 'used');
  assert.ok(Date.now() - began < 8000, 'nobody waits for it long');
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
  assert.equal(String(await stack.sql("SELECT count(*) FROM chat.job WHERE kind = 'retention' AND run_at > now() + interval '50 minutes'")), '1', 'it looks again');
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
