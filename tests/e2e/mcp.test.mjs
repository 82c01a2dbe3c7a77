// MCP servers: added, tried, connected, their tools listed; against the official server-everything, and against servers
// that are none, hang, lie, or want a sign-in.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import http from 'node:http';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { freePort, root, slow, startStack, until } from './harness.mjs';

let stack, token, everything, everythingUrl, oldest, oldestUrl, odd, oddUrl;
const hanging = new Set();

// A server of our own making: /mcp/<how it is>.
const tool = (name, more = {}) => ({ name, description: `does ${name}`, inputSchema: { type: 'object', properties: {} }, ...more });
const results = {
  many: () => ({ tools: Array.from({ length: 50 }, (_, i) => tool(`tool-${i}`)) }),
  huge: () => ({ tools: Array.from({ length: 10_000 }, (_, i) => tool(`t${i}`, { description: 'x'.repeat(500) })) }),
  tiny: () => ({ tools: Array.from({ length: 10_000 }, (_, i) => ({ name: `t${i}`, inputSchema: { properties: {} } })) }),
  nested: () => ({ tools: [tool('deep', { inputSchema: JSON.parse(`${'{"properties":'.repeat(40)}{}${'}'.repeat(40)}`) })] }),
  names: () => ({ tools: [tool('a.b/c d'), tool('x'.repeat(200)), tool(`${'x'.repeat(199)}y`), tool('same'), tool('same!'), tool('same?'),
    tool('mcp_Gmail_gmail-send-email'), tool(''), { description: 'nameless' }, tool('Größe')] }),
  pages: () => (pages += 1, { tools: [tool(`page-${pages}`)], nextCursor: 'more', filler: 'x'.repeat(3 << 20) }),
  ttl: () => (listed += 1, { tools: [tool('fleeting')], ttlMs: ttl }),
  hints: () => ({ tools: [tool('read', { annotations: { readOnlyHint: true } }), tool('write')] }),
};
let authorised = 0, pages = 0, listed = 0, pongs = 0, ttl;
const requests = {}; // how -> so many
function startOdd() {
  const server = http.createServer(async (request, response) => {
    let body = '';
    for await (const piece of request) body += piece;
    const how = request.url.split('/')[2].split('?')[0];
    requests[how] = (requests[how] ?? 0) + 1;
    const json = (status, value, headers = {}) => (response.writeHead(status, { 'Content-Type': 'application/json', ...headers }), response.end(JSON.stringify(value)));
    if (how === 'hang') return void hanging.add(response);
    if (how === 'html') return (response.writeHead(200, { 'Content-Type': 'text/html' }), response.end('<html>Welcome</html>'));
    if (how === 'redirect') return (response.writeHead(302, { Location: 'http://169.254.169.254/latest/meta-data' }), response.end());
    if (how === 'login') return json(401, { error: 'invalid_token' }, { 'WWW-Authenticate': 'Bearer resource_metadata="http://127.0.0.1:1/"' });
    if (how === 'deep') return (response.writeHead(200, { 'Content-Type': 'application/json' }), response.end('['.repeat(100_000)));
    if (how.startsWith('old-') && request.method === 'POST' && !request.url.includes('?')) return json(404, {}); // before 2025-03-26
    if (how.startsWith('old-') && request.method === 'GET') {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      if (how === 'old-elsewhere') response.write('event: endpoint\ndata: http://127.0.0.1:1/messages\n\n');
      if (how === 'old-private') response.write('event: endpoint\ndata: //169.254.169.254/messages\n\n');
      if (how === 'old-dies' || how === 'old-refuses') response.write(`event: endpoint\ndata: ?how=${how}\n\n`);
      return void hanging.add(Object.assign(response, { how }));
    }
    if (how.startsWith('old-dies')) {
      hanging.forEach((one) => one.how === 'old-dies' && one.end());
      return (response.writeHead(202), response.end());
    }
    if (how.startsWith('old-refuses')) return json(500, {});
    if (how === 'endless') {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      const timer = setInterval(() => response.write(': still here\n\n'), 100);
      return void response.on('close', () => clearInterval(timer));
    }
    const { id, method } = JSON.parse(body || '{}');
    if (how === 'keyed' && request.headers['x-key'] !== 'sesame') return json(403, {});
    if (how === 'keyed') authorised += 1;
    if (how === 'otherid') return json(200, { jsonrpc: '2.0', id: id + 7, result: { tools: [] } });
    if (method === 'server/discover') return json(400, { jsonrpc: '2.0', id, error: { code: -32000, message: 'Server not initialized' } });
    if (method === 'initialize') return json(200, { jsonrpc: '2.0', id, result: { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'odd', version: '1' } } });
    if (how === 'pings' && method === undefined) return void (pongs += 1, hanging.add(response)); // an answer of ours
    if (how === 'pings' && method === 'tools/list') {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      for (let i = 0; i < 5000; i++) response.write(`data: {"jsonrpc":"2.0","id":"p${i}","method":"ping"}\n\n`);
      return response.end(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result: results.hints() })}\n\n`);
    }
    if (method === 'tools/list' && how === 'garbled')
      return response.writeHead(200, { 'Content-Type': 'application/json' }).end(Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, result: { tools: [tool('caf\xe9')] } }), 'latin1'));
    if (method === 'tools/list') return json(200, { jsonrpc: '2.0', id, result: (results[how] ?? results.hints)() });
    response.writeHead(202);
    response.end();
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

before(async () => {
  const port = await freePort();
  everything = spawn(process.execPath, ['--require', path.join(root, 'tests/rigs/loopback.cjs'),
    path.join(root, 'tests/node_modules/@modelcontextprotocol/server-everything/dist/index.js'), 'streamableHttp'],
  { env: { ...process.env, PORT: String(port) }, stdio: 'ignore' });
  everythingUrl = `http://127.0.0.1:${port}/mcp`;
  const older = await freePort();
  oldest = spawn(process.execPath, ['--require', path.join(root, 'tests/rigs/loopback.cjs'),
    path.join(root, 'tests/node_modules/@modelcontextprotocol/server-everything/dist/index.js'), 'sse'],
  { env: { ...process.env, PORT: String(older) }, stdio: 'ignore' });
  oldestUrl = `http://127.0.0.1:${older}/sse`;
  odd = await startOdd();
  oddUrl = (how) => `http://127.0.0.1:${odd.address().port}/mcp/${how}`;
  stack = await startStack({ env: { EGRESS_ALLOW: '127.0.0.1/32' } });
  token = (await stack.register()).token;
  await until('server-everything listens', () => fetch(everythingUrl, { method: 'OPTIONS' }).then(() => true, () => false));
});
after(async () => {
  hanging.forEach((response) => response.destroy());
  everything?.kill();
  oldest?.kill();
  odd?.closeAllConnections();
  odd?.close();
  await stack?.stop();
});

