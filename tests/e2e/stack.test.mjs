// What somebody who starts Parley on their machine notices: it comes up, says why when it cannot, comes back when a part
// dies, and leaves nothing behind.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { freePorts, request, root, slow, until, variant } from './harness.mjs';

const script = path.join(root, 'common/scripts/stack.sh');
let folder, port, state;
const environment = (more = {}) => ({ ...process.env, VARIANT: variant, PARLEY_PORT: String(port), PARLEY_STATE: state, ...more });
const stack = (command, more) => spawnSync('bash', [script, command], { env: environment(more), encoding: 'utf8', timeout: 120_000 * slow });
const said = (done) => done.stdout + done.stderr;

// Every process that belongs to the state directory, PostgreSQL included.
function processes() {
  return fs.readdirSync('/proc').filter((pid) => /^\d+$/.test(pid)).flatMap((pid) => {
    try {
      const line = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      const ours = line.includes(state) || fs.readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`PARLEY_STATE=${state}\0`);
      return ours && line && !line.includes(process.argv[1]) ? [{ pid: Number(pid), line }] : [];
    } catch {
      return [];
    }
  });
}

const answers = async (p = port) => (await request(`http://127.0.0.1:${p}/health`, { timeout: 2000 }).catch(() => null))?.status === 200;

before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-stack-'));
  fs.chmodSync(folder, 0o711);
  state = path.join(folder, 'a state with spaces');
  port = await freePorts(20);
});
after(() => {
  stack('down');
  fs.rmSync(folder, { recursive: true, force: true });
});

test('up answers when it is ready, and again at once when it is up', async () => {
  const done = stack('up');
  assert.equal(done.status, 0, said(done));
  assert.match(done.stdout, new RegExp(`ready: http://localhost:${port}`));
  assert.ok(await answers());
  const again = stack('up');
  assert.equal(again.status, 0);
  assert.match(said(again), /running already/);
});

test('the secret and the logs are nobody else\'s', () => {
  assert.equal(fs.statSync(path.join(state, 'secret')).mode & 0o777, 0o600);
  for (const name of ['log', 'mail', 'pids']) assert.equal(fs.statSync(path.join(state, name)).mode & 0o077, 0, name);
});

test('up of a running stack starts again what has a new program, and that alone', async () => {
  const pid = (id) => Number(fs.readFileSync(path.join(state, 'pids', id), 'utf8'));
  const before = [pid('chatbots-1'), pid('chat-1')];
  const program = path.join(root, 'build', variant, 'svc-chatbots');
  execFileSync('cp', ['-p', program, `${program}.new`]);
  fs.renameSync(`${program}.new`, program);
  const done = stack('up');
  assert.equal(done.status, 0, said(done));
  assert.match(said(done), /chatbots-1 has a new program/);
  assert.notEqual(pid('chatbots-1'), before[0]);
  assert.equal(pid('chat-1'), before[1]);
});

test('up with other settings starts everything anew', async () => {
  const pid = () => Number(fs.readFileSync(path.join(state, 'pids/gateway-1'), 'utf8'));
  const before = pid(), done = stack('up', { CHAT_MODLE: 'x' });
  assert.equal(done.status, 0, said(done));
  assert.match(said(done), /the settings have changed/);
  assert.match(said(done), /CHAT_MODLE is no setting; is CHAT_MODEL meant\?/);
  assert.notEqual(pid(), before);
  assert.ok(await answers());
});

test('a service that is killed comes back', async () => {
  const pid = () => Number(fs.readFileSync(path.join(state, 'pids/chatbots-1'), 'utf8'));
  const first = pid();
  process.kill(first, 'SIGKILL');
  await until('a new svc-chatbots is ready', async () => pid() !== first &&
    (await request(`http://127.0.0.1:${port + 13}/readyz`, { timeout: 1000 }).catch(() => null))?.status === 200, 15 * slow);
});

test('down leaves no process and no listener', async () => {
  const done = stack('down');
  assert.equal(done.status, 0, said(done));
  assert.deepEqual(processes(), []);
  for (let p = port; p < port + 16; p++) assert.ok(!(await answers(p)), `port ${p} still answers`);
  assert.match(said(stack('down')), /nothing to stop/);
});

