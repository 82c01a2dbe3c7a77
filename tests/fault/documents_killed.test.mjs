// svc-documents killed with kill -9 at any moment, with two replicas, while files come in, a site is read and some of both are
// deleted: what stays ends ready exactly once, what was deleted is gone, nothing of it is left, and no helper outlives its service.
// DOCUMENTS_KILLED: how many files (16; 200 for the long form).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { root, sleep, startStack, until } from '../e2e/harness.mjs';

const FILES = Number(process.env.DOCUMENTS_KILLED || 16);
const PAGES = 12;
const pdf = fs.readFileSync(path.join(root, 'tests/data/six-articles.pdf'));

let stack, site, token;
before(async () => {
  site = http.createServer((request, response) => {
    const links = Array.from({ length: PAGES }, (_, i) => `<a href="/p${i}">page ${i}</a>`).join(' ');
    const found = request.url === '/' || /^\/p\d+$/.test(request.url);
    response.writeHead(found ? 200 : 404, { 'Content-Type': 'text/html' });
    response.end(`<title>Page ${request.url}</title><main><h1>Page ${request.url}</h1><p>This is what ${request.url} says of the harbour.</p>${links}</main>`);
  });
  await new Promise((resolve) => site.listen(0, '127.0.0.1', resolve));
  stack = await startStack({ replicas: { documents: 2 }, env: { EGRESS_ALLOW: '127.0.0.1/32', DOCUMENTS_CRAWL_DELAY: '50' } });
  token = (await stack.register()).token;
});
after(async () => {
  site?.close();
  await stack?.stop();
});

const helpers = () => {
  try {
    return execFileSync('pgrep', ['-f', `^${path.join(root, 'build')}/[a-z]+/parley-extract `], { encoding: 'utf8' }).trim().split('\n');
  } catch {
    return [];
  }
};

// A reply that was lost with its replica may hide a document that is there: those are counted among what is listed.
async function add(kind, i) {
  if (kind === 'site')
    return stack.api('POST', '/api/documents/url', { token, json: { url: `http://127.0.0.1:${site.address().port}/`, crawl: { depth: 2, maxPages: PAGES } } });
  const content = kind === 'pdf' ? Buffer.concat([pdf, Buffer.from(`% ${i}\n`)]) : `Text ${i} tells of the lamp.\n`.repeat(200 + i);
  return stack.api('POST', '/api/documents/upload', { token, form: { file: { filename: `${i}.${kind}`, content } } });
}

test(`${FILES} files and a site while replicas are killed`, async (t) => {
  const deleted = new Set(), statuses = {};
  let fed = false, kills = 0;
  const killer = (async () => {
    while (!fed || kills < 4) {
      await sleep(Math.random() * 800);
      const victim = stack.process('documents', 1 + Math.floor(Math.random() * 2));
      await victim.kill('SIGKILL');
      kills++;
      await sleep(Math.random() * 300);
      await victim.start();
    }
  })();
  const work = Array.from({ length: FILES }, (_, i) => (i === 3 ? 'site' : i % 4 === 0 ? 'pdf' : 'txt'));
  const feed = async () => {
    while (work.length) {
      const i = FILES - work.length;
      const answer = await add(work.shift(), i).catch((error) => ({ status: error.message, body: {} }));
      statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
      if (answer.status === 201 && i % 5 === 4) {
        const gone = await stack.api('DELETE', `/api/documents/${answer.body.id}`, { token });
        if (gone.status === 204 || gone.status === 404) deleted.add(answer.body.id);
      }
    }
  };
  await Promise.all([feed(), feed(), feed()]);
  fed = true;
  await killer;
  const list = () => stack.ok('GET', '/api/documents', { token });
  await until('all are done', async () => (await list()).every((d) => d.status === 'ready' || d.status === 'failed'), 240);
  const documents = await list();
  t.diagnostic(`${kills} kills; answers ${JSON.stringify(statuses)}; ${documents.length} documents, ${deleted.size} deleted`);
  assert.ok(kills >= 4 && (statuses[201] ?? 0) > 0);
  assert.deepEqual(documents.filter((d) => d.status !== 'ready').map((d) => `${d.name}: ${d.error}`), []);
  assert.deepEqual(documents.filter((d) => deleted.has(d.id)), [], 'what was deleted is gone');
  for (const table of ['chunk', 'content', 'piece_of_text', 'posting', 'vocabulary', 'embedding', 'spare_vector'])
    assert.deepEqual(await stack.sql(`SELECT DISTINCT document_id FROM documents.${table} WHERE document_id NOT IN (SELECT id FROM documents.document)`), [], table);
  const [[doubled]] = await stack.sql('SELECT count(*) - count(DISTINCT (document_id, number)) FROM documents.chunk');
  assert.equal(doubled, '0');
  const wrong = await stack.sql(`SELECT d.name FROM documents.document d WHERE d.chunks <> (SELECT count(*) FROM documents.chunk c WHERE c.document_id = d.id)`);
  assert.deepEqual(wrong, []);
  const pdfs = await stack.sql(`SELECT DISTINCT chunks FROM documents.document WHERE type = 'pdf'`);
  assert.equal(pdfs.length, 1, `the same file gave ${pdfs} passages`);
  assert.deepEqual(await stack.sql(`SELECT kind, key FROM documents.job WHERE kind IN ('ingest', 'words')`), [], 'no job is left');
  await until('no helper is left', () => helpers().every((pid) => !pid));
});
