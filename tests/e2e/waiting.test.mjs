// Who waits holds no thread: senders that wait for a whole answer, in a svc-chat that has few threads and a model that is slow.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startRig, startStack, until } from './harness.mjs';

// Threads of svc-chat: 1 for rows, 2 for brief calls, 8 of each of five kinds.
const THREADS = 1 + 2 + 5 * 8;

let stack, rig, people;
before(async () => {
  rig = await startRig('fakellm.mjs');
  stack = await startStack({ env: { CHAT_WORKERS: '1', CHAT_WAITING: '8', CHAT_PROVIDER: 'openai', CHAT_API_KEY: 'sk-test', CHAT_MODEL: 'scripted',
    CHAT_BASE_URL: `${rig.url}/v1`, EGRESS_ALLOW: '127.0.0.1/32' } });
  people = await Promise.all(Array.from({ length: 4 }, () => stack.register()));
});
after(async () => {
  await stack?.stop();
  await rig?.stop();
});

const parked = async () => Number(/^parley_rpc_parked (\d+)$/m.exec(await stack.process('chat').metrics())[1]);
const threads = async (lane) => Number(new RegExp(`^parley_rpc_threads\\{lane="${lane}"\\} (\\d+)$`, 'm').exec(await stack.process('chat').metrics())[1]);

test('more senders wait than there are threads, and other calls are answered at once', async () => {
  const sending = [];
  for (const { token } of people) {
    const bot = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Slow' } });
    const { id } = await stack.ok('POST', '/api/chat/sessions', { token, json: { chatbotId: bot.id } });
    const send = (content, key) => stack.api('POST', `/api/chat/sessions/${id}/messages`,
      { token, json: { content }, headers: { 'Idempotency-Key': key }, timeout: 60_000 });
    // One answer is written, another waits for its turn, and a client that is impatient asks for each again and again.
    for (const [content, times] of [['slowly 4000', 6], ['number 2', 6]])
      for (let i = 0; i < times; i++) {
        sending.push(send(content, content));
        await until('it waits', async () => (await parked()) === sending.length, 2);
      }
  }
  assert.ok(sending.length > THREADS, `${sending.length} senders, ${THREADS} threads`);
  const { token } = people[0];
  const start = Date.now();
  await stack.ok('GET', '/api/chat/sessions', { token });
  const chat = await stack.ok('POST', '/chat/chats', { token, json: {}, status: 201 });
  await stack.ok('POST', `/chat/chats/${chat.id}/messages`, { token, json: { content: 'beside them' } });
  assert.ok(Date.now() - start < 1500, `${Date.now() - start} ms`);
  assert.ok((await threads('reader')) < 8, 'threads that serve who waits');
  const answers = await Promise.all(sending);
  for (const answer of answers) assert.equal(answer.status, 200, answer.text);
  assert.deepEqual(answers.slice(0, 12).map((answer) => answer.body.content), [...Array(6).fill('You said: slowly 4000'), ...Array(6).fill('You said: number 2')]);
  assert.equal(await parked(), 0);
});
