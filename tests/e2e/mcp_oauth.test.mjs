// Signing in at MCP servers: against oidc-provider and a protected server of the official SDK, whose redirects play the
// browser; and against authorization servers that lie.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { slow, startRig, startStack, until } from './harness.mjs';
import { browse as follow } from './redirects.mjs';

let stack, rig, as, mcpUrl, strict, liar;
const publicUrl = 'http://parley.test:8000'; // nobody has to be there: what comes back is brought by hand
const issuerOf = (one) => `http://127.0.0.1:${one.ports[0]}`;
before(async () => {
  [rig, strict] = await Promise.all([startRig('as-and-mcp.mjs', { ports: 2 }),
    startRig('as-and-mcp.mjs', { ports: 2, env: { NO_DCR: '1', CIMD: '1', CALLBACKS: JSON.stringify([`${publicUrl}/auth/oauth/callback`]) } })]);
  as = issuerOf(rig);
  mcpUrl = `${rig.url}/mcp`;
  liar = await startLiar();
  const configured = { corp: { issuer: liar.issuer('configured'), client_id: 'ours', client_secret: 'a secret:+', scope: 'mail', parameters: { access_type: 'offline' }, hosts: ['127.0.0.1'] },
    known: { issuer: issuerOf(strict), client_id: 'pre-registered', client_secret: 'pre-registered-secret-0123456789' },
    elsewhere: { issuer: liar.issuer('configured'), client_id: 'no', hosts: ['mcp.example.com'] } };
  stack = await startStack({ replicas: { chat: 2 }, env: { EGRESS_ALLOW: '127.0.0.1/32', PUBLIC_URL: publicUrl, OAUTH_CLIENTS: JSON.stringify(configured) } });
});
after(async () => {
  await Promise.all([rig, strict].map((one) => one?.stop()));
  liar?.server.closeAllConnections();
  liar?.server.close();
  await stack?.stop(); // last: it fails when something is found
});

// --- An authorization server that lies, and MCP servers that believe it -------------------------------------------------------