test('down stops what a killed supervisor left behind', async () => {
  assert.equal(stack('up').status, 0);
  process.kill(Number(fs.readFileSync(path.join(state, 'pids/supervisor'), 'utf8')), 'SIGKILL');
  assert.ok(await answers());
  assert.equal(stack('down').status, 0);
  assert.deepEqual(processes(), []);
});

test('run in the foreground says what it would have mailed, ends with Ctrl-C, and leaves nothing', async () => {
  // the leader of a group of its own, as a terminal would have it
  const run = spawn('bash', [script, 'run'], { env: environment(), detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  run.stdout.on('data', (text) => (out += text));
  run.stderr.on('data', (text) => (out += text));
  const ended = new Promise((resolve) => run.once('exit', resolve));
  await until('run is ready', () => /Ctrl-C stops it/.test(out), 60 * slow);
  const body = JSON.stringify({ email: 'ada@example.com', password: 'analytical engine', display_name: 'Ada' });
  await request(`http://127.0.0.1:${port}/api/auth/register`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  await until('the link is told', () => /^parley: mail to ada@example\.com: http:\/\/\S+\/confirm-email\?token=[\w-]{43} /m.test(out));
  process.kill(-run.pid, 'SIGINT');
  assert.equal(await ended, 0, out);
  assert.deepEqual(processes(), []);
});

test('a port or socket in use is named with who has it, and nothing is left running', async () => {
  const holder = net.createServer().listen(port + 13, '127.0.0.1');
  await new Promise((resolve) => holder.once('listening', resolve));
  const ports = stack('up');
  holder.close();
  const named = net.createServer().listen(`\0parley-${port + 3}`);
  await new Promise((resolve) => named.once('listening', resolve));
  const done = stack('up');
  named.close();
  assert.equal(ports.status, 1);
  assert.match(said(ports), new RegExp(`port ${port + 13} \\(chatbots\\) is taken by process ${process.pid} `));
  assert.equal(done.status, 1);
  assert.match(said(done), new RegExp(`socket @parley-${port + 3} \\(chatbots\\) is taken by process ${process.pid} `));
  assert.match(said(done), /PARLEY_PORT=/);
  assert.deepEqual(processes(), []);
});

test('a setting that cannot be stops the start with a sentence', () => {
  const done = stack('up', { LOG_LEVEL: 'shouting' });
  assert.equal(done.status, 1);
  assert.match(said(done), /^ {4}LOG_LEVEL must be debug, info, warn or error, not "shouting"$/m);
  assert.doesNotMatch(said(done), /[{}]/, 'words, no JSON');
  assert.deepEqual(processes(), []);
});

test('a state directory that cannot be written is named', () => {
  const done = stack('up', { PARLEY_STATE: '/proc/nothing' });
  assert.equal(done.status, 1);
  assert.match(said(done), /\/proc\/nothing[^]*PARLEY_STATE/);
});

test('below a directory that PostgreSQL cannot reach, the database goes elsewhere, and the start says where', { skip: process.getuid() !== 0 && 'only for root' }, () => {
  const closed = path.join(folder, 'closed');
  fs.mkdirSync(closed, { mode: 0o700 });
  const where = { PARLEY_STATE: path.join(closed, 'run') };
  const done = stack('up', where);
  const down = stack('down', where);
  const database = fs.realpathSync(path.join(closed, 'run/postgres'));
  fs.rmSync(database, { recursive: true });
  assert.equal(done.status, 0, said(done));
  assert.equal(down.status, 0, said(down));
  assert.ok(said(done).includes(`the database lives in ${database}`), said(done));
});

test('two stacks side by side', async () => {
  const other = { PARLEY_PORT: String(await freePorts(20)), PARLEY_STATE: path.join(folder, 'other') };
  try {
    assert.equal(stack('up').status, 0);
    const second = stack('up', other);
    assert.equal(second.status, 0, said(second));
    assert.ok((await answers()) && (await answers(other.PARLEY_PORT)));
  } finally {
    stack('down', other);
  }
  assert.ok(await answers(), 'stopping one stack left the other alone');
});

test('psql and pg_dump reach the database by the address that is printed', () => {
  const url = execFileSync('bash', [path.join(root, 'common/scripts/postgres.sh'), 'url', 'parley_admin'], { env: environment(), encoding: 'utf8' }).trim();
  assert.equal(execFileSync('psql', ['-qAtX', '-c', 'SELECT 1', url], { encoding: 'utf8' }).trim(), '1');
});
