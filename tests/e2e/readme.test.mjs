// The README tells the truth: its first conversation runs as printed, and its table of settings is what programs say.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
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

test('the first conversation runs line by line, and ends on a page where visitors may ask', async () => {
  run('tests/readme.sh', [], { PARLEY_PORT: String(stack.port), PAGE_PORT: '18081' });
  const [, bot] = /data-chatbot="([^"]+)"/.exec(fs.readFileSync('/tmp/library/index.html', 'utf8'));
  const ask = (origin) => stack.api('POST', `/api/chat/widget/${bot}/session`, { json: {}, headers: { Origin: origin } });
  assert.equal((await ask('http://localhost:18081')).status, 201);
  assert.equal((await ask('http://localhost:18082')).status, 403, 'any page may');
});
test('the table of settings is what the programs say', () => run('common/scripts/settings.sh', ['--check']));