// /mcp/<how> wants the tokens of /as/<how>. `asked`: what came to its token endpoints; `seen`: Authorization at the servers;
// `revoked`: tokens.
async function startLiar() {
  const me = { asked: [], seen: [], served: [], revoked: [] };
  me.server = http.createServer(async (request, response) => {
    let body = '';
    for await (const piece of request) body += piece;
    const { pathname } = new URL(request.url, me.base);
    const how = pathname.split('/').at(-1);
    const json = (status, value, headers = {}) => response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(value));
    me.served.push(pathname);
    if (pathname.startsWith('/mcp/')) {
      me.seen.push(request.headers.authorization ?? null);
      return json(401, {}, { 'WWW-Authenticate': `Bearer resource_metadata="${me.base}/.well-known/oauth-protected-resource/mcp/${how}"` });
    }
    if (pathname.startsWith('/.well-known/oauth-protected-resource/mcp/')) return json(200, { resource: me.url(how), authorization_servers: [me.issuer(how)], ...lies.resource[how]?.() });
    if (pathname.startsWith('/.well-known/oauth-authorization-server/as/')) {
      const doors = `${me.base}/doors/`;
      return json(200, { issuer: me.issuer(how), authorization_endpoint: `${doors}authorize/${how}`, token_endpoint: `${doors}token/${how}`, registration_endpoint: `${doors}register/${how}`,
        code_challenge_methods_supported: ['S256'], token_endpoint_auth_methods_supported: ['none', 'client_secret_basic'], ...lies.server[how]?.() });
    }
    if (pathname.startsWith('/doors/register/')) return json(201, { client_id: `client-of-${how}`, ...lies.client[how]?.() });
    if (pathname.startsWith('/doors/revoke/')) {
      const { token, token_type_hint: kind } = Object.fromEntries(new URLSearchParams(body));
      me.revoked.push(token);
      return how === 'silent' ? undefined : how === 'partly' && kind === 'refresh_token' ? json(400, { error: 'invalid_request' }) : json(200, {});
    }
    if (pathname.startsWith('/doors/token/')) {
      me.asked.push({ how, form: Object.fromEntries(new URLSearchParams(body)), authorization: request.headers.authorization });
      const [status, answer, type = 'application/json'] = lies.token[how]?.() ?? [200, { access_token: 'the-token', token_type: 'Bearer' }];
      return response.writeHead(status, { 'Content-Type': type }).end(typeof answer === 'string' ? answer : JSON.stringify(answer));
    }
    return json(404, {});
  });
  await new Promise((resolve) => me.server.listen(0, '127.0.0.1', resolve));
  me.base = `http://127.0.0.1:${me.server.address().port}`;
  me.url = (how) => `${me.base}/mcp/${how}`;
  me.issuer = (how) => `${me.base}/as/${how}`;
  return me;
}
const lies = {
  resource: {
    stolen: () => ({ resource: mcpUrl }),
    nobody: () => ({ authorization_servers: [] }),
    private: () => ({ authorization_servers: ['http://169.254.169.254/as'] }),
  },
  server: {
    impostor: () => ({ issuer: as }),
    slash: () => ({ issuer: `${liar.issuer('slash')}/` }),
    unproven: () => ({ code_challenge_methods_supported: undefined }),
    plain: () => ({ code_challenge_methods_supported: ['plain'] }),
    script: () => ({ authorization_endpoint: 'javascript:alert(1)' }),
    closed: () => ({ registration_endpoint: undefined }),
    named: () => ({ authorization_response_iss_parameter_supported: true }),
    documents: () => ({ client_id_metadata_document_supported: true }),
    configured: () => ({ registration_endpoint: undefined }),
    silent: () => ({ revocation_endpoint: `${liar.base}/doors/revoke/silent` }),
    last: () => ({ revocation_endpoint: `${liar.base}/doors/revoke/last` }),
    partly: () => ({ revocation_endpoint: `${liar.base}/doors/revoke/partly` }),
  },
  client: { nameless: () => ({ client_id: undefined }), lines: () => ({ client_id: 'a\r\nb' }) },
  token: {
    html: () => [200, '<html>Welcome</html>', 'text/html'],
    huge: () => [200, JSON.stringify({ access_token: 'x'.repeat(1_000_000) })],
    header: () => [200, { access_token: 'a\r\nX-Evil: b', token_type: 'Bearer' }],
    mac: () => [200, { access_token: 'x', token_type: 'mac' }],
    deep: () => [200, '['.repeat(100_000)],
    used: () => [400, { error: 'invalid_grant', error_description: 'the code was used' }],
    later: () => liar.asked.at(-1).form.grant_type === 'refresh_token' ? [401, { error: 'invalid_client' }] : [200, { access_token: 'the-token', refresh_token: 'again', token_type: 'Bearer' }],
    partly: () => [200, { access_token: 'one', refresh_token: 'two', token_type: 'Bearer' }],
    forgotten: () => [401, { error: 'invalid_client' }],
    broken: () => [500, 'oh no', 'text/plain'],
  },
};

// --- A user and a browser ---------------------------------------------------------------------------------------------------

const signUp = async () => (await stack.register()).token;
const add = (token, uri = mcpUrl, name = 'Protected') =>
  stack.ok('POST', '/auth/mcp-servers', { token, status: 201, json: { name, config: { type: 'custom', uri, transport: 'http' } } });
const authorize = (token, id, more = {}) => stack.api('POST', '/auth/oauth/authorize', { token, json: { server_id: id, ...more } });
const cookieOf = (answer) => answer.headers['set-cookie']?.[0]?.split(';')[0];
const tryOut = (token, id) => stack.ok('POST', `/auth/mcp-servers/${id}/test`, { token });
const status = (token) => stack.ok('GET', '/auth/oauth/status', { token });

// Through the provider's redirects: the path and query of the callback.
async function browse(url, back = publicUrl) {
  const { pathname, search } = await follow(url, `${back}/auth/oauth/callback`);
  return pathname + search;
}
const callback = (where, headers = {}, more = {}) => stack.api('GET', where, { headers, ...more });

