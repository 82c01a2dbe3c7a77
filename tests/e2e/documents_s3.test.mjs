// Originals in S3: moved there, read from there, swept from there; an outage delays all that and loses nothing.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { root, startStack, until } from './harness.mjs';

const S3rver = createRequire(path.join(root, 'tests/node_modules/'))('s3rver');

describe('originals in S3', () => {
  let stack, ada, server, port, gate; // gate: async (method, pass), where requests wait
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-s3-'));
  const ok = (method, where, options = {}) => stack.ok(method, `/api/documents${where}`, { token: ada.token, ...options });
  const serve = async () => {
    server = new S3rver({ address: '127.0.0.1', port: port ?? 0, silent: true, directory, configureBuckets: [{ name: 'parley', configs: [] }] });
    server.middleware.unshift((ctx, pass) => (gate ? gate(ctx.method, pass) : pass()));
    ({ port } = await server.run());
  };
  const objects = () => fs.readdirSync(path.join(directory, 'parley'), { recursive: true }).filter((name) => /_object$/.test(name)).length;
  const pieces = async () => Number((await stack.sql('SELECT count(*) FROM documents.piece'))[0][0]);
  const hurry = () => stack.sql(`UPDATE documents.job SET run_at = now() WHERE kind IN ('move', 'sweep'); NOTIFY parley_job, 'move'; NOTIFY parley_job, 'sweep'`);
  const content = async (id) => Buffer.from(await (await fetch(`${stack.url()}/api/documents/${id}/content`, { headers: { Authorization: `Bearer ${ada.token}` } })).arrayBuffer());

  before(async () => {
    await serve();
    stack = await startStack({ env: { EGRESS_ALLOW: '127.0.0.1/32', DOCUMENTS_S3_URL: `http://127.0.0.1:${port}/parley`, DOCUMENTS_S3_KEY: 'S3RVER', DOCUMENTS_S3_SECRET: 'S3RVER' } });
    ada = await stack.register();
  });
  after(async () => {
    await server.close().catch(() => 0);
    await stack.stop();
    fs.rmSync(directory, { recursive: true, force: true });
  });

  test('a file of several parts is moved, read whole and in part, processed again, shared, and swept', async () => {
    const bytes = Buffer.from(Array.from({ length: 150_000 }, (_, i) => `Line ${i} of the long ledger, which nobody reads to its end.\n`).join(''));
    const doc = await stack.upload(ada.token, 'ledger.txt', bytes, { wait: 60 });
    assert.equal(doc.status, 'ready', doc.error);
    await until('it lies in S3', async () => (await pieces()) === 0);
    assert.equal(objects(), Math.ceil(bytes.length / (8 << 20)));
    assert.ok((await content(doc.id)).equals(bytes));
    await ok('POST', `/${doc.id}/reindex`);
    await until('ready again', async () => (await ok('GET', `/${doc.id}`)).status === 'ready');
    assert.equal((await ok('GET', `/${doc.id}/text?start=0&end=12`)).text, 'Line 0 of th');
    const twin = await stack.upload(ada.token, 'copy.txt', bytes, { wait: 60 });
    await ok('DELETE', `/${doc.id}`);
    await hurry();
    assert.ok((await content(twin.id)).equals(bytes), 'one of the two still needs it');
    await ok('DELETE', `/${twin.id}`);
    await until('the bucket is empty', async () => (await hurry(), objects()) === 0);
    assert.deepEqual(await stack.sql('SELECT count(*) FROM documents.s3_file'), [['0']]);
  });

  test('while S3 is away uploads are processed and stay here, and follow when it is back', async () => {
    await server.close();
    const doc = await stack.upload(ada.token, 'a.txt', 'The barometer is falling.');
    assert.equal(doc.status, 'ready', doc.error);
    assert.equal(String(await content(doc.id)), 'The barometer is falling.');
    assert.equal(await pieces(), 1);
    await serve();
    await until('it follows', async () => (await hurry(), await pieces()) === 0);
    assert.equal(String(await content(doc.id)), 'The barometer is falling.');
  });

  // Deleted in the middle of its move: nothing of it may stay there, and nothing tell of it.
  const long = (word) => `<p>The ${word} page is short, its comment is not.</p><!--${' '.repeat(9_000_000)}-->`;
  const nothingStays = (why, before) => until(why, async () => {
    await hurry();
    const [[rows]] = await stack.sql(`SELECT (SELECT count(*) FROM documents.s3_file) + (SELECT count(*) FROM documents.job WHERE kind = 'move')`);
    return `${rows} ${objects()}` === before;
  });

  test('a document that is deleted while its first part is on its way leaves no object', async () => {
    const before = `${(await stack.sql('SELECT count(*) FROM documents.s3_file'))[0][0]} ${objects()}`;
    let release, held;
    const released = new Promise((resolve) => { release = resolve; });
    gate = async (method, pass) => {
      if (method === 'PUT' && !held) {
        held = true;
        await released;
      }
      return pass();
    };
    try {
      const doc = await stack.upload(ada.token, 'long.html', long('late'), { wait: 60 });
      await until('its first part is on its way', () => held);
      await ok('DELETE', `/${doc.id}`);
      await until('all was swept meanwhile', async () => (await stack.sql(`SELECT count(*) FROM documents.job WHERE kind = 'sweep' AND run_at <= now()`))[0][0] === '0');
      release();
      await nothingStays('what came too late is swept, too', before);
    } finally {
      release();
      gate = null;
    }
  });

  test('a service that is killed between an object and what tells of it leaves none', async () => {
    const before = `${(await stack.sql('SELECT count(*) FROM documents.s3_file'))[0][0]} ${objects()}`;
    let there;
    gate = async (method, pass) => {
      await pass();
      if (method !== 'PUT') return;
      there = true;
      await new Promise((resolve) => setTimeout(resolve, 60_000).unref()); // the answer never comes
    };
    const doc = await stack.upload(ada.token, 'killed.html', long('killed'), { wait: 60 });
    await until('its first part is there', () => there);
    await stack.process('documents').kill('SIGKILL');
    gate = null;
    await stack.process('documents').start();
    await ok('DELETE', `/${doc.id}`);
    await stack.sql(`UPDATE documents.job SET lease_until = now() WHERE kind = 'move' AND lease_until IS NOT NULL`);
    await nothingStays('its object is swept', before);
  });

  test('what S3 has lost is a clear failure, not a short file', async () => {
    const doc = await stack.upload(ada.token, 'b.txt', 'Here today.');
    await until('it lies in S3', async () => (await pieces()) === 0);
    fs.rmSync(path.join(directory, 'parley', ada.uid), { recursive: true, force: true });
    assert.ok((await stack.api('GET', `/api/documents/${doc.id}/content`, { token: ada.token })).status >= 500);
  });
});
