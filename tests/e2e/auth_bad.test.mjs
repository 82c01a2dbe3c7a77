// Accounts, hostile input: each a clear answer, and nothing breaks.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { check, client, code, forget, from, password, proven, refused, resetToken, trusting } from './accounts.mjs';
import { sleep, startStack, uniqueEmail, until } from './harness.mjs';

const b64 = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const claimsOf = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
const signed = (header, claims, key = 'x'.repeat(32)) => {
  const text = `${b64(header)}.${b64(claims)}`;
  return `${text}.${crypto.createHmac('sha256', key).update(text).digest('base64url')}`;
};

// The key that a token is signed with, opened as svc-auth opens it: nothing else makes a token that is right but for its age.
async function signingKey(stack, token) {
  const { kid } = JSON.parse(Buffer.from(token.split('.')[0], 'base64url'));
  const [[sealed]] = await stack.sql(`SELECT sealed FROM auth.keyring WHERE purpose = 'token' AND id = '${kid}'`);
  const raw = Buffer.from(sealed.split('.')[1], 'base64url');
  const secret = (await fs.readFile(stack.process('auth').env.PARLEY_SECRET, 'utf8')).trim();
  const master = crypto.createHash('sha256').update(secret).digest();
  const opener = crypto.createDecipheriv('aes-256-gcm', Buffer.from(crypto.hkdfSync('sha256', master, 'parley', 'auth.keyring', 32)), raw.subarray(0, 12));
  opener.setAAD(Buffer.from(`auth.keyring/token/${kid}`)).setAuthTag(raw.subarray(-16));
  return Buffer.concat([opener.update(raw.subarray(12, -16)), opener.final()]);
}

const deep = (levels) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;

