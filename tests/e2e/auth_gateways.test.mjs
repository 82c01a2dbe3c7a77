// Several gateways and svc-auths: what is revoked is refused everywhere within a second; who hears nothing trusts nobody;
// keys rotate without anybody noticing.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { check, password, proven, refused, trusting } from './accounts.mjs';
import { sleep, slow, startStack, until } from './harness.mjs';

const execute = promisify(execFile);

describe('several gateways', () => {
  let stack;
  before(async () => {
    stack = await startStack({ env: trusting, replicas: { gateway: 2, auth: 2 } });
  });
  after(() => stack.stop());
  const me = (token, gateway = 1) => stack.api('GET', '/auth/me', { token, gateway });
  // Warms both gateways up, then measures from the moment of the answer: milliseconds.
  const soon = async (what, token, act) => {
    for (const gateway of [1, 2]) check(await me(token, gateway), 200, `${what}: before, gateway ${gateway}`);
    await act();
    const start = Date.now();
    for (const gateway of [1, 2])
      await until(`${what} on gateway ${gateway}`, () => refused(stack, token, { gateway }));
    return Date.now() - start;
  };

  test('logout on one is refused on the other within a second', async () => {
    const took = [];
    for (let i = 0; i < 10; i++) {
      const user = await stack.register();
      took.push(await soon('logout', user.token, async () => {
        await stack.ok('POST', '/api/auth/logout', { token: user.token, gateway: 1 + (i % 2) });
      }));
    }
    assert.ok(Math.min(...took) < 1000, `${took} ms`); // a busy machine may be late at times
  });

  test('at once on the gateway that handled it', async () => {
    for (let i = 0; i < 20; i++) {
      const user = await stack.register();
      await stack.ok('POST', '/api/auth/logout', { token: user.token, gateway: 1 });
      check(await me(user.token, 1), 401, `round ${i}`);
    }
  });

  test('so is whatever else ends a session or a key', async () => {
    const admin = await proven(stack, 'admin@example.com');
    const user = await stack.register();
    await soon('a disabled user', user.token, () => stack.ok('POST', `/admin/users/${user.uid}/disable`, { token: admin.token, gateway: 2 }));
    const other = await stack.register();
    const key = await stack.ok('POST', '/auth/api-keys', { token: other.token, json: { name: 'k' } });
    await soon('a deleted key', key.key, () => stack.ok('DELETE', `/auth/api-keys/${key.id}`, { token: other.token, gateway: 2 }));
    await soon('a deleted user', other.token, () => stack.ok('DELETE', '/api/auth/me', { token: other.token, json: { password }, gateway: 2 }));
  });

  test('a gateway that starts later knows what was revoked before', async () => {
    const [gone, here] = [await stack.register(), await stack.register()];
    const second = stack.process('gateway', 2);
    await second.kill('SIGTERM');
    await stack.ok('POST', '/api/auth/logout', { token: gone.token });
    await second.start();
    check(await me(gone.token, 2), 401);
    check(await me(here.token, 2), 200);
  });

  test('one svc-auth killed: nobody notices, and revocations go on', async () => {
    const user = await stack.register();
    await stack.process('auth', 1).kill('SIGKILL');
    await until('logins go on', async () => (await stack.api('POST', '/api/auth/login', { json: { email: user.email, password } })).status === 200);
    for (let i = 0; i < 3; i++) {
      const other = await stack.register();
      await soon('logout', other.token, () => stack.ok('POST', '/api/auth/logout', { token: other.token }));
    }
    await stack.process('auth', 1).start();
    check(await me(user.token), 200);
  });

  test('without the feed for more than 5 s a gateway trusts nobody, and does again when it is back', async () => {
    const user = await stack.register();
    const auths = [stack.process('auth', 1), stack.process('auth', 2)];
    for (const auth of auths) await auth.kill('SIGSTOP');
    const start = Date.now();
    try {
      for (const gateway of [1, 2]) {
        await until(`gateway ${gateway} trusts nobody`, async () => {
          // asks a service that is not stopped: what answers is the gateway's judgement alone
          const answer = await stack.api('GET', '/api/chatbots/01900000-0000-7000-8000-000000000000', { token: user.token, gateway });
          if (answer.status !== 503) return false;
          assert.ok(answer.headers['retry-after'], 'says when to try again');
          return true;
        }, 12 * slow);
      }
      assert.ok(Date.now() - start < 12000 * slow);
      check(await stack.api('GET', '/health', { gateway: 1 }), 200, 'what needs no user goes on');
    } finally {
      for (const auth of auths) await auth.kill('SIGCONT');
    }
    for (const gateway of [1, 2]) await until('trusts again', async () => (await me(user.token, gateway)).status === 200);
  });

  test('a svc-auth that does not hear the database says so', async () => {
    // all that listen to revocations lose their connection and cannot come back: NOTIFY does not arrive any more
    const user = await stack.register();
    await stack.sql('ALTER ROLE parley_auth CONNECTION LIMIT 0');
    try {
      await stack.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'parley_auth'");
      await until('a gateway trusts nobody', async () => (await me(user.token)).status === 503, 15 * slow);
    } finally {
      await stack.sql('ALTER ROLE parley_auth CONNECTION LIMIT -1');
    }
    await until('trusts again', async () => (await me(user.token)).status === 200, 20 * slow);
  });

  test('a signed-in request asks nothing of svc-auth; an API key is asked about once', async () => {
    const user = await stack.register();
    const asked = async () => {
      const texts = await Promise.all([1, 2].map((replica) => stack.process('auth', replica).metrics()));
      return Object.fromEntries(['sign_up', 'resolve_key', 'get_keyring', 'follow_revocations', 'get_me', 'get_account'].map((method) => [method,
        texts.reduce((sum, text) => sum + Number(new RegExp(`seconds_count\\{method="auth.${method}"\\} (\\d+)`).exec(text)[1]), 0)]));
    };
    for (let tries = 1; ; tries++) {
      const { key } = await stack.ok('POST', '/auth/api-keys', { token: user.token, json: { name: 'k' } });
      const before = await asked();
      for (let i = 0; i < 30; i++) check(await stack.api('GET', '/api/chatbots', { token: i % 2 ? user.token : key }), 200);
      const now = await asked();
      // a gateway that began its feed anew meanwhile (a busy machine) rightly forgets what it knew of keys
      const again = ['follow_revocations', 'get_keyring'].some((method) => now[method] !== before[method]);
      if (again && tries < 5) continue;
      assert.deepEqual(now, { ...before, resolve_key: before.resolve_key + 1 });
      break;
    }
  });

  test('keys rotate under load: no request is refused, old tokens stay good', async () => {
    const user = await stack.register();
    const auth = stack.process('auth');
    const tokens = [user.token];
    const kid = (token) => JSON.parse(Buffer.from(token.split('.')[0], 'base64url')).kid;
    const wrong = [];
    let asked = 0, going = true;
    const ask = async (gateway) => {
      while (going) {
        const token = tokens[asked % tokens.length];
        const { status, text } = await me(token, gateway);
        asked += 1;
        if (status !== 200) wrong.push(`${status} ${text}`);
      }
    };
    const signIn = async () => {
      while (going) {
        const { status, body } = await stack.api('POST', '/api/auth/login', { json: { email: user.email, password }, gateway: 1 + (tokens.length % 2) });
        if (status !== 200) wrong.push(`login ${status}`);
        else {
          tokens.push(body.token);
          for (const gateway of [1, 2]) {
            const answer = await me(body.token, gateway);
            if (answer.status !== 200) wrong.push(`fresh token, gateway ${gateway}: ${answer.status} ${answer.text}`);
          }
        }
        await sleep(100);
      }
    };
    const load = [ask(1), ask(1), ask(2), ask(2), signIn()];
    await sleep(500);
    await execute(auth.program, ['--rotate-keys'], { env: { ...process.env, ...auth.env } });
    await until('the new key signs', () => kid(tokens.at(-1)) !== kid(user.token), 25 * slow);
    await sleep(1000);
    going = false;
    await Promise.all(load);
    assert.deepEqual(wrong, []);
    assert.ok(asked > 100, `${asked} requests`);
    check(await me(user.token, 1), 200, 'a token of the old key');
  });
});
