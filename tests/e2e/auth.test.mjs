// Accounts through the public API: what a user does with one.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import vm from 'node:vm';
import { check, client, code, from, password, proven, refused, resetToken, trusting, confirmToken } from './accounts.mjs';
import { startStack, uniqueEmail, until } from './harness.mjs';

// The page with its own script, as far as that needs a browser: elements by id, the address, fetch.
async function openPage(stack, where) {
  const { text: html } = await stack.api('GET', where);
  const { text: script } = await stack.api('GET', /<script src="([^"]+)">/.exec(html)[1]);
  const handlers = {}, elements = {};
  const element = (id) => (elements[id] ??= { textContent: '', value: '', type: 'password', disabled: false,
    addEventListener: (event, run) => (handlers[`${id}.${event}`] = run), querySelector: () => element(`${id}.button`), remove() {} });
  const page = { history: null, said: () => element('said').textContent, heading: () => element('h1').textContent };
  vm.runInNewContext(script, {
    URLSearchParams,
    location: new URL(where, stack.url()),
    history: { replaceState: (state, title, url) => (page.history = url) },
    document: { getElementById: (id) => (html.includes(`id="${id}"`) ? element(id) : null), querySelector: element },
    fetch: (path, options) => fetch(stack.url() + path, options),
  });
  page.submit = async (password) => {
    element('password').value = password;
    await Object.entries(handlers).find(([name]) => name.endsWith('.submit'))[1]({ preventDefault() {} });
  };
  return page;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

