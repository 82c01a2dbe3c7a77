// What the pages for developers say is so: quoted code stands in the file that the quotation names, and every file and
// function that they speak of is there. So is every function that a comment of the code calls by name.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { root } from './harness.mjs';

const read = (file) => fs.readFileSync(path.join(root, file), 'utf8');
const plain = (text) => text.replace(/\s+/g, ' ').trim();
const pages = ['ARCHITECTURE.md', 'CONTRIBUTING.md'];
const tree = execFileSync('git', ['-C', root, 'ls-files'], { encoding: 'utf8' }).split('\n');

for (const page of pages) {
  test(`${page}: quoted code stands in the file it names`, () => {
    for (const [, block] of read(page).matchAll(/^```(?:c|proto|make)\n([\s\S]*?)^```/gm)) {
      const named = /^(?:\/\* |\/\/ |# )(\S+\.(?:c|h|proto)|Makefile)(?: \*\/)?\n/.exec(block);
      if (!named) continue;
      const source = plain(read(named[1]));
      for (const piece of block.slice(named[0].length).split('\n\n')) assert.ok(source.includes(plain(piece)), `${page}: not in ${named[1]}:\n${piece}`);
    }
  });

  test(`${page}: files and functions that it names are there`, () => {
    const code = tree.filter((file) => /\.(c|h|sh|mjs|proto|mk)$/.test(file)).map(read).join('\n');
    const missing = [];
    for (const [, word] of read(page).matchAll(/`([^`\n]+)`/g)) {
      const file = /^((?:common|gateway|proto|svc-[a-z]+|tests)\/[\w./-]+)$/.exec(word)?.[1];
      if (file && !tree.some((known) => known === file || known.startsWith(file.endsWith('/') ? file : `${file}/`))) missing.push(word);
      const called = /^([a-z][a-z0-9_]+)\(\)$/.exec(word)?.[1];
      if (called && !code.includes(`${called}(`)) missing.push(word);
    }
    assert.deepEqual(missing, []);
  });
}

// Ours are known by their first word, which is that of a header.
test('functions of ours that comments name are there', () => {
  const parts = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\/\*[^]*?\*\/|\/\/.*/g; // (a string may look like the beginning of a comment)
  const ours = new Set(tree.flatMap((file) => /([a-z0-9]+)\w*\.h$/.exec(file)?.[1] ?? []));
  const sources = tree.filter((file) => /\.[ch]$/.test(file)).map((file) => [file, read(file)]);
  const code = new Set(sources.flatMap(([, text]) => text.replace(parts, (part) => (part.startsWith('/') ? ' ' : part)).match(/[a-z_]\w+/g)));
  const missing = sources.flatMap(([file, text]) => (text.match(parts) ?? []).filter((part) => part.startsWith('/*')).flatMap((comment) =>
    [...comment.matchAll(/\b([a-z0-9]+)(_\w+)\(\)/g)].filter(([, first, rest]) => ours.has(first) && !code.has(first + rest)).map(([word]) => `${file}: ${word}`)));
  assert.deepEqual(missing, []);
});
