// Documents as people have them: every file of tests/data/cases (small, made for a fault each) and of tests/data/made (as other
// programs write them), and every page, judged by expect.json and pages.json: {has, lacks, any, once: texts, line: words in one line, type, status, http, name, pages,
// warning, error_has, error_lacks, search: {q, top_has, top_line, page}, needs: a program without which it is left out}.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { root, startStack } from './harness.mjs';

const folder = path.join(root, 'tests/data');
const read = (name) => JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8'));
const { pages, ask } = read('cases/pages.json');
const files = ['cases', 'made'].flatMap((part) => Object.entries(read(`${part}/expect.json`)).map(([name, expected]) => [`${part}/${name}`, name, expected]));

describe('documents as people have them', { concurrency: 3 }, () => {
  let stack, ada, site;
  const api = (method, where, options = {}) => stack.api(method, `/api/documents${where}`, { token: ada.token, ...options });

  before(async () => {
    site = http.createServer(serve).listen(0, '127.0.0.1');
    await new Promise((resolve) => site.once('listening', resolve));
    site.url = `http://127.0.0.1:${site.address().port}`;
    stack = await startStack({ env: { EGRESS_ALLOW: '127.0.0.1/32' } });
    ada = await stack.register();
  });
  after(async () => {
    site.close();
    await stack.stop();
  });

  for (const [file, name, expected] of files)
    test(file, { skip: !installed(expected.needs) && `${expected.needs} is not installed` }, async () => {
      const content = fs.readFileSync(path.join(folder, file));
      const answer = await api('POST', '/upload?wait=60', { form: { file: { filename: name, content } } });
      if (answer.status === 201) answer.body = await stack.processed(ada.token, answer.body);
      await judge(expected, answer);
    });
  for (const [url, expected] of Object.entries(ask))
    test(url, async () => judge(expected, await api('POST', '/url', { json: { url: url.startsWith('/') ? site.url + url : url } })));

  async function judge(expected, { status, body: doc }) {
    const error = doc.error ?? doc.detail ?? '';
    const text = doc.status === 'ready' ? (await api('GET', `/${doc.id}/text`)).body.text : '';
    const has = (wanted) => text.includes(wanted) || text.replace(/\s+/g, ' ').includes(wanted);
    if (['has', 'any', 'once', 'line', 'search'].some((key) => key in expected)) assert.ok(text, `no text: ${status} ${doc.status} ${error}`);
    for (const wanted of expected.has ?? []) assert.ok(has(wanted), `lacks ${wanted}:\n${text}`);
    for (const unwanted of expected.lacks ?? []) assert.ok(!text.includes(unwanted), `has ${unwanted}:\n${text}`);
    for (const once of expected.once ?? []) assert.equal(text.split(once).length, 2, `not once ${once}:\n${text}`);
    if (expected.any) assert.ok(expected.any.some(has), `none of ${expected.any}:\n${text}`);
    if (expected.line) assert.ok(text.split('\n').some((line) => expected.line.every((word) => line.includes(word))), text);
    for (const key of ['type', 'status', 'name', 'pages']) if (key in expected) assert.equal(doc[key], expected[key], error);
    if (expected.http) assert.equal(status, expected.http, error);
    if (expected.warning) assert.equal(doc.metadata.warning, expected.warning);
    for (const wanted of expected.error_has ?? []) assert.ok(error.includes(wanted), error);
    for (const unwanted of expected.error_lacks ?? []) assert.ok(!error.includes(unwanted), error);
    if (expected.search) await judgeSearch(expected.search, doc);
  }

  async function judgeSearch({ q, top_has: wanted = [], top_line: line, page }, doc) {
    const { body } = await api('POST', '/search', { json: { query: q, documentIds: [doc.id], limit: 3 } });
    const [top] = body.results;
    assert.ok(top, 'nothing is found');
    for (const text of wanted) assert.ok(top.text.includes(text), top.text);
    if (line) assert.ok(top.text.split('\n').some((one) => line.every((word) => one.includes(word))), top.text);
    if (page) assert.equal(top.page, page, top.text);
  }
});

function installed(program) {
  return !program || !spawnSync(program, ['--version']).error;
}

function serve(request, response) {
  let page = pages[request.url.split('?')[0]] ?? { status: 404, body: 'nothing here' };
  if (page.cookie && (request.headers.cookie ?? '').includes(page.cookie)) page = page.then;
  const body = page.base64 ? Buffer.from(page.base64, 'base64') : page.body;
  response.writeHead(page.status ?? 200, page.headers ?? {}).end(body);
}
