// Two replicas of svc-chatbots and svc-chat: both work, one may be killed under load, and nobody reads an error or finds
// a chatbot twice.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { longer, sleep, slow, startStack, unique, until } from './harness.mjs';

let stack, user;
before(async () => {
  stack = await startStack({ replicas: { chatbots: 2, chat: 2 }, env: { CHATBOTS_PER_USER: '1000000' } });
  user = await stack.register();
});
after(async () => {
  await Promise.allSettled(stops.map((stop) => stop()));
  await stack?.stop();
});

// How many requests a replica has answered so far.
async function answered(name, replica) {
  const lines = (await stack.process(name, replica).metrics()).split('\n').filter((line) => /^parley_rpc_requests_total\{/.test(line));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
const both = async (name) => [await answered(name, 1), await answered(name, 2)];

// What each replica answered while `work` ran.
async function during(name, work) {
  const before = await both(name);
  await work();
  return (await both(name)).map((count, i) => count - before[i]);
}

function assertShared(name, counts) {
  const third = (counts[0] + counts[1]) / 3;
  assert.ok(counts.every((count) => count > third), `${name}: the replicas answered ${counts.join(' and ')} requests`);
}

// `clients` clients that each do `step` again and again until told to stop; returns the stopping function.
const stops = [];
function load(clients, step) {
  let over = false;
  const running = Promise.all(Array.from({ length: clients }, async () => {
    while (!over) await step();
  }));
  const stop = () => {
    over = true;
    return running;
  };
  stops.push(stop);
  return stop;
}

test('each replica gets over a third of the requests', async () => {
  const bot = await stack.ok('POST', '/api/chatbots', { token: user.token, json: { name: 'Shared' } });
  const chatbots = await during('chatbots', async () => {
    const stop = load(8, () => stack.ok('GET', `/api/chatbots/${bot.id}`, { token: user.token }));
    await sleep(2000 * longer);
    await stop();
  });
  assertShared('chatbots', chatbots);
  const chat = await during('chat', async () => {
    const stop = load(8, () => stack.ok('GET', '/api/chat/sessions?limit=5', { token: user.token }));
    await sleep(2000 * longer);
    await stop();
  });
  assertShared('chat', chat);
});

// What is made under load while a replica dies: POST where, with the unique name in a field; SQL for all names there are.
for (const { service, where, body, names, read } of [
  { service: 'chatbots', where: '/api/chatbots', body: (name) => ({ name }), names: 'SELECT name, count(*) FROM chatbots.chatbot GROUP BY name',
    read: (bot) => `/api/chatbots/${bot.id}` },
  { service: 'chat', where: '/api/chat/sessions', body: (title, bot) => ({ title, chatbotId: bot.id }),
    names: 'SELECT title, count(*) FROM chat.session GROUP BY title', read: (bot, session) => `/api/chat/sessions/${session.id}` },
])
  test(`a svc-${service} killed under load: no read fails, a write is done once, or said not to be`, async () => {
    const { token } = user;
    const bot = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Stays' } });
    const session = await stack.ok('POST', '/api/chat/sessions', { token, json: { chatbotId: bot.id } });
    const outcomes = new Map(); // name -> status of its creation
    const badReads = [];
    const stop = load(16, async () => {
      const name = unique('made');
      const made = await stack.api('POST', where, { token, json: body(name, bot) });
      outcomes.set(name, made.status);
      const seen = await stack.api('GET', read(bot, session), { token });
      if (seen.status !== 200) badReads.push(`${seen.status} ${seen.text}`);
    });
    const victim = stack.process(service, 2);
    await sleep(1500 * longer);
    await victim.kill('SIGKILL');
    await sleep(2000 * longer);
    const backSince = Date.now();
    await victim.start();
    await until('both replicas work again', async () => {
      const counts = await during(service, () => sleep(500));
      return counts.every((count) => count > (counts[0] + counts[1]) / 3);
    }, 5 * slow + (Date.now() - backSince) / 1000);
    await stop();

    assert.deepEqual(badReads, []);
    const statuses = [...outcomes.values()].reduce((sums, status) => ({ ...sums, [status]: (sums[status] ?? 0) + 1 }), {});
    assert.deepEqual(Object.keys(statuses).filter((s) => !['201', '503', '504'].includes(s)), [], JSON.stringify(statuses));
    assert.ok(statuses[201] > 50, `hardly any load: ${JSON.stringify(statuses)}`);

    const rows = new Map((await stack.sql(names)).map(([n, c]) => [n, Number(c)]));
    assert.deepEqual([...rows].filter(([name, count]) => outcomes.has(name) && count > 1), [], 'names that are there twice');
    for (const [name, status] of outcomes) {
      if (status === 201) assert.ok(rows.has(name), `${name} was acknowledged and is lost`);
      if (status === 503) assert.ok(!rows.has(name), `${name} was answered 503 and is there`);
    }
  });
