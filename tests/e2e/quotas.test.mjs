// What one user may have: shown in the settings, kept by each service, told with a sentence, and free again when something goes.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { check } from './accounts.mjs';
import { startStack } from './harness.mjs';

describe('quotas of a user', () => {
  let stack, user, greedy;
  before(async () => {
    stack = await startStack({ env: { DOCUMENTS_PER_USER: '2', DOCUMENTS_BYTES_PER_USER: '100', CHATBOTS_PER_USER: '1', INTEGRATIONS_PER_USER: '1', CHAT_SERVERS_PER_USER: '1', AUTH_KEYS_PER_USER: '1' } });
    [user, greedy] = [await stack.register(), await stack.register()];
  });
  after(() => stack.stop());
  const upload = (content, who = user) =>
    stack.api('POST', '/api/documents/upload', { token: who.token, form: { file: { filename: 'a.txt', content } } });
  const post = (where, json, who = user) => stack.api('POST', where, { token: who.token, json });

  test('they are shown beside what is used', async () => {
    const { usage } = await stack.ok('GET', '/api/settings', { token: user.token });
    assert.deepEqual(usage.limits, { documents: 2, storage: 100, chatbots: 1, integrations: 1, mcpServers: 1, apiKeys: 1 });
  });

  test('documents: 413 over the bytes, 403 over the count, and room again when one goes', async () => {
    const first = check(await upload('x'.repeat(60)), 201);
    assert.match(check(await upload('x'.repeat(60)), 413).detail, /100 bytes that one user may keep/);
    check(await upload('short'), 201);
    assert.match(check(await upload('short'), 403).detail, /you have 2 documents, as many as one user may have here/);
    assert.equal((await stack.ok('GET', '/api/documents', { token: user.token })).length, 2, 'what was refused is not there');
    check(await upload('short', await stack.register()), 201, 'others have their own');
    await stack.ok('DELETE', `/api/documents/${first.id}`, { token: user.token, status: 204 });
    check(await upload('x'.repeat(60)), 201);
  });

  test('many at once do not get past them', async () => {
    const who = await stack.register(), at = (answers, status) => answers.filter((answer) => answer.status === status).length;
    for (const [what, where, json] of cases) {
      const answers = await Promise.all(Array.from({ length: 12 }, () => post(where, json, who)));
      assert.deepEqual([at(answers, 201), at(answers, 403)], [1, 11], what);
    }
    const count = await Promise.all(Array.from({ length: 12 }, () => upload('short', who)));
    assert.deepEqual([at(count, 201), at(count, 403)], [2, 10]);
    const bytes = await Promise.all(Array.from({ length: 12 }, () => upload('x'.repeat(60), greedy)));
    assert.deepEqual([at(bytes, 201), at(bytes, 413)], [1, 11]);
  });

  const cases = [
    ['chatbots', '/api/chatbots', { name: 'b' }, 204],
    ['integrations', '/api/integrations/website', { name: 'w', config: { domain: 'example.com' } }, 204],
    ['MCP servers', '/auth/mcp-servers', { name: 'm', config: { uri: 'https://mcp.example.com/mcp' } }, 200],
    ['keys', '/auth/api-keys', { name: 'k' }, 200],
  ];
  for (const [what, where, json, deleted] of cases)
    test(`${what}: 403 over the count, and room again when one goes`, async () => {
      const first = check(await post(where, json), 201);
      assert.match(check(await post(where, json), 403).detail, new RegExp(`you have 1 ${what}, as many as one user may have here`));
      await stack.ok('DELETE', `${where.replace(/\/website$/, '')}/${first.id}`, { token: user.token, status: deleted });
      check(await post(where, json), 201);
    });
});
