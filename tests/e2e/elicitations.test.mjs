// What servers of tools ask their user in the middle of a call: shown, answered, checked; over a reload and a kill -9.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { freePort, root, startRig, startStack, until } from './harness.mjs';

let stack, model, asking, everything, everythingUrl;
before(async () => {
  const port = await freePort();
  everything = spawn(process.execPath, ['--require', path.join(root, 'tests/rigs/loopback.cjs'),
    path.join(root, 'tests/node_modules/@modelcontextprotocol/server-everything/dist/index.js'), 'streamableHttp'],
  { env: { ...process.env, PORT: String(port) }, stdio: 'ignore' });
  everythingUrl = `http://127.0.0.1:${port}/mcp`;
  [model, asking] = await Promise.all([startRig('fakellm.mjs'), startRig('askmcp.mjs')]);
  stack = await startStack({ env: { CHAT_PROVIDER: 'openai', CHAT_BASE_URL: `${model.url}/v1`, CHAT_API_KEY: 'sk-test',
    CHAT_MODEL: 'scripted', CHAT_CONTEXT_TOKENS: '16000', EGRESS_ALLOW: '127.0.0.1/32' } });
  await until('server-everything listens', () => fetch(everythingUrl, { method: 'OPTIONS' }).then(() => true, () => false));
});
after(async () => {
  everything?.kill();
  await Promise.all([model, asking].map((rig) => rig?.stop()));
  await stack?.stop(); // last: it fails when something is found
});

const withServer = async (uri, name = 'Ask') => {
  const who = await stack.register();
  who.server = await stack.ok('POST', '/auth/mcp-servers', { token: who.token, status: 201, json: { name, config: { uri } } });
  await stack.ok('POST', `/chat/mcp/servers/${who.server.id}/connect`, { token: who.token });
  for (const tool of await stack.ok('GET', '/chat/mcp/tools', { token: who.token }))
    if (tool.name.startsWith('mcp_Ask_')) await stack.ok('PUT', `/chat/mcp/tools/${tool.name}`, { token: who.token, json: { policy: 'allow' } });
  who.chat = (await stack.ok('POST', '/chat/chats', { token: who.token, status: 201 })).id;
  return who;
};
const stream = (who, content) => stack.stream('POST', `/chat/chats/${who.chat}/messages/stream`, { token: who.token, json: { content } });
const answer = (who, id, json, from = who) => stack.api('POST', `/chat/chats/${who.chat}/elicitations/${id}`, { token: from.token, json });
const last = async (who) => (await stack.ok('GET', `/chat/chats/${who.chat}/messages`, { token: who.token })).at(-1);
const ended = (who) => until('the answer is written', async () => {
  const m = await last(who);
  return m.status === 'complete' && m;
});
const said = async () => (await fetch(`${asking.url}/said`)).json();
const named = (events, name) => events.filter((e) => e.event === name).map((e) => e.data);

