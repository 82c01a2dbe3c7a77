// The gateway at its edges: bad input in a named table, tokens that are none, CORS, HEAD, 405, limits, the pages.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { longer, request, sleep, slow, startStack, unique, until } from './harness.mjs';

const MB = 1 << 20;
const json = { 'Content-Type': 'application/json' };
const nested = (depth) => '['.repeat(depth) + ']'.repeat(depth);

// Bytes to a gateway; everything it says until it closes, or for `quiet` ms nothing.
function raw(url, bytes, { quiet = 1500, end = true } = {}) {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let heard = '';
    const socket = net.connect(port, hostname, () => (end ? socket.end(bytes) : socket.write(bytes)));
    socket.setTimeout(quiet, () => socket.destroy());
    socket.on('data', (data) => (heard += data.toString('latin1')));
    socket.on('error', (error) => (heard ? resolve(heard) : reject(error)));
    socket.on('close', () => resolve(heard));
  });
}

// A token signed as svc-auth signs: with its own key, taken from the database and unsealed with the stack's secret.
async function signer(stack) {
  const master = crypto.createHash('sha256').update(fs.readFileSync(`${stack.state}/secret`, 'utf8').trim()).digest();
  const wrap = Buffer.from(crypto.hkdfSync('sha256', master, 'parley', 'auth.keyring', 32));
  const [[kid, sealed]] = await stack.sql("SELECT id, sealed FROM auth.keyring WHERE purpose = 'token' ORDER BY signs_from DESC LIMIT 1");
  const box = Buffer.from(sealed.slice(sealed.indexOf('.') + 1), 'base64url');
  const open = crypto.createDecipheriv('aes-256-gcm', wrap, box.subarray(0, 12));
  open.setAAD(Buffer.from(`auth.keyring/token/${kid}`)).setAuthTag(box.subarray(-16));
  const key = Buffer.concat([open.update(box.subarray(12, -16)), open.final()]);
  return (claims, { header = {}, with: other = key } = {}) => {
    const part = (object) => Buffer.from(JSON.stringify(object)).toString('base64url');
    const text = `${part({ alg: 'HS256', typ: 'JWT', kid, ...header })}.${part(claims)}`;
    return `${text}.${crypto.createHmac('sha256', other).update(text).digest('base64url')}`;
  };
}

