// ChatConnect's chats, and what one does with messages in either API: rename, write anew, edit, judge, search.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startRig, startStack } from './harness.mjs';

let stack, rig, token, stranger, bot;
before(async () => {
  rig = await startRig('fakellm.mjs');
  stack = await startStack({
    env: { CHAT_PROVIDER: 'openai', CHAT_BASE_URL: `${rig.url}/v1`, CHAT_API_KEY: 'sk-test', CHAT_MODEL: 'scripted', EGRESS_ALLOW: '127.0.0.1/32' },
  });
  token = (await stack.register()).token;
  stranger = (await stack.register()).token;
  bot = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Bot' } });
});
after(async () => {
  await stack?.stop();
  await rig?.stop();
});

const make = (prefix = 'chat', json) => stack.ok('POST', `/${prefix}/chats`, { token, json, status: 201 });
const say = (id, content, prefix = 'chat') => stack.api('POST', `/${prefix}/chats/${id}/messages`, { token, json: { content } });
const newSession = () => stack.ok('POST', '/api/chat/sessions', { token, json: { chatbotId: bot.id }, status: 201 });

test('a chat is made without a body, named by its first message, renamed, listed and deleted', async () => {
  const chat = await make();
  assert.ok(Number.isInteger(chat.id) && chat.id > 0);
  assert.deepEqual(Object.keys(chat).sort(), ['createdAt', 'id', 'title', 'updatedAt']);
  assert.equal(chat.title, null);
  const answer = await say(chat.id, 'Send me an email using Gmail');
  assert.equal(answer.status, 200);
  assert.ok(Number.isInteger(answer.body.id));
  assert.equal(answer.body.role, 'assistant');
  assert.equal(answer.body.content, 'You said: Send me an email using Gmail');
  assert.match(answer.body.createdAt, /^20\d\d-.*Z$/);
  const named = (await stack.ok('GET', '/chat/chats', { token })).find((c) => c.id === chat.id);
  assert.equal(named.title, 'Send me an email using Gmail');
  const renamed = await stack.ok('PUT', `/chat/chats/${chat.id}/title`, { token, json: { title: ' Mails ' } });
  assert.equal(renamed.title, 'Mails');
  assert.equal(renamed.id, chat.id);
  const messages = await stack.ok('GET', `/chat/chats/${chat.id}/messages`, { token });
  assert.deepEqual(messages.map((m) => [m.role, m.content]), [['user', 'Send me an email using Gmail'], ['assistant', answer.body.content]]);
  assert.ok(messages[0].id < messages[1].id && messages[1].id === answer.body.id);
  assert.equal(messages[1].reasoning, 'Let me think.');
  assert.ok((await stack.ok('DELETE', `/chat/chats/${chat.id}`, { token })).message);
  assert.equal((await stack.api('GET', `/chat/chats/${chat.id}/messages`, { token })).status, 404);
});