const control = async (what, where = as) => (await fetch(`${where}/control`, what && { method: 'POST', body: JSON.stringify(what) })).json();
const asked = async (where, whom = as) => (await control(undefined, whom)).requests[where] ?? 0;

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
      [state, 'code', 'S256', mcpUrl, `${publicUrl}/auth/oauth/callback`]);
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

    const before = await asked('/token/revocation');
    assert.deepEqual(await stack.ok('DELETE', `/auth/oauth/tokens/${server.id}`, { token }), { message: 'OAuth tokens revoked' });
    assert.ok(await asked('/token/revocation') > before, 'told to the provider');
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

describe('who brings it back', () => {
  let token, server;
  before(async () => {
    token = await signUp();
    server = await add(token, mcpUrl, 'Mail & <b>more</b>');
  });
  const valid = async () => (await status(token)).some((s) => s.is_valid);
  const begin = async () => {
    const begun = await authorize(token, server.id);
    return { ...begun.body, cookie: cookieOf(begun), where: await browse(begun.body.oauth_url) };
  };
  const refused = (answer) => {
    assert.equal(answer.status, 400, answer.text);
    assert.match(answer.headers['content-type'], /^text\/html/);
    assert.match(answer.text, /is not connected/);
  };

  test('a stranger\'s browser is asked, and nothing is done before the click', async () => {
    const { where } = await begin();
    const page = await callback(where);
    assert.equal(page.status, 200);
    assert.match(page.text, /Connect Mail &amp; &lt;b&gt;more&lt;\/b&gt; to the Parley account .…@/);
    assert.match(page.headers['content-security-policy'], /frame-ancestors 'none'/);
    assert.equal(await valid(), false);
    const json = Object.fromEntries(new URLSearchParams(where.split('?')[1]));
    const confirmed = await stack.api('POST', '/auth/oauth/callback', { json });
    assert.deepEqual([confirmed.status, confirmed.body], [200, { message: 'Mail & <b>more</b> is connected', server_id: server.id, location: null }]);
    assert.equal(await valid(), true);
    assert.equal((await stack.api('POST', '/auth/oauth/callback', { json })).status, 400, 'a click works once');
    await stack.ok('DELETE', `/auth/oauth/tokens/${server.id}`, { token });
  });

  test('another sign-in\'s cookie, a stranger\'s bearer: refused, and the own still works', async () => {
    const { where, cookie } = await begin();
    const other = await begin();
    refused(await callback(where, { Cookie: `a=b; ${other.cookie}` }));
    refused(await callback(where, { Cookie: `${cookie.split('=')[0]}=guess` }));
    refused(await callback(where, {}, { token: await signUp() }));
    assert.equal((await callback(where, {}, { token: 'stale' })).status, 401);
    assert.equal(await valid(), false);
    assert.equal((await callback(where, { Cookie: `${other.cookie}; ${cookie}` })).status, 200);
    assert.equal(await valid(), true);
    await stack.ok('DELETE', `/auth/oauth/tokens/${server.id}`, { token });
  });

  test('the user\'s own bearer ends it at once; a used state does nothing', async () => {
    const { where, cookie } = await begin();
    assert.equal((await callback(where, {}, { token })).status, 200);
    assert.equal(await valid(), true);
    refused(await callback(where, { Cookie: cookie }));
    await stack.ok('DELETE', `/auth/oauth/tokens/${server.id}`, { token });
  });

  test('forged: no state, a made one, another user\'s with this random part', async () => {
    const { state, cookie } = await begin();
    const me = state.split('.')[0];
    const tries = ['', '?state=', '?state=x&code=y', `?state=${me}.${'A'.repeat(43)}&code=y`, `?state=${encodeURIComponent(`${me.replace(/.$/, 'f')}.${state.split('.')[1]}`)}&code=y`, '?state=%00&code=1'];
    for (const query of tries) {
      const answer = await callback(`/auth/oauth/callback${query}`, { Cookie: cookie });
      assert.ok(answer.status === 400 || answer.status === 422, `${query}: ${answer.status}`);
    }
    assert.equal(await valid(), false);
  });

  test('a code of another sign-in does not do (PKCE)', async () => {
    const [one, two] = [await begin(), await begin()];
    const code = new URLSearchParams(one.where.split('?')[1]).get('code');
    const mixed = new URLSearchParams(two.where.split('?')[1]);
    mixed.set('code', code);
    const answer = await callback(`/auth/oauth/callback?${mixed}`, { Cookie: two.cookie });
    assert.equal(answer.status, 502, answer.text);
    assert.equal(await valid(), false);
  });

  test('the user says no', async () => {
    await control({ deny: true });
    try {
      const { where, cookie } = await begin();
      const answer = await callback(where, { Cookie: cookie });
      refused(answer);
      assert.match(answer.text, /access_denied/);
    } finally {
      await control({ deny: false });
    }
  });

  test('no redirect leads anywhere else, and words from outside stay words', async () => {
    const { state, cookie } = await begin();
    const query = new URLSearchParams({ state, error: '<script>alert(1)</script>', iss: as, redirect: 'https://evil.example', location: 'https://evil.example', return_url: '//evil.example' });
    const answer = await callback(`/auth/oauth/callback?${query}`, { Cookie: cookie });
    refused(answer);
    assert.equal(answer.headers.location, undefined);
    assert.ok(!answer.text.includes('<script>alert') && !answer.text.includes('evil.example'), answer.text);
  });

  test('begun, then the server moved: the token goes nowhere', async () => {
    const moving = await add(token);
    const begun = await authorize(token, moving.id);
    await stack.ok('PUT', `/auth/mcp-servers/${moving.id}`, { token, json: { config: { uri: liar.url('plainly') } } });
    const answer = await callback(await browse(begun.body.oauth_url), { Cookie: cookieOf(begun) });
    assert.equal(answer.status, 400, answer.text);
    const seen = liar.seen.length;
    assert.equal((await tryOut(token, moving.id)).oauth_required, true);
    assert.deepEqual(liar.seen.slice(seen).filter(Boolean), []);
  });
});