const add = (name, uri, more = {}, who = token) => stack.ok('POST', '/auth/mcp-servers', { token: who, status: 201, json: { name, config: { type: 'custom', uri, transport: 'http', ...more } } });
const tryOut = (id) => stack.ok('POST', `/auth/mcp-servers/${id}/test`, { token });
const connect = (id) => stack.api('POST', `/chat/mcp/servers/${id}/connect`, { token });

describe('servers', () => {
  test('the document\'s own request and answer', async () => {
    const json = { name: 'My Gmail Workflow', description: 'Gmail automation via Pipedream',
      config: { type: 'custom', uri: 'https://mcp.pipedream.net/6919d1b2-8143-422f-a5ae-6bca936cdbe6/gmail', transport: 'http' } };
    const made = await stack.ok('POST', '/auth/mcp-servers', { token, status: 201, json });
    const { id, createdAt, status, status_detail: detail, tools_count: count, ...rest } = made;
    assert.deepEqual(rest, json);
    assert.ok(Number.isSafeInteger(id) && id > 0);
    assert.match(createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
    assert.deepEqual([status, detail, count], ['new', null, 0]);
    assert.deepEqual((await stack.ok('GET', '/auth/mcp-servers', { token }))[0], made);
    const changed = await stack.ok('PUT', `/auth/mcp-servers/${id}`, { token, json: { description: 'Mails' } });
    assert.deepEqual(changed, { ...made, description: 'Mails' });
    assert.deepEqual(await stack.ok('DELETE', `/auth/mcp-servers/${id}`, { token }), { message: 'MCP server deleted' });
    assert.equal((await stack.api('GET', `/auth/mcp-servers/${id}`, { token })).status, 404);
  });

  const bad = [
    ['no name', { config: { uri: 'https://a.example/mcp' } }, ['name']],
    ['no config', { name: 'x' }, ['config']],
    ['no address', { name: 'x', config: {} }, ['config.uri']],
    ['an address that is none', { name: 'x', config: { uri: 'ftp://a' } }, ['config.uri']],
    ['a transport that is none', { name: 'x', config: { uri: 'https://a.example', transport: 'stdio' } }, ['config.transport']],
    ['a header of ours', { name: 'x', config: { uri: 'https://a.example', headers: { Host: 'b' } } }, ['config.headers.Host']],
    ['a header of two lines', { name: 'x', config: { uri: 'https://a.example', headers: { 'X-A': 'a\r\nX-B: b' } } }, ['config.headers.X-A']],
    ['a header that is a number', { name: 'x', config: { uri: 'https://a.example', headers: { 'X-A': 1 } } }, ['config.headers.X-A']],
  ];
  for (const [name, json, fields] of bad) {
    test(`refused: ${name}`, async () => {
      const answer = await stack.api('POST', '/auth/mcp-servers', { token, json });
      assert.equal(answer.status, 422, answer.text);
      assert.deepEqual(answer.body.errors.map((e) => e.loc.slice(1).join('.')), fields);
    });
  }

  test('headers are sent, sealed, and never shown; another address does not get them', async () => {
    const server = await add('Keyed', oddUrl('keyed'), { headers: { 'X-Key': 'sesame' } });
    assert.ok(!JSON.stringify(server).includes('sesame'));
    assert.equal((await tryOut(server.id)).success, true);
    const [[stored]] = await stack.sql(`SELECT headers FROM chat.mcp_server WHERE id = ${server.id}`);
    assert.ok(!stored.includes('sesame'));
    const before = authorised;
    await stack.ok('PUT', `/auth/mcp-servers/${server.id}`, { token, json: { config: { uri: `${oddUrl('keyed')}/elsewhere` } } });
    assert.equal((await tryOut(server.id)).success, false);
    assert.equal(authorised, before);
  });
});

describe('how long a list of tools is good is the server\'s to say', () => {
  const tries = [
    ['not at all: it is asked each time', 0, 0, 1],
    ['10 minutes: not asked after 400 s', 600_000, 400, 0],
    ['a minute: asked after 70 s', 60_000, 70, 1],
    ['for ever: asked after an hour all the same', Number.MAX_SAFE_INTEGER, 3700, 1],
    ['nothing: not asked after 200 s', undefined, 200, 0],
    ['nothing: asked after 400 s', undefined, 400, 1],
    ['what is no time: as if nothing were said', -5, 200, 0],
    ['what is no number: as if nothing were said', '0', 200, 0],
  ];
  for (const [name, ms, age, times] of tries)
    test(name, async () => {
      const who = (await stack.register()).token, server = await add('Fleeting', oddUrl('ttl'), {}, who);
      const list = () => stack.ok('GET', '/chat/mcp/tools', { token: who });
      ttl = ms;
      assert.equal((await list()).length, 1);
      await stack.sql(`UPDATE chat.mcp_server SET asked_at = now() - interval '${age} s' WHERE id = ${server.id}`);
      const before = listed;
      assert.equal((await list()).length, 1);
      assert.equal(listed - before, times);
    });
});

describe('a real one', () => {
  test('test and connect say what the document says', async () => {
    const server = await add('Every', everythingUrl);
    const tried = await tryOut(server.id);
    assert.deepEqual(Object.keys(tried), ['success', 'tools_count', 'tools', 'message']);
    assert.equal(tried.success, true);
    assert.ok(tried.tools_count >= 10 && tried.tools.length === tried.tools_count);
    assert.ok(tried.tools.includes('mcp_Every_echo'), String(tried.tools));
    assert.equal(tried.message, `Successfully connected to Every. Found ${tried.tools_count} tools.`);
    const { body: connected } = await connect(server.id);
    assert.deepEqual(connected, { status: 'connected', server_id: server.id, tools_count: tried.tools_count, tools: tried.tools });
    const shown = await stack.ok('GET', `/auth/mcp-servers/${server.id}`, { token });
    assert.deepEqual([shown.status, shown.tools_count], ['connected', tried.tools_count]);
  });
});

describe('the oldest kind: a stream of events (2024-11-05)', () => {
  before(() => until('it listens', () => fetch(oldestUrl, { method: 'OPTIONS' }).then(() => true, () => false), 30));
  for (const transport of ['sse', 'http']) {
    test(`a real one, added as ${transport}`, async () => {
      const server = await add('Old', oldestUrl, { transport });
      const tried = await tryOut(server.id);
      assert.equal(tried.success, true, JSON.stringify(tried));
      assert.ok(tried.tools.includes('mcp_Old_echo'), String(tried.tools));
      assert.equal((await connect(server.id)).status, 200);
    });
  }
  test('a newer one that was added as the oldest', async () => {
    const tried = await tryOut((await add('New', everythingUrl, { transport: 'sse' })).id);
    assert.equal(tried.success, true, JSON.stringify(tried));
  });
  test('those that name another\'s address, die, refuse, or say nothing: said, and in time', async () => {
    const start = Date.now();
    const hows = ['old-elsewhere', 'old-private', 'old-dies', 'old-refuses', 'old-silent'];
    const tried = await Promise.all(hows.map(async (how) => tryOut((await add(how, oddUrl(how), { transport: 'sse' })).id)));
    tried.forEach((one, i) => assert.deepEqual([one.success, Boolean(one.error)], [false, true], `${hows[i]} ${JSON.stringify(one)}`));
    assert.match(tried[0].error, /not its own/);
    assert.match(tried[1].error, /not its own/);
    assert.ok(Date.now() - start < 10_500 * slow);
  });
});

describe('servers that are none, or odd', () => {
  const failing = [['html', /does not speak MCP/], ['redirect', /HTTP 302/], ['deep', /nested too deeply/], ['nested', /nested too deeply/],
    ['garbled', /not UTF-8/], ['otherid', /does not speak MCP/]];
  for (const [how, why] of failing) {
    test(`${how}: a test says so, a connect is 502`, async () => {
      const server = await add(how, oddUrl(how));
      const tried = await tryOut(server.id);
      assert.deepEqual([tried.success, tried.tools_count, tried.tools], [false, 0, []]);
      assert.match(tried.error, why);
      assert.ok(tried.message);
      assert.equal((await connect(server.id)).status, 502);
      assert.equal((await stack.ok('GET', `/auth/mcp-servers/${server.id}`, { token })).status, 'error');
    });
  }
  test('nobody there, a private address', async () => {
    assert.equal((await tryOut((await add('gone', 'http://127.0.0.1:9/mcp')).id)).success, false);
    const metadata = await tryOut((await add('meta', 'http://169.254.169.254/mcp')).id);
    assert.equal(metadata.success, false);
    assert.match(metadata.error, /no public address/);
  });
  test('one that hangs, and one that never ends: within 10 s', async () => {
    const servers = [await add('hang', oddUrl('hang')), await add('endless', oddUrl('endless'))];
    const start = Date.now();
    for (const tried of await Promise.all(servers.map((s) => tryOut(s.id)))) assert.equal(tried.success, false);
    assert.ok(Date.now() - start < 12_000 * slow);
  });
  test('one that wants a sign-in', async () => {
    const server = await add('Locked', oddUrl('login'));
    const tried = await tryOut(server.id);
    assert.deepEqual([tried.success, tried.oauth_required, tried.message], [false, true, 'Please authenticate with Locked first']);
    const answer = await connect(server.id);
    assert.equal(answer.status, 401);
    assert.equal(answer.headers['www-authenticate'], undefined);
    assert.deepEqual([answer.body.oauth_required, answer.body.server_id, answer.body.error], [true, server.id, 'OAuth authentication required']);
    assert.equal((await stack.ok('GET', `/auth/mcp-servers/${server.id}`, { token })).status, 'needs_auth');
  });
});

describe('tools', () => {
  const listed = (who) => stack.ok('GET', '/chat/mcp/tools', { token: who });

  test('names are unique, short, and of what models take', async () => {
    const who = (await stack.register()).token;
    await add('Odd ones', oddUrl('names'), {}, who);
    await add('Odd ones', oddUrl('names'), {}, who);
    const names = (await listed(who)).map((t) => t.name);
    assert.equal(new Set(names).size, names.length);
    for (const name of names) assert.match(name, /^[A-Za-z0-9_-]{1,64}$/);
    assert.ok(names.includes('mcp_Odd_ones_a_b_c_d') && names.includes('mcp_Gmail_gmail-send-email'), String(names));
    assert.equal(names.length, 16);
  });

  test('nine answer, one hangs: the nine are listed, then at once; the one is named', async () => {
    const who = (await stack.register()).token;
    for (let i = 0; i < 9; i++) await add(`S${i}`, oddUrl('many'), {}, who);
    const hangs = await add('Slow', oddUrl('hang'), {}, who);
    const start = Date.now();
    const tools = await listed(who);
    assert.ok(Date.now() - start < 3000 * slow, `${Date.now() - start} ms`); // 2 s are the one's
    assert.equal(tools.length, 450);
    assert.deepEqual(Object.keys(tools[0]).sort(), ['annotations', 'description', 'inputSchema', 'name', 'policy', 'server_id', 'server_name', 'title']);
    const { many } = requests;
    assert.deepEqual(await stack.ok('GET', '/chatconnect/mcp/tools', { token: who }), tools);
    assert.equal(requests.many, many, 'what is fresh is not asked for again');
    const shown = await stack.ok('GET', `/auth/mcp-servers/${hangs.id}`, { token: who });
    assert.equal(shown.status, 'error');
    assert.ok(shown.status_detail);
  });

  for (const [how, size, why] of [['huge', '5 MB', /too large/], ['tiny', 'half a megabyte', /too many objects/]])
    test(`10,000 tools in ${size} are too much of one server; it is named, and the others are there`, async () => {
      const who = (await stack.register()).token;
      const huge = await add('Huge', oddUrl(how), {}, who);
      await add('Many', oddUrl('many'), {}, who);
      assert.equal((await listed(who)).length, 50);
      const shown = await stack.ok('GET', `/auth/mcp-servers/${huge.id}`, { token: who });
      assert.equal(shown.status, 'error');
      assert.match(shown.status_detail, why);
    });

  test('pages of 3 MB without an end: some are read, and what stood in them is there', async () => {
    const server = await add('Pages', oddUrl('pages'));
    const tried = await tryOut(server.id);
    assert.deepEqual([tried.success, tried.tools_count], [true, pages], JSON.stringify(tried));
    assert.ok(pages > 1 && pages < 8, `${pages} pages`);
  });

  test('one that asks us 5000 things at once gets few answers, and its tools are listed', async () => {
    const server = await add('Pings', oddUrl('pings'));
    assert.deepEqual([(await tryOut(server.id)).tools_count, (await tryOut(server.id)).success], [2, true]);
    await until('some are answered', () => pongs > 2);
    assert.ok(pongs <= 60, `${pongs} answers`);
  });

  test('a policy: by the hints, by its owner, and by nobody else', async () => {
    const who = (await stack.register()).token;
    await add('P', oddUrl('hints'), {}, who);
    assert.deepEqual((await listed(who)).map((t) => [t.name, t.policy]), [['mcp_P_read', 'allow'], ['mcp_P_write', 'ask']]);
    const put = (policy, by = who) => stack.api('PUT', '/chat/mcp/tools/mcp_P_write', { token: by, json: { policy } });
    assert.equal((await put('allow')).body.policy, 'allow');
    assert.equal((await put('deny')).body.policy, 'deny');
    assert.equal((await put(null)).body.policy, 'ask');
    assert.equal((await put('maybe')).status, 422);
    assert.equal((await put('allow', token)).status, 404);
  });
});

test('without a model no use of tools is pretended: it quotes its user\'s documents, and says so', async () => {
  const who = (await stack.register()).token;
  await add('P', oddUrl('hints'), {}, who);
  await stack.upload(who, 'kettle.txt', 'The warranty of the kettle is five years. It covers the lid.');
  const chat = await stack.ok('POST', '/chat/chats', { token: who, status: 201 });
  const answer = await stack.ok('POST', `/chat/chats/${chat.id}/messages`, { token: who, json: { content: 'How long is the warranty of the kettle?' } });
  assert.match(answer.content, /five years/);
  assert.match(answer.content, /Your tools need a model: none is set up here/);
  assert.equal(answer.tool_calls, undefined);
  assert.equal(answer.sources[0].documentName, 'kettle.txt');
});
