// A worker dies under load: its owners are told 503 until it is back, all others notice nothing, and nothing that was acknowledged is
// lost. Run by run.sh, whose stacks have a cluster.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { startStack, until } from '../e2e/harness.mjs';

const OWNERS = 16, SECONDS = 6;
let stack;
before(async () => { stack = await startStack(); });
after(() => stack?.stop());

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

async function owners() {
  const list = await Promise.all(Array.from({ length: OWNERS }, () => stack.register()));
  for (const one of list) {
    one.bots = [(await stack.ok('POST', '/api/chatbots', { token: one.token, json: { name: 'first' } })).id];
    const [[first]] = await stack.sql(`SELECT nodename LIKE '%worker1%' FROM citus_shards
      WHERE shardid = get_shard_id_for_distribution_column('chatbots.chatbot', '${one.uid}')`);
    one.node = first === 't' ? 1 : 2;
  }
  return list;
}

test('a worker is killed under load', async (t) => {
  const list = await owners();
  const counts = { 1: {}, 2: {} };
  const slowest = { 1: 0, 2: 0 }, reasons = [];
  assert.ok(list.some((o) => o.node === 1) && list.some((o) => o.node === 2), 'owners on both workers');
  let going = true;
  const client = async (one) => {
    for (let i = 0; going; i++) {
      const begun = Date.now();
      const write = i % 5 === 4;
      const answer = write ? await stack.api('POST', '/api/chatbots', { token: one.token, json: { name: `n${i}` } })
        : await stack.api('GET', '/api/chatbots', { token: one.token });
      if (write && answer.status === 201) one.bots.push(answer.body.id);
      if (answer.status === 500) reasons.push(await stack.why(answer));
      counts[one.node][answer.status] = (counts[one.node][answer.status] ?? 0) + 1;
      if (answer.status < 300) slowest[one.node] = Math.max(slowest[one.node], Date.now() - begun);
      await sleep(20);
    }
  };
  const clients = list.map(client);
  await sleep(1000);
  const home = fs.realpathSync(path.join(stack.state, 'postgres'));
  const pid = Number(fs.readFileSync(path.join(home, 'worker2/data/postmaster.pid'), 'utf8').split('\n')[0]);
  process.kill(pid, 'SIGKILL');
  await sleep(SECONDS * 1000);
  going = false;
  await Promise.all(clients);
  t.diagnostic(`owners on the worker that lives: ${JSON.stringify(counts[1])}, slowest ${slowest[1]} ms; on the other: ${JSON.stringify(counts[2])}`);
  assert.deepEqual(reasons, []);
  assert.deepEqual(Object.keys(counts[1]).filter((status) => status >= 300), [], 'others are unharmed');
  assert.deepEqual(Object.keys(counts[2]).filter((status) => !['200', '201', '503', '504'].includes(status)), [], 'what is not there is said');
  assert.ok(counts[2][503] > 0);
  fs.rmSync(path.join(home, 'worker2/data/postmaster.pid'), { force: true });
  await stack.startDatabase();
  await until('all are served again', async () => (await Promise.all(list.map((o) => stack.api('GET', '/api/chatbots', { token: o.token })))).every((a) => a.status === 200));
  for (const one of list) {
    const there = new Set((await stack.ok('GET', '/api/chatbots?limit=100', { token: one.token })).map((b) => b.id));
    assert.deepEqual(one.bots.filter((id) => !there.has(id)), [], 'nothing acknowledged is lost');
  }
});
