// Chatbots through the public API: what a frontend does with them, and what nobody may.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startStack } from './harness.mjs';

describe('chatbots', () => {
  let stack, ada, eve;
  const api = (method, where, options) => stack.api(method, `/api/chatbots${where}`, options);
  const create = (json = {}, user = ada) =>
    stack.ok('POST', '/api/chatbots', { token: user.token, json: { name: 'Helpdesk', ...json }, status: 201 });
  const article = async (user) => (await stack.upload(user.token, 'a.txt', 'Parley answers from documents.')).id;

  before(async () => {
    stack = await startStack();
    [ada, eve] = [await stack.register(), await stack.register()];
  });
  after(() => stack.stop());

  test('a new one has the documented defaults', async () => {
    const bot = await create();
    assert.deepEqual(Object.keys(bot).sort(), ['createdAt', 'description', 'documents', 'id', 'name', 'ownerId', 'settings', 'updatedAt']);
    assert.equal(bot.ownerId, ada.uid);
    assert.equal(bot.description, null);
    assert.deepEqual(bot.documents, []);
    assert.match(bot.createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
    const { temperature, maxTokens, topK, rateLimitPerMinute, suggestedQuestions, allowedOrigins } = bot.settings;
    assert.deepEqual({ temperature, maxTokens, topK, rateLimitPerMinute, suggestedQuestions, allowedOrigins },
      { temperature: 0.7, maxTokens: 1024, topK: 8, rateLimitPerMinute: 20, suggestedQuestions: [], allowedOrigins: [] });
  });

  test('PUT changes only what it names', async () => {
    const bot = await create({ description: 'old', settings: { temperature: 0.1, mine: { a: 1 }, suggestedQuestions: ['x', 'y'] } });
    const put = (json) => stack.ok('PUT', `/api/chatbots/${bot.id}`, { token: ada.token, json, status: 200 });
    let now = await put({ settings: { topK: 3, appearance: { chatTitle: 'Hi' }, suggestedQuestions: ['z'] } });
    assert.equal(now.name, 'Helpdesk');
    assert.equal(now.description, 'old');
    assert.equal(now.settings.temperature, 0.1);
    assert.equal(now.settings.topK, 3);
    assert.deepEqual(now.settings.mine, { a: 1 });
    assert.deepEqual(now.settings.suggestedQuestions, ['z']);
    assert.equal(now.settings.appearance.position, 'bottom-right');
    now = await put({ name: 'New', description: null, settings: { temperature: null, mine: null } });
    assert.equal(now.name, 'New');
    assert.equal(now.description, null);
    assert.equal(now.settings.temperature, 0.7);
    assert.equal('mine' in now.settings, false);
    assert.deepEqual(await stack.ok('GET', `/api/chatbots/${bot.id}/`, { token: ada.token }), now);
  });

  test('documents are assigned, replaced and removed', async () => {
    const [one, two] = [await article(ada), await article(ada)];
    const bot = await create({ documents: [one] });
    assert.deepEqual(bot.documents, [one]);
    const at = `/api/chatbots/${bot.id}`;
    let now = await stack.ok('POST', `${at}/documents`, { token: ada.token, json: { documentIds: [two, one] }, status: 200 });
    assert.deepEqual(now.documents, [one, two]);
    now = await stack.ok('POST', `${at}/documents`, { token: ada.token, json: { documentIds: [] }, status: 200 });
    assert.deepEqual(now.documents, [one, two], 'no more of them change nothing');
    assert.equal((await api('POST', `/${bot.id}/documents`, { token: ada.token, json: {} })).status, 422);
    assert.deepEqual((await stack.ok('GET', `/api/documents/${two}`, { token: ada.token })).chatbots, [bot.id]);
    now = await stack.ok('DELETE', `${at}/documents/${one}`, { token: ada.token, status: 200 });
    assert.deepEqual(now.documents, [two]);
    now = await stack.ok('DELETE', `${at}/documents/${one}`, { token: ada.token, status: 200 });
    assert.deepEqual(now.documents, [two], 'removing it again changes nothing');
    now = await stack.ok('PUT', at, { token: ada.token, json: { documents: [one] } });
    assert.deepEqual(now.documents, [one]);
    now = await stack.ok('PUT', at, { token: ada.token, json: { documents: [] } });
    assert.deepEqual(now.documents, []);
    await stack.ok('PUT', at, { token: ada.token, json: { documents: [one, two] } });
    await stack.ok('DELETE', `/api/documents/${one}`, { token: ada.token, status: 204 });
    assert.deepEqual((await stack.ok('GET', at, { token: ada.token })).documents, [two], 'a deleted document is gone from it');
  });

  test("somebody else's document is not found, and nothing changes", async () => {
    const [mine, hers] = [await article(ada), await article(eve)];
    const bot = await create();
    for (const documentIds of [[mine, hers], ['01890a5d-ac96-774b-bcce-b302099a8057']]) {
      const answer = await api('POST', `/${bot.id}/documents`, { token: ada.token, json: { documentIds } });
      assert.equal(answer.status, 404, answer.text);
    }
    assert.equal((await api('POST', '', { token: ada.token, json: { name: 'x', documents: [hers] } })).status, 404);
    assert.equal((await api('PUT', `/${bot.id}`, { token: ada.token, json: { name: 'renamed', documents: [hers] } })).status, 404);
    const now = await stack.ok('GET', `/api/chatbots/${bot.id}`, { token: ada.token });
    assert.deepEqual([now.name, now.documents], ['Helpdesk', []]);
  });

  test('nobody sees or touches the chatbot of another', async () => {
    const bot = await create();
    const id = '01890a5d-ac96-774b-bcce-b302099a8057';
    const tries = [
      ['GET', ''], ['PUT', '', { name: 'mine now' }], ['DELETE', ''],
      ['GET', '/answers'], ['POST', '/answers', { questions: ['x'], answer: 'x' }], ['GET', '/versions'], ['POST', '/versions/1/restore'],
      ['POST', '/documents', { documentIds: [id] }], ['DELETE', `/documents/${id}`],
    ];
    for (const [method, where, json] of tries) {
      assert.equal((await api(method, `/${bot.id}${where}`, { token: eve.token, json })).status, 404, `${method} ${where} as another`);
      assert.equal((await api(method, `/${bot.id}${where}`, { json })).status, 401, `${method} ${where} as nobody`);
    }
    assert.equal((await stack.ok('GET', `/api/chatbots/${bot.id}`, { token: ada.token })).name, 'Helpdesk');
    const hers = await stack.ok('GET', '/api/chatbots', { token: eve.token });
    assert.equal(hers.some((b) => b.id === bot.id), false);
  });

  test('lists are complete without a limit, newest first, and come in pages with one', async () => {
    const user = await stack.register();
    const ids = [];
    for (let i = 0; i < 70; i++) ids.unshift((await create({ name: `Bot ${i}` }, user)).id);
    const all = await stack.ok('GET', '/api/chatbots', { token: user.token });
    assert.deepEqual(all.map((b) => b.id), ids);
    const paged = [];
    let where = '/api/chatbots?limit=40';
    while (where) {
      const answer = await stack.api('GET', where, { token: user.token });
      assert.equal(answer.status, 200, answer.text);
      paged.push(answer.body.map((b) => b.id));
      where = /<([^>]*)>; rel="next"/.exec(answer.headers.link ?? '')?.[1]?.replace(/^https?:\/\/[^/]*/, '');
    }
    assert.deepEqual(paged.map((page) => page.length), [40, 30]);
    assert.deepEqual(paged.flat(), ids);
  });

  test('a repeated Idempotency-Key gives the first answer', async () => {
    const headers = { 'Idempotency-Key': 'once' };
    const first = await api('POST', '', { token: ada.token, json: { name: 'Once' }, headers });
    const second = await api('POST', '', { token: ada.token, json: { name: 'Once' }, headers });
    const other = await api('POST', '', { token: ada.token, json: { name: 'Twice' }, headers });
    assert.deepEqual([first.status, second.status, other.status], [201, 201, 422]);
    assert.deepEqual(second.body, first.body);
    const hers = await api('POST', '', { token: eve.token, json: { name: 'Once' }, headers });
    assert.notEqual(hers.body.id, first.body.id, 'keys are per caller');
  });

  test('every bad field of a request is named', async () => {
    const cases = [
      ['no name', {}, ['name']],
      ['an empty name', { name: '  ' }, ['name']],
      ['wrong types', { name: 5, documents: 'x' }, ['name', 'documents']],
      ['settings out of range', { name: 'x', settings: { temperature: 9, topK: 0, maxTokens: 'many' } },
        ['settings.temperature', 'settings.topK', 'settings.maxTokens']],
      ['settings that are no object', { name: 'x', settings: [] }, ['settings']],
      ['a document id that is none', { name: 'x', documents: ['nope'] }, ['documents']],
    ];
    for (const [name, json, want] of cases) {
      const answer = await api('POST', '', { token: ada.token, json });
      assert.equal(answer.status, 422, `${name}: ${answer.text}`);
      const got = answer.body.errors.map((e) => e.loc.slice(1).join('.'));
      for (const field of want) assert.ok(got.some((g) => g.startsWith(field)), `${name}: ${field} in ${got}`);
      assert.equal(typeof answer.body.detail, 'string');
    }
  });

  test('the widget learns what it shows and nothing else', async () => {
    const bot = await create({ description: 'd', settings: { instructions: 'the secret recipe', welcomeMessage: 'Hello', allowedOrigins: [] } });
    const answer = await api('GET', `/widget-config/${bot.id}`);
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(Object.keys(answer.body).sort(), ['chatbotId', 'description', 'name', 'settings']);
    assert.deepEqual(Object.keys(answer.body.settings).sort(), ['appearance', 'suggestedQuestions', 'welcomeMessage']);
    assert.equal(answer.body.settings.welcomeMessage, 'Hello');
    assert.ok(!answer.text.includes('recipe'));
    assert.equal((await api('GET', '/widget-config/01890a5d-ac96-774b-bcce-b302099a8057')).status, 404);
  });

  test('what a chatbot was is kept, and comes back', async () => {
    const [one, two] = [await article(ada), await article(ada)];
    const bot = await create({ description: 'first', documents: [one, two], settings: { temperature: 0.1, instructions: 'Be brief.' } });
    const at = `/api/chatbots/${bot.id}`;
    const versions = () => stack.ok('GET', `${at}/versions`, { token: ada.token });
    const put = (json) => stack.ok('PUT', at, { token: ada.token, json });
    assert.deepEqual((await versions()).map((v) => [v.version, v.name, v.documents]), [[1, 'Helpdesk', [one, two]]]);
    await put({ name: 'Second', description: null, settings: { instructions: 'Be long.', allowedOrigins: ['https://shop.example'], identityVersion: 1 } });
    await put({ name: 'Second' }); // nothing changes
    await stack.ok('DELETE', `${at}/documents/${two}`, { token: ada.token });
    const now = await versions();
    assert.deepEqual(now.map((v) => [v.version, v.name, v.description, v.documents]),
      [[3, 'Second', null, [one]], [2, 'Second', null, [one, two]], [1, 'Helpdesk', 'first', [one, two]]]);
    assert.equal(now[2].settings.instructions, 'Be brief.');
    await stack.ok('DELETE', `/api/documents/${one}`, { token: ada.token });
    const back = await stack.ok('POST', `${at}/versions/1/restore`, { token: ada.token });
    assert.deepEqual([back.name, back.description, back.documents, back.settings.instructions, back.settings.temperature], ['Helpdesk', 'first', [two], 'Be brief.', 0.1]);
    assert.deepEqual(back.settings.allowedOrigins, ['https://shop.example'], 'nothing is opened to the world');
    assert.equal(back.settings.identityVersion, 1, 'a secret that was given up stays given up');
    assert.deepEqual(await stack.ok('GET', at, { token: ada.token }), back);
    assert.deepEqual((await versions()).map((v) => v.version), [4, 3, 2, 1]);
    for (const version of [0, 5, 'x', -1, 99999999999]) assert.equal((await api('POST', `/${bot.id}/versions/${version}/restore`, { token: ada.token })).status, 404);
    for (let i = 0; i < 60; i++) await put({ name: `Name ${i}` });
    const pages = await api('GET', `/${bot.id}/versions?limit=20`, { token: ada.token });
    assert.deepEqual([pages.body.length, pages.body[0].name], [20, 'Name 59']);
    assert.match(pages.headers.link, /cursor=45/);
    for (const [cursor, want] of [['99999999999', 200], ['9'.repeat(30), 200], ['-1', 200], ['x', 422], ['1.5', 422]])
      assert.equal((await api('GET', `/${bot.id}/versions?cursor=${cursor}`, { token: ada.token })).status, want, cursor);
    assert.deepEqual((await versions()).map((v) => v.version), Array.from({ length: 50 }, (_, i) => 64 - i));
  });

  test('a deleted chatbot is gone', async () => {
    const bot = await create();
    const answer = await api('DELETE', `/${bot.id}`, { token: ada.token });
    assert.deepEqual([answer.status, answer.text], [204, '']);
    assert.equal((await api('GET', `/${bot.id}`, { token: ada.token })).status, 404);
    assert.equal((await api('DELETE', `/${bot.id}`, { token: ada.token })).status, 404);
  });
});

describe('integrations', () => {
  test('the list of a new user is empty', async () => {
    const stack = await startStack();
    try {
      const user = await stack.register();
      assert.deepEqual(await stack.ok('GET', '/api/integrations', { token: user.token }), []);
      assert.equal((await stack.api('GET', '/api/integrations')).status, 401);
    } finally {
      await stack.stop();
    }
  });
});
