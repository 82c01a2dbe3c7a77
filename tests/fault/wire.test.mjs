// alone: it measures time
// Somebody on the wire between the processes: everything that the gateway and svc-chat say to svc-documents, and what comes back,
// goes through a socket that records it. No token, key or word is in it; sent again, it runs nothing; and with 1,000 calls under
// way, connections cut and delayed against each other, a sender and a receiver restarted, no call is lost in silence.
// (tests/unit/test_sealed has the same at the level of calls, with sessions that are forgotten.)
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { client, from, trusting } from '../e2e/accounts.mjs';
import { freePort, startStack, unique, until } from '../e2e/harness.mjs';

let stack, middle, behind, people; // behind: svc-documents' own port
const recorded = []; // { sent, back }: of each connection
const sockets = new Set();
let delay = () => 0; // ms, of each piece
before(async () => {
  const port = await freePort();
  behind = await freePort();
  open(port);
  stack = await startStack({ replicas: { gateway: 2 }, env: { ...trusting, GATEWAY_THREADS: '2048', DOCUMENTS_ADDRESS: `tcp://127.0.0.1:${port}`,
    DOCUMENTS_LISTEN: `tcp://127.0.0.1:${behind}`, DOCUMENTS_CONTEXTS: '2048' } });
  people = await Promise.all(Array.from({ length: 20 }, async () => ({ ...(await stack.register()), ip: client() })));
});
after(async () => {
  await stack?.stop();
  for (const socket of sockets) socket.destroy();
  middle?.close();
});

// The socket in the middle. Pieces of one connection keep their order; those of two may not.
function open(port) {
  middle = net.createServer((one) => {
    const other = net.connect(behind, '127.0.0.1'), heard = { sent: [], back: [] };
    recorded.push(heard);
    for (const [a, b, list] of [[one, other, heard.sent], [other, one, heard.back]]) {
      let last = Promise.resolve();
      sockets.add(a);
      a.setNoDelay(true).on('error', () => {}).on('close', () => b.destroy());
      a.on('data', (bytes) => {
        list.push(bytes);
        const ms = delay();
        last = last.then(() => new Promise((done) => setTimeout(done, ms))).then(() => b.destroyed || b.write(bytes));
      });
    }
  }).listen(port, '127.0.0.1');
}

const refused = async () => Number(/^parley_rpc_refused_total (\d+)$/m.exec(await stack.process('documents').metrics())[1]);
const count = async (what) => Number((await stack.sql(`SELECT count(*) FROM documents.document WHERE name LIKE '${what}%'`))[0][0]);
const add = ({ token, ip }, name, options = {}) =>
  stack.api('POST', '/api/documents/text', { token, headers: from(ip), json: { name, text: `${name} is a kettle.` }, timeout: 90_000, ...options });

test('what is heard on the wire tells nothing, and nothing can be done with it', async (t) => {
  const [user] = people, words = ['xylophone', 'quagmire'];
  const key = (await stack.ok('POST', '/auth/api-keys', { token: user.token, json: { name: 'k' } })).key;
  assert.equal((await add(user, `heard ${words[0]}`)).status, 201);
  assert.equal((await add({ ...user, token: key }, `heard ${words[1]}`)).status, 201);
  await until('they are ready', async () => (await stack.sql("SELECT count(*) FROM documents.document WHERE status = 'ready'"))[0][0] === '2');
  const bot = await stack.ok('POST', '/api/chatbots', { token: user.token, json: { name: 'Bot',
    documents: (await stack.ok('GET', '/api/documents', { token: user.token })).map((d) => d.id) } });
  const { id } = await stack.ok('POST', '/api/chat/sessions', { token: user.token, json: { chatbotId: bot.id } });
  const answer = await stack.ok('POST', `/api/chat/sessions/${id}/messages`, { token: user.token, json: { content: `What is the ${words[0]}?` } });
  assert.match(answer.content, /xylophone is a kettle/);
  const secret = fs.readFileSync(stack.process('documents').env.PARLEY_SECRET);
  const all = Buffer.concat(recorded.flatMap(({ sent, back }) => [...sent, ...back]));
  assert.ok(all.length > 5000, `${all.length} bytes recorded`);
  for (const hidden of [user.token, user.token.split('.')[1], key, user.uid, user.email, bot.id, ...words, 'kettle', 'documents', 'chat', secret.subarray(0, 16)])
    assert.equal(all.indexOf(hidden), -1, `"${hidden}" was heard`);
  t.diagnostic(`${recorded.length} connections, ${all.length} bytes`);

  const before = await count('heard'), dropped = await refused();
  const again = recorded.map(({ sent }) => {
    const socket = net.connect(behind, '127.0.0.1');
    sockets.add(socket.on('error', () => {}));
    socket.write(Buffer.concat(sent));
    return socket;
  });
  await until('they are turned away', async () => (await refused()) >= dropped + 4).catch(async (error) => {
    t.diagnostic(`${(await refused()) - dropped} refused`);
    throw error;
  });
  assert.equal(await count('heard'), before);
  again.forEach((socket) => socket.destroy());
});

test('1,000 calls under way, while the wire and the processes change: none is lost in silence', async (t) => {
  const outcomes = new Map(), statuses = {};
  let stop = false, worst = 0;
  delay = () => Math.random() * 30;
  const work = async (i) => {
    while (!stop) {
      const name = unique('call'), start = Date.now();
      const { status, body } = await add(people[i % people.length], name, { gateway: 1 + (i % 2) }).catch((error) => ({ status: 0, body: { detail: error.code } }));
      outcomes.set(name, status);
      statuses[status] = (statuses[status] ?? 0) + 1;
      worst = Math.max(worst, Date.now() - start);
      if (status >= 300) assert.equal(typeof body?.detail, 'string');
      if (status >= 300) await new Promise((done) => setTimeout(done, 200));
    }
  };
  const under = Promise.all(Array.from({ length: 1000 }, (_, i) => work(i)));
  const acknowledged = () => statuses[201] ?? 0;
  const more = async (n) => {
    const from = acknowledged();
    await until(`${n} more are done`, () => acknowledged() >= from + n, 90);
  };
  await more(200);
  for (const socket of [...sockets].slice(-2)) socket.destroy(); // one connection is cut
  await more(200);
  await stack.process('gateway', 2).kill('SIGKILL'); // a sender
  await stack.process('gateway', 2).start();
  await more(200);
  await stack.process('documents').kill('SIGKILL'); // the receiver
  await stack.process('documents').start();
  await more(200);
  delay = () => 0;
  await more(200);
  stop = true;
  await under;
  t.diagnostic(`${JSON.stringify(statuses)} (0: its gateway was killed), the slowest took ${worst} ms`);
  assert.deepEqual(Object.keys(statuses).filter((s) => !['0', '201', '503', '504'].includes(s)), [], JSON.stringify(statuses));
  const there = new Map((await stack.sql("SELECT name, count(*) FROM documents.document WHERE name LIKE 'call%' GROUP BY name")).map(([name, n]) => [name, Number(n)]));
  for (const [name, status] of outcomes) {
    assert.ok((there.get(name) ?? 0) <= 1, `${name} was done twice`);
    if (status === 201) assert.equal(there.get(name), 1, `${name} was acknowledged and is not there`);
    if (status === 503) assert.equal(there.get(name) ?? 0, 0, `${name} was refused and is there`);
  }
});
