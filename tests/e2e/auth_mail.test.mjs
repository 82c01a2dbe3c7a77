// Mail against a real SMTP server: STARTTLS, AUTH, refusals, and what is not lost when svc-auth is killed.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { check, forget } from './accounts.mjs';
import { request, slow, startRig, startStack, uniqueEmail, until } from './harness.mjs';

const execute = promisify(execFile);
const account = { SMTP_USER: 'parley', SMTP_PASS: 'mail secret' };

// The ChatConnect document's own lines.
const documented = `
# Register user
curl -X POST http://localhost:8000/auth/register \\
  -H "Content-Type: application/json" \\
  -d '{"name": "Test User", "email": "test@example.com"}'

# Get OTP
curl -X POST http://localhost:8000/auth/send-otp \\
  -H "Content-Type: application/json" \\
  -d '{"email": "test@example.com"}'

# Verify OTP and get token
curl -X POST http://localhost:8000/auth/verify-otp \\
  -H "Content-Type: application/json" \\
  -d '{"email": "test@example.com", "otp": "123456"}'

# Use token for authenticated requests
curl -X GET http://localhost:8000/auth/me \\
  -H "Authorization: Bearer YOUR_TOKEN_HERE"
`.split(/^# .*$/m).map((line) => line.trim()).filter(Boolean);

describe('mail', () => {
  let stack, rig, dir;
  const auth = () => stack.process('auth');
  const mails = async (to) => (await request(`${rig.url}/mails?to=${encodeURIComponent(to)}`)).body;
  const next = (plan) => request(`${rig.url}/next?${new URLSearchParams(plan)}`, { method: 'POST' });
  const ask = async (email) => {
    await forget(stack, 'code-mail', email);
    check(await stack.api('POST', '/auth/send-otp', { json: { email } }), 200);
  };
  const newUser = async (email = uniqueEmail()) => {
    await stack.api('POST', '/auth/register', { json: { name: 'Test User', email } });
    return email;
  };
  const arrived = (email, seconds) =>
    until(`a mail to ${email}\n${auth().tail(5)}`, async () => (await mails(email))[0], seconds);
  // Jobs that wait for their next attempt are due now.
  const hurry = () => stack.sql("UPDATE auth.job SET run_at = now() WHERE failed IS NULL AND kind <> 'sweep'; NOTIFY parley_job, 'code'");
  const jobs = async () => Number((await stack.sql("SELECT count(*) FROM auth.job WHERE kind = 'code' AND failed IS NULL"))[0][0]);
  const failures = async () => (await stack.sql("SELECT failed FROM auth.job WHERE kind = 'code' AND failed IS NOT NULL")).flat();

  // The first attempt is over, and was not the last.
  const triedOnce = () => until('the first attempt is over', async () => (await stack.sql(
    "SELECT 1 FROM auth.job WHERE kind = 'code' AND attempt = 1 AND lease_until IS NULL AND failed IS NULL")).length > 0, 40);

  // Starts svc-auth again with other settings.
  const restart = async (env) => {
    await auth().kill('SIGTERM');
    Object.assign(auth().env, env);
    await auth().start();
    await until('the gateway has found it again', async () => (await stack.api('GET', '/ready')).status === 200);
  };

  before(async () => {
    dir = fs.mkdtempSync('/tmp/parley-mail-');
    const [key, cert] = [path.join(dir, 'key.pem'), path.join(dir, 'cert.pem')];
    await execute('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', cert,
      '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']);
    rig = await startRig('catcher.mjs', { ports: 2, env: { ...account, TLS_KEY: key, TLS_CERT: cert } });
    stack = await startStack({ env: { PARLEY_TRUSTED_PROXIES: '127.0.0.1' } });
    await restart({ SMTP_URL: `smtp://localhost:${rig.ports[0]}`, SMTP_USER: account.SMTP_USER, SMTP_PASSWORD: account.SMTP_PASS,
      SMTP_CA_FILE: cert, MAIL_FROM: 'Parley Tëst <parley@example.org>' });
  });
  after(async () => {
    await stack.stop();
    await rig.stop();
    fs.rmSync(dir, { recursive: true });
  });

  test('the curl lines of the ChatConnect document, with the code from the mail', async () => {
    const run = async (line) => {
      const here = line.replaceAll('http://localhost:8000', stack.url()).replaceAll('curl -X', 'curl -sS -X');
      return JSON.parse((await execute('bash', ['-c', here])).stdout);
    };
    const [register, send, verify, me] = documented;
    const registered = await run(register);
    assert.equal(registered.message, 'Registration successful');
    assert.deepEqual({ ...registered.user, id: 0 }, { id: 0, name: 'Test User', email: 'test@example.com' });
    assert.equal((await run(send)).message, 'OTP sent');
    const mail = await arrived('test@example.com');
    const [otp] = /\b\d{6}\b/.exec(mail.text);
    const { access_token: token, token_type: type } = await run(verify.replace('123456', otp));
    assert.equal(type, 'bearer');
    const user = await run(me.replace('YOUR_TOKEN_HERE', token));
    assert.deepEqual({ ...user, uid: 0, createdAt: 0 }, { ...registered.user, uid: 0, createdAt: 0, emailVerified: true });
  });

  test('a mail is well made, encrypted and authenticated', async () => {
    const email = await newUser();
    await ask(email);
    const mail = await arrived(email);
    assert.equal(mail.tls, true);
    assert.equal(mail.user, account.SMTP_USER);
    assert.equal(mail.from, 'parley@example.org');
    assert.deepEqual(mail.to, [email]);
    const [otp] = /\d{6}/.exec(mail.subject);
    assert.equal(mail.subject, `${otp} is your Parley sign-in code`);
    assert.ok(mail.text.includes(otp) && mail.html.includes(otp), 'in both parts');
    assert.match(mail.headers['message-id'], /^Message-ID: <[0-9a-f-]{36}@example\.org>$/i);
    assert.match(mail.headers.from, /^From: =\?UTF-8\?B\?\S+\?= <parley@example\.org>$/);
    assert.match(mail.headers.date, /^Date: \w{3}, \d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d \+0000$/);
    assert.match(mail.headers['content-type'], /multipart\/alternative/);
    assert.equal(mail.headers['auto-submitted'], 'Auto-Submitted: auto-generated');
    assert.ok(mail.raw.split('\r\n').every((line) => line.length <= 998 && /^[\t -~]*$/.test(line)), 'lines of ASCII that every server takes');
  });

  test('nobody is known by the address: nothing is sent', async () => {
    const email = uniqueEmail('nobody');
    await ask(email);
    await until('the job is done', async () => (await jobs()) === 0);
    assert.deepEqual(await mails(email), []);
  });

  test('a server that asks to try later (451) gets the mail later', async () => {
    const email = await newUser();
    await next({ after: 451 });
    await ask(email);
    await triedOnce();
    assert.deepEqual(await mails(email), []);
    await hurry();
    await arrived(email);
    assert.equal((await mails(email)).length, 1);
  });

  test('a recipient that is refused for ever (550) is given up at once', async () => {
    await newUser('reject@example.com');
    await ask('reject@example.com');
    await until('the job is given up', async () => (await failures()).some((why) => /550/.test(why)));
    assert.equal(await jobs(), 0);
    assert.match(auth().tail(200), /"message":"a mail was given up"/);
    await stack.sql('DELETE FROM auth.job WHERE failed IS NOT NULL');
  });

  test('a recipient that is refused for now (451) is tried again', async () => {
    await newUser('busy@example.com');
    await ask('busy@example.com');
    await until('the first attempt', async () => (await stack.sql("SELECT 1 FROM auth.job WHERE attempt = 1 AND kind = 'code'")).length > 0);
    await hurry();
    await until('a second one', async () => (await stack.sql("SELECT 1 FROM auth.job WHERE attempt >= 2 AND kind = 'code'")).length > 0);
    await stack.sql("DELETE FROM auth.job WHERE kind = 'code'");
  });

  test('a code that expired before it could be mailed is not mailed', async () => {
    const email = await newUser();
    await next({ after: 451 });
    await ask(email);
    await triedOnce();
    await stack.sql(`UPDATE auth.job SET payload = jsonb_set(payload, '{asked}', to_jsonb((payload->>'asked')::bigint - 601)) WHERE kind = 'code'`);
    await hurry();
    await until('it is given up', async () => (await failures()).some((why) => /expired/.test(why)));
    assert.deepEqual(await mails(email), []);
    await stack.sql('DELETE FROM auth.job WHERE failed IS NOT NULL');
  });

  test('a slow server delays nobody who asks', async () => {
    const email = await newUser();
    await next({ delay: 3000 });
    await ask(email);
    assert.equal(await jobs(), 1, 'the answer does not wait for the mail');
    await arrived(email);
    await until('the job is done', async () => (await jobs()) === 0);
  });

  test('killed before the mail is sent: it is sent by the next life, and the code is good', async () => {
    const email = await newUser();
    await next({ after: 451 }); // the first attempt comes to nothing
    await ask(email);
    await triedOnce();
    await auth().kill('SIGKILL');
    await auth().start();
    await hurry();
    const mail = await arrived(email, 20 * slow);
    const [otp] = /\d{6}/.exec(mail.subject);
    check(await stack.api('POST', '/auth/verify-otp', { json: { email, otp } }), 200);
  });

  test('killed between the server\'s answer to DATA and our commit: at most once more, the same mail', async () => {
    const email = await newUser();
    await next({ delay: 60_000 }); // the mail is there, the answer is not
    await ask(email);
    await arrived(email);
    await auth().kill('SIGKILL');
    await auth().start();
    await stack.sql("UPDATE auth.job SET lease_until = now() WHERE kind = 'code'"); // instead of waiting a minute for it to end
    await hurry();
    await until('the job is done', async () => (await jobs()) === 0, 20 * slow);
    const all = await mails(email);
    assert.equal(all.length, 2);
    assert.equal(all[0].raw, all[1].raw, 'byte for byte: Message-ID and code, too');
    const [otp] = /\d{6}/.exec(all[0].subject);
    check(await stack.api('POST', '/auth/verify-otp', { json: { email, otp } }), 200);
  });

  test('a server that takes the mail and hangs up without a word: the same', async () => {
    const email = await newUser();
    await next({ drop: 1 });
    await ask(email);
    await arrived(email);
    await triedOnce();
    await hurry();
    await until('the job is done', async () => (await jobs()) === 0);
    const all = await mails(email);
    assert.equal(all.length, 2);
    assert.equal(all[0].headers['message-id'], all[1].headers['message-id']);
  });

  // Each with settings of its own: the mail does not go out, and does once the settings are right again.
  const good = () => ({ SMTP_URL: `smtp://localhost:${rig.ports[0]}`, SMTP_PASSWORD: account.SMTP_PASS, SMTP_CA_FILE: path.join(dir, 'cert.pem') });
  const wrong = [
    ['a server that is down', () => ({ SMTP_URL: 'smtp://localhost:9' })],
    ['a name that does not exist', () => ({ SMTP_URL: 'smtp://no-such-host.invalid' })],
    ['a certificate that nobody vouches for', () => ({ SMTP_CA_FILE: '' })],
    ['a certificate for another name', () => ({ SMTP_URL: `smtp://127.0.0.1:${rig.ports[0]}` })],
    ['a wrong password', () => ({ SMTP_PASSWORD: 'wrong' })],
  ];
  for (const [name, settings] of wrong) {
    test(`${name}: tried again, and sent when that is mended`, async () => {
      const email = await newUser();
      await restart({ ...good(), ...settings() });
      await ask(email);
      await triedOnce();
      assert.deepEqual(await mails(email), []);
      assert.deepEqual(await failures(), [], 'not given up');
      await restart(good());
      await hurry();
      await arrived(email);
    });
  }

  test('a server without STARTTLS gets no mail, unless that is allowed', async () => {
    const plain = await startRig('catcher.mjs', { ports: 2, env: { NO_TLS: '1' } });
    try {
      const email = await newUser();
      const seen = async () => (await request(`${plain.url}/mails`)).body;
      await restart({ ...good(), SMTP_URL: `smtp://localhost:${plain.ports[0]}`, SMTP_USER: '' });
      await ask(email);
      await triedOnce();
      assert.deepEqual(await seen(), []);
      await restart({ SMTP_REQUIRE_TLS: '0' });
      await hurry();
      await until('the mail', async () => (await seen()).length === 1);
      assert.equal((await seen())[0].tls, false);
    } finally {
      await restart({ ...good(), SMTP_USER: account.SMTP_USER, SMTP_REQUIRE_TLS: '1' });
      await plain.stop();
    }
  });
});
