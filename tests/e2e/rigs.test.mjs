// The scripted model is only worth something when OpenAI's own client takes it for real.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { startRig } from './harness.mjs';

let rig, client;
before(async () => {
  rig = await startRig('fakellm.mjs');
  client = new OpenAI({ apiKey: 'sk-test', baseURL: `${rig.url}/v1`, maxRetries: 0 });
});
after(() => rig.stop());

const ask = (content, more = {}) => client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content }], ...more });

test('a whole answer with usage', async () => {
  const got = await ask('hello');
  assert.equal(got.choices[0].message.content, 'You said: hello');
  assert.equal(got.usage.total_tokens, 12);
});

test('a streamed answer, citing a source and inventing one', async () => {
  let text = '';
  for await (const chunk of await ask('please cite', { stream: true })) text += chunk.choices[0].delta.content ?? '';
  assert.match(text, /\[1\].*\[9\]/);
});

test('a tool call in pieces', async () => {
  const tools = [{ type: 'function', function: { name: 'add', parameters: { type: 'object', properties: {} } } }];
  const stream = client.chat.completions.stream({ model: 'm', tools, messages: [{ role: 'user', content: 'add 2 3' }] });
  const done = await stream.finalChatCompletion();
  assert.equal(done.choices[0].message.tool_calls[0].function.arguments, '{"a":2,"b":3}');
});

test('embeddings of texts that share words are near', async () => {
  const { data } = await client.embeddings.create({ model: 'm', input: ['the cat sat', 'a cat sat', 'stock prices fell'] });
  const near = (a, b) => a.embedding.reduce((sum, x, i) => sum + x * b.embedding[i], 0);
  assert.ok(near(data[0], data[1]) > near(data[0], data[2]));
});

for (const [name, script, want] of [['a wrong key', null, 401], ['overload', 'overload', 503]])
  test(`${name} is ${want}`, async () => {
    const other = script ? client : new OpenAI({ apiKey: 'sk-wrong', baseURL: `${rig.url}/v1`, maxRetries: 0 });
    await assert.rejects(other.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: script ?? 'x' }] }),
      (error) => error.status === want);
  });
