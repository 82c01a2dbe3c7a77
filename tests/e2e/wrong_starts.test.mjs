// Wrong starts, each with its sentence and its cure: what an operator mistypes is told before anything runs, all of it at once.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { root, slow, variant } from './harness.mjs';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-wrong-'));
const secret = path.join(folder, 'secret'), open = path.join(folder, 'open'), token = path.join(folder, 'token');
fs.writeFileSync(secret, 'x'.repeat(40), { mode: 0o600 });
fs.writeFileSync(open, 'x'.repeat(40));
fs.chmodSync(open, 0o666);
fs.writeFileSync(token, '\n');
after(() => fs.rmSync(folder, { recursive: true }));

const program = (name) => path.join(root, 'build', variant, name === 'gateway' ? name : `svc-${name}`);
const run = (file, args, env) => {
  const base = Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(PATH|HOME|TMPDIR|\w+SAN_OPTIONS)$/.test(name)));
  const done = spawnSync(file, args, { env: { ...base, ...env }, encoding: 'utf8', timeout: 20_000 * slow });
  return { status: done.status, said: done.stdout + done.stderr, sentences: (done.stdout + done.stderr).split('\n').filter(Boolean)
    .map((line) => (line.startsWith('{') ? JSON.parse(line) : { message: line })) };
};
const service = { PARLEY_SECRET: secret, DATABASE_URL: 'host=/nowhere connect_timeout=1' };