describe('authorization servers that lie', () => {
  let token;
  before(async () => (token = await signUp()));
  const begun = async (how) => authorize(token, (await add(token, liar.url(how), how)).id);

  const cannotBegin = [
    ['stolen', /about another server/],
    ['nobody', /names nobody/],
    ['private', /no public address/],
    ['impostor', /says that it is somebody else/],
    ['slash', /says that it is somebody else/],
    ['unproven', /PKCE/],
    ['plain', /PKCE/],
    ['script', /does not say where to sign in/],
    ['closed', /registers nobody by itself/],
    ['nameless', /does not register us/],
    ['lines', /does not register us/],
  ];
  for (const [how, why] of cannotBegin) {
    test(`${how}: a sign-in does not begin`, async () => {
      const answer = await begun(how);
      assert.ok([422, 502].includes(answer.status), answer.text);
      assert.match(answer.body.detail, why);
    });
  }

  test('a response with the name of another server, or without the one that was promised: the code is not sent', async () => {
    const before = liar.asked.length;
    for (const [how, iss] of [['good', as], ['named', null], ['named', `${liar.issuer('named')}/`], ['good', '']]) {
      const flow = await begun(how);
      const query = new URLSearchParams({ state: flow.body.state, code: 'c', ...(iss === null ? {} : { iss }) });
      const answer = await callback(`/auth/oauth/callback?${query}`, { Cookie: cookieOf(flow) });
      assert.equal(answer.status, 400, `${how} ${iss}`);
      assert.match(answer.text, /does not come from where the sign-in began/);
      query.delete('code');
      query.set('error', 'access_denied');
      assert.equal((await callback(`/auth/oauth/callback?${query}`, { Cookie: cookieOf(flow) })).status, 400);
    }
    assert.equal(liar.asked.length, before);
  });

  for (const how of Object.keys(lies.token).filter((name) => !['later', 'partly'].includes(name))) {
    test(`the answer to a code is ${how}: said in a page, and nothing is kept`, async () => {
      const flow = await begun(how);
      const answer = await callback(`/auth/oauth/callback?state=${flow.body.state}&code=c`, { Cookie: cookieOf(flow) });
      assert.equal(answer.status, 502, answer.text);
      assert.ok(!(await status(token)).some((s) => s.server_name === how && s.is_valid));
    });
  }

  test('a client is registered once for an issuer, and anew when it was forgotten there', async () => {
    const registrations = (how) => liar.served.filter((p) => p === `/doors/register/${how}`).length;
    await begun('once');
    await begun('once');
    assert.equal(registrations('once'), 1);
    const before = registrations('forgotten');
    await begun('forgotten');
    assert.equal(registrations('forgotten'), before + 1);
  });

  test('a client that was forgotten there after the sign-in is registered anew, too', async () => {
    const server = await add(token, liar.url('later'), 'later');
    const flow = await authorize(token, server.id);
    assert.equal((await callback(`/auth/oauth/callback?state=${flow.body.state}&code=c`, { Cookie: cookieOf(flow) })).status, 200);
    assert.equal((await tryOut(token, server.id)).oauth_required, true); // the server refuses the token, and its issuer us
    assert.equal(liar.asked.at(-1).form.grant_type, 'refresh_token');
    assert.equal(liar.served.filter((p) => p === '/doors/register/later').length, 2);
  });
});

