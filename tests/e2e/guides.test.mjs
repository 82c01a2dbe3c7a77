// The guides tell the truth: each block of commands runs as it stands, or says why it cannot; pages and links are there.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { root, startStack, variant } from './harness.mjs';

const folder = path.join(root, 'gateway/static/docs/guides');
const guides = fs.readdirSync(folder).filter((name) => name.endsWith('.md'));
let stack;
before(async () => { stack = await startStack(); });
after(() => stack?.stop());

// [what stands before the block, the block]
const blocks = (name) => [...fs.readFileSync(path.join(folder, name), 'utf8').matchAll(/(?:<!-- (.*?) -->\n)?```sh\n([^]*?)```/g)].map(([, note, text]) => [note, text]);

for (const name of guides) {
  test(`${name}: every block of commands runs, or says why not`, () => {
    const all = blocks(name);
    for (const [note, text] of all) assert.match(note ?? '', /^(run|not run.*: \S.*)$/, text);
    const lines = all.filter(([note]) => note === 'run').map(([, text]) => text).join('\n');
    if (!lines) return;
    const done = spawnSync('bash', ['-eu', '-o', 'pipefail', '-c', lines.replaceAll('localhost:8000', `localhost:${stack.port}`)],
      { cwd: root, env: { ...process.env, VARIANT: variant, PARLEY_STATE: stack.state, PARLEY_PORT: String(stack.port) }, encoding: 'utf8' });
    assert.equal(done.status, 0, done.stdout + done.stderr);
    assert.doesNotMatch(done.stdout, /^null$/m, 'a field that a guide names is not in the answer');
    if (name === 'website.md') assert.match(done.stdout, /^<script .*widget\.js.*><\/script>$/m);
    if (name === 'frontend.md') assert.match(done.stdout, /"status": "ready"/);
  });

  test(`${name} is a page, and its links lead somewhere`, async () => {
    const where = name === 'index.md' ? '/docs/guides' : `/docs/guides/${name.slice(0, -3)}`;
    const page = await stack.api('GET', where);
    assert.equal(page.status, 200);
    assert.match(page.headers['content-type'], /text\/html/);
    assert.match(page.headers['content-security-policy'], /default-src|script-src/);
    for (const [, href] of page.text.matchAll(/href="(\/[^"#]*)(?:#[^"]*)?"/g)) assert.equal((await stack.api('GET', href)).status, 200, href);
    for (const [, to, id] of page.text.matchAll(/href="(\/docs\/guides\/[a-z-]+)#([^"]+)"/g)) assert.match((await stack.api('GET', to)).text, new RegExp(`id="${id}"`), `${to}#${id}`);
    assert.doesNotMatch(page.text, /href="[^"]*\.md/);
  });
}

test('a guide that is not there is 404', async () => assert.equal((await stack.api('GET', '/docs/guides/nothing')).status, 404));
