// A backup is one file, and gives everything back elsewhere: rows, originals, the secret; and never on top of something.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { freePorts, multipart, request, root, slow, unique, uniqueEmail, until, variant } from './harness.mjs';

const script = (name) => path.join(root, 'common/scripts', name);
const passphrase = 'a passphrase of some length';
let folder, port, file;
const run = (name, state, args, env = {}) => spawnSync('bash', [script(name), ...args], {
  env: { ...process.env, VARIANT: variant, PARLEY_PORT: String(port), PARLEY_STATE: path.join(folder, state), PARLEY_PASSPHRASE: passphrase, ...env },
  encoding: 'utf8', timeout: 120_000 * slow,
});
const ok = (done) => (assert.equal(done.status, 0, done.stdout + done.stderr), done.stdout);
const said = (done) => (assert.notEqual(done.status, 0), done.stdout + done.stderr);

// Every row of every table, in an order of its own.
function rows(state) {
  ok(run('postgres.sh', state, ['start']));
  const url = ok(run('postgres.sh', state, ['url', 'parley_admin'])).trim();
  const schemas = ['auth', 'documents', 'chatbots', 'chat', 'integrations'].map((name) => `--schema=${name}`);
  const text = execFileSync(path.join(fs.readdirSync('/usr/lib/postgresql').map((v) => `/usr/lib/postgresql/${v}/bin`).at(-1), 'pg_dump'),
    ['--data-only', '--inserts', ...schemas, url], { encoding: 'utf8', maxBuffer: 1 << 28 });
  ok(run('postgres.sh', state, ['stop']));
  return text.split('\n').filter((line) => !/^(--|\\(un)?restrict)/.test(line)).sort();
}

// The jobs of a start are due within a second: what runs between a backup and the look at what it had would be a difference.
const jobsAreThrough = () => until('no job is due soon', () => {
  const url = ok(run('postgres.sh', 'first', ['url', 'parley_admin'])).trim();
  return execFileSync('psql', ['-qAtX', url, '-c', "SELECT count(*) FROM documents.job WHERE run_at < now() + interval '10 seconds'"], { encoding: 'utf8' }).trim() === '0';
}, 30 * slow);

async function api(method, where, { token, json, body, headers = {}, status = 200 } = {}) {
  const answer = await request(`http://127.0.0.1:${port}${where}`, {
    method, body: json ? JSON.stringify(json) : body,
    headers: { ...(json ? { 'content-type': 'application/json' } : {}), ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers },
  });
  assert.equal(answer.status, status, answer.text);
  return answer.text ? JSON.parse(answer.text) : null;
}

const email = uniqueEmail('ada'), password = unique('secret');
let token, bot;

before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-backup-'));
  fs.chmodSync(folder, 0o711);
  port = await freePorts(20);
  file = path.join(folder, 'parley.backup');
  ok(run('stack.sh', 'first', ['up']));
  ({ token } = await api('POST', '/api/auth/register', { json: { email, password, display_name: 'Ada' }, status: 201 }));
  const form = multipart({ name: 'Gardens', file: { name: 'g.txt', content: 'The gazebo in the garden was painted green in 1912.' } });
  const doc = await api('POST', '/api/documents/upload?wait=30', { token, body: form.body, headers: form.headers, status: 201 });
  bot = await api('POST', '/api/chatbots', { token, json: { name: 'Gardener', documents: [doc.id] }, status: 201 });
  await api('POST', '/auth/api-keys', { token, json: { provider: 'openai', key: 'sk-very-secret-1234' }, status: 201 });
});
after(() => {
  for (const state of ['first', 'second']) run('stack.sh', state, ['down']);
  fs.rmSync(folder, { recursive: true, force: true });
});

test('without a passphrase, or with a short one, there is no backup', () => {
  assert.match(said(run('stack.sh', 'first', ['backup', file], { PARLEY_PASSPHRASE: '' })), /PARLEY_PASSPHRASE is not set/);
  assert.match(said(run('stack.sh', 'first', ['backup', file], { PARLEY_PASSPHRASE: 'short' })), /12 characters/);
  assert.ok(!fs.existsSync(file));
});

test('a backup of the running stack is one file that nobody else reads', async () => {
  await jobsAreThrough();
  ok(run('stack.sh', 'first', ['backup', file]));
  assert.equal(fs.statSync(file).mode & 0o777, 0o600);
  const secret = fs.readFileSync(path.join(folder, 'first/secret'), 'utf8').trim();
  assert.ok(!fs.readFileSync(file, 'latin1').includes(secret));
  assert.match(said(run('stack.sh', 'first', ['backup', file])), /is there already/);
});

test('it is not restored onto a stack that runs, nor with another passphrase', () => {
  assert.match(said(run('stack.sh', 'first', ['restore', file])), /empty place/);
  ok(run('stack.sh', 'first', ['down']));
  assert.match(said(run('stack.sh', 'first', ['restore', file])), /not empty/);
  assert.match(said(run('stack.sh', 'second', ['restore', file], { PARLEY_PASSPHRASE: 'another passphrase' })), /not the one that the backup was made with/);
  assert.match(said(run('stack.sh', 'second', ['restore', script('lib.sh')])), /no backup of Parley/);
});

test('elsewhere it gives every row back, and everything answers as before', async () => {
  ok(run('stack.sh', 'second', ['restore', file]));
  assert.deepEqual(rows('second'), rows('first'));
  ok(run('stack.sh', 'second', ['up']));
  const again = await api('POST', '/api/auth/login', { json: { email, password } });
  await api('GET', '/api/auth/me', { token }); // signed before the backup
  assert.equal((await api('GET', `/api/chatbots/${bot.id}`, { token: again.token })).name, 'Gardener');
  const { results } = await api('POST', '/api/documents/search', { token, json: { query: 'Which colour has the gazebo?' } });
  assert.match(results[0].text, /painted green/);
  assert.match(JSON.stringify(await api('GET', '/auth/api-keys', { token })), /1234/); // sealed with the storage key
});