describe('the gateway', () => {
  let stack, ada, sign, claims;
  const env = { METRICS_TOKEN: 'let me see', CORS_ORIGINS: 'https://app.example.com,http://localhost:*', PARLEY_TRUSTED_PROXIES: '127.0.0.1' };

  before(async () => {
    stack = await startStack({ env });
    ada = await stack.register();
    sign = await signer(stack);
    claims = JSON.parse(Buffer.from(ada.token.split('.')[1], 'base64url'));
  });
  after(() => stack.stop());

  // --- Bodies that are not what they should be. Each is tried as a signed-in user; `fields`: what the 422 names, all of it.
  const chatbot = (body) => ['POST', '/api/chatbots', body];
  const bodies = [
    ['trailing garbage', ...chatbot('{"name":"x"} y'), 400],
    ['two values', ...chatbot('{"name":"x"}{"name":"y"}'), 400],
    ['cut short', ...chatbot('{"name":"x"'), 400],
    ['a trailing comma', ...chatbot('{"name":"x",}'), 400],
    ['a comment', ...chatbot('{"name":"x"} // y'), 400],
    ['single quotes', ...chatbot("{'name':'x'}"), 400],
    ['NaN', ...chatbot('{"name":"x","settings":{"temperature":NaN}}'), 400],
    ['Infinity', ...chatbot('{"name":"x","settings":{"temperature":-Infinity}}'), 400],
    ['U+0000, escaped', ...chatbot('{"name":"a\\u0000b"}'), 400],
    ['U+0000, plain', ...chatbot('{"name":"a\0b"}'), 400],
    ['half a surrogate pair', ...chatbot('{"name":"\\ud800"}'), 400],
    ['bytes that are no UTF-8', ...chatbot(Buffer.from('{"name":"\xff\xfe"}', 'latin1')), 400],
    ['overlong UTF-8', ...chatbot(Buffer.from('{"name":"\xc0\xaf"}', 'latin1')), 400],
    ['a doubled key', ...chatbot('{"name":"x","name":"y"}'), 400],
    ['33 deep', ...chatbot(`{"name":"x","settings":{"mine":${nested(40)}}}`), 400],
    ['100,000 deep', ...chatbot(nested(100_000)), 400],
    ['a leading zero', ...chatbot('{"name":"x","settings":{"topK":08}}'), 400],
    ['only white space', ...chatbot('  \n'), 400],
    ['a byte order mark', ...chatbot('\ufeff{"name":"x"}'), 400],
    ['an array', ...chatbot('[]'), 422, ['']],
    ['a string', ...chatbot('"name"'), 422, ['']],
    ['null', ...chatbot('null'), 422],
    ['nothing at all', ...chatbot(undefined), 422, ['name']],
    ['an empty object', ...chatbot('{}'), 422, ['name']],
    ['a wrong type', ...chatbot('{"name":7}'), 422, ['name']],
    ['null for what is required', ...chatbot('{"name":null}'), 422, ['name']],
    ['several bad fields at once', ...chatbot('{"name":"","description":{},"documents":"x","settings":{"temperature":9,"topK":"many"}}'), 422,
      ['name', 'description', 'documents', 'settings.temperature', 'settings.topK']],
    ['an overlong name', ...chatbot(`{"name":"${'x'.repeat(300)}"}`), 422, ['name']],
    ['a whole number beyond 64 bits', ...chatbot('{"name":"x","settings":{"topK":99999999999999999999999}}'), 400],
    ['a fraction for a whole number', ...chatbot('{"name":"x","settings":{"topK":1.5}}'), 422, ['settings.topK']],
    ['an id in a list that is none', ...chatbot('{"name":"x","documents":["nope"]}'), 422, ['documents.0']],
    ['more than a megabyte', ...chatbot(`{"name":"${'x'.repeat(1.1 * MB)}"}`), 413],
    ['settings of more than 64 KiB', 'PUT', '/api/settings', `{"mine":"${'x'.repeat(70_000)}"}`, 413],
    ['an e-mail that is none', 'POST', '/api/auth/register', '{"email":"nobody","password":"correct horse 9 battery","display_name":"x"}', 422, ['email']],
    ['a bad limit', 'GET', '/api/chatbots?limit=0', undefined, 422, ['limit']],
    ['a limit that is no number', 'GET', '/api/chatbots?limit=ten', undefined, 422, ['limit']],
    ['a query that is no UTF-8', 'GET', '/api/chatbots?limit=5&cursor=%ff', undefined, 422, ['cursor']],
    ['U+0000 in the path', 'GET', '/api/chatbots/%00', undefined, 400],
    ['a malformed id in the path', 'GET', '/api/chatbots/42', undefined, 404],
    ['an id that nobody has', 'GET', '/api/chatbots/01890a5d-ac96-774b-bcce-b302099a8057', undefined, 404],
    ['an encoded slash', 'GET', '/api%2Fchatbots', undefined, 404],
    ['a doubled slash', 'GET', '//api/chatbots', undefined, 404],
    ['an unknown path', 'GET', '/api/nothing', undefined, 404],
    ['a path that goes on', 'GET', '/api/chatbots/01890a5d-ac96-774b-bcce-b302099a8057/x/y', undefined, 404],
    ['case matters', 'GET', '/API/chatbots', undefined, 404],
  ];
  describe('refuses', () => {
    for (const [name, method, path, body, status, fields] of bodies) {
      test(name, async () => {
        const answer = await stack.api(method, path, { token: ada.token, body, headers: body === undefined ? {} : json });
        assert.equal(answer.status, status, answer.text);
        assert.equal(typeof answer.body.detail, 'string');
        assert.ok(answer.body.detail.length > 5 && answer.headers['x-request-id']);
        assert.doesNotMatch(answer.text, /SELECT|\/work|\.c:|tcp:\/\//);
        if (status !== 422) return;
        assert.ok(Array.isArray(answer.body.errors));
        for (const error of answer.body.errors) assert.deepEqual(Object.keys(error).sort(), ['loc', 'msg', 'type']);
        if (fields) assert.deepEqual(answer.body.errors.map((e) => e.loc.slice(1).join('.')).sort(), [...fields].sort());
      });
    }
    test('what is no JSON by its type', async () => {
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonx', 'x'])
        assert.equal((await stack.api('POST', '/api/chatbots', { token: ada.token, body: '{"name":"x"}', headers: { 'Content-Type': type } })).status, 415);
      const gzip = { ...json, 'Content-Encoding': 'gzip' };
      assert.equal((await stack.api('POST', '/api/chatbots', { token: ada.token, body: 'x', headers: gzip })).status, 415);
    });
    test('and takes JSON by any of its names', async () => {
      for (const type of [undefined, 'application/json; charset=utf-8', 'Application/JSON', 'application/vnd.api+json'])
        assert.equal((await stack.api('POST', '/api/chatbots', { token: ada.token, body: '{"name":"x"}', headers: type ? { 'Content-Type': type } : {} })).status, 201);
    });
    test('the largest bodies early, and lives on', async () => {
      const huge = Buffer.alloc(80 * MB, 'x');
      const answer = await stack.api('POST', '/api/chatbots', { token: ada.token, body: huge, headers: json });
      assert.equal(answer.status, 413);
      assert.equal((await stack.api('GET', '/health')).status, 200);
    });
  });

  // --- Uploads --------------------------------------------------------------------------------------------------------------
  describe('uploads', () => {
    const B = 'boundary';
    const send = (body, type = `multipart/form-data; boundary=${B}`) =>
      stack.api('POST', '/api/documents/upload', { token: ada.token, body, headers: { 'Content-Type': type } });
    const part = (disposition, content) => `--${B}\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${content}\r\n`;
    const file = part('name="file"; filename="a.txt"', 'Parley answers from documents.');
    const cases = [
      ['JSON', '{}', 415, 'application/json'],
      ['no boundary', '', 415, 'multipart/form-data'],
      ['an empty body', '', 400],
      ['another boundary', `--other\r\n\r\n--other--\r\n`, 400],
      ['cut inside the file', file.slice(0, -5), 400],
      ['no end', file, 400],
      ['no file', `${part('name="name"', 'x')}--${B}--\r\n`, 422],
      ['two files', `${file}${file}--${B}--\r\n`, 422],
      ['a part without a name', `${part('x="y"', 'z')}--${B}--\r\n`, 400],
      ['an overlong name', `${part('name="name"', 'x'.repeat(1000))}${file}--${B}--\r\n`, 422],
      ['a field of 100 KB', `${part('name="description"', 'x'.repeat(100_000))}${file}--${B}--\r\n`, 413],
      ['a name that is no UTF-8', Buffer.from(`${part('name="name"', '\xff')}${file}--${B}--\r\n`, 'latin1'), 422],
      ['60 parts', `${part('name="x"', 'y').repeat(60)}--${B}--\r\n`, 400],
    ];
    for (const [name, body, status, type] of cases) {
      test(`refused: ${name}`, async () => {
        const answer = await send(body, type);
        assert.equal(answer.status, status, answer.text);
        assert.equal(typeof answer.body.detail, 'string');
      });
    }
    test('refused: a file above the limit', async () => {
      const answer = await send(Buffer.concat([Buffer.from(file.slice(0, -2)), Buffer.alloc(52 * MB), Buffer.from(`\r\n--${B}--\r\n`)]));
      assert.equal(answer.status, 413);
    });
    test('who asks first (curl, with more than a megabyte) is told to go on, or that it is too large', async () => {
      const head = (length) => `POST /api/documents/upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${ada.token}\r\n` +
        `Content-Type: multipart/form-data; boundary=${B}\r\nContent-Length: ${length}\r\nExpect: 100-continue\r\n\r\n`;
      assert.match(await raw(stack.url(), head(2 * MB), { end: false, quiet: 300 * slow }), /^HTTP\/1\.1 100 Continue\r\n\r\n$/);
      assert.match(await raw(stack.url(), head(200 * MB), { end: false }), /^HTTP\/1\.1 413 /);
    });
    test('a file of some megabytes arrives', async () => {
      const content = Buffer.alloc(3 * MB + 1, 'Parley answers from documents. ');
      const { size } = await stack.ok('POST', '/api/documents/upload', { token: ada.token, form: { file: { filename: 'a.txt', content } }, status: 201 });
      assert.equal(size, content.length);
    });
  });

  // --- Who is calling -------------------------------------------------------------------------------------------------------
  describe('takes no token that', () => {
    const later = () => Math.floor(Date.now() / 1000) + 3600;
    const cases = {
      'is rubbish': () => 'rubbish',
      'is empty': () => '',
      'has one part too few': () => ada.token.split('.').slice(0, 2).join('.'),
      'has another signature': () => ada.token.slice(0, -6) + 'AAAAAA',
      'has other claims': () => {
        const [header, , signature] = ada.token.split('.');
        return `${header}.${Buffer.from(JSON.stringify({ ...claims, adm: true })).toString('base64url')}.${signature}`;
      },
      'is signed with another key': () => sign(claims, { with: crypto.randomBytes(32) }),
      'names a key that nobody has': () => sign(claims, { header: { kid: 'nobodys' } }),
      'says alg none': () => `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${ada.token.split('.')[1]}.`,
      'says alg None with our key': () => sign(claims, { header: { alg: 'None' } }),
      'says alg HS512 with our key': () => sign(claims, { header: { alg: 'HS512' } }),
      'has expired': () => sign({ ...claims, exp: Math.floor(Date.now() / 1000) - 1 }),
      'never expires': () => sign({ ...claims, exp: undefined }),
      'is somebody else\'s issue': () => sign({ ...claims, iss: 'other', exp: later() }),
      'has no subject': () => sign({ ...claims, sub: undefined }),
    };
    for (const [name, make] of Object.entries(cases)) {
      test(name, async () => {
        const answer = await stack.api('GET', '/api/auth/me', { headers: { Authorization: `Bearer ${make()}` } });
        assert.equal(answer.status, 401, answer.text);
        assert.match(answer.headers['www-authenticate'], /^Bearer/);
      });
    }
    test('and the one that is made right is good', async () => {
      assert.equal((await stack.api('GET', '/api/auth/me', { token: sign(claims) })).status, 200);
    });
    test('is 3 KB', async () => {
      assert.equal((await stack.api('GET', '/api/auth/me', { token: 'x'.repeat(3000) })).status, 401);
    });
    test('comes without a scheme, or with another', async () => {
      for (const header of [ada.token, `Basic ${ada.token}`, 'Bearer', 'Digest x="y"'])
        assert.equal((await stack.api('GET', '/api/auth/me', { headers: { Authorization: header } })).status, 401);
    });
    test('is bad, but for where none is looked at', async () => {
      const login = { email: ada.email, password: ada.password };
      assert.equal((await stack.api('POST', '/api/auth/login', { json: login, token: 'rubbish' })).status, 200);
      assert.equal((await stack.api('POST', '/api/auth/login', { json: login })).status, 200);
    });
    test('is an API key that nobody has', async () => {
      assert.equal((await stack.api('GET', '/api/auth/me', { token: 'pk_nobodys' })).status, 401);
      assert.equal((await stack.api('GET', '/api/auth/me', { headers: { 'X-API-Key': 'pk_nobodys' } })).status, 401);
    });
  });
  test('without a token it says how to sign in, and keeps administration to administrators', async () => {
    const answer = await stack.api('GET', '/api/chatbots');
    assert.equal(answer.status, 401);
    assert.match(answer.headers['www-authenticate'], /^Bearer/);
    assert.equal((await stack.api('GET', '/admin/users', { token: ada.token })).status, 403);
  });
  test('an API key works in both headers, within its scopes, until it is revoked', async () => {
    const key = await stack.ok('POST', '/auth/api-keys', { token: ada.token, json: { name: 'k', scopes: ['chatbots'] }, status: 201 });
    const use = (path, headers) => stack.api('GET', path, { headers }).then((a) => a.status);
    assert.equal(await use('/api/chatbots', { Authorization: `Bearer ${key.key}` }), 200);
    assert.equal(await use('/api/chatbots', { 'X-API-Key': key.key }), 200);
    assert.equal(await use('/api/documents', { 'X-API-Key': key.key }), 403);
    await stack.ok('DELETE', `/auth/api-keys/${key.id}`, { token: ada.token });
    await until('the key is refused', async () => (await use('/api/chatbots', { 'X-API-Key': key.key })) === 401);
  });

  // --- HTTP -----------------------------------------------------------------------------------------------------------------
  const smuggling = {
    'two lengths': 'POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}',
    'length and chunks': 'POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'an odd length': 'POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 2x\r\n\r\n{}',
    'an odd coding': 'POST /api/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
    'a folded line': 'POST /api/auth/login HTTP/1.1\r\nHost: x\r\nX: y\r\n z\r\nContent-Length: 2\r\n\r\n{}',
    'a minus before a chunk': 'POST /api/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n',
    'a chunk beyond 64 bits': 'POST /api/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000002\r\n{}\r\n0\r\n\r\n',
    'a line feed in a chunk\'s line': 'POST /api/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2;\nxx\r\n{}\r\n0\r\n\r\n',
    'a longer chunk than said': 'POST /api/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}xx\r\n0\r\n\r\n',
    'a blank before a colon': 'POST /api/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n',
    'a NUL in a value': 'GET /health HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n',
    'a CR in a value': 'GET /health HTTP/1.1\r\nHost: x\r\nX: a\rContent-Length: 5\r\n\r\n',
    'two hosts': 'GET /health HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n',
    'a host that is none': 'GET /health HTTP/1.1\r\nHost: x@y/z\r\n\r\n',
    'bare line feeds': 'GET /health HTTP/1.1\nHost: x\n\n',
    '65 header lines': `GET /health HTTP/1.1\r\nHost: x\r\n${'X: y\r\n'.repeat(64)}\r\n`,
    'a header of 20 KB': `GET /health HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`,
    'no HTTP': 'hello\r\n\r\n',
  };
  for (const [name, bytes] of Object.entries(smuggling)) {
    test(`what a proxy might read otherwise is refused: ${name}`, async () => {
      const heard = await raw(stack.url(), `${bytes}GET /health HTTP/1.1\r\nHost: x\r\n\r\n`);
      assert.match(heard, /^HTTP\/1\.1 4(00|31) /);
      assert.match(heard, /Connection: close/);
      assert.match(heard, /\{"detail":"[^"]+"\}/);
      assert.equal(heard.match(/HTTP\/1\.1 /g).length, 1, 'nothing after it is answered');
    });
  }
  test('a query with U+0000 in a value is refused, not read as if it were not there', async () => {
    const answer = await stack.api('GET', '/api/chatbots?limit=%001', { token: ada.token });
    assert.equal(answer.status, 422);
    assert.deepEqual(answer.body.errors[0].loc, ['query', 'limit']);
  });
  test('what type came is said, where another is wanted', async () => {
    const send = (headers) => stack.api('POST', '/api/chatbots', { token: ada.token, body: 'name=x', headers });
    assert.match((await send({ 'Content-Type': 'text/plain; charset=utf-8' })).body.detail, /application\/json, not text\/plain$/);
    assert.match((await send({ 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' })).body.detail, /not be compressed/);
  });
  test('an absolute address of ours is a path', async () => {
    const port = new URL(stack.url()).port;
    assert.match(await raw(stack.url(), `GET http://localhost:${port}/health HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n\r\n`), /^HTTP\/1\.1 200 /);
  });
  test('the next page is a relative address, right behind every proxy', async () => {
    for (let i = 0; i < 2; i++) await stack.ok('POST', '/api/chatbots', { token: ada.token, json: { name: 'x' }, status: 201 });
    assert.match((await stack.api('GET', '/api/chatbots?limit=1', { token: ada.token })).headers.link, /^<\/api\/chatbots\?limit=1&cursor=[^>]+>; rel="next"$/);
  });
  test('one request behind another on a connection: each has its answer, whatever came with the one before', async () => {
    const body = 'GET /api/nothing HTTP/1.1\r\nHost: x\r\n\r\n';
    const heard = await raw(stack.url(), `HEAD /health HTTP/1.1\r\nHost: x\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    assert.deepEqual(heard.match(/HTTP\/1\.1 \d+/g), Array(3).fill('HTTP/1.1 200'));
  });
  test('dots in a path are what they are', async () => {
    assert.match(await raw(stack.url(), 'GET /docs/../health HTTP/1.1\r\nHost: x\r\n\r\n'), /^HTTP\/1\.1 404 /);
    assert.match(await raw(stack.url(), 'GET /health/. HTTP/1.1\r\nHost: x\r\n\r\n'), /^HTTP\/1\.1 404 /);
  });
  test('HEAD is GET without the body', async () => {
    const [get, head] = [await stack.api('GET', '/api/chatbots', { token: ada.token }), await stack.api('HEAD', '/api/chatbots', { token: ada.token })];
    assert.equal(head.status, 200);
    assert.equal(head.bytes.length, 0);
    assert.equal(head.headers['content-length'], get.headers['content-length']);
    assert.equal((await stack.api('HEAD', '/api/nothing')).status, 404);
  });
  test('405 names what is allowed', async () => {
    const allowed = async (method, path) => {
      const answer = await stack.api(method, path, { token: ada.token });
      assert.equal(answer.status, 405);
      return answer.headers.allow.split(', ').sort().join(' ');
    };
    assert.equal(await allowed('PATCH', '/api/chatbots'), 'GET HEAD POST');
    assert.equal(await allowed('POST', '/health'), 'GET HEAD');
    assert.equal(await allowed('DELETE', '/api/auth/login'), 'POST');
  });
  test('a path works with and without a slash at its end', async () => {
    for (const path of ['/api/chatbots', '/api/chatbots/', '/health/', '/docs/'])
      assert.equal((await stack.api('GET', path, { token: ada.token })).status, 200);
  });
  test('a sane request id is kept, an odd one replaced, and every service logs it', async () => {
    const id = unique('test');
    const answer = await stack.api('GET', '/api/chatbots', { token: ada.token, headers: { 'X-Request-Id': id } });
    assert.equal(answer.headers['x-request-id'], id);
    await until('the log lines', () => new Set(stack.logLines(id).map((line) => line.process)).size === 2);
    for (const odd of ['a b', 'x'.repeat(65), '<script>', '"'])
      assert.match((await stack.api('GET', '/health', { headers: { 'X-Request-Id': odd } })).headers['x-request-id'], /^[0-9a-f]{16}$/);
  });
  test('behind a trusted proxy the client is who the proxy says', async () => {
    await stack.api('POST', '/api/auth/login', { json: { email: ada.email, password: ada.password }, headers: { 'X-Forwarded-For': '6.6.6.6, 203.0.113.7' } })
      .then(async ({ body }) => {
        const sessions = await stack.ok('GET', '/auth/sessions', { token: body.token });
        assert.equal(sessions.find((s) => s.current).ip, '203.0.113.7');
      });
  });

  // --- CORS -----------------------------------------------------------------------------------------------------------------
  describe('CORS', () => {
    const ask = (path, origin, method) => stack.api('OPTIONS', path, { headers: { Origin: origin, 'Access-Control-Request-Method': method, 'Access-Control-Request-Headers': 'authorization,content-type' } });
    test('a listed origin is told what it may send', async () => {
      for (const origin of ['https://app.example.com', 'http://localhost:5173', 'http://localhost']) {
        const { status, headers } = await ask('/api/chatbots', origin, 'POST');
        assert.equal(status, 204);
        assert.equal(headers['access-control-allow-origin'], origin);
        assert.equal(headers['access-control-allow-credentials'], 'true');
        assert.match(headers['access-control-allow-methods'], /POST/);
        assert.equal(headers['access-control-allow-headers'], 'authorization,content-type');
      }
    });
    test('and reads answers and errors alike', async () => {
      for (const [path, status] of [['/api/chatbots', 200], ['/api/nothing', 404], ['/api/chatbots?limit=0', 422]]) {
        const answer = await stack.api('GET', path, { token: ada.token, headers: { Origin: 'https://app.example.com' } });
        assert.equal(answer.status, status);
        assert.equal(answer.headers['access-control-allow-origin'], 'https://app.example.com');
        assert.match(answer.headers['access-control-expose-headers'], /Link.*X-Request-Id.*Retry-After/);
        assert.match(answer.headers.vary, /Origin/);
      }
    });
    test('another origin is told nothing', async () => {
      for (const origin of ['https://evil.example', 'https://app.example.com.evil.example', 'http://localhost.evil.example:80', 'null']) {
        assert.equal((await ask('/api/chatbots', origin, 'POST')).headers['access-control-allow-origin'], undefined);
        assert.equal((await stack.api('GET', '/api/chatbots', { headers: { Origin: origin } })).headers['access-control-allow-origin'], undefined);
      }
    });
    test('a website\'s visitor is let through to the chatbot, without credentials', async () => {
      const path = '/api/chatbots/widget-config/01890a5d-ac96-774b-bcce-b302099a8057';
      const { headers } = await ask(path, 'https://shop.example', 'GET');
      assert.equal(headers['access-control-allow-origin'], 'https://shop.example');
      assert.equal(headers['access-control-allow-credentials'], undefined);
      assert.equal((await stack.api('GET', path, { headers: { Origin: 'https://shop.example' } })).headers['access-control-allow-origin'], 'https://shop.example');
    });
    test('a slip in the address does not look like a fault of CORS: the page reads the 404', async () => {
      for (const [method, path, status] of [['GET', '/api/nothing', 404], ['PATCH', '/api/chatbots', 405], ['GET', '//api/documents', 404]]) {
        const preflight = await ask(path, 'https://app.example.com', method);
        assert.equal(preflight.status, 204, path);
        assert.equal(preflight.headers['access-control-allow-origin'], 'https://app.example.com');
        const answer = await stack.api(method, path, { token: ada.token, headers: { Origin: 'https://app.example.com' } });
        assert.equal(answer.status, status, path);
        assert.equal(answer.headers['access-control-allow-origin'], 'https://app.example.com');
      }
      assert.equal((await ask('/api/nothing', 'https://evil.example', 'GET')).status, 404);
    });
    test('headers that tools add are let through', async () => {
      const { headers } = await stack.api('OPTIONS', '/api/chatbots', { headers: { Origin: 'https://app.example.com', 'Access-Control-Request-Method': 'GET', 'Access-Control-Request-Headers': 'sentry-trace,x-stainless-os,if-none-match' } });
      assert.equal(headers['access-control-allow-headers'], 'sentry-trace,x-stainless-os,if-none-match');
    });
    test('what is refused below the routes can be read, too', async () => {
      const answer = await stack.api('GET', '/health', { headers: { 'X-Big': 'x'.repeat(20_000), Origin: 'https://app.example.com' } });
      assert.equal(answer.status, 431);
      assert.equal(answer.headers['access-control-allow-origin'], '*');
      assert.match(answer.body.detail, /16 KB/);
    });
  });

  // --- Limits ---------------------------------------------------------------------------------------------------------------
  test('a client that asks too often is told when to come back; others are not held up', async () => {
    const reset = (ip) => stack.api('POST', '/api/auth/reset-password', { json: { email: 'nobody@example.com' }, headers: { 'X-Forwarded-For': ip } });
    let refused;
    for (let i = 0; i < 500 && !refused; i++) {
      const answer = await reset('203.0.113.50');
      if (answer.status !== 200) refused = answer;
    }
    assert.equal(refused?.status, 429);
    assert.ok(Number(refused.headers['retry-after']) >= 1);
    assert.equal((await reset('203.0.113.51')).status, 200);
  });

  // --- Its own pages --------------------------------------------------------------------------------------------------------
  describe('pages', () => {
    test('/ is a page for people and three facts for programs', async () => {
      const page = await stack.api('GET', '/', { headers: { Accept: 'text/html,*/*' } });
      assert.match(page.headers['content-type'], /^text\/html/);
      assert.match(page.headers['content-security-policy'], /default-src 'none'/);
      const facts = await stack.ok('GET', '/');
      assert.deepEqual(Object.keys(facts), ['product', 'version', 'docs']);
    });
    test('/docs loads nothing from elsewhere', async () => {
      const page = (await stack.api('GET', '/docs')).text;
      for (const [, path] of page.matchAll(/(?:src|href)="([^"]+)"/g)) {
        assert.match(path, /^\//);
        const asset = await stack.api('GET', path);
        assert.equal(asset.status, 200, path);
        assert.ok(asset.bytes.length > 20);
      }
    });
    test('/redoc, where FastAPI has its other documentation, leads to /docs', async () => {
      const { status, headers } = await stack.api('GET', '/redoc');
      assert.deepEqual([status, headers.location], [302, '/docs']);
    });
    test('files go out packed to who takes that, the same bytes to others, and not twice', async () => {
      const packed = await stack.api('GET', '/page.css', { headers: { 'Accept-Encoding': 'br, gzip' } });
      const plain = await stack.api('GET', '/page.css');
      assert.equal(packed.headers['content-encoding'], 'gzip');
      assert.equal(plain.headers['content-encoding'], undefined);
      assert.ok(gunzipSync(packed.bytes).equals(plain.bytes));
      assert.equal((await stack.api('GET', '/page.css', { headers: { 'Accept-Encoding': 'gzip;q=0' } })).headers['content-encoding'], undefined);
      const again = await stack.api('GET', '/page.css', { headers: { 'If-None-Match': plain.headers.etag } });
      assert.equal(again.status, 304);
      assert.equal(again.bytes.length, 0);
    });
    test('/metrics needs its token', async () => {
      assert.equal((await stack.api('GET', '/metrics')).status, 401);
      assert.equal((await stack.api('GET', '/metrics', { token: 'let me sea' })).status, 401);
      const { status, text } = await stack.api('GET', '/metrics', { token: 'let me see' });
      assert.equal(status, 200);
      assert.match(text, /parley_http_answers_total\{status="2xx"\} \d+/);
    });
    test('nothing of the file system is served', async () => {
      for (const path of ['/../etc/passwd', '/..%2f..%2fetc/passwd', '/swagger-ui', '/swagger-ui/', '/gateway/main.c', '/swagger-ui/README.md'])
        assert.equal((await stack.api('GET', path)).status, 404, path);
    });
  });

  // --- When something is away -------------------------------------------------------------------------------------------------
  describe('when something is away', () => {
    test('a service: 503 for what needs it, named by /ready, and back by itself', async () => {
      const service = stack.process('chatbots');
      await service.kill('SIGKILL');
      const away = await stack.api('GET', '/api/chatbots', { token: ada.token });
      assert.equal(away.status, 503);
      assert.ok(Number(away.headers['retry-after']) >= 1);
      assert.equal((await stack.api('GET', '/api/auth/me', { token: ada.token })).status, 200, 'the others serve on');
      await until('/ready names it', async () => {
        const ready = await stack.api('GET', '/ready');
        return ready.status === 503 && ready.body.detail.includes('chatbots');
      });
      await service.start();
      await until('it serves again', async () => (await stack.api('GET', '/api/chatbots', { token: ada.token })).status === 200);
      await until('all is ready', async () => (await stack.api('GET', '/ready')).status === 200);
    });
    test('the database: 503 with no word of SQL, and back by itself', async () => {
      await stack.stopDatabase();
      const away = await stack.api('GET', '/api/chatbots', { token: ada.token });
      assert.equal(away.status, 503, away.text);
      assert.doesNotMatch(away.text, /sql|postgres|socket|connection/i);
      assert.equal((await stack.api('GET', '/ready')).status, 503);
      assert.equal((await stack.api('GET', '/health')).status, 200);
      await stack.startDatabase();
      await until('it serves again', async () => (await stack.api('GET', '/api/chatbots', { token: ada.token })).status === 200);
      await until('all is ready', async () => (await stack.api('GET', '/ready')).status === 200);
    });
    test('the feed of revocations: nobody is believed after 5 s, and again when it is back', async () => {
      const auth = stack.process('auth');
      await auth.kill('SIGSTOP');
      await until('nobody is believed', async () => (await stack.api('GET', '/api/chatbots', { token: ada.token })).status === 503);
      assert.equal((await stack.api('GET', '/health')).status, 200);
      await auth.kill('SIGCONT');
      await until('it is believed again', async () => (await stack.api('GET', '/api/chatbots', { token: ada.token })).status === 200);
    });
  });

  test('SIGTERM lets finish what is under way, and refuses what comes after', async () => {
    const gateway = stack.process('gateway');
    const body = JSON.stringify({ email: ada.email, password: ada.password });
    const { hostname, port } = new URL(stack.url());
    const dial = () => new Promise((resolve) => { const s = net.connect(port, hostname, () => resolve(s)); s.setEncoding('utf8'); });
    const heard = (socket) => new Promise((resolve) => { let all = ''; socket.on('data', (text) => (all += text)).on('close', () => resolve(all)); });
    const [early, late] = [await dial(), await dial()];
    const answers = [heard(early), heard(late)];
    early.write(`POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 9)}`);
    await until('both have come', async () => Number(/^parley_http_connections (\d+)$/m.exec(await gateway.metrics())[1]) >= 2);
    await sleep(150 * longer); // and the early one is being read
    const began = gateway.said().length, ended = gateway.kill('SIGTERM');
    await until('it stops', () => gateway.said().slice(began - 1).some((line) => line.includes('"stopping"')));
    late.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
    assert.match(await answers[1], /^HTTP\/1\.1 503 [^]*Retry-After/);
    early.write(body.slice(9));
    assert.match(await answers[0], /^HTTP\/1\.1 200 /);
    assert.equal((await ended).code, 0);
    await gateway.start();
    assert.equal((await request(`${stack.url()}/health`)).status, 200);
  });
});
