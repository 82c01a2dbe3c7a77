// alone: it measures time
// Whatever stands still or tells the wrong time, at once and for 20 seconds: a service stopped, a backend of PostgreSQL frozen, a
// replica thawed after its lease, a host whose clock is two minutes ahead; meanwhile two send in a session that a third deletes.
// Every answer comes within its deadline and is one of those that may be, nothing deadlocks, nothing is left half done or done twice.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { root, sleep, slow, startRig, startStack, unique, until, variant } from '../e2e/harness.mjs';

const SECONDS = Number(process.env.FROZEN_SECONDS || 20);
// The deadline of a call is 30 s unless its contract says more, as it does where a model answers or a file is sent.
const DEADLINE = 30_000, MARGIN = 5_000 * slow, LONGER = { send: 60_000, question: 60_000, upload: 60_000 };
const ARTICLE = 'The kettle has a warranty of two years. It begins on the day of purchase.\n';

let stack, rig, token;
before(async () => {
  rig = await startRig('fakellm.mjs');
  stack = await startStack({ replicas: { chat: 3, documents: 2 }, env: { CHAT_PROVIDER: 'openai', CHAT_BASE_URL: `${rig.url}/v1`,
    CHAT_API_KEY: 'sk-test', CHAT_MODEL: 'scripted', EGRESS_ALLOW: '127.0.0.1/32' } });
  token = (await stack.register()).token;
  const ahead = path.join(stack.state, 'clock_ahead.so');
  execFileSync('cc', ['-shared', '-fPIC', '-o', ahead, path.join(root, 'tests/rigs/clock_ahead.c')]);
  if (variant === 'release')
    for (const late of [stack.process('chat', 3), stack.process('documents', 2)]) {
      await late.kill();
      Object.assign(late.env, { LD_PRELOAD: ahead, CLOCK_AHEAD: '120' });
      await late.start();
    }
});
after(async () => {
  await stack?.stop();
  await rig?.stop();
});

const frozenBackend = async (schema) =>
  Number((await stack.sql(`SELECT pid FROM pg_stat_activity WHERE usename = 'parley_${schema}' AND backend_type = 'client backend' AND state = 'idle' LIMIT 1`))[0][0]);
// For a call that is not answered: what is known of its session.
async function situation(session) {
  const rows = await stack.sql(`SELECT role, status, attempt, lease_until - now(), key FROM chat.message WHERE session_id = '${session}' ORDER BY number`);
  const waiting = await Promise.all(stack.processes.map(async (p) => `${p.id} ${(await metrics(p)).filter((line) => /^parley_rpc_(parked|queue_depth|client_outstanding).* [1-9]/.test(line)).join(', ')}`));
  return [...rows.map((row) => row.join(' ')), ...waiting, ...stack.logLines(session).map((line) => JSON.stringify(line))].join('\n');
}
const metrics = (p) => p.metrics().then((text) => text.split('\n'));

