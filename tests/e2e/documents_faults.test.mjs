// Documents when something is away: a killed replica, a model that changes or does not answer, svc-chatbots gone.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { test } from 'node:test';
import { root, slow, startStack, until } from './harness.mjs';

const pdf = fs.readFileSync(path.join(root, 'tests/data/six-articles.pdf'));
const query = 'What did OAPEC proclaim in October 1973?';
const find = (stack, user, json) => stack.ok('POST', '/api/documents/search', { token: user.token, json: { query, ...json }, status: 200 });
const ready = (stack, user, id) =>
  until(`${id} is ready`, async () => {
    const doc = await stack.ok('GET', `/api/documents/${id}`, { token: user.token });
    assert.notEqual(doc.status, 'failed', doc.error);
    return doc.status === 'ready' && doc;
  }, 150);

test('a replica killed in the middle of its work loses nothing, and any replica tells of it', async () => {
  const stack = await startStack({ replicas: { documents: 2 } });
  try {
    const user = await stack.register();
    const ids = [];
    for (let i = 0; i < 6; i++) {
      const form = { name: `doc ${i}`, file: { filename: 's.pdf', content: pdf } };
      ids.push((await stack.ok('POST', '/api/documents/upload', { token: user.token, form, status: 201 })).id);
    }
    await stack.process('documents', 1).kill('SIGKILL');
    for (const id of ids) await ready(stack, user, id);
    const [[doubled]] = await stack.sql('SELECT count(*) - count(DISTINCT (document_id, number)) FROM documents.chunk');
    assert.equal(doubled, '0');
    const counts = await stack.sql('SELECT DISTINCT count(*) FROM documents.chunk GROUP BY document_id');
    assert.equal(counts.length, 1, `the same file gave ${counts} chunks`);
    const events = await (await stack.stream('GET', `/api/documents/${ids[0]}/events`, { token: user.token })).all();
    assert.equal(events.at(-1).data.status, 'ready');
    assert.ok((await find(stack, user, { documentIds: [ids[5]] })).results.length > 0);
  } finally {
    await stack.stop();
  }
});

test('vectors of another model are made anew; a model that does not answer leaves the words', async () => {
  const stack = await startStack();
  try {
    const user = await stack.register();
    const doc = await stack.upload(user.token, 's.pdf', pdf);
    assert.equal(doc.status, 'ready', doc.error);
    const rig = await stack.rig('fakellm.mjs');
    const service = stack.process('documents');
    await service.kill();
    Object.assign(service.env, { EMBEDDING_PROVIDER: 'openai', EMBEDDING_BASE_URL: `${rig.url}/v1`, EMBEDDING_API_KEY: 'sk-test',
      EMBEDDING_MODEL: 'rig', EGRESS_ALLOW: '127.0.0.1/32' });
    await service.start();
    const model = async () => (await stack.sql(`SELECT model FROM documents.document WHERE id = '${doc.id}'`))[0][0];
    await until('embedded anew', async () => /^openai:rig:\d+@http/.test(await model()));
    const [[dimensions, vectors]] = await stack.sql(
      `SELECT count(DISTINCT vector_dims(vector)), count(*) FROM documents.embedding WHERE document_id = '${doc.id}'`);
    assert.equal(dimensions, '1');
    assert.equal(Number(vectors), doc.chunks);
    assert.ok((await find(stack, user)).results.some((source) => /embargo/.test(source.text)));
    const began = Date.now();
    const hung = await find(stack, user, { query: `${query} slowly 60000`, debug: true });
    assert.ok(Date.now() - began < 5000 * slow, `a model that says nothing held a search for ${Date.now() - began} ms`);
    assert.ok(hung.results.some((source) => /embargo/.test(source.text)));
    assert.equal(hung.results[0].match.vector, null, 'words alone');
    assert.ok((await find(stack, user, { debug: true })).results[0].match.vector > 0, 'both sides are shown');
    const late = await stack.upload(user.token, 'late.txt', 'The lamp is slowly 1 green.');
    assert.equal(late.status, 'ready', 'words are found at once');
    await until('its vector follows', async () => (await stack.sql(`SELECT count(*) FROM documents.embedding WHERE document_id = '${late.id}'`))[0][0] === '1');
    await rig.stop();
    assert.ok((await find(stack, user)).results.some((source) => /embargo/.test(source.text)));
  } finally {
    await stack.stop();
  }
});

