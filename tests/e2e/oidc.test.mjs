// Signing in with a provider: oidc-provider in a real browser for what should happen, and a provider of our own making,
// which lies as it is told, for what must not. SHOTS=DIR leaves screenshots there.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, createHmac, randomBytes } from 'node:crypto';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import Provider from 'oidc-provider';
import { client, code as mailedCode, from, proven, refused, trusting } from './accounts.mjs';
import { Jar, lookAround, openChromium, openContext } from './browser.mjs';
import { freePort, slow, startStack, uniqueEmail, until } from './harness.mjs';

const shots = process.env.SHOTS;
let stack, site, acme, makeAcme, acmeServer, odd, oddServer, keys, chromium;
const people = {}; // of acme: subject -> claims
const jar = () => new Jar(stack.url(), from(client()));

// --- A provider that lies ---------------------------------------------------------------------------------------------------

const plain = () => ({ claims: {}, key: 'one', published: ['one'], header: {} });
let lie = plain();
const grants = new Map(); // code -> what was asked, and who it is
const listen = (server, port = 0) => new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(server.address().port)));
const sign = (payload, key = 'one', header = {}) => new SignJWT(payload).setProtectedHeader({ alg: keys[key].alg, kid: key, ...header }).sign(keys[key].privateKey);

async function answerOdd(query, answer) {
  const url = new URL(query.url, odd);
  const issuer = url.pathname.includes('/second') ? `${odd}/second` : odd;
  const json = (value, status = 200) => (answer.writeHead(status, { 'Content-Type': 'application/json' }), answer.end(typeof value === 'string' ? value : JSON.stringify(value)));
  if (url.pathname.includes('/.well-known/')) {
    lie.looked = true;
    if (lie.metadata === 'hang') return;
    return json({ issuer: lie.issuer ?? issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks`, userinfo_endpoint: `${issuer}/person`,
      response_types_supported: ['code'], subject_types_supported: ['public'], id_token_signing_alg_values_supported: ['RS256'], code_challenge_methods_supported: ['S256'], authorization_response_iss_parameter_supported: true, ...lie.metadata });
  }
  if (url.pathname.endsWith('/jwks')) {
    lie.asked = (lie.asked ?? 0) + 1;
    if (lie.jwks === 'hang') return;
    return json(lie.jwks ?? { keys: lie.published.map((name) => keys[name].jwk) });
  }
  if (url.pathname.endsWith('/person')) return json({ sub: lie.person?.sub ?? query.headers.authorization.split(' ')[1], ...lie.person });
  if (!url.pathname.endsWith('/token')) return json({}, 404);
  let body = '';
  for await (const piece of query) body += piece;
  const form = new URLSearchParams(body);
  const asked = grants.get(form.get('code'));
  grants.delete(form.get('code'));
  if (!asked || createHash('sha256').update(form.get('code_verifier') ?? '').digest('base64url') !== asked.challenge) return json({ error: 'invalid_grant' }, 400);
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, aud: 'parley', sub: asked.who.sub, iat: now, exp: now + 60, nonce: asked.nonce, ...asked.who, ...lie.claims };
  const id_token = lie.forge ? lie.forge(claims) : await sign(claims, lie.key, lie.header);
  return json({ access_token: asked.who.sub, token_type: 'Bearer', ...(lie.noToken ? {} : { id_token }) });
}

const somebody = (more = {}) => ({ sub: randomBytes(8).toString('hex'), email: uniqueEmail(), email_verified: true, name: 'Grace Hopper', ...more });

// To the provider, which lets `who` in, and back: the answer of our callback.
async function visit(who, { p = jar(), start = '', provider = 'odd-one', alter = () => {} } = {}) {
  const left = await p.go(`/auth/oidc/${provider}/start${start}`);
  assert.equal(left.status, 303, left.text);
  const there = new URL(left.location);
  const value = randomBytes(8).toString('hex');
  grants.set(value, { nonce: there.searchParams.get('nonce'), challenge: there.searchParams.get('code_challenge'), who });
  const back = new URL(there.searchParams.get('redirect_uri'));
  back.search = new URLSearchParams({ code: value, state: there.searchParams.get('state'), iss: there.origin + there.pathname.replace('/authorize', '') });
  alter(back);
  return p.go(back.pathname + back.search);
}
// The same for a frontend: its token.
async function signIn(who, options) {
  const answer = await visit(who, options);
  assert.equal(answer.status, 303, answer.text);
  const value = new URL(answer.location).searchParams.get('sign_in_code');
  return (await stack.ok('POST', '/auth/oidc/token', { json: { code: value }, headers: from(client()) })).access_token;
}
const me = (token) => stack.ok('GET', '/api/auth/me', { token });
const keptOut = (answer, status, words) => {
  assert.equal(answer.status, status, answer.text);
  assert.match(answer.html, words);
  assert.ok(!(answer.headers['set-cookie'] ?? []).some((line) => line.startsWith('parley_signed_in')));
};

// --- The stack ----------------------------------------------------------------------------------------------------------------

before(async () => {
  keys = {};
  for (const [name, alg] of [['one', 'RS256'], ['two', 'ES256'], ['three', 'EdDSA'], ['four', 'RS256'], ['evil', 'RS256']]) {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    keys[name] = { alg, privateKey, publicKey, jwk: { ...(await exportJWK(publicKey)), kid: name, alg, use: 'sig' } };
  }
  oddServer = http.createServer((query, answer) => answerOdd(query, answer).catch((error) => answer.destroy(error)));
  odd = `http://127.0.0.1:${await listen(oddServer)}`;
  const acmePort = await freePort();
  stack = await startStack({ env: { ...trusting, OAUTH_RETURN_URL: `${odd}/return`,
    OIDC_1_ISSUER: `http://127.0.0.1:${acmePort}`, OIDC_1_CLIENT_ID: 'parley', OIDC_1_CLIENT_SECRET: 'acme-secret-0123456789', OIDC_1_NAME: 'Acme & Co',
    OIDC_2_ISSUER: odd, OIDC_2_CLIENT_ID: 'parley', OIDC_2_NAME: 'Odd One', OIDC_2_ADMIN_CLAIM: 'groups=parley-admins',
    OIDC_3_ISSUER: `${odd}/second`, OIDC_3_CLIENT_ID: 'parley', OIDC_3_NAME: 'Second' } });
  site = `http://localhost:${new URL(stack.url()).port}`;
  makeAcme = async (key) => new Provider(`http://127.0.0.1:${acmePort}`, {
    clients: [{ client_id: 'parley', client_secret: 'acme-secret-0123456789', redirect_uris: [`${site}/auth/oidc/acme-co/callback`], grant_types: ['authorization_code'], response_types: ['code'],
      backchannel_logout_uri: `${stack.url()}/auth/oidc/acme-co/logout`, backchannel_logout_session_required: true }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
    features: { devInteractions: { enabled: true }, backchannelLogout: { enabled: true } },
    jwks: { keys: [{ ...(await exportJWK(keys[key].privateKey)), kid: `acme-${key}`, alg: 'RS256', use: 'sig' }] },
    cookies: { keys: ['test'] },
    fetch: (url, { dispatcher, ...options }) => fetch(url, options), // its own refuses addresses of this machine
  });
  acme = await makeAcme('four');
  acme.on('backchannel.error', (ctx, error) => console.error('# back-channel:', error.message, error.cause ?? ''));
  acmeServer = http.createServer((query, answer) => acme.callback()(query, answer));
  await listen(acmeServer, acmePort);
  chromium = await openChromium();
});
after(async () => {
  await chromium?.close();
  for (const server of [acmeServer, oddServer]) {
    server?.closeAllConnections();
    server?.close();
  }
  await stack?.stop();
});

async function throughAcme(page, name) {
  await page.locator('input[name=login]').fill(name);
  await page.locator('input[name=password]').fill('x');
  await page.locator('button[type=submit]').click();
  await page.locator('button[type=submit]').filter({ hasText: 'Continue' }).click();
}

describe('with a real provider, in a browser', () => {
  test('somebody whose address another has registered signs in at our page, and the password is void; signing out there signs out here', async () => {
    const squatter = await stack.register(), email = squatter.email.toUpperCase();
    people.alice = { email, email_verified: true, name: 'Alice Liddell' };
    const context = await openContext(chromium);
    const page = await context.newPage();
    await page.goto(`${site}/sign-in`);
    await lookAround(page, 'sign-in-providers', shots);
    await page.getByRole('link', { name: 'Sign in with Acme & Co' }).click();
    await throughAcme(page, 'alice');
    await page.getByText(`As ${email.toLowerCase()}`).waitFor();
    assert.equal(page.url(), `${site}/oauth/account`);
    await until('the sessions made before are over', () => refused(stack, squatter.token));
    assert.equal((await stack.api('POST', '/api/auth/login', { json: { email, password: squatter.password }, headers: from(client()) })).status, 401);

    await page.goto(`${new URL(acme.issuer)}session/end`);
    await page.locator('button[value=yes]').click();
    await until('signed out here, too', async () => {
      await page.goto(`${site}/oauth/account`);
      return page.url() === `${site}/sign-in`;
    });
    await context.close();
  });

  test('for a known address a frontend gets a code, never a token in an address, and exchanges it once, with its proof', async () => {
    const known = await proven(stack);
    people.bob = { email: known.email, email_verified: true, name: 'Bob' };
    const verifier = randomBytes(32).toString('base64url');
    const start = `${site}/auth/oidc/acme-co/start?${new URLSearchParams({ state: 'a b&c', code_challenge: createHash('sha256').update(verifier).digest('base64url') })}`;
    const context = await openContext(chromium);
    const page = await context.newPage();
    await page.goto(start);
    await throughAcme(page, 'bob');
    await page.waitForURL(`${odd}/return?**`);
    const { searchParams } = new URL(page.url());
    assert.equal(searchParams.get('state'), 'a b&c');
    assert.ok(!page.url().includes('eyJ'));
    const json = { code: searchParams.get('sign_in_code'), code_verifier: verifier };
    const { access_token: token } = await stack.ok('POST', '/auth/oidc/token', { json });
    assert.equal((await me(token)).uid, (await me(known.token)).uid, 'the account that it was, still signed in elsewhere');
    assert.equal((await stack.api('POST', '/auth/oidc/token', { json })).status, 400);
    await until('a code that comes again ends the session it became', () => refused(stack, token));

    await page.goto(start); // he is known there: nothing is asked
    await page.waitForURL(`${odd}/return?**`);
    for (const code_verifier of [randomBytes(32).toString('base64url'), undefined, verifier])
      assert.equal((await stack.api('POST', '/auth/oidc/token', { json: { code: new URL(page.url()).searchParams.get('sign_in_code'), code_verifier } })).status, 400, 'used up by the first try');

    acme = await makeAcme('one'); // it has another key by now, and publishes no other
    await page.goto(start);
    await throughAcme(page, 'bob');
    await page.waitForURL(`${odd}/return?**sign_in_code=**`);
    await context.close();
  });
});

describe('who that is here', () => {
  test('the providers are listed, with where to begin', async () => {
    assert.deepEqual(await stack.ok('GET', '/auth/oidc/providers'), [['acme-co', 'Acme & Co'], ['odd-one', 'Odd One'], ['second', 'Second']]
      .map(([id, name]) => ({ id, name, start_url: `${site}/auth/oidc/${id}/start` })));
    assert.equal((await jar().go('/auth/oidc/nobody/start')).status, 404);
  });

  test('the same person again is the same account, whatever address they have by now', async () => {
    const who = somebody();
    const first = await me(await signIn(who));
    const second = await me(await signIn({ ...who, email: uniqueEmail(), name: 'Other' }));
    assert.deepEqual([second.uid, second.email, second.displayName], [first.uid, who.email, 'Grace Hopper']);
    assert.equal((await me(await signIn({ sub: who.sub, email: who.email, email_verified: false }))).uid, first.uid);
    const list = await stack.ok('GET', '/auth/sessions', { token: await signIn(who) });
    assert.ok(list.length >= 4 && list.every((s) => s.kind === 'token'));
  });

  test('an address that somebody else registered with a password: the account is its owner\'s, the password and its sessions are void', async () => {
    const squatter = await stack.register();
    const token = await signIn(somebody({ email: squatter.email }));
    assert.equal((await me(token)).uid, squatter.uid);
    await until('the sessions made before are over', () => refused(stack, squatter.token));
    assert.equal((await stack.api('POST', '/api/auth/login', { json: { email: squatter.email, password: squatter.password }, headers: from(client()) })).status, 401);
    assert.equal(await refused(stack, token), false);
  });

  test('an address that was proven: the same account, and everything stays', async () => {
    const known = await proven(stack);
    const token = await signIn(somebody({ email: known.email.toUpperCase() }));
    assert.equal((await me(token)).email, known.email);
    assert.equal(await refused(stack, known.token), false);
  });

  test('one address at two providers is one account', async () => {
    const who = somebody();
    const one = await me(await signIn(who));
    const two = await me(await signIn({ ...somebody(), email: who.email }, { provider: 'second' }));
    assert.equal(two.uid, one.uid);
    const [[count]] = await stack.sql(`SELECT count(*) FROM auth.identity WHERE owner_id = '${one.uid}'`);
    assert.equal(count, '2');
  });

  test('an address that changed hands: whoever has it now does not get into the account of whoever had it', async () => {
    const before_ = somebody();
    const { uid } = await me(await signIn(before_));
    keptOut(await visit(somebody({ email: before_.email })), 403, /belongs to somebody else at this provider/);
    assert.equal((await me(await signIn(before_))).uid, uid);
  });

  test('the operator unlinks an account from a provider: whoever comes from there with its address next has it', async () => {
    const old = somebody({ groups: ['parley-admins'] }), { program, env } = stack.process('auth');
    const unlink = (...args) => promisify(execFile)(program, ['--unlink', ...args], { env: { ...process.env, ...env } }).then(({ stdout }) => stdout, ({ code, stderr }) => [code, stderr]);
    const token = await signIn(old), { uid } = await me(token);
    const elsewhere = await signIn({ ...somebody(), email: old.email }, { provider: 'second' });
    assert.equal(await unlink(old.email.toUpperCase()), `${odd}\t${old.sub}\n${odd}/second\t${(await stack.sql(`SELECT subject FROM auth.identity WHERE owner_id = '${uid}' AND issuer LIKE '%second'`))[0][0]}\n`);
    for (const [args, words] of [[[], /needs an e-mail address/], [[uniqueEmail()], /no account/], [[old.email, 'https://evil.example'], /not linked/]]) {
      const [code, said] = await unlink(...args);
      assert.ok(code > 0 && words.test(said), said);
    }
    assert.equal(await refused(stack, token), false);
    assert.match(await unlink(old.email, odd), /no longer linked/);
    await until('what that provider let in is over', () => refused(stack, token));
    await until('an administrator by its word is none any more, wherever they are signed in', () => refused(stack, elsewhere));
    const back = await signIn(somebody({ email: old.email }));
    assert.equal((await me(back)).uid, uid);
    assert.equal((await stack.api('GET', '/admin/users', { token: back })).status, 403);
    keptOut(await visit(old), 403, /belongs to somebody else at this provider/);
  });

  test('an address that nobody verified, that is none or that is missing lets nobody new in', async () => {
    const registered = await stack.register();
    for (const [more, words] of [[{ email_verified: false }, /has not verified/], [{ email_verified: undefined }, /has not verified/], [{ email_verified: 'yes' }, /has not verified/], [{ email_verified: 1 }, /has not verified/],
      [{ email_verified: false, email: registered.email }, /has not verified/], [{ email: 'root' }, /that is none/], [{ email: 'a@b.example\nBcc: c@d.example' }, /that is none/], [{ email: undefined }, /does not say what/], [{ email: ['a@b.example'] }, /does not say what/]]) {
      keptOut(await visit(somebody(more)), 403, words);
    }
    assert.equal((await stack.api('POST', '/api/auth/login', { json: { email: registered.email, password: registered.password }, headers: from(client()) })).status, 200);
    assert.ok(await signIn(somebody({ email_verified: 'true' })), 'some write it as text');
  });

  test('what the id_token lacks is asked of the provider, of the same person alone', async () => {
    const who = somebody({ email: undefined, email_verified: undefined });
    const email = uniqueEmail();
    lie = { ...plain(), person: { email, email_verified: true, name: 'P' } };
    assert.equal((await me(await signIn(who))).email, email);
    lie = { ...plain(), person: { sub: 'another', email: uniqueEmail(), email_verified: true } };
    keptOut(await visit({ ...somebody(), email: undefined }), 502, /somebody else/);
    lie = plain();
  });

  test('a claim makes an administrator, and its loss unmakes one', async () => {
    const who = somebody();
    const plainToken = await signIn({ ...who, groups: ['users'] });
    assert.equal((await stack.api('GET', '/admin/users', { token: plainToken })).status, 403);
    const admin = await signIn({ ...who, groups: ['users', 'parley-admins'] });
    assert.equal((await stack.api('GET', '/admin/users', { token: admin })).status, 200);
    await stack.process('auth').kill();
    await stack.process('auth').start();
    await until('it lasts over a restart', async () => (await stack.api('GET', '/admin/users', { token: admin })).status === 200);
    const later = await signIn({ ...who, groups: 'parley-administrators' });
    assert.equal((await stack.api('GET', '/admin/users', { token: later })).status, 403);
    await until('the administrator\'s token is no longer good', () => refused(stack, admin));
  });

  test('a disabled account does not get in', async () => {
    const who = somebody();
    const { uid } = await me(await signIn(who));
    await stack.sql(`UPDATE auth.users SET disabled_at = now() WHERE uid = '${uid}'`);
    keptOut(await visit(who), 403, /disabled/);
  });

  test('who arrives five times at once for the first time gets in five times, to one account', async () => {
    const who = somebody();
    for (const answer of await Promise.all(Array.from({ length: 5 }, () => visit(who)))) assert.equal(answer.status, 303, answer.text);
    const [[count]] = await stack.sql(`SELECT count(*) FROM auth.users WHERE email = '${who.email}'`);
    assert.equal(count, '1');
  });
});

describe('who lies', () => {
  after(() => (lie = plain()));

  const now = () => Math.floor(Date.now() / 1000);
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const forgeries = {
    'nobody signed it': (claims) => `${encode({ alg: 'none' })}.${encode(claims)}.`,
    'nobody signed it, by a key': (claims) => `${encode({ alg: 'none', kid: 'one' })}.${encode(claims)}.AAAA`,
    'the public key as a secret': (claims) => {
      const text = `${encode({ alg: 'HS256', kid: 'one' })}.${encode(claims)}`;
      return `${text}.${createHmac('sha256', keys.one.publicKey.export?.({ format: 'pem', type: 'spki' }) ?? JSON.stringify(keys.one.jwk)).update(text).digest('base64url')}`;
    },
    'another key by that name': (claims) => sign(claims, 'evil', { kid: 'one' }),
    'a key that is not published': (claims) => sign(claims, 'evil'),
    'a key of its own in it': (claims) => sign(claims, 'evil', { kid: 'one', jwk: keys.evil.jwk }),
    'another kind of signature': (claims) => sign(claims, 'two', { kid: 'one' }),
    'no token': () => 'hello',
    'a huge one': (claims) => sign({ ...claims, junk: 'x'.repeat(60_000) }),
    'from somebody else': (claims) => sign({ ...claims, iss: 'https://evil.example' }),
    'with a slash more': (claims) => sign({ ...claims, iss: `${claims.iss}/` }),
    'for somebody else': (claims) => sign({ ...claims, aud: 'another' }),
    'for many': (claims) => sign({ ...claims, aud: ['parley', 'another'] }),
    'meant for somebody else': (claims) => sign({ ...claims, azp: 'another' }),
    'of another sign-in': (claims) => sign({ ...claims, nonce: 'x' }),
    'of no sign-in': ({ nonce, ...claims }) => (assert.ok(nonce), sign(claims)),
    'expired': (claims) => sign({ ...claims, exp: now() - 200 }),
    'from tomorrow': (claims) => sign({ ...claims, iat: now() + 86400, exp: now() + 90000 }),
    'of nobody': (claims) => sign({ ...claims, sub: '' }),
    'of a number': (claims) => sign({ ...claims, sub: 7 }),
  };
  test('a token that is not what it should be lets nobody in', async () => {
    for (const [name, forge] of Object.entries(forgeries)) {
      lie = { ...plain(), forge };
      const answer = await visit(somebody());
      assert.ok([400, 502].includes(answer.status) && !answer.location, `${name}: ${answer.status} ${answer.location}`);
    }
    lie = { ...plain(), noToken: true };
    keptOut(await visit(somebody()), 502, /does not say who/);
    lie = { ...plain(), claims: { exp: now() - 60 } };
    assert.equal((await visit(somebody())).status, 303, 'clocks may differ by two minutes');
    lie = plain();
  });

  test('keys of each kind, rotated under load: nobody is turned away', async () => {
    for (const key of ['two', 'three', 'four']) {
      const during = Array.from({ length: 8 }, () => visit(somebody()));
      lie = { ...plain(), key, published: [key] };
      for (const answer of await Promise.all([...during, ...Array.from({ length: 8 }, () => visit(somebody()))])) assert.equal(answer.status, 303, answer.text);
      assert.ok(lie.asked <= 8, `the keys were asked for ${lie.asked} times`);
    }
    lie = plain();
  });

  test('keys that hang, are huge or are none: refused in time, and everybody else goes on', { timeout: 90_000 * slow }, async () => {
    for (const jwks of ['x'.repeat(3_000_000), '{', '[]', '{"keys":7}']) {
      lie = { ...plain(), key: 'evil', jwks };
      await until('the provider is asked again', async () => (await visit(somebody())).status >= 400 && lie.asked > 0);
    }
    lie = { ...plain(), key: 'evil', jwks: 'hang' };
    await until('the provider is asked again', async () => ((await visit(somebody())), lie.asked > 0));
    const began = Date.now();
    const answers = await Promise.all(Array.from({ length: 5 }, () => visit(somebody())));
    assert.ok(answers.every((a) => a.status === 502 || a.status === 400), answers.map((a) => a.status).join());
    assert.ok(Date.now() - began < 15_000 * slow, `${Date.now() - began} ms`);
    lie = plain();
    await until('all is well again', async () => (await visit(somebody())).status === 303);
  });

  test('state: once, in the browser that began, and for that provider', async () => {
    const p = jar();
    let used;
    assert.equal((await visit(somebody(), { p, alter: (back) => (used = back) })).status, 303);
    keptOut(await p.go(used.pathname + used.search), 400, /was used already/);
    keptOut(await visit(somebody(), { alter: (back) => back.searchParams.set('state', 'x') }), 400, /was used already/);
    keptOut(await visit(somebody(), { alter: (back) => back.searchParams.delete('state') }), 400, /was used already/);
    keptOut(await visit(somebody(), { alter: (back) => (back.search += '&state=x') }), 400, /was used already/);
    keptOut(await visit(somebody(), { alter: (back) => (back.pathname = back.pathname.replace('odd-one', 'second')) }), 400, /was used already/);
    let link;
    await visit(somebody(), { p: jar(), alter: (back) => ((link = back.pathname + back.search), back.searchParams.set('state', 'x')) });
    keptOut(await jar().go(link), 400, /another browser/);
    keptOut(await (async () => { const q = jar(); await q.go('/auth/oidc/odd-one/start'); return q.go(link); })(), 400, /another browser/);
  });

  test('a response from another than the one who was asked is not believed', async () => {
    for (const iss of ['https://evil.example', `${odd}/second`, `${odd}/`, '']) keptOut(await visit(somebody(), { alter: (back) => back.searchParams.set('iss', iss) }), 400, /did not work/);
    keptOut(await visit(somebody(), { alter: (back) => back.searchParams.delete('iss') }), 400, /did not work/);
    keptOut(await visit(somebody(), { alter: (back) => (back.searchParams.delete('code'), back.searchParams.set('error', 'access_denied')) }), 400, /did not let you in/);
    keptOut(await visit(somebody(), { alter: (back) => back.searchParams.set('code', 'wrong') }), 400, /did not work/);
  });

  test('it goes on to a page of ours, and to no other', async () => {
    for (const next of ['https://evil.example/', '//evil.example', '/\\evil.example', '/api/x', 'javascript:alert(1)']) {
      const answer = await visit(somebody(), { start: `?page=1&${new URLSearchParams({ next })}` });
      assert.equal(answer.location, '/oauth/account', next);
    }
    const next = '/oauth/authorize?client_id=x';
    assert.equal((await visit(somebody(), { start: `?${new URLSearchParams({ next })}` })).location, next);
    for (const start of [`?state=${'x'.repeat(600)}`, '?code_challenge=short', '?state=a&state=b']) assert.equal((await jar().go(`/auth/oidc/odd-one/start${start}`)).status, 400, start);
  });

  test('a code for a frontend is nothing else, and nothing else is one', async () => {
    const answer = await visit(somebody());
    const value = new URL(answer.location).searchParams.get('sign_in_code');
    assert.equal((await stack.api('GET', '/api/auth/me', { token: value })).status, 401);
    const form = new URLSearchParams({ grant_type: 'authorization_code', code: value, client_id: 'x', redirect_uri: 'x', code_verifier: 'x'.repeat(43) }).toString();
    assert.equal((await stack.api('POST', '/oauth/token', { body: form, headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...from(client()) } })).body.error, 'invalid_grant');
    for (const code of ['x', 'A'.repeat(91), `${value}x`]) assert.equal((await stack.api('POST', '/auth/oidc/token', { json: { code }, headers: from(client()) })).status, 400);
    assert.equal((await stack.api('POST', '/auth/oidc/token', { json: { code: value }, headers: from(client()) })).status, 200);
  });

  test('a logout that the provider did not send ends nothing', async () => {
    const who = somebody();
    lie = { ...plain(), claims: { sid: 'session-1' } };
    const token = await signIn(who);
    const other = await signIn(who, { p: jar() });
    lie = plain();
    const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
    const good = { iss: odd, aud: 'parley', sub: who.sub, sid: 'session-1', iat: now(), exp: now() + 120, jti: 'x', events };
    const send = (logout_token) => stack.api('POST', '/auth/oidc/odd-one/logout', { body: new URLSearchParams({ logout_token }).toString(), headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...from(client()) } });
    for (const [name, made] of Object.entries({
      'another key': await sign(good, 'evil', { kid: 'one' }), 'nobody': `${encode({ alg: 'none' })}.${encode(good)}.`, 'an id_token': await sign({ ...good, events: undefined }), 'with a nonce': await sign({ ...good, nonce: 'x' }),
      'another event': await sign({ ...good, events: { x: {} } }), 'nobody\'s': await sign({ ...good, sub: undefined, sid: undefined }), 'old': await sign({ ...good, iat: now() - 3600, exp: now() + 120 }), 'for another': await sign({ ...good, aud: 'x' }), 'garbage': 'x',
    })) assert.equal((await send(made)).status, 400, name);
    assert.equal((await send(await sign({ ...good, sub: 'unknown' }))).status, 200);
    assert.equal(await refused(stack, token), false);
    assert.equal((await send(await sign(good))).status, 200);
    await until('that session is over', () => refused(stack, token));
    assert.equal((await send(await sign({ ...good, sid: undefined }))).status, 200);
    await until('and without a session all of that provider\'s', () => refused(stack, other));

    for (const more of [{ sid: undefined }, { sub: undefined, sid: 'session-2' }]) {
      lie = { ...plain(), claims: { sid: 'session-2' } };
      const code = new URL((await visit(who)).location).searchParams.get('sign_in_code');
      lie = plain();
      assert.equal((await send(await sign({ ...good, ...more }))).status, 200);
      assert.equal((await stack.api('POST', '/auth/oidc/token', { json: { code }, headers: from(client()) })).status, 400, 'a code that was not exchanged yet ends, too');
    }
  });
});

describe('a program', () => {
  test('is out when the provider signs out everywhere who let it in; it outlasts a single visit', async () => {
    const callback = 'http://127.0.0.1:7777/callback', p = jar(), who = somebody();
    const bot = await stack.ok('POST', '/api/chatbots', { token: await signIn(who), json: { name: 'B' } });
    lie = { ...plain(), claims: { sid: 'visit-1' } };
    assert.equal((await visit(who, { p, start: '?page=1' })).location, '/oauth/account');
    lie = plain();
    const { client_id } = (await stack.api('POST', '/oauth/register', { json: { redirect_uris: [callback] }, headers: from(client()) })).body;
    const code_verifier = randomBytes(32).toString('base64url');
    const page = await p.go(`/oauth/authorize?${new URLSearchParams({ response_type: 'code', client_id, redirect_uri: callback, resource: `${site}/mcp/chatbots/${bot.id}`, code_challenge_method: 'S256', code_challenge: createHash('sha256').update(code_verifier).digest('base64url') })}`);
    const code = new URL((await p.go('/oauth/authorize', { form: { ...page.fields, decision: 'allow' } })).location).searchParams.get('code');
    const ask = (fields) => stack.api('POST', '/oauth/token', { body: new URLSearchParams({ client_id, ...fields }).toString(), headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...from(client()) } });
    let { body } = await ask({ grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier });
    const refresh = async () => ({ body } = await ask({ grant_type: 'refresh_token', refresh_token: body.refresh_token }));
    const end = async (more) => {
      const now = Math.floor(Date.now() / 1000);
      const logout_token = await sign({ iss: odd, aud: 'parley', iat: now, exp: now + 120, jti: 'x', events: { 'http://schemas.openid.net/event/backchannel-logout': {} }, ...more });
      assert.equal((await stack.api('POST', '/auth/oidc/odd-one/logout', { body: new URLSearchParams({ logout_token }).toString(), headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...from(client()) } })).status, 200);
    };
    await end({ sub: who.sub, sid: 'visit-1' });
    assert.equal((await p.go('/oauth/account')).location, '/sign-in');
    await refresh();
    assert.ok(body.access_token, JSON.stringify(body));
    await end({ sub: who.sub });
    await refresh();
    assert.equal(body.error, 'invalid_grant');
  });
});

