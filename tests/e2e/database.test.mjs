// The database goes away under load, in order and by a crash: answers are 503 or 504 meanwhile, the services come back by
// themselves, and nothing that was acknowledged is lost.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { longer, sleep, slow, startStack, unique, until } from './harness.mjs';

let stack, user, standbyPid;
before(async () => {
  stack = await startStack({ env: { CHATBOTS_PER_USER: '1000000' } });
  user = await stack.register();
});
after(async () => {
  await stack?.stop();
  if (standbyPid) process.kill(standbyPid, 'SIGQUIT');
});

// As when the machine's database is killed: nobody is told goodbye.
async function crashDatabase() {
  const file = path.join(stack.state, 'postgres', 'data', 'postmaster.pid');
  const pid = Number(fs.readFileSync(file, 'utf8').split('\n')[0]);
  process.kill(pid, 'SIGQUIT');
  await until('the database is gone', () => !fs.existsSync(`/proc/${pid}`));
}

// `clients` clients that each do `step` again and again until told to stop; returns the stopping function.
function load(clients, step) {
  let over = false;
  const running = Array.from({ length: clients }, async () => {
    while (!over) await step(() => over);
  });
  return async () => {
    over = true;
    await Promise.all(running);
  };
}

const names = async () => new Map((await stack.sql('SELECT name, count(*) FROM chatbots.chatbot GROUP BY name')).map(([n, c]) => [n, Number(c)]));

async function goesAwayUnderLoad(stop) {
  const { token } = user;
  const outcomes = new Map(); // name -> status of its creation
  const retried = new Set(); // names whose creation was repeated under its Idempotency-Key until it succeeded
  const odd = [];
  let reads = 0, slowest = 0;
  const note = (what, answer) => {
    if (![200, 201, 503, 504].includes(answer.status)) odd.push(`${what}: ${answer.status} ${answer.text}`);
    if (answer.status === 503 && !answer.headers['retry-after']) odd.push(`${what}: 503 without Retry-After`);
    if (answer.status >= 500 && /postgres|socket|SQL|relation|\/tmp/i.test(answer.text)) odd.push(`${what}: leaks: ${answer.text}`);
    if (answer.status >= 400) return sleep(20);
  };
  const timed = async (...args) => {
    const start = Date.now();
    const answer = await stack.api(...args);
    slowest = Math.max(slowest, Date.now() - start);
    return answer;
  };
  const stopWriters = load(6, async () => {
    const name = unique('bot');
    const made = await timed('POST', '/api/chatbots', { token, json: { name } });
    outcomes.set(name, made.status);
    await note('create', made);
  });
  const stopRetriers = load(2, async (over) => {
    const name = unique('again');
    const key = unique('key');
    for (;;) {
      const made = await timed('POST', '/api/chatbots', { token, json: { name }, headers: { 'Idempotency-Key': key } });
      await note('create again', made);
      if (made.status === 201) return retried.add(name);
      if (over()) return;
    }
  });
  const stopReaders = load(4, async () => {
    for (const where of ['/api/documents', '/api/chatbots?limit=5', '/api/chat/sessions', '/auth/me', '/api/integrations']) {
      const answer = await timed('GET', where, { token });
      if (answer.status === 200) reads += 1;
      else await note(where, answer);
    }
  });

  await sleep(1000 * longer);
  for (let round = 0; round < 2; round++) {
    await stop();
    const down = await until('the outage is noticed', async () => {
      const answer = await stack.api('GET', '/api/chatbots?limit=1', { token });
      return answer.status === 503 && answer;
    });
    assert.match(down.body.detail, /^[^\n]{5,100}$/);
    assert.equal((await stack.api('GET', '/health')).status, 200);
    await until('/ready says so', async () => (await stack.api('GET', '/ready')).status === 503);
    await sleep(500);
    await stack.startDatabase();
    const since = Date.now();
    const before = { done: [...outcomes.values()].filter((s) => s === 201).length, reads };
    await until('reads and writes succeed again', () =>
      reads > before.reads && [...outcomes.values()].filter((s) => s === 201).length > before.done, 5 * slow);
    await until('/ready agrees', async () => (await stack.api('GET', '/ready')).status === 200, 5 * slow);
    console.log(`# back after ${Date.now() - since} ms`);
    await sleep(1000 * longer);
  }
  await Promise.all([stopWriters(), stopRetriers(), stopReaders()]);

  assert.deepEqual(odd.slice(0, 10), []);
  const statuses = [...outcomes.values()].reduce((sums, status) => ({ ...sums, [status]: (sums[status] ?? 0) + 1 }), {});
  console.log(`# creations: ${JSON.stringify(statuses)}; ${retried.size} repeated until done; ${reads} reads; slowest ${slowest} ms`);
  assert.ok(statuses[201] > 50, `hardly any load: ${JSON.stringify(statuses)}`);
  assert.ok(statuses[503] > 0, 'nobody noticed');
  assert.ok(slowest < 10_000 * slow, `somebody waited ${slowest} ms`);
  const rows = await names();
  assert.deepEqual([...rows].filter(([, count]) => count > 1), [], 'names that are there twice');
  for (const [name, status] of outcomes) {
    if (status === 201) assert.ok(rows.has(name), `${name} was acknowledged and is lost`);
    if (status === 503) assert.ok(!rows.has(name), `${name} was answered 503 and is there`);
  }
  for (const name of retried) assert.ok(rows.has(name), `${name} was acknowledged and is lost`);
  for (const p of stack.processes.filter(({ name }) => name !== 'gateway')) {
    const lines = fs.readFileSync(p.log, 'utf8').split('\n').filter((line) => line.includes('"the database is ')).map(JSON.parse);
    assert.ok(lines.some(({ message, reason }) => message === 'the database is away' && reason), `${p.id} says so, with a reason`);
    assert.ok(lines.some(({ message }) => message === 'the database is back'), `${p.id} says so`);
  }
}