// An embedding server whose every answer the test decides: (texts) => dimension, or a status to fail with, or nothing, ever.
async function startEmbedder() {
  const embedder = { asked: 0, hung: [], answer: () => ({ dimension: 8 }) };
  const vector = (text, dimension) => Array.from({ length: dimension }, (_, i) => 1 + (text.length * (i + 3)) % 7);
  embedder.server = http.createServer(async (request, response) => {
    let body = '';
    for await (const piece of request) body += piece;
    const { input, model } = JSON.parse(body);
    const { status = 200, dimension, never } = embedder.answer(input, model);
    embedder.asked++;
    if (never) return embedder.hung.push(response);
    const json = dimension && { data: input.map((text, index) => ({ index, embedding: vector(text, dimension) })) };
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(json ?? {}));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => embedder.server.once('listening', resolve));
  embedder.url = `http://127.0.0.1:${embedder.server.address().port}/v1`;
  return embedder;
}

test('an embedding server that hangs, fails half way or changes its dimension or model: searches answer, and all is embedded in the end', async () => {
  const embedder = await startEmbedder();
  const stack = await startStack({ env: { EMBEDDING_PROVIDER: 'openai', EMBEDDING_BASE_URL: embedder.url, EMBEDDING_API_KEY: 'k', EMBEDDING_MODEL: 'old', EGRESS_ALLOW: '127.0.0.1/32' } });
  try {
    const user = await stack.register();
    const text = (word) => Array.from({ length: 90 }, (_, i) => `Paragraph ${i}. ${`The ${word} number ${i} stands beside the harbour. `.repeat(14)}`).join('\n\n');
    const question = (texts) => texts.length === 1;
    const check = async (word) => {
      const began = Date.now();
      const { results } = await find(stack, user, { query: `Which ${word} stands at the harbour?` });
      assert.ok(Date.now() - began < 2000 * slow, `a search took ${Date.now() - began} ms`);
      assert.ok(results.length && results.every((r) => r.text.includes(word)), `${word}: ${results.map((r) => r.text.slice(0, 40))}`);
    };
    const now = (...kinds) => stack.sql(`UPDATE documents.job SET run_at = now() WHERE failed IS NULL AND lease_until IS NULL AND run_at > now()
      AND kind = ANY('{${kinds}}'); SELECT pg_notify('parley_job', 'embed')`);
    const embedded = (doc, model) => until(`${doc.name} is embedded by ${model}`, async () => {
      await now('embed', 'reembed');
      const [[made, vectors, dimensions]] = await stack.sql(`SELECT d.model, count(e.number), count(DISTINCT vector_dims(e.vector)) FROM documents.document d
        LEFT JOIN documents.embedding e ON e.owner_id = d.owner_id AND e.document_id = d.id WHERE d.id = '${doc.id}' GROUP BY d.model`);
      return made?.startsWith(`openai:${model}@`) && Number(vectors) === doc.chunks && dimensions === '1';
    });
    const upload = async (word) => {
      const doc = await stack.upload(user.token, `${word}.txt`, text(word));
      assert.equal(doc.status, 'ready', doc.error);
      assert.ok(doc.chunks > 64, 'more than goes into one request');
      return doc;
    };

    embedder.answer = () => ({ never: true }); // hangs
    const crane = await upload('crane');
    await until('it was asked for vectors', () => embedder.hung.length > 0);
    await check('crane');
    embedder.answer = () => ({ dimension: 8 });
    embedder.hung.forEach((response) => response.destroy());
    await embedded(crane, 'old:8');
    await check('crane');

    let failed = 0; // fails at the second request of a document
    embedder.answer = (texts) => (!question(texts) && texts.length < 64 && failed++ < 2 ? { status: 500 } : { dimension: 8 });
    const tower = await upload('tower');
    await until('it has failed', () => failed > 0);
    await check('tower');
    await embedded(tower, 'old:8');

    let asked = 0; // another dimension from the second request on
    embedder.answer = (texts) => ({ dimension: question(texts) || asked++ ? 4 : 8 });
    const bridge = await upload('bridge');
    await until('both dimensions came', () => asked > 1);
    for (const word of ['bridge', 'crane', 'tower']) await check(word);
    await now('again');
    for (const doc of [bridge, crane, tower]) await embedded(doc, 'old:4');

    embedder.answer = (texts, model) => (model === 'new' || question(texts) ? { dimension: 4 } : { never: true }); // another model, in the middle
    const lighthouse = await upload('lighthouse');
    const service = stack.process('documents');
    await service.kill();
    stack.env.EMBEDDING_MODEL = 'new';
    await service.start();
    for (const word of ['lighthouse', 'crane']) await check(word);
    await now('again');
    for (const doc of [lighthouse, bridge, crane, tower]) await embedded(doc, 'new:4');
    await check('lighthouse');
    assert.deepEqual(await stack.sql('SELECT kind, failed FROM documents.job WHERE failed IS NOT NULL'), [], 'no job was given up');
  } finally {
    embedder.server.close();
    embedder.server.closeAllConnections();
    await stack.stop();
  }
});