describe('clients that the operator has configured', () => {
  test('by name, and by issuer; not for servers that are not listed', async () => {
    const token = await signUp();
    const server = await add(token, liar.url('configured'), 'Corp');
    for (const provider of ['corp', undefined]) {
      const begun = await authorize(token, server.id, { provider });
      assert.equal(begun.status, 200, begun.text);
      assert.equal(begun.body.provider, 'corp');
      const sent = Object.fromEntries(new URL(begun.body.oauth_url).searchParams);
      assert.deepEqual([sent.client_id, sent.scope, sent.access_type], ['ours', 'mail', 'offline']);
      const page = await callback(`/auth/oauth/callback?state=${begun.body.state}&code=c`, { Cookie: cookieOf(begun) });
      assert.equal(page.status, 200, page.text);
      const { authorization, form } = liar.asked.at(-1);
      assert.equal(Buffer.from(authorization.slice(6), 'base64').toString(), 'ours:a%20secret%3A%2B');
      assert.equal(form.client_secret, undefined);
    }
    const [shown] = await status(token);
    assert.deepEqual([shown.provider, shown.is_valid, shown.expires_at, shown.scope], ['corp', true, null, 'mail']);
    assert.notEqual((await authorize(token, server.id, { provider: 'elsewhere' })).body.provider, 'elsewhere');
  });

  test('a provider that registers nobody: signed in, renewed, and revoked as the client that it knows', async () => {
    const token = await signUp(), server = await add(token, `${strict.url}/mcp`, 'Strict'), provider = issuerOf(strict);
    const begun = await authorize(token, server.id);
    assert.equal(begun.body.provider, 'known', begun.text);
    await signIn(token, server.id);
    assert.equal((await tryOut(token, server.id)).tools_count, 2);
    const [renewals, revocations] = [await asked('/token', provider), await asked('/token/revocation', provider)];
    await stack.sql(`UPDATE chat.oauth_token SET expires_at = now() - interval '1 s' WHERE server_id = ${server.id}`);
    assert.equal((await tryOut(token, server.id)).success, true);
    assert.equal(await asked('/token', provider), renewals + 1);
    await stack.ok('DELETE', `/auth/oauth/tokens/${server.id}`, { token });
    assert.ok(await asked('/token/revocation', provider) > revocations);
    assert.equal(await asked('/reg', provider), 0);
    assert.equal((await tryOut(token, server.id)).oauth_required, true);
  });

  test('what one provider has granted is not asked of another', async () => {
    const token = await signUp();
    const server = await add(token, liar.url('good'), 'Two');
    const begun = await authorize(token, server.id, { provider: 'corp' });
    assert.equal((await callback(`/auth/oauth/callback?state=${begun.body.state}&code=c`, { Cookie: cookieOf(begun) })).status, 200);
    assert.equal((await status(token))[0].scope, 'mail');
    const other = await authorize(token, server.id);
    assert.equal(new URL(other.body.oauth_url).searchParams.get('scope'), null, other.body.oauth_url);
  });
});

