// The README tells the truth: its first conversation runs as printed, and its table of settings is what programs say.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { root, startStack, variant } from './harness.mjs';

let stack;
before(async () => { stack = await startStack(); });
after(() => stack?.stop());

function run(script, args = [], env = {}) {
  const done = spawnSync('bash', [path.join(root, script), ...args], { env: { ...process.env, VARIANT: variant, ...env }, encoding: 'utf8' });
  assert.equal(done.status, 0, done.stdout + done.stderr);
}

test('the first conversation runs line by line', () => run('tests/readme.sh', [], { PARLEY_PORT: String(stack.port) }));
test('the table of settings is what the programs say', () => run('common/scripts/settings.sh', ['--check']));
