// Retrieval and the built-in answers through the API, scored by tests/eval.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { root, startStack } from './harness.mjs';

let stack;
before(async () => { stack = await startStack(); });
after(() => stack?.stop());

// { 1: 0.7, 5: 0.9 } of a line "NAME: questions N hit@1 0.747 ... hit@5 0.898 ..."
function hits(out, name) {
  const line = out.split('\n').find((l) => l.startsWith(name));
  assert.ok(line, out);
  return Object.fromEntries([...line.matchAll(/hit@(\d) ([\d.]+)/g)].map(([, k, value]) => [k, Number(value)]));
}

test('hit@5 and hit@1 are at least those of BM25 in the same run', async (t) => {
  const { stdout } = await promisify(execFile)('python3',
    [path.join(root, 'tests/eval/retrieval.py'), path.join(root, 'tests/eval/qa.json'), '--base', stack.url()], { maxBuffer: 1 << 24 });
  t.diagnostic(stdout);
  const bm25 = hits(stdout, 'BM25');
  const ours = hits(stdout, 'this system');
  assert.ok(ours[5] >= bm25[5] && ours[1] >= bm25[1], stdout);
});

const evaluate = async (t, ...args) => {
  const { stdout } = await promisify(execFile)('python3', args.map((a) => (/\.(py|json)$/.test(a) ? path.join(root, 'tests/eval', a) : a)), { maxBuffer: 1 << 24 });
  t.diagnostic(stdout);
  return stdout;
};

test('documents of every kind are answered without a model', async (t) => {
  const { kinds, all } = JSON.parse(await evaluate(t, 'kinds.py', stack.url(), 'kinds.json', '--json'));
  const share = (...names) => names.reduce((sum, k) => sum + kinds[k].right * kinds[k].n, 0) / names.reduce((sum, k) => sum + kinds[k].n, 0);
  assert.ok(all.right >= 0.78, `${all.right} of all turns are right`);
  assert.ok(share('faq', 'manual', 'identifier', 'table') >= 0.92);
  assert.ok(kinds.followup.right >= 0.8);
  assert.ok(kinds.near.false <= 0.45, `${kinds.near.false} of what is not there is answered`);
  assert.ok(kinds.foreign.false <= 0.125);
  assert.ok(all.chars < 350);
});

// All questions, one after another as people ask them, give 0.868; this is every third.
test('what is quoted holds the answer, and questions about something else are refused', async (t) => {
  const out = await evaluate(t, 'answers.py', stack.url(), 'qa.json', '--limit', '433', '--foreign', '200');
  const number = (pattern) => Number(out.match(pattern)[1]);
  assert.ok(number(/text-or-sources ([\d.]+)/) >= 0.81, out);
  assert.ok((number(/answered falsely ([\d.]+)/) + number(/name in them ([\d.]+)/)) / 2 <= 0.1, out);
});