describe('tokens', () => {
  let token, server;
  before(async () => {
    token = await signUp();
    server = await add(token);
    await signIn(token, server.id);
  });
  const expire = () => stack.sql(`UPDATE chat.oauth_token SET expires_at = now() - interval '1 s' WHERE server_id = ${server.id}`);
  const everyone = (n) => Promise.all(Array.from({ length: n }, () => tryOut(token, server.id)));

  test('sealed at rest', async () => {
    const [[secrets]] = await stack.sql(`SELECT secrets FROM chat.oauth_token WHERE server_id = ${server.id}`);
    assert.ok(!/eyJ|access/.test(secrets), secrets);
  });

  test('ten workers of two replicas want it renewed: it is, once', async () => {
    await expire();
    const before = await asked('/token');
    for (const tried of await everyone(10)) assert.equal(tried.success, true, JSON.stringify(tried));
    assert.equal(await asked('/token') - before, 1);
  });

  test('of two seconds: renewed before it is over, again and again', async () => {
    await control({ ttl: 2 });
    await expire();
    const seen = new Set();
    await until('three tokens have been used', async () => {
      assert.equal((await tryOut(token, server.id)).success, true);
      seen.add((await status(token))[0].expires_at);
      return seen.size >= 3;
    });
    await control({ ttl: 3600 });
  });

  test('the provider is away: said, nothing is lost, and it goes on', async () => {
    await control({ down: true });
    await expire();
    const tried = await tryOut(token, server.id);
    assert.deepEqual([tried.success, tried.oauth_required], [false, undefined], JSON.stringify(tried));
    assert.equal((await stack.api('POST', `/chat/mcp/servers/${server.id}/connect`, { token })).status, 502);
    assert.equal((await status(token))[0].is_valid, true);
    await control({ down: false });
    assert.equal((await tryOut(token, server.id)).success, true);
  });

  test('a provider slower than a list of tools may be: the list is there in time, and what it gives is not lost', async () => {
    await control({ slow: 6000 });
    await expire();
    await stack.sql(`UPDATE chat.mcp_server SET asked_at = NULL WHERE id = ${server.id}`);
    const before = await asked('/token');
    await stack.ok('GET', '/chat/mcp/tools', { token });
    assert.ok(new Date((await status(token))[0].expires_at) < new Date(), 'the list did not wait for the new token');
    await until('the new token is there', async () => new Date((await status(token))[0].expires_at) > new Date());
    assert.equal((await tryOut(token, server.id)).success, true);
    assert.equal(await asked('/token') - before, 1);
    await control({ slow: 0 });
  });

  test('almost over, and the provider is away: the old one does', async () => {
    await stack.sql(`UPDATE chat.oauth_token SET expires_at = now() + interval '20 s' WHERE server_id = ${server.id}`);
    await control({ down: true });
    assert.equal((await tryOut(token, server.id)).success, true);
    await control({ down: false });
  });

  test('a server that refuses it early is asked again with a new one', async () => {
    await control({ ttl: 1 });
    await expire();
    await tryOut(token, server.id);
    await control({ ttl: 3600 });
    // ours says that it is good for an hour, the server knows better
    await stack.sql(`UPDATE chat.oauth_token SET expires_at = now() + interval '1 hour' WHERE server_id = ${server.id}`);
    const since = Date.now();
    await until('the server refuses the token', () => Date.now() - since > 1500);
    const before = await asked('/token');
    assert.equal((await tryOut(token, server.id)).success, true);
    assert.equal(await asked('/token') - before, 1);
  });

  test('revoked there: a sign-in is wanted, and then it works again', async () => {
    const fake = await stack.sql(`SELECT count(*) FROM chat.oauth_token WHERE server_id = ${server.id}`);
    assert.deepEqual(fake, [['1']]);
    // the same secrets once more: what a second use of a rotated refresh token does to its family
    const [[old]] = await stack.sql(`SELECT secrets FROM chat.oauth_token WHERE server_id = ${server.id}`);
    await expire();
    assert.equal((await tryOut(token, server.id)).success, true);
    await stack.sql(`UPDATE chat.oauth_token SET secrets = '${old}', expires_at = now() - interval '1 s' WHERE server_id = ${server.id}`);
    const tried = await tryOut(token, server.id);
    assert.deepEqual([tried.success, tried.oauth_required], [false, true], JSON.stringify(tried));
    assert.ok(tried.oauth_url);
    assert.equal((await status(token))[0].is_valid, false);
    await signIn(token, server.id);
    assert.equal((await tryOut(token, server.id)).success, true);
  });

  test('of another user: never used, not even when its row is copied', async () => {
    const other = await signUp();
    const theirs = await add(other);
    assert.equal((await tryOut(other, theirs.id)).oauth_required, true);
    assert.deepEqual(await stack.ok('GET', '/chat/mcp/tools', { token: other }), []);
    const [[owner]] = await stack.sql(`SELECT owner_id FROM chat.mcp_server WHERE id = ${theirs.id}`);
    await stack.sql(`INSERT INTO chat.oauth_token (owner_id, server_id, provider, issuer, document, client_id, method, scope, resource, secrets, refreshes, issued_at)
      SELECT '${owner}', ${theirs.id}, provider, issuer, document, client_id, method, scope, resource, secrets, refreshes, issued_at FROM chat.oauth_token WHERE server_id = ${server.id}`);
    const tried = await tryOut(other, theirs.id);
    assert.equal(tried.success, false);
    assert.deepEqual((await stack.ok('GET', '/chat/mcp/tools', { token })).length, 2);
  });

  test('a change that is refused leaves it alone', async () => {
    const config = { uri: liar.url('good'), headers: { Host: 'evil.example' } };
    assert.equal((await stack.api('PUT', `/auth/mcp-servers/${server.id}`, { token, json: { config } })).status, 422);
    assert.equal((await tryOut(token, server.id)).success, true);
  });

  test('a provider that is away when a token is dropped is told when it is back', async () => {
    const who = await signUp(), theirs = await add(who), left = () => stack.sql("SELECT run_at > now() FROM chat.job WHERE kind = 'farewell'");
    await signIn(who, theirs.id);
    await control({ down: true });
    try {
      assert.deepEqual(await stack.ok('DELETE', `/auth/oauth/tokens/${theirs.id}`, { token: who }), { message: 'OAuth tokens revoked' });
      assert.deepEqual(await left(), [['t']]);
      assert.deepEqual((await status(who)).filter((s) => s.is_valid), [], 'forgotten here at once');
    } finally {
      await control({ down: false });
    }
    const before = await asked('/token/revocation');
    await stack.sql("UPDATE chat.job SET run_at = now() WHERE kind = 'farewell'; SELECT pg_notify('parley_job', 'farewell')");
    await until('it was told', async () => (await left()).length === 0);
    assert.ok(await asked('/token/revocation') > before);
  });

  test('with its server it goes, here and there', async () => {
    const before = await asked('/token/revocation');
    await stack.ok('DELETE', `/auth/mcp-servers/${server.id}`, { token });
    assert.ok(await asked('/token/revocation') > before);
    assert.deepEqual(await stack.sql(`SELECT count(*) FROM chat.oauth_token WHERE server_id = ${server.id}`), [['0']]);
    assert.deepEqual(await stack.sql("SELECT count(*) FROM chat.job WHERE kind = 'farewell'"), [['0']], 'nothing is left to say');
  });
});