for (const [how, rests] of [['held', false], ['aside', false], ['resumable', true], ['modern', true]]) {
  describe(`a server whose calls ${rests ? 'can wait' : 'are held'} (${how})`, () => {
    test('a form is shown, checked, filled up by its defaults; the server gets it', async () => {
      const who = await withServer(`${asking.url}/${how}`);
      const before = (await said()).answers.length;
      const events = await stream(who, 'call book {}');
      const { data: asked } = await events.upTo('elicitation');
      assert.deepEqual([asked.message, asked.server, asked.name, asked.schema.required, asked.url], ['Who travels?', 'Ask', 'mcp_Ask_book', ['name'], undefined]);
      const shown = await until('it waits', async () => {
        const m = await last(who);
        return (!rests || m.status === 'waiting') && m.tool_calls?.[0]?.status === 'waiting' && m;
      });
      assert.deepEqual(shown.tool_calls[0].elicitations.map((e) => [e.id, e.action]), [[asked.id, null]]);
      assert.equal(asked.tool_call_id, shown.tool_calls[0].id);
      assert.equal((await stack.api('POST', `/chat/chats/${who.chat}/tool-calls/${asked.tool_call_id}/approve`, { token: who.token, json: {} })).status, 409);
      for (const [content, words] of [[{}, /name/], [{ name: '' }, /name/], [{ name: 'Ada', seats: 9 }, /seats/], [{ name: 'Ada', class: 'c' }, /class/]]) {
        const refused = await answer(who, asked.id, { action: 'accept', content });
        assert.equal(refused.status, 422, refused.text);
        assert.match(refused.text, words);
      }
      assert.equal((await answer(who, asked.id, { action: 'perhaps' })).status, 422);
      assert.equal((await answer(who, asked.id, {})).status, 422);
      assert.equal((await answer(who, asked.id, { action: 'accept' }, await stack.register())).status, 404, 'a stranger');
      for (const id of ['none', `${asked.tool_call_id}-7`, `${asked.tool_call_id}-`, asked.tool_call_id])
        assert.equal((await answer(who, id, { action: 'accept' })).status, 404, id);
      events.cut(); // a reload
      const again = await stack.stream('GET', `/chat/chats/${who.chat}/messages/stream`, { token: who.token });
      await again.upTo('elicitation');
      const taken = await answer(who, asked.id, { action: 'accept', content: { name: 'Ada', not: 'asked for' } });
      assert.equal(taken.status, 200, taken.text);
      assert.deepEqual([taken.body.id, taken.body.status, taken.body.elicitations[0].action], [asked.tool_call_id, 'running', 'accept']);
      const told = await again.all();
      assert.equal(named(told, 'done')[0].message.content, 'It says: accept {"name":"Ada","seats":2,"class":"b"}');
      assert.deepEqual((await said()).answers.slice(before), [{ action: 'accept', content: { name: 'Ada', seats: 2, class: 'b' } }]);
      assert.equal((await answer(who, asked.id, { action: 'decline' })).status, 409);
    });

    test('two questions, one declined, one cancelled', async () => {
      const who = await withServer(`${asking.url}/${how}`);
      const events = await stream(who, 'call two {}');
      const { data: first } = await events.upTo('elicitation');
      assert.equal((await answer(who, first.id, { action: 'decline' })).status, 200);
      const second = await until('the second is asked', async () => (await last(who)).tool_calls[0].elicitations[1]);
      assert.equal(second.message, 'Second?');
      assert.equal((await answer(who, second.id, { action: 'cancel' })).status, 200);
      assert.equal(named(await events.all(), 'done')[0].message.content, 'It says: decline null & cancel null');
    });

    test('an address is shown with its host, and never fetched here', async () => {
      const who = await withServer(`${asking.url}/${how}`);
      const events = await stream(who, 'call pay {}');
      const { data: asked } = await events.upTo('elicitation');
      assert.deepEqual([asked.url, asked.host, asked.schema], [`${asking.url}/page?order=1`, new URL(asking.url).host, undefined]);
      assert.equal((await answer(who, asked.id, { action: 'accept', content: { a: 1 } })).status, 200);
      assert.equal(named(await events.all(), 'done')[0].message.content, 'It says: accept null');
      assert.equal((await said()).pages, 0);
    });

    test('a form that asks for a password, and a misleading address, are declined unseen', async () => {
      const who = await withServer(`${asking.url}/${how}`);
      for (const name of ['login', 'tricky']) {
        await (await stream(who, `call ${name} {}`)).all();
        const answered = await ended(who);
        assert.equal(answered.content, 'It says: decline null');
        const [shown] = answered.tool_calls[0].elicitations;
        assert.deepEqual([shown.action, shown.schema, shown.url], ['decline', undefined, undefined]);
      }
    });

    test('a new message cancels what was asked, and both are answered', async () => {
      const who = await withServer(`${asking.url}/${how}`);
      const events = await stream(who, 'call book {}');
      await events.upTo('elicitation');
      await until('it waits', async () => (await last(who)).tool_calls?.[0]?.status === 'waiting');
      await (await stream(who, 'hello')).all();
      const messages = await stack.ok('GET', `/chat/chats/${who.chat}/messages`, { token: who.token });
      assert.deepEqual(messages.filter((m) => m.role === 'assistant').map((m) => m.content), ['It says: cancel null', 'You said: hello']);
    });

    test('stop ends it', async () => {
      const who = await withServer(`${asking.url}/${how}`);
      const events = await stream(who, 'call book {}');
      await events.upTo('elicitation');
      const { id } = await until('it waits', async () => {
        const m = await last(who);
        return m.tool_calls?.[0]?.status === 'waiting' && m;
      });
      const stopped = await stack.ok('POST', `/chat/chats/${who.chat}/messages/${id}/stop`, { token: who.token });
      assert.deepEqual([stopped.status, stopped.tool_calls[0].elicitations[0].action], ['stopped', 'cancel']);
    });
  });
}

