// svc-auth and the database it makes ready: --init again and again, passwords of roles, another secret.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { root, slow, startStack, variant } from './harness.mjs';

const execute = promisify(execFile);

describe('the database', () => {
  let stack;
  before(async () => {
    stack = await startStack();
  });
  after(() => stack.stop());
  const run = (args, env = {}) => {
    const auth = stack.process('auth');
    return execute(auth.program, args, { env: { ...process.env, ...auth.env, ...env } })
      .then(({ stderr }) => ({ code: 0, stderr }), ({ code, stderr }) => ({ code, stderr }));
  };
  const roles = () => stack.sql(`SELECT rolname, rolpassword, rolsuper, rolcreaterole, rolcreatedb FROM pg_authid
    WHERE rolname LIKE 'parley\\_%' AND rolname <> 'parley_admin' ORDER BY 1`);

  test('--init again changes nothing, and is quick', async () => {
    const before = await roles();
    assert.equal(before.length, 5);
    for (const [role, password, ...powers] of before) {
      assert.match(password, /^SCRAM-SHA-256\$1:/, role);
      assert.deepEqual(powers, ['f', 'f', 'f'], role);
    }
    const start = Date.now();
    assert.equal((await run(['--init'])).code, 0);
    assert.ok(Date.now() - start < 1000 * slow, `${Date.now() - start} ms`);
    assert.deepEqual(await roles(), before);
  });

  test('two at once do not trip over each other, from nothing', async () => {
    await stack.sql('CREATE DATABASE other');
    const { ADMIN_DATABASE_URL: url } = stack.process('auth').env;
    const env = { ADMIN_DATABASE_URL: url.replace('dbname=parley', 'dbname=other') };
    const both = await Promise.all([run(['--init'], env), run(['--init'], env), run(['--init'], env)]);
    assert.deepEqual(both.map(({ code }) => code), [0, 0, 0], JSON.stringify(both));
  });

  test('--init refuses what belongs to another role, as after a dump that was restored too early, and says how to mend it', async () => {
    for (const [what, kind] of [['chatbots.chatbot', 'TABLE'], ['documents', 'SCHEMA']]) {
      const role = `parley_${what.split('.')[0]}`;
      await stack.sql(`ALTER ${kind} ${what} OWNER TO parley_admin`);
      const { code, stderr } = await run(['--init']);
      await stack.sql(`ALTER ${kind} ${what} OWNER TO ${role}`);
      assert.equal(code, 1, stderr);
      assert.match(stderr, new RegExp(`${kind.toLowerCase()} ${what} belongs to parley_admin, not to ${role}: .*svc-auth --init, then restore the dump, then start`));
    }
    assert.equal((await run(['--init'])).code, 0);
  });

  test('a service sees its own schema and no other\'s rows', async () => {
    const ask = (sql) => stack.sql(`SET ROLE parley_documents; SET search_path = documents; ${sql}`).then(() => '', ({ stderr }) => stderr);
    assert.match(await ask('SELECT * FROM auth.users'), /permission denied/);
    assert.match(await ask('SELECT * FROM chatbots.chatbot'), /permission denied/);
    assert.match(await ask('DELETE FROM auth.session'), /permission denied/);
    assert.match(await ask('CREATE TABLE auth.mine (a int)'), /permission denied/);
    assert.equal(await ask('SELECT * FROM documents.document'), '');
  });

  test('who reaches the socket is nobody yet: no password, no way in; the administrator is who started it, alone', async () => {
    const url = stack.process('auth').env.DATABASE_URL, admin = stack.process('auth').env.ADMIN_DATABASE_URL;
    const psql = (where, options = {}) => execute('psql', ['-qAtX', '-w', '-c', 'SELECT 1', where], { env: { ...process.env, ...options.env }, ...options })
      .then(() => 'in', ({ stderr }) => stderr);
    assert.match(await psql(url), /no password supplied/);
    assert.match(await psql(url, { env: { PGPASSWORD: 'wrong' } }), /password authentication failed/);
    assert.equal(await psql(admin), 'in');
    if (process.getuid() === 0) {
      const id = (what) => execute('id', [what, 'postgres']).then(({ stdout }) => Number(stdout));
      assert.match(await psql(admin, { uid: await id('-u'), gid: await id('-g'), cwd: '/' }), /Peer authentication failed/, 'another user of the system');
    }
    assert.equal((await run(['--rotate-keys'])).code, 0, 'a service proves itself with its role\'s password');
  });

  test('an empty database beside the note of another one is refused: its volume may be missing', async () => {
    const state = fs.mkdtempSync(path.join(stack.state, 'state-')), note = path.join(state, 'database-made');
    const { ADMIN_DATABASE_URL: url } = stack.process('auth').env;
    const empty = { PARLEY_STATE: state, ADMIN_DATABASE_URL: url.replace('dbname=parley', 'dbname=postgres') };
    fs.writeFileSync(note, '1234567890\n');
    const refused = await run(['--init'], empty);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /the database is empty.*is its volume mounted\? To begin anew, remove .*database-made/);
    assert.equal((await run(['--init'], { PARLEY_STATE: state })).code, 0, 'one that is not empty was moved, or restored');
    assert.notEqual(fs.readFileSync(note, 'utf8'), '1234567890\n');
  });

  test('what runs keeps no administrator\'s connection', () => {
    const environment = fs.readFileSync(`/proc/${stack.process('auth').pid}/environ`, 'latin1');
    assert.match(environment, /PARLEY_SECRET=/);
    assert.doesNotMatch(environment, /parley_admin/);
  });

  test('stack.sh rotate-keys adds a key of each kind', async () => {
    const keys = async () => Object.fromEntries(await stack.sql('SELECT purpose, count(*) FROM auth.keyring GROUP BY 1'));
    const before = await keys();
    await execute(path.join(root, 'common/scripts/stack.sh'), ['rotate-keys'],
      { env: { ...process.env, PARLEY_STATE: stack.state, PARLEY_PORT: String(stack.port), VARIANT: variant } });
    const after = await keys();
    for (const purpose of ['token', 'storage']) assert.equal(Number(after[purpose]), Number(before[purpose]) + 1, purpose);
  });

  test('with another secret svc-auth does not start, and says why', async () => {
    const other = path.join(stack.state, 'other-secret');
    fs.writeFileSync(other, 'x'.repeat(40), { mode: 0o600 });
    const { code, stderr } = await run([], { PARLEY_SECRET: other, AUTH_LISTEN: 'tcp://127.0.0.1:0', AUTH_ADMIN: '127.0.0.1:0' });
    assert.notEqual(code, 0);
    assert.match(stderr, /is this the PARLEY_SECRET that it was made ready with/);
    // as after a restore, when --init has given the roles the passwords of the other secret
    const restored = await run([], { PARLEY_SECRET: other, DATABASE_URL: stack.process('auth').env.ADMIN_DATABASE_URL, AUTH_LISTEN: 'tcp://127.0.0.1:0', AUTH_ADMIN: '127.0.0.1:0' });
    assert.notEqual(restored.code, 0);
    assert.match(restored.stderr, /the keyring cannot be opened: is this the PARLEY_SECRET that it was made with/);
    assert.doesNotMatch(restored.stderr, /the log knows more/);
  });

  // [name, arguments, environment, what it says]
  const wrong = [
    ['an unknown argument', ['--inti'], {}, /--inti/],
    ['--init without ADMIN_DATABASE_URL', ['--init'], { ADMIN_DATABASE_URL: undefined }, /ADMIN_DATABASE_URL/],
    ['--init with a role that may not', ['--init'], { as: 'mortal' }, /permission denied/],
    ['tokens for longer than keys are kept', [], { AUTH_TOKEN_HOURS: '721' }, /AUTH_TOKEN_HOURS must be 1 to 720/],
    ['hours that are none', [], { AUTH_TOKEN_HOURS: 'a day' }, /AUTH_TOKEN_HOURS/],
    ['a sender without an address', [], { MAIL_FROM: 'Parley' }, /MAIL_FROM must hold an address/],
  ];
  for (const [name, args, env, said] of wrong) {
    test(`${name}: a sentence, and no start`, async () => {
      const { as, ...rest } = env;
      const admin = stack.process('auth').env.ADMIN_DATABASE_URL;
      if (as) await stack.sql(`CREATE ROLE ${as} LOGIN PASSWORD 'p'`);
      const url = as ? { PARLEY_STATE: '', ADMIN_DATABASE_URL: admin.replace('user=parley_admin', `user=${as} password=p`).replace('dbname=parley', 'dbname=postgres') } : {};
      const { code, stderr } = await run(args, { AUTH_LISTEN: 'tcp://127.0.0.1:0', AUTH_ADMIN: '127.0.0.1:0', ...url, ...rest });
      assert.notEqual(code, 0);
      assert.match(stderr, said);
    });
  }
});