describe('providers alone', () => {
  test('OIDC_ONLY=1: passwords and codes are off; without a return address our own page hands the code over', async () => {
    const someone = await stack.register();
    const otp = await mailedCode(stack, someone.email);
    Object.assign(stack.env, { OIDC_ONLY: '1', OAUTH_RETURN_URL: '' });
    await stack.process('auth').kill();
    await stack.process('auth').start();
    const { email, password } = someone;
    await until('svc-auth is there again', async () => (await stack.api('GET', '/auth/oidc/providers')).status === 200);
    for (const [where, json] of [['/api/auth/login', { email, password }], ['/api/auth/register', { email: uniqueEmail(), password, display_name: 'X' }], ['/auth/register', { name: 'X', email: uniqueEmail() }],
      ['/auth/send-otp', { email }], ['/auth/verify-otp', { email, otp }], ['/api/auth/reset-password', { email }]]) {
      const answer = await stack.api('POST', where, { json, headers: from(client()) });
      assert.equal(answer.status, 403, where);
      assert.match(answer.body.detail, /switched off/);
    }
    const p = jar();
    const page = await p.go('/sign-in');
    assert.ok(!page.html.includes('password') && page.html.includes('Sign in with Odd One'));
    assert.equal((await p.go('/sign-in', { form: { seal: browserSeal(page), email, password, do: 'password' } })).status, 403);

    people.carol = { email: uniqueEmail('carol'), email_verified: true, name: 'Carol' };
    const context = await openContext(chromium);
    const opener = await context.newPage();
    await opener.goto(`${site}/`);
    await opener.evaluate(() => {
      addEventListener('message', (event) => event.origin === location.origin && event.data.type === 'parley-signed-in' && (globalThis.got = event.data));
      addEventListener('click', () => open('/auth/oidc/acme-co/start?state=mine'), { once: true, capture: true });
    });
    const [popup] = await Promise.all([context.waitForEvent('page'), opener.mouse.click(5, 5)]);
    await throughAcme(popup, 'carol');
    const got = await until('the code is handed over', () => opener.evaluate(() => globalThis.got));
    assert.equal(got.state, 'mine');
    const { access_token: token } = await stack.ok('POST', '/auth/oidc/token', { json: { code: got.sign_in_code } });
    const carol = await me(token);
    assert.deepEqual([carol.email, carol.displayName, carol.emailVerified], [people.carol.email, 'Carol', true]);
    await context.close();

    // No password and no code: who signed in long ago is asked to do so again, who did just now may end it all.
    await stack.sql(`UPDATE auth.session SET created_at = now() - interval '11 minutes'`);
    const late = await stack.api('DELETE', '/api/auth/me', { json: {}, token });
    assert.equal(late.status, 403);
    assert.match(late.body.detail, /sign in again first/);
    await stack.sql('UPDATE auth.session SET created_at = now()');
    await stack.ok('DELETE', '/api/auth/me', { json: {}, token });
    assert.equal((await stack.api('GET', '/api/auth/me', { token })).status, 401);
  });

  // svc-auth was just started: it knows nothing of this one yet.
  test('an issuer that is another one by now, or sends people into a script, or hangs: nobody is sent there', { timeout: 60_000 * slow }, async () => {
    for (const more of [{ issuer: 'https://evil.example' }, { issuer: `${odd}/` }, { metadata: { authorization_endpoint: 'javascript:alert(1)//' } }, { metadata: 'hang' }]) {
      lie = { ...plain(), ...more };
      const answer = await until('it is asked', async () => {
        const got = await jar().go('/auth/oidc/odd-one/start');
        return lie.looked && got;
      });
      keptOut(answer, 502, /did not work/);
      assert.equal(answer.location, undefined);
    }
    lie = plain();
    await until('all is well again', async () => (await jar().go('/auth/oidc/odd-one/start')).status === 303);
  });
});

// A page without a form has no seal to send.
const browserSeal = (page) => page.fields.seal ?? '';
