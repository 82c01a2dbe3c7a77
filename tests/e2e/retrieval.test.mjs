// Retrieval through the API finds at least what plain BM25 finds, on the eight articles of tests/eval.
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