test('documents that an older version indexed are indexed anew, and found meanwhile', async () => {
  const stack = await startStack();
  try {
    const user = await stack.register();
    const doc = await stack.upload(user.token, 'a.txt', 'Bitte melden Sie den Auszug nicht zu sp\u00e4t, und zwar bei der Leitstelle in den H\u00e4usern.');
    const search = async (query) => (await stack.ok('POST', '/api/documents/search', { token: user.token, json: { query }, status: 200 })).results;
    assert.equal((await search('Haus')).length, 1, 'German is stemmed as German');
    const service = stack.process('documents');
    await service.kill();
    await stack.sql(`UPDATE documents.document SET terms_version = 0, language = 'en'`);
    await stack.sql(`UPDATE documents.vocabulary SET words = ''`); // beside them it may hold the lists of a small document
    await service.start();
    assert.equal((await search('Leitstelle')).length, 1);
    await until('indexed anew', async () =>
      (await stack.sql(`SELECT terms_version > 0, language FROM documents.document WHERE id = '${doc.id}'`)).join() === 't,de', 60);
    assert.equal((await search('Haus')).length, 1);
    assert.equal((await search('Leistelle')).length, 1, 'a letter missing');
  } finally {
    await stack.stop();
  }
});

test('without svc-chatbots documents are listed, and say what is not known', async () => {
  const stack = await startStack();
  try {
    const user = await stack.register();
    const doc = await stack.upload(user.token, 'a.txt', 'The lamp is green.');
    await stack.process('chatbots').kill('SIGKILL');
    const list = await stack.ok('GET', '/api/documents', { token: user.token });
    assert.deepEqual(list.map((d) => d.id), [doc.id]);
    assert.match(list[0].message, /cannot be told/);
    assert.deepEqual(list[0].chatbots, []);
    await stack.process('chatbots').start();
    const bot = await stack.ok('POST', '/api/chatbots', { token: user.token, json: { name: 'Lamp', documents: [doc.id] } });

    // What is not wrong is right at once: the first read of a life, too.
    await stack.process('documents').kill();
    await stack.process('documents').start();
    await until('the gateway has found it', async () => (await stack.api('GET', '/ready')).status === 200);
    const first = await stack.ok('GET', `/api/documents/${doc.id}`, { token: user.token });
    assert.deepEqual([first.chatbots, first.message ?? null], [[bot.id], null]);
    await stack.process('chatbots').kill('SIGKILL');
    await stack.process('chatbots').start();
    await until('known again', async () => !(await stack.ok('GET', `/api/documents/${doc.id}`, { token: user.token })).message);
  } finally {
    await stack.stop();
  }
});

test('a reranker puts passages in order; one that fails, lies or hangs changes nothing', async () => {
  let answer = () => ({});
  const asked = [];
  const server = http.createServer(async (request, response) => {
    let body = '';
    for await (const piece of request) body += piece;
    asked.push(JSON.parse(body));
    const { status = 200, json, wait } = answer(asked.at(-1));
    if (!wait) response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(json ?? {}));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const stack = await startStack({ env: { EGRESS_ALLOW: '127.0.0.1/32', RERANK_URL: `http://127.0.0.1:${server.address().port}/rerank`, RERANK_API_KEY: 'k', RERANK_MODEL: 'm' } });
  try {
    const user = await stack.register();
    const kinds = ['oak', 'elm', 'ash', 'fir'];
    for (const kind of kinds) await stack.upload(user.token, `${kind}.txt`, `The lighthouse keeper planted an ${kind} beside the lighthouse.`);
    const ask = async () => (await find(stack, user, { query: 'What did the lighthouse keeper plant?', limit: 2 })).results;
    answer = () => ({ status: 500 });
    const plain = (await ask()).map((s) => [s.documentName, s.score]);
    assert.equal(plain.length, 2);
    answer = ({ documents }) => ({ json: { results: documents.map((text, index) => ({ index, relevance_score: /elm/.test(text) ? 0.9 : 0.1 })) } });
    const [top] = await ask();
    assert.deepEqual([top.documentName, top.score], ['elm.txt', 0.9]);
    assert.deepEqual([asked.at(-1).model, asked.at(-1).query, asked.at(-1).documents.length], ['m', 'What did the lighthouse keeper plant?', 4]);
    for (const bad of [{ json: { results: [] } }, { json: { results: kinds.map(() => ({ index: 0, relevance_score: 1 })) } },
      { json: { results: kinds.map((_, index) => ({ index: index + 1, relevance_score: 1 })) } }, { json: 'no' }]) {
      answer = () => bad;
      assert.deepEqual((await ask()).map((s) => [s.documentName, s.score]), plain, JSON.stringify(bad));
    }
    answer = () => ({ wait: true });
    const began = Date.now();
    assert.deepEqual((await ask()).map((s) => [s.documentName, s.score]), plain);
    assert.ok(Date.now() - began < 5000 * slow, `a reranker that says nothing held a search for ${Date.now() - began} ms`);
  } finally {
    server.close();
    server.closeAllConnections();
    await stack.stop();
  }
});
