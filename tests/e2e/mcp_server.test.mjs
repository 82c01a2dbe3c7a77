// A chatbot as an MCP server: the official SDK's client asks it, and what 2026-07-28 says is spoken by hand.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { request, startRig, startStack, until } from './harness.mjs';

const ARTICLE = 'The kettle has a warranty of two years. It begins on the day of purchase.\n\nWe ship to Norway within five days.\n';
const MODERN = '2026-07-28';

let stack, rig, ada, eve, key, bot, builtin, document;
before(async () => {
  rig = await startRig('fakellm.mjs');
  stack = await startStack({
    env: { CHAT_PROVIDER: 'openai', CHAT_BASE_URL: `${rig.url}/v1`, CHAT_API_KEY: 'sk-test', CHAT_MODEL: 'scripted', EGRESS_ALLOW: '127.0.0.1/32' },
  });
  [ada, eve] = [await stack.register(), await stack.register()];
  key = await makeKey(ada, { scopes: ['chat'] });
  document = await stack.upload(ada.token, 'manual.txt', ARTICLE);
  await stack.upload(ada.token, 'other.txt', 'Nothing of this belongs to the chatbot.');
  const make = (name, settings) => stack.ok('POST', '/api/chatbots', { token: ada.token, json: { name, description: 'Knows our kettles.', documents: [document.id], settings } });
  bot = await make('Kettles', {});
  builtin = await make('Builtin', { model: 'builtin' });
});
after(async () => {
  await stack?.stop();
  await rig?.stop();
});
const makeKey = async (who, more = {}) => (await stack.ok('POST', '/auth/api-keys', { token: who.token, json: { name: 'mcp', ...more } })).key;
const address = (id = bot.id) => `${stack.url()}/mcp/chatbots/${id}`;

async function connected(id, apiKey = key) {
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(new StreamableHTTPClientTransport(new URL(address(id)), { requestInit: { headers: { Authorization: `Bearer ${apiKey}` } } }));
  return client;
}