describe('accounts', () => {
  let stack;
  before(async () => {
    stack = await startStack({ env: trusting });
  });
  after(() => stack.stop());
  const signIn = (email, word = password, headers = {}) =>
    stack.api('POST', '/api/auth/login', { json: { email, password: word }, headers: { ...from(client()), ...headers } });

  test('register, login, me, logout', async () => {
    const email = `Ada.${uniqueEmail()}`;
    const made = await stack.ok('POST', '/api/auth/register',
      { json: { email, password, display_name: ' Ada Lovelace ' }, status: 201 });
    assert.deepEqual(Object.keys(made).sort(), ['displayName', 'email', 'emailVerified', 'id', 'token', 'uid']);
    assert.match(made.uid, uuid);
    assert.equal(made.email, email.toLowerCase());
    assert.equal(made.displayName, 'Ada Lovelace');
    assert.ok(Number.isInteger(made.id) && made.id > 0);

    const session = check(await signIn(email.toUpperCase()), 200);
    assert.equal(session.uid, made.uid);
    assert.notEqual(session.token, made.token);
    const me = await stack.ok('GET', '/api/auth/me', { token: session.token });
    assert.deepEqual(me, session);
    const account = await stack.ok('GET', '/auth/me', { token: session.token });
    assert.deepEqual({ ...account, createdAt: 0 },
      { id: made.id, uid: made.uid, name: 'Ada Lovelace', email: made.email, createdAt: 0, emailVerified: false });
    assert.match(account.createdAt, time);

    assert.deepEqual(await stack.ok('POST', '/api/auth/logout', { token: session.token }), { message: 'Logout successful' });
    await until('the token is refused', () => refused(stack, session.token));
    assert.equal((await stack.api('GET', '/api/auth/me', { token: made.token })).status, 200, 'other sessions go on');
  });

  test('displayName is taken as well as display_name', async () => {
    const made = await stack.register({ display_name: undefined, displayName: 'Ada' });
    assert.equal(made.displayName, 'Ada');
  });

  test('the token says what it should', async () => {
    const { token, uid } = await stack.register();
    const [header, claims] = token.split('.').slice(0, 2).map((part) => JSON.parse(Buffer.from(part, 'base64url')));
    assert.equal(header.alg, 'HS256');
    assert.match(header.kid, /^[\w-]+$/);
    assert.equal(claims.sub, uid);
    assert.match(claims.sid, uuid);
    assert.equal(claims.exp - claims.iat, 24 * 3600);
    assert.equal('adm' in claims, false);
  });

  test('register by name, sign in by code; the same user on both sides', async () => {
    const email = uniqueEmail();
    const reply = await stack.ok('POST', '/auth/register', { json: { name: 'John Doe', email }, status: 201 });
    assert.deepEqual(reply, { message: 'Registration successful', user: { id: reply.user.id, name: 'John Doe', email } });
    check(await signIn(email, ''), 401, 'no password is no empty password');
    const otp = await code(stack, email);
    const verified = await stack.ok('POST', '/auth/verify-otp', { json: { email, otp }, status: 200 });
    assert.deepEqual(Object.keys(verified).sort(), ['access_token', 'token_type']);
    assert.equal(verified.token_type, 'bearer');
    const me = await stack.ok('GET', '/api/auth/me', { token: verified.access_token });
    assert.equal(me.id, reply.user.id);
    assert.equal(me.displayName, 'John Doe');
    check(await stack.api('POST', '/auth/verify-otp', { json: { email, otp } }), 400, 'a code works once');
  });

  test('send-otp says the same whether or not the address is known, and mails at most once a minute', async () => {
    const { email } = await stack.register();
    const nobody = uniqueEmail('nobody');
    const [known, unknown] = [email, nobody].map((to) => stack.api('POST', '/auth/send-otp', { json: { email: to } }));
    assert.deepEqual(check(await known, 200), { message: 'OTP sent', expires_in: 600 });
    assert.deepEqual(check(await unknown, 200), { message: 'OTP sent', expires_in: 600 });
    await stack.mail(email, /is your Parley sign-in code/);
    check(await stack.api('POST', '/auth/send-otp', { json: { email } }), 200);
    await until('no jobs wait', async () => (await stack.sql("SELECT 1 FROM auth.job WHERE kind = 'code'")).length === 0);
    assert.equal(stack.mails(email).filter((mail) => /sign-in code/.test(mail)).length, 1);
    assert.equal(stack.mails(nobody).length, 0);
  });

  test('a stale token stands in nobody\'s way to sign in', async () => {
    const user = await stack.register(), bot = await stack.ok('POST', '/api/chatbots', { token: user.token, json: { name: 'b' }, status: 201 });
    await stack.ok('POST', '/api/auth/logout', { token: user.token });
    const shown = [`Bearer ${user.token}`, 'Bearer null', 'Bearer undefined', 'Bearer ', '', 'Basic eA==', 'Bearer pk_nonsense'];
    const routes = [
      ['POST', '/api/auth/register', { password, display_name: 'Ada' }, 201], ['POST', '/api/auth/login', { email: user.email, password }, 200],
      ['POST', '/auth/register', { name: 'Ada' }, 201], ['POST', '/auth/send-otp', { email: user.email }, 200],
      ['POST', '/auth/verify-otp', { email: user.email, otp: '000000' }, 400], ['POST', '/api/auth/reset-password', { email: user.email }, 200],
      ['POST', '/api/auth/reset-password/confirm', { token: 'x', password: 'a new long password' }, 400], ['POST', '/api/auth/confirm-email', { token: 'x' }, 400],
      ['GET', '/reset-password', null, 200], ['GET', '/confirm-email', null, 200],
      ['GET', `/api/chatbots/widget-config/${bot.id}`, null, 200], ['POST', `/api/chat/widget/${bot.id}/session`, null, 201],
    ];
    for (const [method, where, body, status] of routes)
      for (const Authorization of shown) {
        const json = body && { email: uniqueEmail(), ...body };
        check(await stack.api(method, where, { ...(json ? { json } : {}), headers: { ...from(client()), Authorization } }), status, `${method} ${where} with "${Authorization}"`);
      }
    check(await stack.api('POST', '/api/chatbots/preview', { json: { message: 'hello' }, headers: { Authorization: 'Bearer null' } }), 401, 'preview looks');
  });

  test('the link of the registration proves the address, and keeps everything', async () => {
    const user = await stack.register();
    assert.equal((await stack.ok('GET', '/api/auth/me', { token: user.token })).emailVerified, false);
    const token = await confirmToken(stack, user.email);
    assert.match((await stack.api('GET', `/confirm-email?token=${token}`)).text, /Yes, it was me/);
    assert.equal((await stack.ok('GET', '/api/auth/me', { token: user.token })).emailVerified, false, 'opening it is not enough');
    const page = await openPage(stack, `/confirm-email?token=${token}`);
    assert.equal(page.history, '/confirm-email', 'the token leaves the address bar');
    await page.submit();
    assert.match(page.heading(), /^Your address is confirmed/);
    check(await stack.api('POST', '/api/auth/confirm-email', { json: { token } }), 400, 'once');
    assert.equal((await stack.ok('GET', '/api/auth/me', { token: user.token })).emailVerified, true, 'the session goes on');
    assert.equal((await stack.ok('GET', '/auth/me', { token: user.token })).emailVerified, true);
    assert.equal(check(await signIn(user.email), 200).emailVerified, true, 'with the password');
    const reply = await stack.ok('POST', '/auth/verify-otp', { json: { email: user.email, otp: await code(stack, user.email) } });
    assert.equal('password_removed' in reply, false);
    assert.match((await stack.api('GET', `/confirm-email?token=${token}`)).text, /does not work any more/);
  });

  test('the first code voids a password that somebody else may have set, and says so', async () => {
    const squatter = await stack.register();
    const reply = await stack.ok('POST', '/auth/verify-otp', { json: { email: squatter.email, otp: await code(stack, squatter.email) } });
    assert.equal(reply.password_removed, true);
    check(await signIn(squatter.email), 401);
    await until('the session of before ends', () => refused(stack, squatter.token));
    await stack.mail(squatter.email, /Your Parley password was removed/);
    assert.equal((await stack.ok('GET', '/auth/me', { token: reply.access_token })).emailVerified, true);
  });

  test('the administrator\'s address is proven by a code alone', async () => {
    const early = await stack.register({ email: 'admin@example.com' });
    await until('no jobs wait', async () => (await stack.sql("SELECT 1 FROM auth.job WHERE kind = 'confirm'")).length === 0);
    assert.equal(stack.mails(early.email).length, 0);
    await stack.ok('DELETE', '/api/auth/me', { token: early.token, json: { password } });
  });

  test('a new password by mail: every session ends, the link works once', async () => {
    const user = await stack.register();
    assert.deepEqual(await stack.ok('POST', '/api/auth/reset-password', { json: { email: uniqueEmail('nobody') } }),
      { message: 'Password reset email sent' });
    const token = await resetToken(stack, user.email);
    const page = await stack.api('GET', `/reset-password?token=${token}`);
    assert.equal(page.status, 200);
    assert.match(page.headers['content-type'], /^text\/html/);
    assert.match(page.text, /<form id="reset">/);
    assert.doesNotMatch(page.text, /<script>|<style|\son\w+=|style=/, 'nothing stands inline');
    assert.ok(page.headers['content-security-policy'], 'the page has a policy');
    for (const file of ['/page.css', '/reset-password.js', '/favicon.svg'])
      assert.equal((await stack.api('GET', file)).status, 200, file);

    const confirm = (word) => stack.api('POST', '/api/auth/reset-password/confirm', { json: { token, password: word } });
    check(await confirm('password1'), 422, 'a common password does not use the link up');
    check(await confirm('a new long password'), 200);
    check(await confirm('another long password'), 400, 'a link works once');
    assert.match((await stack.api('GET', `/reset-password?token=${token}`)).text, /does not work any more/);
    await until('the old session is refused', () => refused(stack, user.token));
    check(await signIn(user.email), 401);
    check(await signIn(user.email, 'a new long password'), 200);
  });

  test('the page of the link does it', async () => {
    const user = await stack.register();
    const token = await resetToken(stack, user.email);
    const page = await openPage(stack, `/reset-password?token=${token}`);
    assert.equal(page.history, '/reset-password', 'the token leaves the address bar');
    await page.submit('password1');
    assert.match(page.said(), /^The password is one of the most common/);
    await page.submit('a new long password');
    assert.match(page.heading(), /^Your new password is set/);
    check(await signIn(user.email, 'a new long password'), 200);
    await page.submit('another long password');
    assert.match(page.said(), /link/);
  });

  test('change of password: other sessions end, this one goes on', async () => {
    const user = await stack.register();
    const { token } = check(await signIn(user.email), 200);
    const change = (json) => stack.api('PUT', '/api/auth/password', { token, json });
    check(await change({ password: 'a new long password' }), 422, 'the current one is missing');
    check(await change({ current_password: 'wrong', password: 'a new long password' }), 401);
    check(await change({ current_password: password, password: 'a new long password' }), 200);
    await until('the other session is refused', () => refused(stack, user.token));
    assert.equal(await refused(stack, token), false);
    check(await signIn(user.email, 'a new long password'), 200);

    const other = await proven(stack);
    check(await stack.api('PUT', '/api/auth/password', { token: other.token, json: { password: 'a first password' } }), 200);
    check(await signIn(other.email, 'a first password'), 200);
  });

  test('sessions are listed and ended', async () => {
    const user = await stack.register();
    const { token } = check(await signIn(user.email, password, { 'User-Agent': 'Test/1.0' }), 200);
    const sessions = await stack.ok('GET', '/auth/sessions', { token });
    assert.equal(sessions.length, 2);
    assert.deepEqual(sessions.map((one) => one.current), [true, false]);
    assert.equal(sessions[0].userAgent, 'Test/1.0');
    assert.match(sessions[0].expiresAt, time);
    const first = await stack.api('GET', '/auth/sessions?limit=1', { token });
    assert.equal(first.body.length, 1);
    const next = /<([^>]+)>; rel="next"/.exec(first.headers.link)[1];
    const rest = await stack.ok('GET', next.replace(/^https?:\/\/[^/]+/, ''), { token });
    assert.deepEqual([...first.body, ...rest], sessions);
    assert.deepEqual(await stack.ok('DELETE', `/auth/sessions/${sessions[1].id}`, { token }), { message: 'Session ended' });
    await until('the ended one is refused', () => refused(stack, user.token));
    check(await stack.api('DELETE', `/auth/sessions/${sessions[1].id}`, { token }), 404);
  });

  test('the account is deleted, confirmed by password or code', async () => {
    const user = await stack.register();
    const drop = (json, token = user.token) => stack.api('DELETE', '/api/auth/me', { token, json });
    check(await drop({}), 422);
    check(await drop({ password: 'wrong' }), 401);
    check(await drop({ otp: '000000' }), 400);
    check(await drop({ password }), 200);
    await until('the token is refused', () => refused(stack, user.token));
    check(await signIn(user.email), 401);
    assert.deepEqual(await stack.sql(`SELECT 1 FROM auth.users WHERE uid = '${user.uid}'`), []);
    await stack.register({ email: user.email }); // the address is free again

    const other = await proven(stack);
    check(await drop({ otp: await code(stack, other.email) }, other.token), 200);
  });

  test('settings: defaults, changes, protected fields', async () => {
    const user = await stack.register();
    const get = () => stack.ok('GET', '/api/settings', { token: user.token });
    const put = (json) => stack.ok('PUT', '/api/settings', { token: user.token, json });
    const settings = await get();
    assert.deepEqual({ ...settings, createdAt: 0, updatedAt: 0 }, {
      userId: user.uid, email: user.email, displayName: 'Test User', theme: 'system',
      notifications: { email: true, inApp: true }, apiKey: null,
      usage: { messagesUsed: 0, documentsUploaded: 0, storageUsed: 0,
        limits: { documents: 10000, storage: 10 * 2 ** 30, chatbots: 1000, integrations: 1000, mcpServers: 100, apiKeys: 100 } }, subscription: { plan: 'free' }, createdAt: 0, updatedAt: 0,
    });
    let now = await put({ theme: 'dark', notifications: { email: false }, locale: { language: 'de', list: [1, 2] } });
    assert.equal(now.theme, 'dark');
    assert.deepEqual(now.notifications, { email: false, inApp: true });
    now = await put({ locale: { list: [3] }, displayName: 'Ada', userId: 'x', email: 'x@example.com', apiKey: 'x', usage: null,
      subscription: { plan: 'gold' }, createdAt: 'x' });
    assert.deepEqual(now.locale, { language: 'de', list: [3] });
    assert.equal(now.displayName, 'Ada');
    assert.equal((await stack.ok('GET', '/auth/me', { token: user.token })).name, 'Ada');
    for (const key of ['userId', 'email', 'apiKey', 'usage', 'subscription', 'createdAt'])
      assert.deepEqual(now[key], settings[key], `${key} is protected`);
    now = await put({ theme: null, locale: null });
    assert.equal(now.theme, 'system');
    assert.equal('locale' in now, false);
    assert.deepEqual(await get(), now);
  });

  test('the settings key: made anew, the old one stops working', async () => {
    const user = await stack.register();
    const again = () => stack.ok('POST', '/api/settings/regenerate-api-key', { token: user.token, status: 200 });
    const me = (key) => stack.api('GET', '/api/auth/me', { headers: { 'X-API-Key': key } });
    const { apiKey: first } = await again();
    assert.match(first, /^pk_[\w-]{43}$/);
    assert.equal(check(await me(first), 200).token, null);
    const masked = (await stack.ok('GET', '/api/settings', { token: user.token })).apiKey;
    assert.ok(masked !== first && masked.startsWith('pk_') && masked.endsWith(first.slice(-4)), masked);
    const { apiKey: second } = await again();
    await until('the old key is refused', async () => (await me(first)).status === 401);
    check(await me(second), 200);
    const keys = await stack.ok('GET', '/auth/api-keys', { token: user.token });
    assert.deepEqual(keys.map((key) => key.name), ['settings']);
  });

  test('API keys: made once, listed without the key, bound to their scopes, revoked', async () => {
    const user = await stack.register();
    const key = await stack.ok('POST', '/auth/api-keys',
      { token: user.token, json: { name: 'my script', scopes: ['auth'], expires_at: '2100-01-01T00:00:00+01:00' }, status: 201 });
    assert.equal(key.expires_at, '2099-12-31T23:00:00.000Z');
    const listed = await stack.ok('GET', '/auth/api-keys', { token: user.token });
    assert.equal(listed.length, 1);
    assert.equal('key' in listed[0], false);
    assert.equal(listed[0].prefix, key.key.slice(0, 10));
    assert.equal(listed[0].last_used_at, null);
    check(await stack.api('GET', '/auth/me', { token: key.key }), 200, 'as a bearer token');
    check(await stack.api('GET', '/api/chatbots', { token: key.key }), 403, 'outside of its scope');
    await until('its use was noted', async () => (await stack.ok('GET', '/auth/api-keys', { token: user.token }))[0].last_used_at);
    const wider = { token: key.key, json: { name: 'wider', scopes: ['chat'] } };
    check(await stack.api('POST', '/auth/api-keys', wider), 403, 'a key cannot make a mightier one');
    check(await stack.api('POST', '/auth/api-keys', { token: key.key, json: { name: 'all' } }), 403);
    check(await stack.api('POST', '/auth/api-keys', { token: key.key, json: { name: 'same', scopes: ['auth'] } }), 403, 'nor one that lasts for ever');
    check(await stack.api('POST', '/auth/api-keys', { token: key.key, json: { name: 'same', scopes: ['auth'], expires_at: '2100-01-01T00:00:00Z' } }), 403, 'nor one that lasts longer');
    const same = check(await stack.api('POST', '/auth/api-keys', { token: key.key, json: { name: 'same', scopes: ['auth'], expires_at: '2099-01-01T00:00:00Z' } }), 201);
    assert.deepEqual(same.scopes, ['account'], 'as it is called now');
    check(await stack.api('POST', '/api/settings/regenerate-api-key', { token: key.key }), 403);
    check(await stack.api('PUT', '/api/auth/password', { token: key.key, json: { password: 'a new long password' } }), 403);
    check(await stack.api('POST', '/api/auth/logout', { token: key.key }), 403);
    await stack.ok('DELETE', `/auth/api-keys/${key.id}`, { token: user.token, status: 200 });
    await until('the key is refused', () => refused(stack, key.key));
  });

  test('provider keys are stored encrypted and shown masked', async () => {
    const user = await stack.register();
    const secret = 'sk-0123456789abcdefSECRET';
    const stored = await stack.ok('POST', '/auth/api-keys',
      { token: user.token, json: { provider: 'deepseek', value: secret, base_url: 'https://api.deepseek.com' }, status: 201 });
    assert.deepEqual({ ...stored, id: 0, createdAt: 0 }, { id: 0, name: 'deepseek', prefix: null, scopes: [], createdAt: 0,
      last_used_at: null, expires_at: null, provider: 'deepseek', value: 'sk-0…CRET', base_url: 'https://api.deepseek.com' });
    const [[row]] = await stack.sql(`SELECT k::text FROM auth.api_key k WHERE owner_id = '${user.uid}'`);
    assert.doesNotMatch(row, /456789abcdef/);
    await stack.ok('DELETE', `/auth/api-keys/${stored.id}`, { token: user.token });
    assert.deepEqual(await stack.ok('GET', '/auth/api-keys', { token: user.token }), []);
  });

  test('the administrator: once proven; lists, disables and enables users', async () => {
    const early = await stack.register({ email: 'admin@example.com' });
    check(await stack.api('GET', '/admin/users', { token: early.token }), 403, 'the address is not proven yet');
    const { token } = await proven(stack, 'Admin@example.com');
    const user = await stack.register();
    const key = await stack.ok('POST', '/auth/api-keys', { token: user.token, json: { name: 'k' }, status: 201 });
    check(await stack.api('GET', '/auth/me', { token: key.key }), 200);
    const list = await stack.ok('GET', '/admin/users', { token });
    assert.equal(list[0].uid, user.uid, 'newest first');
    assert.deepEqual(list.filter((one) => one.admin).map((one) => one.email), ['admin@example.com']);
    const page = await stack.api('GET', '/admin/users?limit=1', { token });
    assert.equal(page.body.length, 1);
    assert.match(page.headers.link, /rel="next"/);
    check(await stack.api('GET', '/admin/users', { token: user.token }), 403);
    const adminKey = await stack.ok('POST', '/auth/api-keys', { token, json: { name: 'k' }, status: 201 });
    check(await stack.api('GET', '/admin/users', { token: adminKey.key }), 403, 'not with an API key');

    const bot = await stack.ok('POST', '/api/chatbots', { token: user.token, json: { name: 'b' }, status: 201 });
    const session = await stack.ok('POST', `/api/chat/widget/${bot.id}/session`, { status: 201 });
    const visits = (status) => Promise.all([
      stack.api('GET', `/api/chatbots/widget-config/${bot.id}`), stack.api('POST', `/api/chat/widget/${bot.id}/session`),
      stack.api('GET', `/api/chat/widget/${bot.id}/session/${session.sessionId}`),
      stack.api('POST', `/api/chat/widget/${bot.id}/message`, { json: { sessionId: session.sessionId, message: 'hello' } }),
    ]).then((answers) => answers.forEach((answer, i) => (status ? check(answer, status, `visit ${i}`) : assert.ok(answer.status < 300, `visit ${i}: ${answer.text}`))));
    await visits();

    const disabled = await stack.ok('POST', `/admin/users/${user.uid}/disable`, { token, status: 200 });
    assert.equal(disabled.disabled, true);
    await until('the token is refused', () => refused(stack, user.token));
    await until('the key is refused', () => refused(stack, key.key));
    check(await signIn(user.email), 403);
    check(await signIn(user.email, 'wrong'), 401, 'who does not know the password learns nothing');
    await visits(403); // a disabled owner's chatbots are quiet
    await stack.ok('POST', `/admin/users/${user.uid}/enable`, { token });
    await visits();
    check(await signIn(user.email), 200);
    await until('the key works again', async () => !(await refused(stack, key.key)));
    assert.equal(await refused(stack, user.token), true, 'ended sessions stay ended');
    check(await stack.api('POST', `/admin/users/${early.uid}/disable`, { token }), 409, 'not oneself');
    check(await stack.api('POST', '/admin/users/01900000-0000-7000-8000-000000000000/disable', { token }), 404);
  });

  test('security events are written down, secrets are not', async () => {
    const user = await stack.register();
    check(await signIn(user.email, 'a wrong password'), 401);
    const events = (await stack.sql(`SELECT event FROM auth.audit WHERE owner_id = '${user.uid}' ORDER BY id`)).flat();
    assert.deepEqual(events.filter((event) => event !== 'mail_asked_for'), ['registered', 'wrong_password']);
    const logs = stack.processes.map((p) => p.tail(100000)).join('\n');
    assert.match(logs, /"message":"audit","event":"wrong_password"/);
    for (const secret of [user.token, password, 'a wrong password']) assert.ok(!logs.includes(secret), 'a secret in a log');
  });
});
