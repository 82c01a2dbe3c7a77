// PgBouncer between the services and PostgreSQL: in session mode all goes on as without it, transaction mode is refused with a
// sentence. (PGBOUNCER names the program where it is in no usual place; without one there is nothing to try.)
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { freePort, request, startStack, until } from './harness.mjs';

const program = [process.env.PGBOUNCER, '/usr/sbin/pgbouncer', '/usr/local/bin/pgbouncer'].find((file) => file && fs.existsSync(file));
const skip = !program && 'pgbouncer is not installed';
let stack, port, bouncer;

// As the user that PostgreSQL runs as: it refuses to be root, and the socket is that user's.
async function bounce(mode) {
  if (bouncer) {
    bouncer.kill('SIGKILL');
    await new Promise((resolve) => bouncer.once('exit', resolve));
  }
  const folder = path.join(stack.state, 'pgbouncer');
  fs.mkdirSync(folder, { recursive: true });
  const [, socket] = /host=(\S+)/.exec(stack.process('auth').env.ADMIN_DATABASE_URL);
  const roles = await stack.sql("SELECT rolname, rolpassword FROM pg_authid WHERE rolpassword LIKE 'SCRAM%'");
  fs.writeFileSync(path.join(folder, 'users'), roles.map(([name, secret]) => `"${name}" "${secret}"\n`).join(''));
  fs.writeFileSync(path.join(folder, 'ini'), `[databases]\n* = host=${socket}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = ${port}\nunix_socket_dir =\n` +
    `auth_type = scram-sha-256\nauth_file = ${folder}/users\npool_mode = ${mode}\nmax_client_conn = 200\ndefault_pool_size = 30\n`);
  const owner = fs.statSync(path.dirname(socket.replaceAll("'", ''))).uid;
  if (process.getuid() === 0) for (const name of ['', 'users', 'ini']) fs.chownSync(path.join(folder, name), owner, owner);
  bouncer = spawn(program, ['-q', path.join(folder, 'ini')], { stdio: ['ignore', 'pipe', 'pipe'], ...(process.getuid() === 0 ? { uid: owner } : {}) });
  let said = '';
  bouncer.stderr.on('data', (text) => (said += text));
  await until('PgBouncer listens', async () => {
    assert.equal(bouncer.exitCode, null, said);
    return request(`http://127.0.0.1:${port}`, { timeout: 500 }).then(() => true, (error) => error.code !== 'ECONNREFUSED');
  });
}

before(async () => {
  if (skip) return;
  stack = await startStack();
  port = await freePort();
});
after(async () => {
  await stack?.stop();
  bouncer?.kill('SIGKILL');
});

const behind = () => stack.processes.filter(({ name }) => name !== 'gateway');

test('session mode: the services start, migrate, hear of each other and answer', { skip }, async () => {
  await bounce('session');
  for (const one of behind()) {
    await one.kill();
    one.env.DATABASE_URL = `host=127.0.0.1 port=${port} dbname=${/dbname=(\S+)/.exec(one.env.DATABASE_URL)?.[1] ?? 'parley'} user=parley_${one.name}`;
  }
  await Promise.all(behind().map((one) => one.start()));
  const { token } = await stack.register();
  const document = await stack.upload(token, 'kettle.html', '<p>The kettle has a warranty of two years.</p>'); // read by a job, woken by a notification
  const bot = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Help', documents: [document.id] } });
  const session = await stack.ok('POST', '/api/chat/sessions', { token, json: { chatbotId: bot.id } });
  const answer = await stack.ok('POST', `/api/chat/sessions/${session.id}/messages`, { token, json: { content: 'How long is the warranty?' } });
  assert.match(answer.content, /two years/);
});

test('transaction mode ends the start with a sentence that says which mode is needed', { skip }, async () => {
  await Promise.all(behind().map((one) => one.kill()));
  await bounce('transaction');
  const tried = await Promise.all(behind().map((one) => one.start().then(() => 'started', () => one.tail())));
  for (const [i, said] of tried.entries()) assert.match(said, /pool_mode = session/, `${behind()[i].name}: ${said}`);
  await bounce('session');
  await Promise.all(behind().filter((one) => !one.running).map((one) => one.start()));
});