test('restarted in order', () => goesAwayUnderLoad(() => stack.stopDatabase()));

test('crashed', () => goesAwayUnderLoad(crashDatabase));

test('jobs go on where they were', async () => {
  const { token } = user;
  const text = `<p>${'Parrots sleep on one leg. '.repeat(200)}</p>`; // small plain text would need none
  const form = { name: 'parrots', file: { filename: 'parrots.html', type: 'text/html', content: text } };
  const documents = await Promise.all(Array.from({ length: 5 }, () =>
    stack.ok('POST', '/api/documents/upload', { token, form, status: 201 })));
  // What was answered is on disk, though a small text's commit does not wait for it while others do.
  const small = { file: { filename: 'kept.txt', content: 'Macaws sleep on both.' } };
  documents.push(await stack.ok('POST', '/api/documents/upload?wait=0', { token, form: small, status: 201 }));
  assert.equal(documents.at(-1).status, 'ready');
  await crashDatabase();
  await sleep(500);
  await stack.startDatabase();
  for (const { id } of documents) {
    await until('the document is ready', async () => {
      const answer = await stack.api('GET', `/api/documents/${id}`, { token });
      return answer.status === 200 && answer.body.status === 'ready';
    }, 60 * slow);
  }
});

test('an upload that was stored is not answered 503 because the database went away while it was waited for', async () => {
  const { token } = user;
  await stack.sql(`CREATE FUNCTION documents.later() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN NEW.run_at := now() + interval '1 hour'; RETURN NEW; END $$;
    CREATE TRIGGER later BEFORE INSERT ON documents.job FOR EACH ROW WHEN (NEW.kind = 'ingest') EXECUTE FUNCTION documents.later()`);
  const name = unique('waited');
  const form = { name, file: { filename: 'a.html', content: '<p>The lamp is green.</p>' } };
  const answer = stack.api('POST', '/api/documents/upload?wait=20', { token, form });
  await until('it is stored', async () => (await stack.sql(`SELECT id FROM documents.document WHERE name = '${name}'`)).length);
  await crashDatabase();
  const { status, body } = await answer;
  assert.equal(status, 201, JSON.stringify(body));
  assert.equal(body.status, 'pending');
  await stack.startDatabase();
  const again = await until('the list is back', async () => {
    const list = await stack.api('GET', '/api/documents', { token });
    return list.status === 200 && list.body;
  });
  assert.deepEqual(again.filter((d) => d.name === name).map((d) => d.id), [body.id]);
});

