// alone: it measures time
// Clients that take their time do not keep others out: 2,000 keep-alive ones, 200 with a header a byte at a time, 50
// with such a body. SLOW_CLIENTS_SECONDS=60 for the full length.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { root, startStack, until, variant } from './harness.mjs';

const seconds = Number(process.env.SLOW_CLIENTS_SECONDS || 15);
const program = path.join(root, 'build', variant, 'tests/fault', 'slow_clients');
// A machine that stands still for a second, as shared ones do, makes all late that ask just then.
const load = variant === 'release' ? (process.env.SLOW_CLIENTS_SECONDS ? [] : ['-l', '85']) : ['-k', '400', '-s', '100', '-b', '25', '-n', '10', '-l', '85']; // sanitizers are slow

const run = (...args) =>
  new Promise((resolve) => execFile(program, args.map(String), (error, stdout, stderr) => resolve({ code: error ? error.code : 0, out: stdout + stderr })));

describe('slow clients', () => {
  let stack, ports;

  before(async () => {
    stack = await startStack();
    ports = [new URL(stack.url()).port, new URL(stack.process('gateway').admin).port];
  });
  after(() => stack.stop());

  test(`new clients are answered within a second, for ${seconds} s`, async (t) => {
    const { code, out } = await run('-t', seconds, ...load, ...ports);
    for (const line of out.trim().split('\n')) t.diagnostic(line);
    assert.equal(code, 0, out);
  });
  test('and they leave nothing behind', async () => {
    await until('their connections are gone', async () => /^parley_http_connections 0$/m.test(await stack.process('gateway').metrics()));
    assert.equal((await stack.api('GET', '/ready')).status, 200);
  });
});
