// Every route of svc-auth, taken from openapi.json so that none can be left out: its example works, and nobody gets at
// what is another's.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { check, client, code, from, password, confirmToken, proven, resetToken, trusting } from './accounts.mjs';
import { root, startStack, uniqueEmail } from './harness.mjs';

const api = JSON.parse(fs.readFileSync(path.join(root, 'build/gen/openapi.json'), 'utf8'));
const tags = ['Authentication', 'API keys', 'Settings', 'Administration'];
const elsewhere = ['POST /auth/oidc/token']; // needs a sign-in at a provider: oidc.test.mjs
const routes = Object.entries(api.paths).flatMap(([where, methods]) =>
  Object.entries(methods).filter(([, route]) => tags.includes(route.tags?.[0]))
    .map(([method, route]) => ({ name: `${method.toUpperCase()} ${where}`, method: method.toUpperCase(), where, route }))
    .filter(({ name }) => !elsewhere.includes(name)));

describe('the routes of accounts', () => {
  let stack, admin;
  before(async () => {
    stack = await startStack({ env: trusting });
    admin = await proven(stack, 'admin@example.com');
  });
  after(() => stack.stop());

  // What a call needs to succeed: who calls, and what the path, the query and the body say. The rest is the example's.
  const cases = {
    'POST /api/auth/register': () => ({ json: { email: uniqueEmail() } }),
    'POST /api/auth/login': async () => ({ json: { email: (await stack.register()).email, password } }),
    'POST /api/auth/logout': async () => ({ as: await stack.register() }),
    'POST /api/auth/reset-password': () => ({}),
    'POST /api/auth/reset-password/confirm': async () =>
      ({ json: { token: await resetToken(stack, (await stack.register()).email) } }),
    'POST /api/auth/confirm-email': async () => ({ json: { token: await confirmToken(stack, (await stack.register()).email) } }),
    'GET /confirm-email': () => ({ query: '?token=x' }),
    'GET /reset-password': () => ({ query: '?token=x' }),
    'GET /api/auth/me': async () => ({ as: await stack.register() }),
    'DELETE /api/auth/me': async () => ({ as: await stack.register(), json: { password } }),
    'PUT /api/auth/password': async () => ({ as: await stack.register() }),
    'POST /auth/register': () => ({ json: { email: uniqueEmail() } }),
    'POST /auth/send-otp': () => ({}),
    'POST /auth/verify-otp': async () => {
      const { email } = await stack.register();
      return { json: { email, otp: await code(stack, email) } };
    },
    'GET /auth/oidc/providers': () => ({}),
    'GET /auth/me': async () => ({ as: await stack.register() }),
    'GET /auth/sessions': async () => ({ as: await stack.register() }),
    'DELETE /auth/sessions/{id}': async () => {
      const as = await stack.register();
      return { as, id: (await stack.ok('GET', '/auth/sessions', { token: as.token }))[0].id };
    },
    'GET /auth/api-keys': async () => ({ as: await stack.register() }),
    'POST /auth/api-keys': async () => ({ as: await stack.register() }),
    'DELETE /auth/api-keys/{key_id}': async () => {
      const as = await stack.register();
      return { as, id: (await stack.ok('POST', '/auth/api-keys', { token: as.token, json: { name: 'k' } })).id };
    },
    'GET /api/settings': async () => ({ as: await stack.register() }),
    'PUT /api/settings': async () => ({ as: await stack.register() }),
    'POST /api/settings/regenerate-api-key': async () => ({ as: await stack.register() }),
    'GET /admin/users': () => ({ as: admin }),
    'POST /admin/users/{uid}/disable': async () => ({ as: admin, id: (await stack.register()).uid }),
    'POST /admin/users/{uid}/enable': async () => ({ as: admin, id: (await stack.register()).uid }),
  };

  const call = ({ method, where, route }, { id, query = '', json }, options) => {
    const example = route.requestBody?.content?.['application/json']?.example;
    const body = example || json ? { json: { ...example, ...json } } : {};
    return stack.api(method, where.replace(/\{\w+\}/, id) + query, { ...body, headers: from(client()), ...options });
  };

  test('each route has a case here, and each case a route', () => {
    assert.deepEqual(Object.keys(cases).sort(), routes.map((route) => route.name).sort());
  });

  for (const route of routes) {
    const success = Number(Object.keys(route.route.responses).find((status) => status < 300));
    test(`${route.name}: the example works`, async () => {
      const one = await cases[route.name]();
      const answer = await call(route, one, { token: one.as?.token });
      assert.equal(answer.status, success, answer.text);
      assert.ok(answer.headers['x-request-id']);
    });

    test(`${route.name}: with a slash at the end`, async () => {
      const one = await cases[route.name]();
      const answer = await call({ ...route, where: `${route.where}/` }, one, { token: one.as?.token });
      assert.equal(answer.status, success, answer.text);
    });

    const ways = route.route.security ?? api.security;
    const needsToken = ways.length > 0 && ways.every((way) => Object.keys(way).length > 0);
    if (needsToken) {
      test(`${route.name}: nobody gets in`, async () => {
        const one = await cases[route.name]();
        check(await call(route, one, {}), 401);
        check(await call(route, one, { token: 'x' }), 401);
      });
      test(`${route.name}: a key of another scope does not do`, async () => {
        const one = await cases[route.name]();
        const { key } = await stack.ok('POST', '/auth/api-keys',
          { token: one.as.token, json: { name: 'narrow', scopes: ['chat', 'documents'] } });
        check(await call(route, one, { token: key }), 403);
      });
    }
    if (/\{/.test(route.where)) {
      test(`${route.name}: not for another user, nor with another's key`, async () => {
        const one = await cases[route.name](), eve = await stack.register();
        const { key } = await stack.ok('POST', '/auth/api-keys', { token: eve.token, json: { name: 'k' } });
        const wanted = route.route.tags[0] === 'Administration' ? 403 : 404;
        check(await call(route, one, { token: eve.token }), wanted);
        check(await call(route, one, { token: key }), wanted);
        check(await call(route, { ...one, id: 'nonsense' }, { token: one.as.token }), 404, 'an id that is none');
        const answer = await call(route, one, { token: one.as.token });
        assert.equal(answer.status, success, `it is still there: ${answer.text}`);
      });
    }
  }
});