// Streaming replication, as PostgreSQL's own programs set it up. Gives the directory of the standby's socket, and how it is promoted.
async function makeStandby(primary) {
  const standby = path.join(stack.state, 'standby'), { uid, gid } = fs.statSync(path.join(primary, 'data'));
  for (const setting of ['wal_level = replica', 'max_wal_senders = 4']) await stack.sql(`ALTER SYSTEM SET ${setting}`);
  await stack.stopDatabase();
  await stack.startDatabase();
  fs.appendFileSync(path.join(primary, 'data/pg_hba.conf'), 'local replication standby scram-sha-256\n');
  await stack.sql("CREATE ROLE standby REPLICATION LOGIN PASSWORD 'p'");
  await stack.sql('SELECT pg_reload_conf()');
  const [[bin]] = await stack.sql("SELECT setting FROM pg_config WHERE name = 'BINDIR'");
  const run = (program, ...args) => promisify(execFile)(path.join(bin, program), args,
    { cwd: '/', env: { ...process.env, HOME: '/', PGPASSWORD: 'p', LC_ALL: 'C.UTF-8' }, ...(process.getuid() === 0 ? { uid, gid } : {}) });
  fs.mkdirSync(standby, { mode: 0o700 });
  fs.chownSync(standby, uid, gid);
  await run('pg_basebackup', '-h', `${primary}/socket`, '-U', 'standby', '-D', `${standby}/data`, '-R', '-c', 'fast');
  await run('pg_ctl', '-D', `${standby}/data`, '-l', `${standby}/log`, '-w', '-o', `-c unix_socket_directories='${standby}' -c fsync=off`, 'start');
  standbyPid = Number(fs.readFileSync(`${standby}/data/postmaster.pid`, 'utf8').split('\n')[0]);
  return { socket: standby, promote: () => run('pg_ctl', '-D', `${standby}/data`, '-w', 'promote') };
}

test('the primary dies: with both hosts in DATABASE_URL all goes on at the standby as soon as it is promoted', async () => {
  const { token } = user, primary = fs.realpathSync(path.join(stack.state, 'postgres'));
  const standby = await makeStandby(primary);
  const services = stack.processes.filter(({ name }) => name !== 'gateway');
  await Promise.all(services.map(async (one) => {
    await one.kill();
    one.env.DATABASE_URL = `host=${standby.socket},${primary}/socket dbname=parley user=parley_${one.name}`; // one that takes no writes first
    await one.start();
  }));
  const create = (name) => stack.api('POST', '/api/chatbots', { token, json: { name } });
  const kept = unique('kept'), later = unique('later');
  await until('a write, and not at the standby', async () => (await create(kept)).status === 201);
  const [[lsn]] = await stack.sql('SELECT pg_current_wal_lsn()');
  await until('the standby has it', async () => (await stack.sql(`SELECT 1 FROM pg_stat_replication WHERE replay_lsn >= '${lsn}'`)).length);
  await crashDatabase();
  const away = await create(unique('lost'));
  assert.equal(away.status, 503, away.text);
  assert.ok(Number(away.headers['retry-after']) >= 1);
  await standby.promote();
  const since = Date.now();
  await until('writes are taken again', async () => (await create(later)).status === 201, 5 * slow);
  console.log(`# written ${Date.now() - since} ms after the promotion`);
  const there = (await stack.ok('GET', '/api/chatbots', { token })).map(({ name }) => name);
  for (const name of [kept, later]) assert.equal(there.filter((one) => one === name).length, 1, name);
});