describe('an account that goes', () => {
  const deleteMe = (token, password = 'correct horse 9 battery') => stack.api('DELETE', '/api/auth/me', { token, json: { password } });

  test('its tokens are revoked at their providers', async () => {
    const token = await signUp();
    await signIn(token, (await add(token)).id);
    const before = await asked('/token/revocation');
    assert.equal((await deleteMe(token)).status, 200);
    await until('the provider was told of both tokens', async () => await asked('/token/revocation') >= before + 2);
  });

  test('a provider that does not answer holds nothing up, and the next one is told', async () => {
    const token = await signUp();
    for (const how of ['silent', 'last']) {
      const server = await add(token, liar.url(how), how);
      const flow = await authorize(token, server.id);
      assert.equal((await callback(`/auth/oauth/callback?state=${flow.body.state}&code=c`, { Cookie: cookieOf(flow) })).status, 200);
    }
    assert.equal((await deleteMe(token, 'not the password')).status, 401);
    assert.equal((await status(token)).filter((s) => s.is_valid).length, 2, 'a deletion that is refused revokes nothing');
    const start = Date.now();
    assert.equal((await deleteMe(token)).status, 200);
    assert.ok(Date.now() - start < 3000 * slow, `${Date.now() - start} ms`);
    await until('both were told', () => liar.revoked.length === 2);
    assert.deepEqual(liar.revoked, ['the-token', 'the-token']);
  });

  test('a provider that will not revoke the one token is told of the other', async () => {
    const token = await signUp(), server = await add(token, liar.url('partly'), 'Partly'), flow = await authorize(token, server.id);
    assert.equal((await callback(`/auth/oauth/callback?state=${flow.body.state}&code=c`, { Cookie: cookieOf(flow) })).status, 200);
    await stack.ok('DELETE', `/auth/oauth/tokens/${server.id}`, { token });
    assert.deepEqual(liar.revoked.filter((one) => one !== 'the-token'), ['two', 'one']);
  });

  test('svc-chat is away: it goes all the same', async () => {
    const token = await signUp();
    for (const replica of [1, 2]) await stack.process('chat', replica).kill();
    try {
      const start = Date.now();
      assert.equal((await deleteMe(token)).status, 200);
      assert.ok(Date.now() - start < 8000 * slow, `${Date.now() - start} ms`);
    } finally {
      for (const replica of [1, 2]) await stack.process('chat', replica).start();
    }
  });
});