test('an address to visit before a call: the call is made when it was', async () => {
  const who = await withServer(`${asking.url}/visits`);
  const events = await stream(who, 'call pay {}');
  const { data: asked } = await events.upTo('elicitation');
  assert.equal(asked.host, new URL(asking.url).host);
  assert.equal((await answer(who, asked.id, { action: 'decline' })).status, 200);
  assert.match(named(await events.all(), 'done')[0].message.content, /did not go where/);
});

test('the real server-everything: its form with every kind of field, by its defaults', async () => {
  const who = await withServer(everythingUrl, 'Every');
  const tools = await stack.ok('GET', '/chat/mcp/tools', { token: who.token });
  assert.ok(tools.some((t) => t.name === 'mcp_Every_trigger-elicitation-request'), 'it is offered to those who have a user');
  await stack.ok('PUT', '/chat/mcp/tools/mcp_Every_trigger-elicitation-request', { token: who.token, json: { policy: 'allow' } });
  const events = await stream(who, 'call trigger-elicitation-request {}');
  const { data: asked } = await events.upTo('elicitation');
  assert.ok(Object.keys(asked.schema.properties).length > 10);
  await until('it waits', async () => (await last(who)).status === 'waiting');
  const taken = await answer(who, asked.id, { action: 'accept', content: { name: 'Ada', email: 'ada@example.com' } });
  assert.equal(taken.status, 200, taken.text);
  const content = named(await events.all(), 'done')[0].message.content;
  assert.match(content, /Ada[^]*It was a dark and stormy night/);
});

test('kill -9 while questions wait: they wait on, and are answered; the session is gone on with; what was held is of unknown outcome', async () => {
  const [resumable, modern, held] = await Promise.all(['resumable', 'modern', 'held'].map((how) => withServer(`${asking.url}/${how}`)));
  const asked = {};
  for (const [who, name] of [[resumable, 'resumable'], [modern, 'modern'], [held, 'held']]) {
    const events = await stream(who, 'call book {}');
    asked[name] = (await events.upTo('elicitation')).data;
    if (who !== held) await until('it waits', async () => (await last(who)).status === 'waiting');
    events.cut();
  }
  const before = (await said()).calls.length;
  await stack.process('chat').kill('SIGKILL');
  await stack.process('chat').start();
  const content = { name: 'Grace' };
  for (const [who, name] of [[resumable, 'resumable'], [modern, 'modern']]) {
    assert.equal((await answer(who, asked[name].id, { action: 'accept', content })).status, 200);
    assert.equal((await ended(who)).content, 'It says: accept {"name":"Grace","seats":2,"class":"b"}');
  }
  const lost = await ended(held);
  assert.match(lost.content, /nobody knows|It says: /);
  assert.ok(['unknown'].includes(lost.tool_calls[0].status), JSON.stringify(lost.tool_calls));
  assert.equal(lost.tool_calls[0].elicitations[0].action, 'cancel');
  assert.equal((await answer(held, asked.held.id, { action: 'accept', content })).status, 409);
  assert.equal((await said()).calls.length, before + 1, 'only the newer era sends its call again, with the answer');
});