// One message by hand; 2026: as that version wants it, unless `headers` and `meta` say otherwise.
async function post(message, { id = bot.id, modern = false, headers = {}, meta = {}, apiKey = key } = {}) {
  const body = { jsonrpc: '2.0', id: 1, ...message };
  const extra = {};
  if (modern) {
    body.params = { ...body.params, _meta: { 'io.modelcontextprotocol/protocolVersion': MODERN, 'io.modelcontextprotocol/clientCapabilities': {}, ...meta } };
    extra['MCP-Protocol-Version'] = MODERN;
    extra['Mcp-Method'] = message.method;
    const name = body.params.name ?? body.params.uri;
    if (name) extra['Mcp-Name'] = name;
  }
  const all = { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream', ...(apiKey ? { Authorization: `Bearer ${apiKey}` } : {}), ...extra, ...headers };
  for (const name of Object.keys(all)) if (all[name] === null) delete all[name];
  const answer = await request(address(id), { method: 'POST', headers: all, body: typeof message === 'string' ? message : JSON.stringify(body) });
  answer.messages = /^text\/event-stream/.test(answer.headers['content-type'] ?? '')
    ? answer.text.split('\n\n').filter((e) => e.includes('data: ')).map((e) => JSON.parse(/^data: (.*)$/m.exec(e)[1])) : [answer.body];
  return answer;
}

test('the SDK\'s client connects, and sees what the chatbot is and can', async () => {
  const client = await connected(bot.id);
  assert.equal(client.getServerVersion().name, 'parley');
  assert.equal(client.getServerVersion().title, 'Kettles');
  assert.match(client.getInstructions(), /^Kettles: Knows our kettles\./);
  assert.deepEqual(Object.keys(client.getServerCapabilities()).sort(), ['resources', 'tools']);
  const { tools } = await client.listTools();
  assert.deepEqual(tools.map((t) => t.name), ['search', 'ask']);
  assert.ok(tools.every((t) => t.inputSchema.type === 'object' && t.outputSchema && t.annotations.readOnlyHint));
  await client.ping();
  await client.close();
});

test('search gives passages of its documents, and of no others', async () => {
  const client = await connected(bot.id);
  await client.listTools(); // from then on the client checks structured content against the tool's schema
  const found = await client.callTool({ name: 'search', arguments: { query: 'How long is the warranty of the kettle?', limit: 3 } });
  assert.match(found.content[0].text, /^\[1\] manual\.txt\n.*warranty of two years/s);
  const [first] = found.structuredContent.results;
  assert.equal(first.documentId, document.id);
  assert.ok(ARTICLE.includes(first.text));
  assert.deepEqual((await client.callTool({ name: 'search', arguments: { query: 'belongs to nothing' } })).structuredContent.results.filter((r) => r.documentName !== 'manual.txt'), []);
  await client.close();
});

test('ask gives an answer with citations, and tells of its progress', async () => {
  const client = await connected(bot.id);
  await client.listTools();
  const progress = [];
  const answer = await client.callTool({ name: 'ask', arguments: { question: 'please cite the warranty, count 1' } }, undefined, { onprogress: (p) => progress.push(p) });
  assert.ok(!answer.isError, JSON.stringify(answer));
  assert.ok(answer.structuredContent.answer.length > 0);
  assert.ok(progress.length >= 1);
  assert.ok(progress.every((p, i) => i === 0 || p.progress >= progress[i - 1].progress));
  const cited = await client.callTool({ name: 'ask', arguments: { question: 'cite the warranty' } });
  assert.match(cited.structuredContent.answer, /The first source says so \[1\]/);
  assert.equal(cited.structuredContent.sources[0].documentName, 'manual.txt');
  assert.equal(cited.structuredContent.rag_status, 'used');
  assert.match(cited.content[0].text, /\n\nSources:\n\[1\] manual\.txt$/);
  await client.close();
  const local = await connected(builtin.id);
  const follow = await local.callTool({ name: 'ask', arguments: { question: 'And when does it begin?', history: [{ role: 'user', content: 'How long is the warranty of the kettle?' }, { role: 'assistant', content: 'Two years.' }] } });
  assert.match(follow.structuredContent.answer, /day of purchase/);
  await local.close();
  assert.deepEqual(await stack.ok('GET', '/api/chat/sessions', { token: ada.token }), [], 'nothing is stored');
});

test('a long answer speaks of its progress while it is written', async () => {
  const client = await connected(bot.id);
  const progress = [];
  await client.callTool({ name: 'ask', arguments: { question: 'count 60 20' } }, undefined, { onprogress: (p) => progress.push(p) });
  assert.ok(progress.length >= 3, JSON.stringify(progress));
  assert.ok(progress.at(-1).progress > progress[0].progress);
  assert.ok(progress.some((p) => p.message === 'writing'));
  await client.close();
});

test('its documents are resources', async () => {
  const client = await connected(bot.id);
  const { resources } = await client.listResources();
  assert.deepEqual(resources.map((r) => [r.uri, r.name]), [[`parley://documents/${document.id}`, 'manual.txt']]);
  const { contents } = await client.readResource({ uri: resources[0].uri });
  assert.equal(contents[0].text.trim(), ARTICLE.trim());
  const { contents: [rest] } = await client.readResource({ uri: `${resources[0].uri}?start=4` });
  assert.equal(rest.text, contents[0].text.slice(4));
  assert.equal((await client.listResourceTemplates()).resourceTemplates.length, 1);
  for (const uri of ['parley://documents/01900000-0000-7000-8000-000000000000', 'file:///etc/passwd', `${resources[0].uri}/x`, `${resources[0].uri}?start=-1`, `parley://documents/${'%'.repeat(36)}`])
    await assert.rejects(client.readResource({ uri }), (e) => e.code === -32602 && e.data.uri === uri);
  await client.close();
});

test('what cannot be is told to the model, what is no request to the client', async () => {
  const client = await connected(bot.id);
  for (const [name, args] of [['search', {}], ['search', { query: ' ' }], ['search', { query: 'x', limit: 0 }], ['search', { query: 'x', limit: 'y' }], ['ask', { question: 5 }],
    ['ask', { question: 'x'.repeat(32_001) }], ['ask', { question: 'x', history: 'y' }], ['ask', { question: 'x', history: [{ role: 'system', content: 'y' }] }]])
    assert.ok((await client.callTool({ name, arguments: args })).isError, JSON.stringify(args).slice(0, 60));
  await assert.rejects(client.callTool({ name: 'rm', arguments: {} }), (e) => e.code === -32602);
  await client.close();
  const failed = await post({ method: 'tools/call', params: { name: 'ask', arguments: { question: 'overload' } } });
  assert.equal(failed.messages.at(-1).result.isError, true);
  const bad = [['[]', 400], ['{', 400], ['7', 400], [{ method: undefined }, 400], [{ jsonrpc: '1.0', method: 'ping' }, 400], [{ id: null, method: 'ping' }, 400], [{ method: 'nope' }, 200]];
  for (const [message, status] of bad) {
    const answer = await post(message);
    assert.equal(answer.status, status, JSON.stringify(message));
    assert.ok(answer.body.error.code < 0 && answer.body.jsonrpc === '2.0', answer.text);
  }
  assert.equal((await post({ method: 'ping' }, { headers: { 'MCP-Protocol-Version': '1999-01-01' } })).status, 400);
  assert.equal((await post({ id: undefined, method: 'notifications/initialized' })).status, 202);
  assert.equal((await stack.api('GET', `/mcp/chatbots/${bot.id}`, { token: key })).status, 405);
});

test('2026-07-28: each request stands for itself', async () => {
  const { body: { result } } = await post({ method: 'server/discover' }, { modern: true });
  assert.ok(result.supportedVersions.includes(MODERN));
  assert.equal(result.resultType, 'complete');
  assert.equal(result._meta['io.modelcontextprotocol/serverInfo'].title, 'Kettles');
  assert.match(result.instructions, /Knows our kettles/);
  const { body: list } = await post({ method: 'tools/list' }, { modern: true });
  assert.ok(list.result.ttlMs >= 0 && list.result.cacheScope === 'private');
  const called = await post({ method: 'tools/call', params: { name: 'ask', arguments: { question: 'count 3' } } }, { modern: true, meta: { progressToken: 'p1' } });
  assert.equal(called.messages.at(-1).result.structuredContent.answer, 'w1 w2 w3');
  assert.ok(called.messages.slice(0, -1).every((m) => m.method === 'notifications/progress' && m.params.progressToken === 'p1'));
  const wrong = [
    [{ method: 'server/discover' }, { headers: { 'MCP-Protocol-Version': '2025-11-25' } }, 400, -32020], [{ method: 'server/discover' }, { headers: { 'Mcp-Method': 'tools/list' } }, 400, -32020],
    [{ method: 'server/discover' }, { headers: { 'Mcp-Method': null } }, 400, -32020], [{ method: 'tools/call', params: { name: 'ask', arguments: {} } }, { headers: { 'Mcp-Name': 'search' } }, 400, -32020],
    [{ method: 'initialize' }, {}, 404, -32601], [{ method: 'ping' }, {}, 404, -32601], [{ method: 'prompts/list' }, {}, 404, -32601],
    [{ method: 'server/discover' }, { meta: { 'io.modelcontextprotocol/clientCapabilities': undefined } }, 400, -32602],
    [{ method: 'server/discover' }, { headers: { 'MCP-Protocol-Version': '2099-01-01' }, meta: { 'io.modelcontextprotocol/protocolVersion': '2099-01-01' } }, 400, -32022],
  ];
  for (const [message, options, status, code] of wrong) {
    const answer = await post(message, { modern: true, ...options });
    assert.equal(answer.status, status, `${JSON.stringify([message, options])} ${answer.text}`);
    assert.equal(answer.body.error.code, code, answer.text);
  }
  const named = await post({ method: 'resources/read', params: { uri: `parley://documents/${document.id}` } }, { modern: true, headers: { 'Mcp-Name': `=?base64?${Buffer.from(`parley://documents/${document.id}`).toString('base64')}?=` } });
  assert.equal(named.body.result.contents.length, 1);
});

test('without credentials a client learns where to get some', async () => {
  const answer = await post({ method: 'tools/list' }, { apiKey: null });
  assert.equal(answer.status, 401);
  const [, metadata] = /^Bearer .*resource_metadata="([^"]+)"/.exec(answer.headers['www-authenticate']);
  const { body } = await request(metadata.replace(/^https?:\/\/[^/]+/, stack.url()));
  assert.match(body.resource, new RegExp(`/mcp/chatbots/${bot.id}$`));
  assert.equal(body.authorization_servers.length, 1);
  assert.equal((await post({ method: 'tools/list' }, { apiKey: 'pk_none' })).status, 401);
  assert.equal((await post({ method: 'tools/list' }, { apiKey: ada.token })).status, 401, 'a session\'s token is not for programs');
});

test('what is another\'s is not there, and a key for other things does not do', async () => {
  assert.equal((await post({ method: 'tools/list' }, { apiKey: await makeKey(eve) })).status, 404);
  assert.equal((await post({ method: 'tools/list' }, { id: '01900000-0000-7000-8000-000000000000' })).status, 404);
  assert.equal((await post({ method: 'tools/list' }, { apiKey: await makeKey(ada, { scopes: ['documents'] }) })).status, 403);
});

test('pages of strangers may not speak to it; those that are listed may', async () => {
  for (const Origin of ['http://evil.example', 'null', 'http://evil.example" x'])
    assert.equal((await post({ method: 'tools/list' }, { headers: { Origin } })).status, 403, Origin);
  const fine = await post({ method: 'tools/list' }, { headers: { Origin: 'http://localhost:6274' } });
  assert.equal(fine.status, 200);
  assert.equal(fine.headers['access-control-allow-origin'], 'http://localhost:6274');
});

test('who goes away is not answered any longer', async () => {
  const abort = new AbortController();
  const answer = await fetch(address(), { method: 'POST', signal: abort.signal, headers: { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream', Authorization: `Bearer ${key}` },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { _meta: { progressToken: 1 }, name: 'ask', arguments: { question: 'count 2000 20 left alone' } } }) });
  const reader = answer.body.getReader();
  await reader.read();
  abort.abort();
  await until('the model is left alone', async () =>
    (await request(`${rig.url}/v1/left`, { headers: { Authorization: 'Bearer sk-test' } })).body.some((text) => /left alone/.test(text)));
});

test('a key may call so often a minute, from wherever', async () => {
  const own = await makeKey(ada, { scopes: ['chat'] });
  const statuses = new Map();
  await Promise.all(Array.from({ length: 4 }, async () => {
    for (let i = 0; i < 200 && !(statuses.get(429) >= 20); i++) { // each second some more are let in
      const { status, headers } = await post({ method: 'ping' }, { apiKey: own });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (status === 429) assert.ok(Number(headers['retry-after']) >= 1);
    }
  }));
  assert.ok(statuses.get(429) >= 20 && statuses.get(200) >= 100, JSON.stringify([...statuses]));
  assert.equal((await post({ method: 'ping' })).status, 200, 'another key is not held back');
});