test('the document\'s own request and answer of a message: what it prints comes first, in its order, and the rest is ours', async () => {
  const chat = await make();
  const { status, body } = await stack.api('POST', `/chat/chats/${chat.id}/messages`, { token, json: { content: 'Send me an email using Gmail', chatId: chat.id } });
  assert.equal(status, 200);
  assert.deepEqual(Object.keys(body), ['id', 'content', 'role', 'createdAt', 'reasoning', 'status', 'sources', 'model']);
  const { id, createdAt, content, ...rest } = body;
  assert.ok(Number.isSafeInteger(id) && id > 0 && content.length > 0);
  assert.match(createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
  assert.deepEqual([rest.role, rest.status, rest.sources], ['assistant', 'complete', []]);
  const other = await stack.api('POST', `/chat/chats/${chat.id}/messages`, { token, json: { content: 'x', chatId: chat.id + 1 } });
  assert.equal(other.status, 422, 'an id in the body that is not the one in the path');
  for (const one of await stack.ok('GET', `/chat/chats/${chat.id}/messages`, { token }))
    assert.deepEqual(Object.keys(one).slice(0, 4), ['id', 'content', 'role', 'createdAt']);
});

test('each prefix lists its own chats, an id works under both', async () => {
  const here = await make('chat', { title: 'Here' });
  const there = await make('chatconnect', { title: 'There' });
  const ids = async (prefix) => (await stack.ok('GET', `/${prefix}/chats`, { token })).map((c) => c.id);
  assert.ok((await ids('chat')).includes(here.id) && !(await ids('chat')).includes(there.id));
  assert.ok((await ids('chatconnect')).includes(there.id) && !(await ids('chatconnect')).includes(here.id));
  assert.ok(!(await stack.ok('GET', '/api/chat/sessions', { token })).some((s) => s.title === 'Here'));
  const { status, body } = await say(there.id, 'hello', 'chatconnect');
  assert.equal(status, 200);
  assert.equal(body.message, 'You said: hello');
  assert.equal(body.reasoning, 'Let me think.');
  assert.deepEqual([body.function_calls, body.execution_results], [[], []]);
  assert.ok(body.model_used);
  assert.equal((await say(here.id, 'also there', 'chatconnect')).status, 200);
  assert.equal((await stack.ok('GET', `/chat/chats/${there.id}/messages`, { token })).length, 2);
  assert.deepEqual(await stack.ok('GET', `/chatconnect/chats/${there.id}/messages`, { token }), await stack.ok('GET', `/chat/chats/${there.id}/messages`, { token }));
});

test('chats of others, of nobody, and what is wrong are refused', async () => {
  const { id } = await make();
  for (const [name, answer, status] of [
    ['somebody else lists', await stack.api('GET', `/chat/chats/${id}/messages`, { token: stranger }), 404],
    ['somebody else writes', await stack.api('POST', `/chat/chats/${id}/messages`, { token: stranger, json: { content: 'x' } }), 404],
    ['somebody else renames', await stack.api('PUT', `/chat/chats/${id}/title`, { token: stranger, json: { title: 'x' } }), 404],
    ['somebody else deletes', await stack.api('DELETE', `/chat/chats/${id}`, { token: stranger }), 404],
    ['an id that is none', await stack.api('GET', '/chat/chats/abc/messages', { token }), 404],
    ['an id that is not there', await stack.api('GET', '/chat/chats/9007199254740991/messages', { token }), 404],
    ['no token', await stack.api('GET', '/chat/chats'), 401],
    ['another chat in the body', await stack.api('POST', `/chat/chats/${id}/messages`, { token, json: { content: 'x', chatId: id + 1 } }), 422],
    ['the same in the body', await stack.api('POST', `/chat/chats/${id}/messages`, { token, json: { content: 'x', chatId: id } }), 200],
    ['no content', await stack.api('POST', `/chat/chats/${id}/messages`, { token, json: {} }), 422],
    ['blanks', await say(id, ' \n\t '), 422],
    ['what cannot be seen', await say(id, '\u200b\u00a0\u2060\ufeff'), 422],
    ['an empty title', await stack.api('PUT', `/chat/chats/${id}/title`, { token, json: { title: ' ' } }), 422],
  ])
    assert.equal(answer.status, status, `${name}: ${answer.text}`);
});

test('lists of chats come in pages', async () => {
  const made = [];
  for (let i = 0; i < 3; i++) made.push((await make('chatconnect', { title: `page ${i}` })).id);
  const first = await stack.api('GET', '/chatconnect/chats?limit=2', { token });
  assert.deepEqual(first.body.map((c) => c.id), [made[2], made[1]]);
  const next = new URL(/<([^>]+)>; rel="next"/.exec(first.headers.link)[1], stack.url());
  assert.equal((await stack.ok('GET', next.pathname + next.search, { token }))[0].id, made[0]);
});

test('a chat is streamed with its numbers, and resumed', async () => {
  const { id } = await make();
  const at = `/chat/chats/${id}/messages/stream`;
  const events = await (await stack.stream('POST', at, { token, json: { content: 'count 5' } })).all();
  const messages = await stack.ok('GET', `/chat/chats/${id}/messages`, { token });
  assert.deepEqual(events.filter((e) => e.event === 'message').map((e) => e.data), messages.map((m) => ({ id: m.id, role: m.role })));
  assert.deepEqual(events.at(-1).data.message, messages[1]);
  assert.equal(events.filter((e) => e.event === 'delta').map((e) => e.data.text).join(''), 'w1 w2 w3 w4 w5');
  const rest = await (await stack.stream('GET', at, { token, lastEventId: events[3].id })).all();
  assert.deepEqual(rest.map((e) => e.raw), events.slice(4).map((e) => e.raw));
  assert.equal((await stack.api('GET', `${at}?lastEventId=${events.at(-1).id}`, { token })).status, 204);
});

test('a chat is stopped, written anew, asked otherwise and judged', async () => {
  const { id } = await make();
  const at = `/chat/chats/${id}/messages`;
  const stream = await stack.stream('POST', `${at}/stream`, { token, json: { content: 'count 1000 10' } });
  await stream.upTo('delta', 3);
  const number = stream.events[1].data.id;
  const stopped = await stack.ok('POST', `${at}/${number}/stop`, { token });
  assert.deepEqual([stopped.id, stopped.status], [number, 'stopped']);
  const edited = await stack.ok('POST', `${at}/${stream.events[0].data.id}/edit`, { token, json: { content: 'better' } });
  assert.equal(edited.content, 'You said: better');
  const anew = await stack.ok('POST', `${at}/${edited.id}/regenerate`, { token });
  assert.notEqual(anew.id, edited.id);
  assert.deepEqual((await stack.ok('GET', at, { token })).map((m) => m.content), ['better', 'You said: better']);
  assert.equal((await stack.ok('GET', `${at}?siblings=1`, { token })).length, 5);
  assert.equal((await stack.ok('PUT', `${at}/${anew.id}/feedback`, { token, json: { value: 'down' } })).feedback, 'down');
  assert.equal((await stack.api('POST', `${at}/99999999/regenerate`, { token })).status, 404);
});

// --- Sessions of chatbots -----------------------------------------------------------------------------------------------

test('a session is renamed', async () => {
  const { id } = await newSession();
  const renamed = await stack.ok('PUT', `/api/chat/sessions/${id}`, { token, json: { title: 'Warranty' } });
  assert.deepEqual([renamed.id, renamed.title, renamed.chatbotId], [id, 'Warranty', bot.id]);
  assert.equal((await stack.api('PUT', `/api/chat/sessions/${id}`, { token: stranger, json: { title: 'x' } })).status, 404);
  assert.equal((await stack.api('PUT', `/api/chat/sessions/${id}`, { token, json: {} })).status, 422);
});

test('an answer is written anew: siblings are kept, one is shown, and only the last can be', async () => {
  const { id } = await newSession();
  const at = `/api/chat/sessions/${id}/messages`;
  const first = await stack.ok('POST', at, { token, json: { content: 'one' } });
  const second = await stack.ok('POST', at, { token, json: { content: 'two' } });
  assert.equal((await stack.api('POST', `${at}/${first.id}/regenerate`, { token })).status, 409);
  const anew = await stack.ok('POST', `${at}/${second.id}/regenerate`, { token });
  assert.equal(anew.content, 'You said: two');
  assert.equal(anew.replaces, second.id);
  assert.deepEqual((await stack.ok('GET', at, { token })).map((m) => m.id).slice(-1), [anew.id]);
  assert.equal((await stack.ok('GET', at, { token })).length, 4);
  const all = await stack.ok('GET', `${at}?siblings=1`, { token });
  assert.equal(all.length, 5);
  assert.equal(all.find((m) => m.id === second.id).shown, false);
  const events = await (await stack.stream('POST', `${at}/${anew.id}/regenerate/stream`, { token })).all();
  assert.equal(events.at(-1).event, 'done');
  assert.equal(events[0].data.id, anew.questionId, 'the question is the same');
  assert.equal((await stack.api('POST', `${at}/${anew.id}/regenerate`, { token: stranger })).status, 404);
  const question = (await stack.ok('GET', at, { token })).at(-2);
  const edited = await stack.ok('POST', `${at}/${question.id}/edit`, { token, json: { content: 'three' } });
  assert.equal(edited.content, 'You said: three');
  assert.deepEqual((await stack.ok('GET', at, { token })).map((m) => m.content), ['one', 'You said: one', 'three', 'You said: three']);
  assert.equal((await stack.api('POST', `${at}/${question.id}/edit`, { token, json: { content: 'x' } })).status, 409);
  assert.equal((await stack.api('POST', `${at}/${question.id}/edit`, { token, json: { content: ' ' } })).status, 422);
});

test('nothing is written anew while an answer is written', async () => {
  const { id } = await newSession();
  const at = `/api/chat/sessions/${id}/messages`;
  const answer = await stack.ok('POST', at, { token, json: { content: 'one' } });
  const stream = await stack.stream('POST', `${at}/stream`, { token, json: { content: 'count 100 10' } });
  await stream.upTo('delta');
  assert.equal((await stack.api('POST', `${at}/${answer.id}/regenerate`, { token })).status, 409);
  await stream.all();
});

test('answers are judged, and the judgement taken back', async () => {
  const { id } = await newSession();
  const at = `/api/chat/sessions/${id}/messages`;
  const answer = await stack.ok('POST', at, { token, json: { content: 'one' } });
  const put = (message, json, as = token) => stack.api('PUT', `${at}/${message}/feedback`, { token: as, json });
  const up = await put(answer.id, { value: 'up', comment: 'Right!' });
  assert.deepEqual([up.status, up.body.feedback, up.body.feedbackComment], [200, 'up', 'Right!']);
  assert.equal((await stack.ok('GET', at, { token }))[1].feedback, 'up');
  const none = await put(answer.id, { value: null });
  assert.ok(!('feedback' in none.body) && !('feedbackComment' in none.body));
  assert.equal((await put(answer.id, { value: 'sideways' })).status, 422);
  assert.equal((await put(answer.id, { value: 'up' }, stranger)).status, 404);
  const [question] = await stack.ok('GET', at, { token });
  assert.equal((await put(question.id, { value: 'up' })).status, 404, 'a question of one\'s own');
});

test('one\'s messages are searched, in any script, and nobody else\'s', async () => {
  const { id } = await newSession();
  const chat = await make();
  await stack.ok('POST', `/api/chat/sessions/${id}/messages`, { token, json: { content: 'Der Wasserkocher hat zwei Jahre GARANTIE' } });
  await say(chat.id, '保修期是两年');
  const find = async (q, as = token) => stack.ok('GET', `/api/chat/search?q=${encodeURIComponent(q)}`, { token: as });
  const found = await find('garantie wasserkocher');
  assert.deepEqual(found.map((m) => m.role), ['assistant', 'user'], 'newest first');
  assert.equal(found[0].sessionId, id);
  assert.match(found[1].content, /Wasserkocher/);
  assert.equal((await find('保修期'))[0].chatId, chat.id);
  assert.deepEqual(await find('garantie kettle'), []);
  assert.deepEqual(await find('garantie', stranger), []);
  assert.deepEqual(await find('100%'), [], 'no pattern');
  assert.equal((await stack.api('GET', '/api/chat/search?q=%20', { token })).status, 422);
});

// --- For owners of chatbots ---------------------------------------------------------------------------------------------

test('a chatbot is copied, exported and imported', async () => {
  const document = await stack.upload(token, 'kettle.txt', 'The kettle has a warranty of two years.');
  const original = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Kettles', description: 'All of them', documents: [document.id], settings: { role: 'expert', mine: { own: 1 } } }, status: 201 });
  const copy = await stack.ok('POST', `/api/chatbots/${original.id}/copy`, { token, status: 201 });
  assert.notEqual(copy.id, original.id);
  assert.deepEqual([copy.name, copy.description, copy.documents, copy.settings], ['Kettles (copy)', 'All of them', [document.id], original.settings]);
  const moved = await stack.ok('GET', `/api/chatbots/${original.id}/export`, { token });
  assert.deepEqual(moved, { format: 'parley.chatbot/1', name: 'Kettles', description: 'All of them', settings: original.settings, answers: [] });
  const imported = await stack.ok('POST', '/api/chatbots/import', { token: stranger, json: moved, status: 201 });
  assert.deepEqual([imported.name, imported.settings, imported.documents], ['Kettles', original.settings, []]);
  for (const where of ['copy', 'export'])
    assert.equal((await stack.api(where === 'copy' ? 'POST' : 'GET', `/api/chatbots/${original.id}/${where}`, { token: stranger })).status, 404);
  assert.equal((await stack.api('POST', '/api/chatbots/import', { token, json: { ...moved, format: 'other/1' } })).status, 422);
  assert.equal((await stack.api('POST', '/api/chatbots/import', { token, json: { ...moved, settings: { temperature: 9 } } })).status, 422);
});

test('where nothing is found the chatbot says its own sentence, and no model is asked', async () => {
  const document = await stack.upload(token, 'norway.txt', 'We ship to Norway within five days.');
  const strict = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Strict', documents: [document.id], settings: { refusalMessage: 'Please write to us.' } } });
  const { id } = await stack.ok('POST', '/api/chat/sessions', { token, json: { chatbotId: strict.id } });
  const answer = await stack.ok('POST', `/api/chat/sessions/${id}/messages`, { token, json: { content: 'Zzyzx quux?' } });
  assert.deepEqual([answer.content, answer.rag_status, answer.sources], ['Please write to us.', 'empty', []]);
  assert.equal((await stack.ok('POST', `/api/chat/sessions/${id}/messages`, { token, json: { content: 'Do you ship to Norway?' } })).rag_status, 'used');
});

test('an owner reads what visitors asked, sees figures, and erases it', async () => {
  const document = await stack.upload(token, 'ship.txt', 'We ship to Norway within five days.');
  const shop = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Shop', documents: [document.id], settings: { refusalMessage: 'No idea.' } } });
  const { sessionId } = await stack.ok('POST', `/api/chat/widget/${shop.id}/session`, { status: 201 });
  for (const message of ['Zzyzx quux?', 'Do you ship to Norway?'])
    await stack.ok('POST', `/api/chat/widget/${shop.id}/message`, { json: { sessionId, message } });
  const at = `/api/chatbots/${shop.id}/conversations`;
  const [conversation] = await stack.ok('GET', at, { token });
  assert.equal(conversation.title, 'Zzyzx quux?');
  const whole = await stack.ok('GET', `${at}/${conversation.id}`, { token });
  assert.deepEqual(whole.messages.filter((m) => m.role === 'user').map((m) => m.content), ['Zzyzx quux?', 'Do you ship to Norway?']);
  await stack.ok('PUT', `/api/chat/sessions/${conversation.id}/messages/${whole.messages[1].id}/feedback`, { token, json: { value: 'up' } });
  const figures = await stack.ok('GET', `/api/chatbots/${shop.id}/analytics`, { token });
  assert.equal(figures.days.length, 1);
  const { day, ...counts } = figures.days[0];
  assert.match(day, /^20\d\d-\d\d-\d\d$/);
  assert.deepEqual(counts, { conversations: 1, messages: 2, thumbsUp: 1, thumbsDown: 0, unanswered: 1 });
  assert.deepEqual(figures.unansweredQuestions, ['Zzyzx quux?']);
  for (const [method, where] of [['GET', at], ['GET', `${at}/${conversation.id}`], ['DELETE', `${at}/${conversation.id}`], ['GET', `/api/chatbots/${shop.id}/analytics`]])
    assert.equal((await stack.api(method, where, { token: stranger })).status, 404, where);
  assert.equal((await stack.api('GET', `${at.replace(shop.id, bot.id)}/${conversation.id}`, { token })).status, 404, 'of another chatbot');
  await stack.ok('DELETE', `${at}/${conversation.id}`, { token, status: 204 });
  assert.deepEqual(await stack.ok('GET', at, { token }), []);
  assert.deepEqual((await stack.ok('GET', `/api/chat/widget/${shop.id}/session/${sessionId}`)).messages, []);
});