describe('what cannot be stops the start with a sentence', () => {
  const cases = [
    ['PARLEY_PORT that is no number', 'stack', { PARLEY_PORT: 'abc' }, /PARLEY_PORT must be a port from 1 to 65300, not "abc"/],
    ['PARLEY_PORT beyond the last', 'stack', { PARLEY_PORT: '80000' }, /PARLEY_PORT must be a port .*"80000"/],
    ['a listener without a port', 'gateway', { PARLEY_LISTEN: '127.0.0.1:80000' }, /PARLEY_LISTEN must be an address and a port from 0 to 65535/],
    ['SMTP_URL without a scheme', 'auth', { SMTP_URL: 'mail.example.invalid' }, /SMTP_URL must be a URL that begins with smtp:\/\/ or smtps:\/\//],
    ['PUBLIC_URL', 'auth', { PUBLIC_URL: 'foo' }, /PUBLIC_URL must be a URL that begins with http:\/\/ or https:\/\/, not "foo"/],
    ['PUBLIC_URL of the gateway', 'gateway', { PUBLIC_URL: 'foo' }, /PUBLIC_URL must be a URL/],
    ['PARLEY_ADMIN_EMAIL', 'auth', { PARLEY_ADMIN_EMAIL: 'nope' }, /PARLEY_ADMIN_EMAIL must be an e-mail address, not "nope"/],
    ['CHAT_BASE_URL', 'chat', { CHAT_BASE_URL: 'banana' }, /CHAT_BASE_URL must be a URL that begins with http/],
    ['a model that is needed', 'chat', { CHAT_PROVIDER: 'openai' }, /CHAT_PROVIDER=openai needs CHAT_MODEL/],
    ['EMBEDDING_BASE_URL', 'documents', { EMBEDDING_BASE_URL: 'ftp://x' }, /EMBEDDING_BASE_URL must be a URL that begins with http/],
    ['a provider that there is not', 'chat', { CHAT_PROVIDER: 'opnai' }, /CHAT_PROVIDER must be builtin or openai, not "opnai"/],
    ['a number out of bounds', 'documents', { DOCUMENTS_JOBS: '0' }, /DOCUMENTS_JOBS must be 1 to 64, not 0/],
    ['more streams than threads', 'gateway', { GATEWAY_STREAMS: '1000' }, /GATEWAY_STREAMS must be at most four fifths of GATEWAY_THREADS/],
    ['a required one', 'chatbots', { DATABASE_URL: ' ' }, /DATABASE_URL must be set/],
    ['a secret that is not there', 'chatbots', { PARLEY_SECRET: path.join(folder, 'typo') }, /typo cannot be read.*--init makes it/],
    ['a secret that others may write', 'gateway', { PARLEY_SECRET: open }, /open to other users \(mode 0666\): chmod 600 it/],
    ['a secret twice', 'chat', { CHAT_API_KEY: 'a', CHAT_API_KEY_FILE: secret }, /CHAT_API_KEY and CHAT_API_KEY_FILE are both set/],
    ['a secret\'s file that is empty', 'gateway', { METRICS_TOKEN_FILE: token }, /METRICS_TOKEN_FILE: .* is empty/],
    ['an argument', 'chat', {}, /there is no argument "--hlep"; --help prints the settings/, ['--hlep']],
  ];
  for (const [what, who, env, sentence, args = []] of cases)
    test(what, () => {
      const done = who === 'stack'
        ? run(path.join(root, 'common/scripts/stack.sh'), ['up'], { PARLEY_STATE: path.join(folder, 'state'), VARIANT: variant, ...env })
        : run(program(who), args, { ...service, ...env });
      assert.equal(done.status, 1, done.said);
      assert.ok(done.sentences.some(({ message }) => sentence.test(message)), done.said);
      for (const key of ['x'.repeat(40)]) assert.ok(!done.said.includes(key), 'a secret in a log');
    });

  test('none of them was made on the way', () => assert.ok(!fs.existsSync(path.join(folder, 'typo'))));

  test('several wrong ones are told together', () => {
    const done = run(program('auth'), [], { ...service, SMTP_URL: 'x', PARLEY_ADMIN_EMAIL: 'x', LOG_LEVEL: 'loud', AUTH_WORKERS: 'many', MAIL_FROM: 'x' });
    assert.equal(done.status, 1);
    const named = ['LOG_LEVEL', 'AUTH_WORKERS', 'PARLEY_ADMIN_EMAIL', 'SMTP_URL'].map((name) => done.sentences.filter(({ message }) => message.startsWith(name)).length);
    assert.deepEqual(named, [1, 1, 1, 1], done.said);
  });

  test('a name that is nearly one of ours is warned of', () => {
    const done = run(program('chat'), [], { ...service, CHAT_PROVIDER: 'x', CHAT_MODLE: 'x', SERVICE_WORKERS: '3', CHAT_PORT_8004_TCP: 'tcp://10.0.0.1:8004', CHAT_API_KEY_FILE: secret });
    const warnings = done.sentences.filter(({ level }) => level === 'warn').map(({ message }) => message).sort();
    assert.equal(warnings.length, 2, done.said);
    assert.match(warnings[0], /^CHAT_MODLE is no setting; is CHAT_MODEL meant\?$/);
    assert.match(warnings[1], /^SERVICE_WORKERS is no setting/);
  });

  test('no setting that --help shows is taken for a slip', () => {
    const names = ['gateway', 'auth', 'documents', 'chatbots', 'chat', 'integrations'].flatMap((name) =>
      [...run(program(name), ['--help'], {}).said.matchAll(/^ {2}([A-Z][A-Z0-9_]*) /gm)].map(([, setting]) => setting));
    assert.ok(names.length > 60);
    const done = run(program('chat'), [], Object.fromEntries(names.map((name) => [name, ' '])));
    assert.doesNotMatch(done.said, /is no setting/);
  });

  for (const name of ['gateway', 'auth', 'documents', 'chatbots', 'chat', 'integrations'])
    test(`${name} says its version, and its settings in one table`, () => {
      assert.match(run(program(name), ['--version'], {}).said, /^(svc-)?\w+ \d+\.\d+\.\d+\n$/);
      const lines = run(program(name), ['--help'], {}).said.split('\n').filter((line) => /^ {2}[A-Z]/.test(line));
      const starts = new Set(lines.flatMap((line) => /^( {2}[A-Z_]+ +)\S+ {2,}\S/.exec(line)?.[1].length ?? []));
      assert.equal(starts.size, 1, lines.join('\n'));
    });
});
