// One client, however greedy, never takes all of the gateway: another, at another address, is served as ever. (The embedding
// model hangs, so that documents stay pending for as long as a test wants.)
import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';
import { check, client, from, password, trusting } from './accounts.mjs';
import { multipart, slow, startStack, until } from './harness.mjs';

describe('fair shares', () => {
  let stack, silent, greedy, other, gateway;
  const open = new Set();

  before(async () => {
    silent = net.createServer((socket) => open.add(socket)).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    stack = await startStack({ env: { ...trusting, GATEWAY_STREAMS: '40', EMBEDDING_PROVIDER: 'openai', EMBEDDING_MODEL: 'silent',
      EMBEDDING_API_KEY: 'sk-test', EMBEDDING_BASE_URL: `http://127.0.0.1:${silent.address().port}/v1`, EGRESS_ALLOW: '127.0.0.1/32' } });
    gateway = new URL(stack.url());
    [greedy, other] = [{ ...(await stack.register()), ip: client() }, { ...(await stack.register()), ip: client() }];
  });
  after(async () => {
    for (const socket of open) socket.destroy();
    silent.close();
    await stack.stop();
  });

  // A request that is begun, and not ended.
  const begin = (text) =>
    new Promise((resolve, reject) => {
      const socket = net.connect(gateway.port, gateway.hostname, () => socket.write(text, () => resolve(socket)));
      open.add(socket);
      socket.on('error', reject).on('data', (bytes) => (socket.heard = (socket.heard ?? '') + bytes));
    });
  const metric = async (name) => Number(new RegExp(`^parley_${name} (\\d+)$`, 'm').exec(await stack.process('gateway').metrics())[1]);
  const upload = (user, options = {}) =>
    stack.api('POST', `/api/documents/upload${options.query ?? ''}`,
      { token: user.token, headers: from(user.ip), form: { file: options.file ?? { filename: 'a.txt', content: 'The lamp is green.' } }, timeout: 30_000 });
  // One that is followed for as long as anybody likes.
  const unfinished = async (user) => {
    const { id } = check(await upload(user), 201);
    await stack.sql(`UPDATE documents.document SET status = 'processing' WHERE id = '${id}'`);
    return id;
  };
  const follow = (user, id) =>
    stack.stream('GET', `/api/documents/${id}/events`, { token: user.token, headers: from(user.ip) });

  test('300 half-sent bodies of one address: another one signs in at once', async () => {
    const head = `POST /api/auth/login HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: ${greedy.ip}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`;
    const sockets = await Promise.all(Array.from({ length: 300 }, () => begin(head)));
    await until('all are there', async () => (await metric('http_connections')) >= 300);
    const start = Date.now();
    check(await stack.api('POST', '/api/auth/login', { json: { email: other.email, password }, headers: from(other.ip) }), 200);
    assert.ok(Date.now() - start < 3000 * slow, `${Date.now() - start} ms`);
    sockets.forEach((socket) => socket.destroy());
  });

  test('1,100 of them, more than there are threads: the same', async () => {
    const head = `POST /api/auth/login HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: ${greedy.ip}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`;
    const sockets = await Promise.all(Array.from({ length: 1100 }, () => begin(head)));
    const start = Date.now();
    check(await stack.api('POST', '/api/auth/login', { json: { email: other.email, password }, headers: from(other.ip) }), 200);
    assert.ok(Date.now() - start < 3000 * slow, `${Date.now() - start} ms`);
    await until('the rest is refused', () => sockets.some((socket) => /^HTTP\/1\.1 503 /.test(socket.heard ?? '')));
    sockets.forEach((socket) => socket.destroy());
  });

  test('half-sent uploads of one: another uploads, and places come back when the client hangs up', async () => {
    const { body, headers } = multipart({ file: { filename: 'big.txt', content: 'x'.repeat(1000) } });
    const head = `POST /api/documents/upload HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: ${greedy.ip}\r\nAuthorization: Bearer ${greedy.token}\r\n` +
      `Content-Type: ${headers['Content-Type']}\r\nContent-Length: ${body.length}\r\n\r\n`;
    const sockets = await Promise.all(Array.from({ length: 60 }, () => begin(head + body.subarray(0, 200))));
    await until('the rest is refused', () => sockets.filter((socket) => /^HTTP\/1\.1 503 [^]*too many uploads/.test(socket.heard ?? '')).length >= 40);
    check(await upload(greedy), 503);
    check(await upload(other), 201);
    sockets.forEach((socket) => socket.destroy());
    await until('the places are back', async () => (await upload(greedy)).status === 201, 3 * slow);
  });

  test('uploads that wait until they are ready hold no place of those that come', async () => {
    const count = async () => (await stack.ok('GET', '/api/documents', { token: greedy.token })).length;
    const waiting = [], before = await count();
    while (waiting.length < 36) {
      waiting.push(...Array.from({ length: 9 }, () => upload(greedy, { query: '?wait=5', file: { filename: 'a.html', content: '<p>The lamp is green.</p>' } })));
      await until('they wait', async () => (await count()) === before + waiting.length);
    }
    check(await upload(other), 201);
    check(await upload(greedy), 201);
    for (const answer of await Promise.all(waiting)) assert.equal(answer.status, 201, answer.text);
  });

  test('followers: a share each, and a place is free again when its client is gone', async () => {
    const id = await unfinished(greedy), mine = await unfinished(other);
    const streams = [];
    for (;;) {
      const stream = await follow(greedy, id).catch((error) => error);
      if (stream instanceof Error) {
        assert.match(stream.message, /503 .*too many streams/);
        break;
      }
      streams.push(stream);
    }
    assert.ok(streams.length >= 10 && streams.length <= 20, `${streams.length} of 40`);
    const others = await follow(other, mine);
    streams.forEach((stream) => stream.cut());
    await until('they are gone', async () => (await metric('http_streams')) === 1, 3 * slow);
    others.cut();
  });

  test('pages that do not come hold no thread; another\'s comes; places are back when the client hangs up', async (t) => {
    const site = http.createServer((query, answer) => answer.end('<p>The lamp is green.</p>')).listen(0, '127.0.0.1');
    const hangs = new Set(), mute = net.createServer((socket) => hangs.add(socket.on('error', () => {}).on('close', () => hangs.delete(socket)).resume())).listen(0, '127.0.0.1');
    await Promise.all([site, mute].map((server) => server.address() ?? new Promise((resolve) => server.once('listening', resolve))));
    t.after(() => {
      for (const socket of hangs) socket.destroy();
      [site, mute].forEach((server) => server.close());
    });
    const page = (user, server, headers) => ({ token: user.token, headers: { ...from(user.ip), ...headers }, json: { url: `http://127.0.0.1:${server.address().port}/page` } });
    const { json, token } = page(greedy, mute), body = JSON.stringify(json);
    // Svc-documents has 64 threads for what waits for the outside.
    const sockets = await Promise.all(Array.from({ length: 80 }, () => begin(`POST /api/documents/url HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: ${greedy.ip}\r\n` +
      `Authorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`)));
    await until('all are asked for', () => hangs.size === 80);
    assert.equal(check(await stack.api('POST', '/api/documents/url', page(other, site)), 201).status, 'ready');
    sockets.forEach((socket) => socket.destroy());
    await until('nobody waits', () => hangs.size === 0, 3 * slow);

    // Under a key: in use while the page does not come, free when it did not, and then the first answer.
    const key = { 'Idempotency-Key': 'page' };
    const first = stack.api('POST', '/api/documents/url', page(other, mute, key));
    await until('it is asked for', () => hangs.size === 1);
    assert.match(check(await stack.api('POST', '/api/documents/url', page(other, mute, key)), 409).detail, /being worked on/);
    for (const socket of hangs) socket.destroy();
    check(await first, 502);
    const ready = check(await stack.api('POST', '/api/documents/url', page(other, site, key)), 201);
    assert.equal(check(await stack.api('POST', '/api/documents/url', page(other, site, key)), 201).id, ready.id);
  });

  test('a stream ends within a second of its session, or its key', async () => {
    const user = { ...(await stack.register()), ip: client() };
    const { id: key, key: text } = await stack.ok('POST', '/auth/api-keys', { token: user.token, json: { name: 'k' } });
    const doc = await unfinished(user);
    const [bySession, byKey, stays] = [await follow(user, doc), await follow({ ...user, token: text }, doc), await follow(other, await unfinished(other))];
    const ends = async (stream, act) => {
      await act();
      const start = Date.now();
      const events = await stream.all();
      assert.ok(Date.now() - start < 1500 * slow, `${Date.now() - start} ms`);
      assert.equal(events.at(-1).event, 'error');
      return events.at(-1).data.detail;
    };
    assert.match(await ends(byKey, () => stack.ok('DELETE', `/auth/api-keys/${key}`, { token: user.token })), /not valid/);
    assert.match(await ends(bySession, () => stack.ok('POST', '/api/auth/logout', { token: user.token })), /session has ended/);
    assert.equal(stays.events.filter((event) => event.event === 'error').length, 0, 'another user\'s goes on');
    stays.cut();
  });

  test('garbage tokens do not queue behind each other while svc-auth hangs', async () => {
    await stack.process('auth').kill('SIGSTOP');
    const start = Date.now();
    const answers = await Promise.all(Array.from({ length: 40 }, (_, i) =>
      stack.api('GET', '/api/auth/me', { token: `eyJhbGciOiJIUzI1NiIsImtpZCI6InoifQ.e30.${i}`, headers: from(client()) })));
    const took = Date.now() - start;
    await stack.process('auth').kill('SIGCONT');
    assert.ok(took < 5000 * slow, `${took} ms`);
    for (const answer of answers) assert.ok([401, 503].includes(answer.status), answer.text);
  });
});
