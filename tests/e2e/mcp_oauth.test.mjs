// Signing in at MCP servers: against oidc-provider and a protected server of the official SDK, whose redirects play the
// browser; and against authorization servers that lie.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { startRig, startStack } from './harness.mjs';
import { browse as follow } from './redirects.mjs';

let stack, rig, as, mcpUrl;
before(async () => {
  rig = await startRig('as-and-mcp.mjs', { ports: 2 });
  as = `http://127.0.0.1:${rig.ports[0]}`;
  mcpUrl = `${rig.url}/mcp`;
  stack = await startStack({ replicas: { chat: 2 }, env: { EGRESS_ALLOW: '127.0.0.1/32' } });
  stack.callback = `${stack.process('chat').env.PUBLIC_URL}/auth/oauth/callback`;
});
after(async () => {
  await stack?.stop();
  await rig?.stop();
});

// --- A user and a browser ---------------------------------------------------------------------------------------------------

const signUp = async () => (await stack.register()).token;
const add = (token, uri = mcpUrl, name = 'Protected') =>
  stack.ok('POST', '/auth/mcp-servers', { token, status: 201, json: { name, config: { type: 'custom', uri, transport: 'http' } } });
const authorize = (token, id, more = {}) => stack.api('POST', '/auth/oauth/authorize', { token, json: { server_id: id, ...more } });
const cookieOf = (answer) => answer.headers['set-cookie']?.[0]?.split(';')[0];
const tryOut = (token, id) => stack.ok('POST', `/auth/mcp-servers/${id}/test`, { token });
const status = (token) => stack.ok('GET', '/auth/oauth/status', { token });

// Through the provider's redirects: the path and query of the callback.
async function browse(url) {
  const { pathname, search } = await follow(url, stack.callback);
  return pathname + search;
}
const callback = (where, headers = {}, more = {}) => stack.api('GET', where, { headers, ...more });

async function signIn(token, id) {
  const begun = await authorize(token, id);
  assert.equal(begun.status, 200, begun.text);
  const page = await callback(await browse(begun.body.oauth_url), { Cookie: cookieOf(begun) });
  assert.equal(page.status, 200, page.text);
  return page;
}

describe('as the document has it', () => {
  test('authorize, callback, status, test, revoke', async () => {
    const token = await signUp();
    const server = await add(token, mcpUrl, 'My Gmail Workflow');
    const begun = await authorize(token, server.id, { provider: 'gmail' });
    assert.equal(begun.status, 200, begun.text);
    const { oauth_url: url, state, ...rest } = begun.body;
    assert.deepEqual(rest, { provider: '127.0.0.1', server_name: 'My Gmail Workflow' });
    assert.deepEqual(Object.keys(begun.body), ['oauth_url', 'state', 'provider', 'server_name']);
    const sent = Object.fromEntries(new URL(url).searchParams);
    assert.deepEqual([sent.state, sent.response_type, sent.code_challenge_method, sent.resource, sent.redirect_uri],
      [state, 'code', 'S256', mcpUrl, stack.callback]);
    assert.match(sent.code_challenge, /^[A-Za-z0-9_-]{43}$/);
    assert.match(begun.headers['set-cookie'][0], /^parley_oauth_[0-9a-f]{16}=[\w-]{43}; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax$/);

    const page = await callback(await browse(url), { Cookie: cookieOf(begun) });
    assert.equal(page.status, 200, page.text);
    assert.match(page.headers['content-type'], /^text\/html/);
    assert.match(page.text, /My Gmail Workflow is connected/);
    assert.match(page.headers['set-cookie'][0], /Max-Age=0/);
    assert.ok(!/eyJ/.test(page.text), 'no token in a page');

    const [shown, ...none] = await status(token);
    assert.deepEqual(none, []);
    const { expires_at: expires, ...told } = shown;
    assert.deepEqual(told, { server_id: server.id, server_name: 'My Gmail Workflow', provider: '127.0.0.1', is_valid: true, scope: 'mcp:read' });
    assert.match(expires, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
    assert.deepEqual(Object.keys(shown), ['server_id', 'server_name', 'provider', 'is_valid', 'expires_at', 'scope']);

    assert.deepEqual(await tryOut(token, server.id), { success: true, tools_count: 2,
      tools: ['mcp_My_Gmail_Workflow_whoami', 'mcp_My_Gmail_Workflow_write'], message: 'Successfully connected to My Gmail Workflow. Found 2 tools.' });
    assert.deepEqual((await stack.ok('GET', '/chat/mcp/tools', { token })).map((t) => t.name), ['mcp_My_Gmail_Workflow_whoami', 'mcp_My_Gmail_Workflow_write']);

    const before = (await (await fetch(`${as}/control`)).json()).requests['/token/revocation'] ?? 0;
    assert.deepEqual(await stack.ok('DELETE', `/auth/oauth/tokens/${server.id}`, { token }), { message: 'OAuth tokens revoked' });
    const { requests } = await (await fetch(`${as}/control`)).json();
    assert.ok(requests['/token/revocation'] > before, 'told to the provider');
    assert.deepEqual(await stack.ok('DELETE', `/auth/oauth/tokens/${server.id}`, { token }), { message: 'There were no OAuth tokens' });
    assert.equal((await tryOut(token, server.id)).oauth_required, true);
    assert.deepEqual((await status(token)).map((s) => [s.is_valid, s.expires_at, s.scope, s.provider]), [[false, null, null, '127.0.0.1']]);
    await stack.ok('DELETE', `/auth/mcp-servers/${server.id}`, { token });
    assert.deepEqual(await status(token), []);
  });

  test('what wants a sign-in says where', async () => {
    const token = await signUp();
    const server = await add(token, mcpUrl, 'Gmail');
    const tried = await tryOut(token, server.id);
    assert.deepEqual([tried.success, tried.tools_count, tried.tools, tried.oauth_required, tried.message], [false, 0, [], true, 'Please authenticate with Gmail first']);
    assert.ok(tried.oauth_url.startsWith(`${as}/auth?`), tried.oauth_url);
    const connect = await stack.api('POST', `/chat/mcp/servers/${server.id}/connect`, { token });
    assert.equal(connect.status, 401);
    assert.equal(connect.headers['www-authenticate'], undefined);
    const { oauth_url: url, ...rest } = connect.body;
    assert.deepEqual(rest, { detail: 'Please authenticate with Gmail first', error: 'OAuth authentication required', oauth_required: true,
      message: 'Please authenticate with Gmail first', server_id: server.id });
    // that URL does as well, and asks, since it came without a cookie
    const page = await callback(await browse(url));
    assert.match(page.text, /Connect Gmail to the Parley account .…@/);
  });

  test('a server that is not there is 502, one that is another\'s 404, nothing asked for 422', async () => {
    const token = await signUp();
    assert.equal((await authorize(token, (await add(token, 'http://127.0.0.1:9/mcp')).id)).status, 502);
    assert.equal((await authorize(token, (await add(await signUp())).id)).status, 404);
    assert.equal((await stack.api('POST', '/auth/oauth/authorize', { token, json: {} })).status, 422);
  });
});