test(`${SECONDS} s of everything at once`, async (t) => {
  const bot = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Kettle', documents: [(await stack.upload(token, 'manual.txt', ARTICLE)).id] } });
  const seen = {}, asked = [], uploads = new Map(), wrong = [];
  let worst = 0;
  const call = async (what, allowed, method, where, options) => {
    const start = Date.now(), id = unique('f');
    const answer = await stack.api(method, where, { token, timeout: 60_000, ...options, headers: { ...options?.headers, 'X-Request-Id': id } })
      .catch(async (error) => ({ status: 0, text: `${error.message}\n${await situation(where.split('/')[4])}` }));
    const took = Date.now() - start;
    worst = Math.max(worst, took);
    seen[`${what} ${answer.status}`] = (seen[`${what} ${answer.status}`] ?? 0) + 1;
    if (!allowed.includes(answer.status)) wrong.push(`${what}: ${answer.status} after ${took} ms: ${answer.text}`);
    if (took > (LONGER[what] ?? DEADLINE) + MARGIN) wrong.push(`${what}: answered after ${took} ms`);
    return answer;
  };
  const end = Date.now() + SECONDS * 1000;
  const during = async (work) => {
    while (Date.now() < end) await work();
  };

  // Two senders and a deleter in one session, again and again.
  const contend = () => during(async () => {
    const made = await call('session', [201, 503, 504], 'POST', '/api/chat/sessions', { json: { chatbotId: bot.id } });
    if (made.status !== 201) return;
    const at = `/api/chat/sessions/${made.body.id}`;
    const sender = async () => {
      for (let i = 0; i < 4; i++) await call('send', [200, 404, 409, 503, 504], 'POST', `${at}/messages`, { json: { content: 'Cite the warranty' } });
    };
    await Promise.all([sender(), sender(), sleep(Math.random() * 500).then(() => call('delete', [204, 404, 503, 504], 'DELETE', at))]);
  });
  // Sessions that stay: each question once, under a key, and again when nobody knew.
  const converse = () => during(async () => {
    const made = await call('session', [201, 503, 504], 'POST', '/api/chat/sessions', { json: { chatbotId: bot.id } });
    if (made.status !== 201) return;
    const content = unique('question'), headers = { 'Idempotency-Key': content };
    asked.push({ session: made.body.id, content });
    for (let i = 0; i < 20; i++) {
      const { status } = await call('question', [200, 409, 503, 504], 'POST', `/api/chat/sessions/${made.body.id}/messages`, { json: { content }, headers });
      if (status === 200) break;
      await sleep(500);
    }
  });
  const upload = () => during(async () => {
    const filename = `${unique('note')}.txt`;
    const { status } = await call('upload', [201, 503, 504], 'POST', '/api/documents/upload', { form: { file: { filename, content: `${filename} says that ${Math.random()}.` } } });
    uploads.set(filename, status);
  });
  const look = () => during(async () => {
    await call('read', [200, 503, 504], 'GET', `/api/chatbots/${bot.id}`);
    await call('search', [200, 503, 504], 'POST', '/api/documents/search', { json: { query: 'warranty' } });
    await sleep(50);
  });
  const freeze = async () => {
    const backends = await Promise.all(['chatbots', 'documents'].map(frozenBackend));
    const stopped = [stack.process('documents', 1), stack.process('chat', 2)]; // chat's lease is 12 s
    await sleep(1000);
    backends.forEach((pid) => process.kill(pid, 'SIGSTOP'));
    await Promise.all(stopped.map((p) => p.kill('SIGSTOP')));
    await sleep((SECONDS - 4) * 1000);
    await Promise.all(stopped.map((p) => p.kill('SIGCONT')));
    backends.forEach((pid) => process.kill(pid, 'SIGCONT'));
  };
  await Promise.all([contend(), contend(), converse(), converse(), upload(), look(), look(), freeze()]);
  t.diagnostic(`${Object.entries(seen).sort().map(([what, n]) => `${what}: ${n}`).join(', ')}; the slowest took ${worst} ms`);
  assert.deepEqual(wrong, []);
  assert.ok(seen['send 200'] > 0 && seen['send 404'] > 0 && seen['question 200'] > 10 && seen['upload 201'] > 5 && seen['read 200'] > 50, JSON.stringify(seen));

  // Nothing in limbo.
  await until('every document is processed', async () => (await stack.sql(
    "SELECT count(*) FROM documents.document WHERE status NOT IN ('ready', 'failed')"))[0][0] === '0', 60 * slow);
  await until('every turn has ended', async () => (await stack.sql(
    "SELECT count(*) FROM chat.message WHERE status IN ('queued', 'generating', 'waiting')"))[0][0] === '0', 60 * slow);
  await until('nobody waits', async () => { // but for gateways that follow svc-auth
    const lines = (await Promise.all(stack.processes.filter((p) => p.name !== 'auth').map(metrics))).flat();
    return lines.filter((line) => /^parley_rpc_(parked|queue_depth)/.test(line)).every((line) => line.endsWith(' 0'));
  }, 30 * slow);

  // Nothing twice, and nothing lost that was acknowledged.
  const files = new Map((await stack.sql('SELECT name, count(*) FROM documents.document GROUP BY name')).map(([name, n]) => [name, Number(n)]));
  for (const [name, status] of uploads) {
    assert.ok((files.get(name) ?? 0) <= 1, `${name} is there ${files.get(name)} times`);
    if (status === 201) assert.equal(files.get(name), 1, `${name} was acknowledged`);
    if (status === 503) assert.equal(files.get(name) ?? 0, 0, `${name} was refused`);
  }
  for (const { session, content } of asked) {
    const messages = await stack.ok('GET', `/api/chat/sessions/${session}/messages`, { token });
    const questions = messages.filter((m) => m.content === content);
    assert.ok(questions.length <= 1, `${content} was asked ${questions.length} times`);
    assert.equal(messages.filter((m) => m.role === 'assistant').length, questions.length, 'one answer each');
  }
  for (const p of stack.processes) assert.doesNotMatch(fs.readFileSync(p.log, 'utf8'), /40P01|deadlock detected/, p.id);
});