describe('accounts, hostile input', () => {
  let stack, ada;
  before(async () => {
    stack = await startStack({ env: trusting });
    ada = await stack.register();
  });
  after(() => stack.stop());

  const post = (where, json, headers = {}) => stack.api('POST', where, { json, headers: { ...from(client()), ...headers } });
  const raw = (method, where, body, token) => stack.api(method, where, { body, token, headers: { 'Content-Type': 'application/json' } });
  const signIn = (email, word = password, ip = client()) =>
    stack.api('POST', '/api/auth/login', { json: { email, password: word }, headers: from(ip) });
  const user = (fields) => ({ email: uniqueEmail(), password, display_name: 'Ada', ...fields });

  // [name, status, bad field or null, request]
  const table = [
    ['register: nothing', 422, 'email', () => post('/api/auth/register', {})],
    ['register: an array', 422, null, () => post('/api/auth/register', [])],
    ['register: not JSON', 400, null, () => raw('POST', '/api/auth/register', '{"email":')],
    ['register: twice the same key', 400, null, () => raw('POST', '/api/auth/register', '{"email":"a@b.co","email":"c@d.co"}')],
    ['register: U+0000 in the name', 400, null, () => raw('POST', '/api/auth/register', JSON.stringify(user({ display_name: 'a\u0000b' })))],
    ['register: the address again', 409, null, () => post('/api/auth/register', user({ email: ada.email }))],
    ['register: the address in other case', 409, null, () => post('/api/auth/register', user({ email: ada.email.toUpperCase() }))],
    ['register by name: the address again', 409, null, () => post('/auth/register', { name: 'Eve', email: ada.email.toUpperCase() })],
    ['register: a look-alike letter (Kelvin sign)', 422, 'email', () => post('/api/auth/register', user({ email: 'Kay@example.com'.replace('K', '\u212a') }))],
    ['register: a look-alike letter (Cyrillic)', 422, 'email', () => post('/api/auth/register', user({ email: '\u0430da@example.com' }))],
    ['register: full-width @', 422, 'email', () => post('/api/auth/register', user({ email: 'ada\uff20example.com' }))],
    ['register: no @', 422, 'email', () => post('/api/auth/register', user({ email: 'ada.example.com' }))],
    ['register: a line feed in the address', 422, 'email', () => post('/api/auth/register', user({ email: 'ada@example.com\nBcc: eve@example.com' }))],
    ['register: an address of 300 characters', 422, 'email', () => post('/api/auth/register', user({ email: `${'a'.repeat(290)}@example.com` }))],
    ['register: a short password', 422, 'password', () => post('/api/auth/register', user({ password: '1234567' }))],
    ['register: a long password', 422, 'password', () => post('/api/auth/register', user({ password: 'x'.repeat(129) }))],
    ['register: a common password', 422, 'password', () => post('/api/auth/register', user({ password: 'password1' }))],
    ['register: a common password in other case', 422, 'password', () => post('/api/auth/register', user({ password: 'PassWord1' }))],
    ['register: a password that is a number', 422, 'password', () => post('/api/auth/register', user({ password: 12345678901 }))],
    ['register: an empty name', 422, 'display_name', () => post('/api/auth/register', user({ display_name: '  ' }))],
    ['register: a name of 101 characters', 422, 'display_name', () => post('/api/auth/register', user({ display_name: 'ä'.repeat(101) }))],
    ['login: wrong password', 401, null, () => signIn(ada.email, 'a wrong password')],
    ['login: nobody', 401, null, () => signIn(uniqueEmail('nobody'))],
    ['login: an empty password', 401, null, () => signIn(ada.email, '')],
    ['login: a password of 1 MB', 422, 'password', () => signIn(ada.email, 'x'.repeat(1 << 20 >> 1))],
    ['login: an object for a password', 422, 'password', () => signIn(ada.email, { $gt: '' })],
    ['send-otp: no address', 422, 'email', () => post('/auth/send-otp', { email: 'nobody' })],
    ['verify-otp: a guess for nobody', 400, null, () => post('/auth/verify-otp', { email: uniqueEmail('nobody'), otp: '123456' })],
    ['verify-otp: five digits', 422, 'otp', () => post('/auth/verify-otp', { email: ada.email, otp: '12345' })],
    ['verify-otp: a number', 422, 'otp', () => post('/auth/verify-otp', { email: ada.email, otp: 123456 })],
    ['verify-otp: other digits', 400, null, () => post('/auth/verify-otp', { email: ada.email, otp: '\u0661\u0662\u0663\u0664\u0665\u0666' })],
    ['confirm: a guessed link', 400, null, () => post('/api/auth/reset-password/confirm', { token: 'x'.repeat(43), password })],
    ['confirm: an empty link', 400, null, () => post('/api/auth/reset-password/confirm', { token: '', password })],
    ['page: a link that is HTML', 200, null, () => stack.api('GET', `/reset-password?token=${encodeURIComponent('"><script>')}`)],
    ['no token', 401, null, () => stack.api('GET', '/auth/me')],
    ['header without a scheme', 401, null, () => stack.api('GET', '/auth/me', { headers: { Authorization: ada.token } })],
    ['another scheme', 401, null, () => stack.api('GET', '/auth/me', { headers: { Authorization: `Basic ${b64('a:b')}` } })],
    ['nothing after the scheme', 401, null, () => stack.api('GET', '/auth/me', { headers: { Authorization: 'Bearer ' } })],
    ['a token that is none', 401, null, () => stack.api('GET', '/auth/me', { token: 'abc' })],
    ['a token with alg none', 401, null, () => stack.api('GET', '/auth/me', { token: `${b64({ alg: 'none' })}.${b64(claimsOf(ada.token))}.` })],
    ['a token signed by somebody else', 401, null, () => stack.api('GET', '/auth/me', { token: signed({ alg: 'HS256', typ: 'JWT' }, claimsOf(ada.token)) })],
    ['a token with another user put in', 401, null, () => {
      const [header, , mac] = ada.token.split('.');
      return stack.api('GET', '/auth/me', { token: `${header}.${b64({ ...claimsOf(ada.token), adm: true })}.${mac}` });
    }],
    ['a token of 100 KB', 401, null, () => stack.api('GET', '/auth/me', { token: 'x'.repeat(10000) })],
    ['an API key that is none', 401, null, () => stack.api('GET', '/auth/me', { headers: { 'X-API-Key': `pk_${'x'.repeat(43)}` } })],
    ['a bad token where one is optional', 401, null, () => stack.api('POST', '/api/chatbots/preview', { token: 'abc', json: { message: 'hello' } })],
    ['key: no name', 422, 'name', () => stack.api('POST', '/auth/api-keys', { token: ada.token, json: {} })],
    ['key: a provider without a key', 422, 'key', () => stack.api('POST', '/auth/api-keys', { token: ada.token, json: { provider: 'openai' } })],
    ['key: a key without a provider', 422, 'provider', () => stack.api('POST', '/auth/api-keys', { token: ada.token, json: { key: 'sk' } })],
    ['key: an unknown scope', 422, 'scopes', () => stack.api('POST', '/auth/api-keys', { token: ada.token, json: { name: 'k', scopes: ['root'] } })],
    ['key: expired already', 422, 'expires_at', () => stack.api('POST', '/auth/api-keys', { token: ada.token, json: { name: 'k', expires_at: '2020-01-01T00:00:00Z' } })],
    ['key: a day that is none', 422, 'expires_at', () => stack.api('POST', '/auth/api-keys', { token: ada.token, json: { name: 'k', expires_at: '2100-02-30T00:00:00Z' } })],
    ['key: a base_url that is none', 422, 'base_url', () => stack.api('POST', '/auth/api-keys', { token: ada.token, json: { provider: 'x', key: 'k', base_url: 'file:///etc/passwd' } })],
    ['settings: 1 MB', 413, null, () => raw('PUT', '/api/settings', JSON.stringify({ a: 'x'.repeat(1 << 20) }), ada.token)],
    ['settings: 33 deep', 400, null, () => raw('PUT', '/api/settings', deep(33), ada.token)],
    ['settings: 100,000 deep', 413, null, () => raw('PUT', '/api/settings', deep(100000), ada.token)],
    ['settings: an array', 422, null, () => raw('PUT', '/api/settings', '[]', ada.token)],
    ['settings: a theme that is a number', 422, 'theme', () => raw('PUT', '/api/settings', '{"theme":1}', ada.token)],
    ['sessions: a cursor that is none', 422, 'cursor', () => stack.api('GET', '/auth/sessions?cursor=x', { token: ada.token })],
    ['keys: a cursor that is none', 422, 'cursor', () => stack.api('GET', '/auth/api-keys?cursor=1%27--', { token: ada.token })],
    ['sessions: limit 0', 422, 'limit', () => stack.api('GET', '/auth/sessions?limit=0', { token: ada.token })],
    ['session: an id that is none', 404, null, () => stack.api('DELETE', '/auth/sessions/1', { token: ada.token })],
    ['key: an id that is none', 404, null, () => stack.api('DELETE', '/auth/api-keys/abc', { token: ada.token })],
    ['key: an id beyond all integers', 404, null, () => stack.api('DELETE', '/auth/api-keys/99999999999999999999', { token: ada.token })],
    ['admin: not one', 403, null, () => stack.api('GET', '/admin/users', { token: ada.token })],
  ];
  test('a token is good until it expires, also where it was shown before', async () => {
    const [header] = ada.token.split('.');
    const key = await signingKey(stack, ada.token);
    const until = (seconds) => signed(JSON.parse(Buffer.from(header, 'base64url')),
      { ...claimsOf(ada.token), exp: Math.floor(Date.now() / 1000) + seconds }, key);
    const me = (token) => stack.api('GET', '/auth/me', { token });
    check(await me(until(60)), 200, 'the key is the right one');
    check(await me(until(-1)), 401);
    check(await me(until(0)), 401);
    const short = until(5), { exp } = claimsOf(short);
    for (let i = 0; i < 20; i++) check(await me(short), 200);
    await sleep(exp * 1000 + 100 - Date.now());
    for (let i = 0; i < 20; i++) check(await me(short), 401);
  });

  for (const [name, status, field, request] of table) {
    test(name, async () => {
      const body = check(await request(), status, name);
      if (status === 422 && field) assert.ok(body.errors.some((one) => one.loc.join('.').includes(field)), JSON.stringify(body));
      if (status === 401) assert.ok((await request()).headers['www-authenticate'], 'says how to authenticate');
    });
  }

  test('all bad fields of a registration are told at once', async () => {
    const body = check(await post('/api/auth/register', { email: 'x', password: 'x', display_name: '' }), 422);
    assert.deepEqual(body.errors.map((one) => one.loc[1]).sort(), ['display_name', 'email', 'password']);
  });

  test('a session that has expired is not listed', async () => {
    const one = await stack.register();
    await stack.sql(`UPDATE auth.session SET expires_at = now() - interval '1 minute' WHERE owner_id = '${one.uid}'`);
    assert.deepEqual(await stack.ok('GET', '/auth/sessions', { token: one.token }), []);
  });

  test('a code: 5 wrong tries end it, the 6th is too late even when right', async () => {
    const { email } = ada;
    const otp = await code(stack, email);
    const wrong = otp === '000000' ? '000001' : '000000';
    for (let i = 0; i < 5; i++) check(await post('/auth/verify-otp', { email, otp: wrong }), 400, `try ${i + 1}`);
    check(await post('/auth/verify-otp', { email, otp }), 400, 'the right one, too late');
  });

  test('a code: four wrong tries are forgiven; expired; for another address', async () => {
    const one = await proven(stack), two = await proven(stack);
    const otp = await code(stack, one.email);
    const wrong = otp === '000000' ? '000001' : '000000';
    check(await post('/auth/verify-otp', { email: two.email, otp }), 400, 'of somebody else');
    for (let i = 0; i < 4; i++) check(await post('/auth/verify-otp', { email: one.email, otp: wrong }), 400);
    check(await post('/auth/verify-otp', { email: one.email, otp }), 200);
    const late = await code(stack, two.email);
    await stack.sql(`UPDATE auth.code SET expires_at = now() FROM auth.users u WHERE u.uid = owner_id AND email = '${two.email}'`);
    check(await post('/auth/verify-otp', { email: two.email, otp: late }), 400, 'expired');
  });

  test('a reset link: expired', async () => {
    const one = await stack.register();
    const token = await resetToken(stack, one.email);
    await stack.sql("UPDATE auth.reset_link SET expires_at = now()");
    check(await post('/api/auth/reset-password/confirm', { token, password: 'a new long password' }), 400);
    check(await signIn(one.email), 200);
  });

  test('ten mails a day for an address, whoever asks', async () => {
    const one = await stack.register();
    await stack.sql(`INSERT INTO auth.tries VALUES ('code-mail/${one.email}',
      ARRAY(SELECT now() - n * interval '2 hours' FROM generate_series(10, 1, -1) n), now())`);
    check(await post('/auth/send-otp', { email: one.email }), 200);
    assert.deepEqual(await stack.sql("SELECT 1 FROM auth.job WHERE kind = 'code'"), []);
    assert.equal(stack.mails(one.email).filter((mail) => /sign-in code/.test(mail)).length, 0);
  });

  test('ten letters of registration a day for an address, however often its account is deleted and made anew', async () => {
    const made = { ...user({}), password };
    for (let i = 0; i < 2; i++) {
      const { token } = check(await post('/api/auth/register', made), 201);
      check(await stack.api('DELETE', '/api/auth/me', { token, json: { password } }), 200);
    }
    await stack.sql(`UPDATE auth.tries SET times = ARRAY(SELECT now() - n * interval '1 hour' FROM generate_series(10, 1, -1) n) WHERE key = 'confirm-mail/${made.email}'`);
    check(await post('/api/auth/register', made), 201);
    assert.deepEqual(await stack.sql("SELECT payload FROM auth.job WHERE kind = 'confirm' AND payload::text LIKE '%" + made.email + "%'"), []);
  });

  test('logins: 5 failures for an address from one network', async () => {
    const one = await stack.register();
    for (let i = 0; i < 5; i++) check(await signIn(one.email, 'a wrong password'), 401);
    const answer = await signIn(one.email);
    check(answer, 429, 'even with the right password');
    const wait = Number(answer.headers['retry-after']);
    assert.ok(wait > 700 && wait <= 900, `Retry-After: ${wait}`);
    check(await signIn(one.email.toUpperCase()), 429, 'in other case');
    check(await signIn(one.email, password, '203.0.113.7'), 200, 'its owner, elsewhere, is not locked out');
    check(await signIn(ada.email), 200, 'others are not kept waiting');
    await stack.sql("UPDATE auth.tries SET times = ARRAY(SELECT t - interval '15 minutes' FROM unnest(times) t)");
    check(await signIn(one.email), 200, 'a quarter of an hour later');
    for (let i = 0; i < 4; i++) check(await signIn(one.email, 'a wrong password'), 401);
    check(await signIn(one.email), 200, 'the right one in time');
    for (let i = 0; i < 4; i++) check(await signIn(one.email, 'a wrong password'), 401, 'starts from nothing again');
  });

  test('logins: 50 failures for an address from anywhere; a mailed code lets its owner in all the same', async () => {
    const one = await stack.register();
    for (let i = 0; i < 50; i++) check(await signIn(one.email, 'a wrong password', `203.${i}.0.1`), 401);
    check(await signIn(one.email, password, '203.99.0.1'), 429);
    const otp = await code(stack, one.email);
    check(await post('/auth/verify-otp', { email: one.email, otp }), 200);
  });

  test('logins: 5 failures for an address that nobody has look the same', async () => {
    const email = uniqueEmail('nobody');
    for (let i = 0; i < 5; i++) check(await signIn(email), 401);
    check(await signIn(email), 429);
  });

  test('logins: 20 failures from one address', async () => {
    const ip = client();
    for (let i = 0; i < 20; i++) check(await signIn(uniqueEmail('nobody'), 'x', ip), 401);
    check(await signIn(ada.email, password, ip), 429);
    check(await signIn(ada.email), 200, 'from elsewhere');
  });

  test('logins: all at once get no more tries than one after the other', async () => {
    const one = await stack.register();
    const answers = await Promise.all(Array.from({ length: 30 }, () => signIn(one.email, 'a wrong password')));
    for (const { status } of answers) assert.ok([401, 429, 503].includes(status), String(status));
    check(await signIn(one.email), 429);
  });

  test('the forwarded address does not count when nobody trusts the proxy', async () => {
    const plain = await startStack();
    try {
      for (let i = 0; i < 20; i++)
        check(await plain.api('POST', '/api/auth/login',
          { json: { email: uniqueEmail('nobody'), password: 'x' }, headers: from(`203.0.113.${i}`) }), 401);
      check(await plain.api('POST', '/api/auth/login',
        { json: { email: uniqueEmail('nobody'), password: 'x' }, headers: from('203.0.113.99') }), 429);
    } finally {
      await plain.stop();
    }
  });

  test('the time a login takes does not tell who exists', async () => {
    const emails = [ada.email, uniqueEmail('nobody')], least = [Infinity, Infinity];
    for (let i = 0; i < 18; i++) { // by turns, so that a busy machine is busy for both
      const start = performance.now();
      await signIn(emails[i % 2], 'a wrong password');
      least[i % 2] = Math.min(least[i % 2], performance.now() - start);
      await forget(stack, 'sign-in', emails[i % 2]);
    }
    const [known, unknown] = least;
    assert.ok(known < 2 * unknown && unknown < 2 * known, `${known} ms, ${unknown} ms`);
  });

  test('takeover: who registers a stranger\'s address gains nothing', async () => {
    const email = uniqueEmail('victim');
    const thief = await stack.register({ email });
    const key = await stack.ok('POST', '/auth/api-keys', { token: thief.token, json: { name: 'k' } });
    await stack.ok('POST', '/auth/api-keys', { token: thief.token, json: { provider: 'openai', key: 'sk-x', base_url: 'https://evil.example' } });
    assert.equal(await refused(stack, key.key), false);

    const otp = await code(stack, email);
    const { access_token: token } = await stack.ok('POST', '/auth/verify-otp', { json: { email, otp } });
    await until('the thief\'s session is over', () => refused(stack, thief.token));
    await until('the thief\'s key is dead', () => refused(stack, key.key));
    check(await signIn(email), 401, 'the thief\'s password');
    assert.deepEqual(await stack.ok('GET', '/auth/api-keys', { token }), []);
    assert.equal((await stack.ok('GET', '/auth/me', { token })).email, email);
    // a second sign-in by code changes nothing any more
    check(await stack.api('PUT', '/api/auth/password', { token, json: { password: 'my own password' } }), 200);
    check(await stack.api('POST', '/auth/verify-otp', { json: { email, otp: await code(stack, email) } }), 200);
    check(await signIn(email, 'my own password'), 200);
    assert.equal(await refused(stack, token), false);
  });

  test('takeover: the same by a new password', async () => {
    const email = uniqueEmail('victim');
    const thief = await stack.register({ email });
    const key = await stack.ok('POST', '/auth/api-keys', { token: thief.token, json: { name: 'k' } });
    const token = await resetToken(stack, email);
    check(await post('/api/auth/reset-password/confirm', { token, password: 'my own password' }), 200);
    await until('the thief\'s key is dead', () => refused(stack, key.key));
    assert.equal(await refused(stack, thief.token), true);
    check(await signIn(email, 'my own password'), 200);
  });

  test('a deleted user\'s token and key', async () => {
    const one = await stack.register();
    const { key } = await stack.ok('POST', '/auth/api-keys', { token: one.token, json: { name: 'k' } });
    check(await stack.api('GET', '/auth/me', { token: key }), 200);
    check(await stack.api('DELETE', '/api/auth/me', { token: one.token, json: { password } }), 200);
    await until('the token is refused', () => refused(stack, one.token));
    await until('the key is refused', () => refused(stack, key));
  });

  test('settings: no more than 64 KiB in all, however small the pieces', async () => {
    const one = await stack.register();
    const put = (json) => stack.api('PUT', '/api/settings', { token: one.token, json });
    let last;
    for (let i = 0; i < 8 && last?.status !== 413; i++) last = await put({ [`key${i}`]: 'x'.repeat(10000) });
    check(last, 413);
    check(await put({ theme: 'dark' }), 200, 'goes on with what there was');
  });

  test('what cannot be written down in the audit is not done either', async () => {
    const one = await stack.register();
    const { id, key } = await stack.ok('POST', '/auth/api-keys', { token: one.token, json: { name: 'k' } });
    const [session] = await stack.ok('GET', '/auth/sessions', { token: one.token });
    await stack.sql('ALTER TABLE auth.audit RENAME TO audit_elsewhere');
    try {
      check(await stack.api('DELETE', `/auth/api-keys/${id}`, { token: one.token }), 500);
      check(await stack.api('POST', '/api/auth/logout', { token: one.token }), 500);
      check(await stack.api('DELETE', `/auth/sessions/${session.id}`, { token: one.token }), 500);
    } finally {
      await stack.sql('ALTER TABLE auth.audit_elsewhere RENAME TO audit');
    }
    check(await stack.api('GET', '/auth/me', { token: one.token }), 200);
    check(await stack.api('GET', '/api/chatbots', { token: key }), 200);
    check(await stack.api('DELETE', `/auth/api-keys/${id}`, { token: one.token }), 200);
  });

  test('a hundred keys are enough', async () => {
    const one = await stack.register();
    await stack.sql(`INSERT INTO auth.api_key (owner_id, name, masked, hash)
      SELECT '${one.uid}', 'k', 'm', '${one.uid}' || n FROM generate_series(1, 100) n`);
    check(await stack.api('POST', '/auth/api-keys', { token: one.token, json: { name: 'one more' } }), 403);
  });
});