describe('an installation behind https, with a page of its own', () => {
  const https = 'https://parley.example';
  before(async () => {
    Object.assign(stack.env, { PUBLIC_URL: https, OAUTH_RETURN_URL: 'https://app.example/done?from=parley', OAUTH_CLIENTS: '' });
    for (const replica of [1, 2]) {
      await stack.process('chat', replica).kill();
      await stack.process('chat', replica).start();
    }
  });

  test('is known by its document, and sends browsers on', async () => {
    const token = await signUp();
    const server = await add(token, liar.url('documents'), 'Documents');
    const begun = await until('the gateway finds the new processes', async () => {
      const answer = await authorize(token, server.id);
      return answer.status === 200 && answer;
    });
    const sent = new URL(begun.body.oauth_url).searchParams;
    const id = 'https://parley.example/auth/oauth/client.json';
    assert.equal(sent.get('client_id'), id);
    assert.match(begun.headers['set-cookie'][0], /; Secure$/);
    assert.deepEqual(await stack.ok('GET', '/auth/oauth/client.json'), { client_name: 'Parley', redirect_uris: ['https://parley.example/auth/oauth/callback'],
      grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], token_endpoint_auth_method: 'none', application_type: 'web',
      client_id: id, client_uri: 'https://parley.example' });
    const back = (query) => callback(`/auth/oauth/callback?${query}`, { Cookie: cookieOf(begun) });
    const done = await back(`state=${begun.body.state}&code=c`);
    assert.deepEqual([done.status, done.headers.location], [303, `https://app.example/done?from=parley&server_id=${server.id}&status=connected`]);
    const again = await back(`state=${begun.body.state}&code=c`);
    assert.equal(again.status, 303);
    assert.match(again.headers.location, /^https:\/\/app\.example\/done\?from=parley&error=this%20sign-in%20is%20over/);
  });

  test('a provider that registers nobody reads that document, and signs its users in', async () => {
    await control({ documents: stack.url() }, issuerOf(strict));
    const token = await signUp(), server = await add(token, `${strict.url}/mcp`, 'Strict');
    const begun = await authorize(token, server.id);
    assert.equal(begun.status, 200, begun.text);
    const done = await callback(await browse(begun.body.oauth_url, https), { Cookie: cookieOf(begun) });
    assert.deepEqual([done.status, new URL(done.headers.location).searchParams.get('status')], [303, 'connected'], done.text);
    assert.equal((await tryOut(token, server.id)).tools_count, 2);
    const before = await asked('/token', issuerOf(strict));
    await stack.sql(`UPDATE chat.oauth_token SET expires_at = now() - interval '1 s' WHERE server_id = ${server.id}`);
    assert.equal((await tryOut(token, server.id)).success, true);
    assert.equal(await asked('/token', issuerOf(strict)), before + 1);
  });
});
