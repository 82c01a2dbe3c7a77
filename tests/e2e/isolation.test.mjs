// Every route of the API that takes an id, from openapi.json: another user, nobody, and another's key get nothing, and
// leave everything as it was.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { check, proven, trusting } from './accounts.mjs';
import { root, startStack, until } from './harness.mjs';

const api = JSON.parse(fs.readFileSync(path.join(root, 'build/gen/openapi.json'), 'utf8'));
const routes = Object.entries(api.paths).flatMap(([where, methods]) =>
  Object.entries(methods)
    .filter(([, route]) => where.includes('{') && (route.security ?? api.security).every((way) => Object.keys(way).length > 0) &&
      (route.security ?? api.security).length > 0)
    .map(([method, route]) => ({ name: `${method.toUpperCase()} ${where}`, method: method.toUpperCase(), where, route })));
const nowhere = '01900000-0000-7000-8000-000000000000';

describe('what is another\'s', () => {
  let stack, ada, eve, eveKey, things;
  before(async () => {
    stack = await startStack({ env: trusting });
    [ada, eve] = [await stack.register(), await stack.register()];
    eveKey = (await stack.ok('POST', '/auth/api-keys', { token: eve.token, json: { name: 'k' } })).key;
    const { token } = ada;
    const document = await stack.upload(token, 'a.txt', 'Parley answers from documents. It cites what it quotes.');
    const chatbot = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Bot', documents: [document.id] } });
    const chat = await stack.ok('POST', '/api/chat/sessions', { token, json: { chatbotId: chatbot.id } });
    const message = await stack.ok('POST', `/api/chat/sessions/${chat.id}/messages`, { token, json: { content: 'What does Parley cite?' } });
    things = {
      document_id: document.id,
      chatbot_id: chatbot.id,
      session_id: chat.id,
      message_id: message.id,
      chat_id: (await stack.ok('POST', '/chat/chats', { token, status: 201, json: { title: 'Mine' } })).id,
      id: (await stack.ok('GET', '/auth/sessions', { token }))[0].id,
      key_id: (await stack.ok('POST', '/auth/api-keys', { token, json: { name: 'mine' } })).id,
      uid: ada.uid,
      model: chatbot.id,
      server_id: (await stack.ok('POST', '/auth/mcp-servers', { token, status: 201, json: { name: 'Tools', config: { uri: 'http://127.0.0.1:9/mcp' } } })).id,
      name: 'mcp_Tools_none',
      chat_message_id: 0,
      answer_id: (await stack.ok('POST', `/api/chatbots/${chatbot.id}/answers`, { token, json: { questions: ['Who?'], answer: 'We.' } })).id,
      version: 1,
      tool_call_id: message.id, // there is none; that is not told either
      elicitation_id: `${message.id}-0`,
      attachment_id: message.id,
      integration_id: (await stack.ok('POST', '/api/integrations/webhook', { token, status: 201, json: { name: 'Hook', chatbotId: chatbot.id, config: { url: 'https://hook.invalid/' } } })).id,
    };
    await until('the webhook is known', async () => (await stack.sql('SELECT 1 FROM chat.listening')).length > 0);
    await stack.ok('PUT', `/api/chat/sessions/${chat.id}/messages/${message.id}/feedback`, { token, json: { value: 'up' } });
    [{ id: things.delivery_id }] = await until('it was to be told something', async () => {
      const list = await stack.ok('GET', `/api/integrations/${things.integration_id}/deliveries`, { token });
      return list.length ? list : null;
    });
    things.chat_message_id = (await stack.ok('POST', `/chat/chats/${things.chat_id}/messages`, { token, json: { content: 'hello' } })).id;
  });
  after(() => stack.stop());

  const call = ({ method, where, route }, ids, options) => {
    const example = route.requestBody?.content?.['application/json']?.example;
    const filled = where.replace(/\{(\w+)\}/g, (_, param) => {
      const name = param === 'message_id' && where.includes('{chat_id}') ? 'chat_message_id' : param; // those are numbers
      assert.ok(name in ids, `this test knows no {${name}}: add one`);
      return ids[name];
    });
    return stack.api(method, filled, { ...(example ? { json: example } : {}), ...options });
  };
  // All that Ada has, as text.
  const everything = async () => {
    const { token } = ada;
    const parts = await Promise.all([`/api/documents/${things.document_id}`, `/api/documents/${things.document_id}/text`,
      `/api/chatbots/${things.chatbot_id}`, `/api/chatbots/${things.chatbot_id}/answers`, `/api/chatbots/${things.chatbot_id}/versions`, `/api/chat/sessions/${things.session_id}`, `/chat/chats/${things.chat_id}/messages`, `/api/integrations/${things.integration_id}`, '/auth/api-keys', '/auth/me']
      .map((where) => stack.api('GET', where, { token })));
    for (const part of parts) assert.equal(part.status, 200, part.text);
    return parts.map((part) => part.text).join('\n');
  };

  for (const route of routes) {
    test(route.name, async () => {
      const before = await everything();
      const wanted = route.where.startsWith('/admin') ? 403 : 404;
      check(await call(route, things, {}), 401, 'nobody');
      const program = route.where.startsWith('/mcp/'); // there a session's token is no credential
      check(await call(route, things, { token: eve.token }), program ? 401 : wanted, 'another user');
      check(await call(route, things, { headers: { 'X-API-Key': eveKey } }), wanted, 'another\'s key');
      check(await call(route, things, { token: eveKey }), wanted, 'another\'s key as a bearer token');
      if (wanted === 404) {
        const missing = Object.fromEntries(Object.keys(things).map((name) => [name, /^(key|chat|chat_message|server)_id$|^version$/.test(name) ? 999999999 : nowhere]));
        const token = program ? eveKey : ada.token;
        check(await call(route, missing, { token }), 404, 'what is not there looks the same');
        const malformed = Object.fromEntries(Object.keys(things).map((name) => [name, 'not-an-id']));
        check(await call(route, malformed, { token }), 404, 'an id that is none');
      }
      assert.equal(await everything(), before, 'nothing has changed');
    });
  }

  test('lists hold only one\'s own', async () => {
    for (const where of ['/api/documents', '/api/chatbots', '/api/chat/sessions', '/api/integrations']) {
      assert.deepEqual(await stack.ok('GET', where, { token: eve.token }), [], where);
      assert.equal((await stack.ok('GET', where, { token: ada.token })).length, 1, where);
    }
  });

  test('ids in bodies: another\'s documents and chatbots cannot be used', async () => {
    const own = await stack.ok('POST', '/api/chatbots', { token: eve.token, json: { name: 'Own' } });
    check(await stack.api('POST', '/api/chatbots', { token: eve.token, json: { name: 'x', documents: [things.document_id] } }), 404);
    check(await stack.api('POST', `/api/chatbots/${own.id}/documents`, { token: eve.token, json: { documentIds: [things.document_id] } }), 404);
    check(await stack.api('POST', '/api/chat/sessions', { token: eve.token, json: { chatbotId: things.chatbot_id } }), 404);
    const found = await stack.api('POST', '/api/documents/search', { token: eve.token, json: { query: 'Parley', documentIds: [things.document_id] } });
    const { deleted } = await stack.ok('POST', '/api/documents/delete', { token: eve.token, json: { ids: [things.document_id] } });
    assert.deepEqual(deleted, []);
    await stack.ok('GET', `/api/documents/${things.document_id}`, { token: ada.token });
    assert.ok(found.status === 404 || found.body.results.length === 0, found.text);
  });

  test('an administrator administrates users, and sees none of their things', async () => {
    const admin = await proven(stack, 'admin@example.com');
    check(await stack.api('GET', `/api/documents/${things.document_id}`, { token: admin.token }), 404);
    check(await stack.api('GET', `/api/chatbots/${things.chatbot_id}`, { token: admin.token }), 404);
  });

  test('what a user had is gone with the account', async () => {
    await stack.ok('DELETE', '/api/auth/me', { token: ada.token, json: { password: ada.password } });
    const left = await stack.sql(`SELECT (SELECT count(*) FROM documents.document) + (SELECT count(*) FROM chatbots.chatbot) - 1
      + (SELECT count(*) FROM auth.session WHERE owner_id = '${ada.uid}') + (SELECT count(*) FROM auth.api_key WHERE owner_id = '${ada.uid}')`);
    assert.deepEqual(left, [['0']]);
    check(await stack.api('GET', `/api/chatbots/widget-config/${things.chatbot_id}`), 404);
  });
});
