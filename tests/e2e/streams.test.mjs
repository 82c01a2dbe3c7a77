// Event streams: cut, resumed through another gateway, with the gateway or the model's service killed, bounded.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { longer, sleep, startRig, startStack, until } from './harness.mjs';

describe('streams', () => {
  let stack, model, ada, eve, bot;
  const session = async (user = ada) =>
    (await stack.ok('POST', '/api/chat/sessions', { token: user.token, json: { chatbotId: bot }, status: 201 })).id;
  const at = (id) => `/api/chat/sessions/${id}/messages/stream`;
  const ask = (id, content, options = {}) => stack.stream('POST', at(id), { token: ada.token, json: { content }, ...options });
  const resume = (id, lastEventId, options = {}) => stack.stream('GET', at(id), { token: ada.token, lastEventId, ...options });
  const deltas = (events) => events.filter((e) => e.event === 'delta').map((e) => e.data.text).join('');
  const stored = async (id) => (await stack.ok('GET', `/api/chat/sessions/${id}/messages`, { token: ada.token })).at(-1);
  const sequence = (event) => Number(event.id.split('.').at(-1));

  // Two parts of one stream: nothing missing, nothing twice, and the text is the stored message byte for byte.
  async function assertWhole(id, first, second) {
    const events = [...first, ...second];
    assert.deepEqual(events.map(sequence), events.map((_, i) => i + 1));
    assert.equal(new Set(events.map((e) => e.id.split('.').slice(0, -1).join('.'))).size, 1);
    assert.equal(events.at(-1).event, 'done');
    const message = await stored(id);
    assert.equal(deltas(events), message.content);
    assert.deepEqual(events.at(-1).data.message, message);
  }

  before(async () => {
    model = await startRig('fakellm.mjs');
    stack = await startStack({
      replicas: { gateway: 2 },
      env: { CHAT_PROVIDER: 'openai', CHAT_BASE_URL: `${model.url}/v1`, CHAT_MODEL: 'scripted', CHAT_API_KEY: 'sk-test', EGRESS_ALLOW: '127.0.0.1/32', GATEWAY_STREAMS: '5' },
    });
    [ada, eve] = [await stack.register(), await stack.register()];
    bot = (await stack.ok('POST', '/api/chatbots', { token: ada.token, json: { name: 'Counter' }, status: 201 })).id;
  });
  after(async () => {
    await model?.stop();
    await stack?.stop();
  });

  test('a whole one: the user\'s message, the assistant\'s, its text in pieces, done', async () => {
    const id = await session();
    const stream = await ask(id, 'count 20');
    assert.match(stream.headers['content-type'], /^text\/event-stream/);
    assert.equal(stream.headers['cache-control'], 'no-store, no-transform');
    assert.ok(stream.headers['x-request-id']);
    const events = await stream.all();
    assert.deepEqual(events.filter((e) => e.event === 'message').map((e) => e.data.role), ['user', 'assistant']);
    assert.equal(deltas(events), Array.from({ length: 20 }, (_, i) => `w${i + 1}`).join(' '));
    for (const event of events) assert.doesNotMatch(event.raw.match(/^data: (.*)$/m)[1], /[\r\n]/);
    await assertWhole(id, events, []);
  });

  test('cut after three deltas, resumed through another gateway', async () => {
    const id = await session();
    const stream = await ask(id, 'count 100 15');
    const third = await stream.upTo('delta', 3);
    stream.cut();
    const seen = stream.events.slice(0, stream.events.indexOf(third) + 1);
    const rest = await resume(id, third.id, { gateway: 2 });
    await assertWhole(id, seen, await rest.all());
  });

  test('resumed again and again, from everywhere', async () => {
    const id = await session();
    const whole = await (await ask(id, 'count 30')).all();
    for (const event of whole.slice(0, -1))
      assert.deepEqual((await (await resume(id, event.id, { gateway: 1 + (sequence(event) % 2) })).all()).map((e) => e.raw),
        whole.slice(whole.indexOf(event) + 1).map((e) => e.raw));
    assert.deepEqual((await (await resume(id, undefined)).all()).map((e) => e.raw), whole.map((e) => e.raw), 'without a cursor: from the start');
  });

  test('two readers at once see the same', async () => {
    const id = await session();
    const first = await ask(id, 'count 60 10');
    await first.upTo('delta');
    const second = await resume(id, undefined, { gateway: 2 });
    assert.deepEqual((await second.all()).map((e) => e.raw), (await first.all()).map((e) => e.raw));
  });

  test('the gateway that serves it is killed', async () => {
    const id = await session();
    const stream = await ask(id, 'count 100 15', { gateway: 2 });
    const third = await stream.upTo('delta', 3);
    await stack.process('gateway', 2).kill('SIGKILL');
    const seen = await stream.all().catch(() => stream.events);
    const rest = await resume(id, (seen.at(-1) ?? third).id);
    await assertWhole(id, seen, await rest.all());
    await stack.process('gateway', 2).start();
  });

  test('the gateway that serves it is told to stop: it ends at once, and goes on elsewhere', async () => {
    const id = await session();
    const stream = await ask(id, 'count 150 20', { gateway: 2 });
    await stream.upTo('delta', 3);
    const ended = stack.process('gateway', 2).kill('SIGTERM');
    const seen = await stream.all();
    assert.notEqual(seen.at(-1).event, 'done');
    await assertWhole(id, seen, await (await resume(id, seen.at(-1).id)).all());
    assert.equal((await ended).code, 0);
    await stack.process('gateway', 2).start();
  });

  test('a client that goes away does not lose the answer', async () => {
    const id = await session();
    const stream = await ask(id, 'count 50');
    await stream.upTo('delta');
    stream.cut();
    await until('it is stored whole', async () => (await stored(id)).content?.endsWith('w50'));
  });

  test('silence is filled with comments', async () => {
    const id = await session();
    const stream = await ask(id, `count 3 ${11_500 * (longer > 1 ? 1.3 : 1)}`);
    await stream.all();
    assert.ok(stream.pings >= 2, `${stream.pings} comments`);
    assert.equal(deltas(stream.events), 'w1 w2 w3');
  });

  test('somebody else\'s is 404, a cursor of nothing too', async () => {
    const id = await session();
    const events = await (await ask(id, 'count 5')).all();
    const get = (lastEventId, token = ada.token) => stack.api('GET', at(id), { token, headers: { 'Last-Event-ID': lastEventId } });
    assert.equal((await get(events[0].id, eve.token)).status, 404);
    for (const odd of ['x', '0.1', 'ffffffffffffffff-none.1', '../..'])
      assert.ok([404, 422].includes((await get(odd)).status), odd);
    assert.equal((await stack.api('GET', at('01890a5d-ac96-774b-bcce-b302099a8057'), { token: ada.token })).status, 404);
  });

  test('bad requests are answered as JSON, not as a stream', async () => {
    const id = await session();
    const answer = await stack.api('POST', at(id), { token: ada.token, json: { content: '' } });
    assert.equal(answer.status, 422);
    assert.match(answer.headers['content-type'], /^application\/json/);
    assert.equal((await stack.api('POST', at(id), { json: { content: 'x' } })).status, 401);
  });

  test('so many at once and no more: 503 with Retry-After, and room again when one ends', async () => {
    const streams = [], several = 3; // of the five, that one user may have open
    for (let i = 0; i < several; i++) streams.push(await ask(await session(), 'count 400 20'));
    const answer = await stack.api('POST', at(await session()), { token: ada.token, json: { content: 'count 3' } });
    assert.equal(answer.status, 503);
    assert.ok(Number(answer.headers['retry-after']) >= 1);
    assert.equal((await stack.api('GET', '/api/chatbots', { token: ada.token })).status, 200, 'everything else is served');
    streams.forEach((s) => s.cut());
    await until('there is room again', async () => (await stack.api('POST', at(await session()), { token: ada.token, json: { content: 'count 3' } })).status === 200);
  });

  test('the service that writes it is killed: the stream says so and ends', async () => {
    const id = await session();
    const stream = await ask(id, 'count 300 20');
    await stream.upTo('delta', 3);
    await stack.process('chat').kill('SIGKILL');
    await sleep(300);
    await stack.process('chat').start();
    const events = await stream.all();
    assert.equal(events.at(-1).event, 'error');
    assert.ok(events.at(-1).data.detail.length > 5);
  });
});
