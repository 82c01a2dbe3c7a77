// The public documentation: a linter that others wrote accepts it, and it is the one that the gateway serves.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { root } from './harness.mjs';

const file = path.join(root, 'build/gen/openapi.json');

test('redocly lint passes', () => {
  const done = spawnSync(path.join(root, 'tests/node_modules/.bin/redocly'), ['lint', '--format=stylish', file],
    { cwd: path.join(root, 'tests'), encoding: 'utf8', env: { ...process.env, REDOCLY_TELEMETRY: 'off' } });
  assert.equal(done.status, 0, done.stdout + done.stderr);
});

test('it is OpenAPI 3.1 and has routes', () => {
  const api = JSON.parse(fs.readFileSync(file, 'utf8'));
  assert.match(api.openapi, /^3\.1/);
  assert.ok(Object.keys(api.paths).length > 30);
});
