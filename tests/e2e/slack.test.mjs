// Slack: credentials, signed events, answers in the thread, whatever goes wrong between. The workspace is tests/rigs/fakeslack.mjs.
import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { request, startRig, startStack, unique, until } from './harness.mjs';

const ARTICLE = 'The kettle has a warranty of two years. It begins on the day of purchase.\n\nWe ship to Norway within five days.\n';
const secretOf = (team) => `secret-of-${team}`;
const channels = () => `C${unique('').replace(/\W/g, '').toUpperCase()}`;

let stack, slack, token, bot;
before(async () => {
  slack = await startRig('fakeslack.mjs');
  stack = await startStack({
    replicas: { integrations: 2 },
    env: { SLACK_API_URL: `${slack.url}/api`, EGRESS_ALLOW: '127.0.0.1/32' },
  });
  token = (await stack.register()).token;
  const document = await stack.upload(token, 'manual.txt', ARTICLE);
  bot = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Kettles', documents: [document.id] } });
});
after(async () => {
  await stack?.stop();
  await slack?.stop();
});

const rig = async (method, where, json) => (await request(slack.url + where, { method, body: json && JSON.stringify(json) })).body;
const messages = (channel) => rig('GET', `/messages?channel=${channel}`);
const isDone = (m) => m.bot_id && !m.streaming && !m.blocks?.some((b) => b.type === 'actions');
const answers = async (channel) => (await messages(channel)).filter(isDone);
const say = (channel, text, more = {}) => rig('POST', '/say', { channel, user: 'U1', text, ...more });
// What waits for its time is done now.
const hurry = (which) => stack.sql(`WITH moved AS (UPDATE integrations.job SET run_at = now() WHERE ${which} AND lease_until IS NULL RETURNING kind)
  SELECT pg_notify('parley_job', kind) FROM moved`);
const calls = async (api) => (await rig('GET', '/calls')).filter((c) => c.api === api);

const create = (team, more = {}) => stack.ok('POST', '/api/integrations/slack', { token, status: 201,
  json: { name: 'Our Slack', chatbotId: bot.id, config: { bot_token: `xoxb-good-${team}`, signing_secret: secretOf(team) }, ...more } });

const stampNow = () => Math.floor(Date.now() / 1000);
function signed(secret, body, { ts = stampNow(), headers = {} } = {}) {
  const signature = `v0=${createHmac('sha256', secret).update(`v0:${ts}:${body}`).digest('hex')}`;
  return { 'Content-Type': 'application/json', 'X-Slack-Request-Timestamp': String(ts), 'X-Slack-Signature': signature, ...headers };
}
const post = (body, headers, where = 'events', gateway = 1) => stack.api('POST', `/api/integrations/slack/${where}`, { body, headers, gateway });

// An event as Slack sends it.
const event = (team, inner, outer = {}) => JSON.stringify({
  token: 'x', team_id: team, api_app_id: `A${team}`, type: 'event_callback', event_id: `Ev${randomUUID()}`, event_time: stampNow(),
  authorizations: [{ team_id: team, user_id: 'U0BOT', is_bot: true }], event: { event_ts: inner.ts, ...inner }, ...outer });
const send = (team, body, options) => post(body, signed(secretOf(team), body, options));
const mention = async (team, channel, text, more = {}) => {
  const { ts } = await say(channel, `<@U0BOT> ${text}`, more);
  return event(team, { type: 'app_mention', user: 'U1', text: `<@U0BOT> ${text}`, ts, channel, ...more });
};
const answered = (channel, n = 1) => until(`${n} answer(s) in ${channel}`, async () => {
  const found = await answers(channel);
  return found.length >= n ? found : null;
});

describe('credentials', () => {
  test('a token that Slack knows makes the integration active, and is never shown', async () => {
    const made = await create('T1');
    assert.equal(made.status, 'active');
    assert.equal(made.statusDetail, null);
    assert.deepEqual(made.config, { bot_token: '****d-T1', signing_secret: '****f-T1', configured: true });
    const shown = JSON.stringify([await stack.ok('GET', '/api/integrations', { token }), await stack.ok('GET', `/api/integrations/${made.id}`, { token })]);
    assert.ok(!shown.includes('xoxb-good') && !shown.includes(secretOf('T1')), shown);
    const [[stored]] = await stack.sql(`SELECT secrets FROM integrations.integration WHERE id = '${made.id}'`);
    assert.ok(!stored.includes('xoxb'), 'sealed at rest');
  });

  test('one that Slack refuses: created with the reason, and not taken as credentials', async () => {
    const made = await create('T2', { config: { bot_token: 'xoxb-bad', signing_secret: 's' } });
    assert.equal(made.status, 'error');
    assert.match(made.statusDetail, /invalid_auth/);
    const where = `/api/integrations/slack/${made.id}/credentials`;
    const refused = await stack.api('POST', where, { token, json: { bot_token: 'xoxb-worse' } });
    assert.equal(refused.status, 422, refused.text);
    assert.match(refused.body.detail, /invalid_auth/);
    assert.deepEqual(refused.body.errors[0].loc, ['body', 'bot_token']);
    const good = await stack.ok('POST', where, { token, json: { bot_token: 'xoxb-good-T2', signing_secret: secretOf('T2') } });
    assert.equal(good.message, 'Credentials updated successfully');
    assert.equal(good.status, 'active');
  });

  test('nothing given, half given, camel case, masked ones', async () => {
    const bare = await create('T3', { config: {} });
    assert.deepEqual([bare.status, bare.config.configured], ['pending', false]);
    const where = `/api/integrations/slack/${bare.id}/credentials`;
    assert.equal((await stack.api('POST', where, { token, json: {} })).status, 422);
    const half = await stack.ok('POST', where, { token, json: { botToken: 'xoxb-good-T3' } });
    assert.deepEqual([half.status, half.statusDetail], ['pending', 'the signing secret is missing']);
    const whole = await stack.ok('PUT', `/api/integrations/${bare.id}`, { token, json: { config: { signingSecret: secretOf('T3'), note: 'x' } } });
    assert.deepEqual([whole.status, whole.config.note], ['active', 'x']);
    const same = await stack.ok('PUT', `/api/integrations/${bare.id}`, { token, json: { config: whole.config } });
    assert.equal(same.status, 'active', 'what is shown may be sent back');
    const channel = channels();
    assert.equal((await send('T3', await mention('T3', channel, 'How long is the warranty?'))).status, 200, 'the secrets are still there');
  });

  test('Slack out of reach: pending, and tried again by itself', async () => {
    await rig('POST', '/down', { down: true });
    const made = await create('T4');
    assert.equal(made.status, 'pending');
    assert.match(made.statusDetail, /cannot be reached/);
    await rig('POST', '/down', { down: false });
    await until('it is active', async () => {
      await hurry("kind = 'slack_verify' AND run_at > now() + interval '2 seconds'");
      return (await stack.ok('GET', `/api/integrations/${made.id}`, { token })).status === 'active';
    });
  });

  test('the manifest names our doors', async () => {
    const manifest = await stack.ok('GET', '/api/integrations/slack/manifest', { token });
    assert.match(manifest.settings.event_subscriptions.request_url, /\/api\/integrations\/slack\/events$/);
    assert.ok(manifest.settings.event_subscriptions.bot_events.includes('app_mention'));
    assert.match(manifest.features.slash_commands[0].url, /\/slack\/commands$/);
  });
});

describe('who may call', () => {
  before(() => create('TW'));
  const body = () => event('TW', { type: 'app_mention', user: 'U1', text: '<@U0BOT> hi', ts: '1.1', channel: 'CW' });

  test('an integration whose secrets no key opens stands in nobody\'s way, and new ones mend it', async () => {
    const team = 'TBROKEN';
    const whole = await create(team);
    const broken = await create(team, { config: { bot_token: `xoxb-good-${team}`, signing_secret: 'of-another-app' } });
    // as after a row was moved by hand, or a key was lost
    await stack.sql(`UPDATE integrations.integration SET secrets = (SELECT secrets FROM integrations.integration WHERE id = '${whole.id}') WHERE id = '${broken.id}'`);
    const text = event(team, { type: 'app_home_opened', tab: 'messages', user: 'U1' });
    assert.equal((await send(team, text)).status, 200);
    const challenge = JSON.stringify({ token: 'x', challenge: 'abc', type: 'url_verification' });
    assert.equal((await post(challenge, signed('another', challenge))).status, 401);
    const mended = await stack.ok('POST', `/api/integrations/slack/${broken.id}/credentials`, { token, json: { bot_token: `xoxb-good-${team}`, signing_secret: 'a-new-one' } });
    assert.equal(mended.status, 'active');
    assert.equal((await post(text, signed('a-new-one', text))).status, 200);
  });
  test('however many integrations somebody else has made, the check finds everybody\'s', async () => {
    const stranger = await stack.register();
    await stack.sql(`INSERT INTO integrations.integration (owner_id, id, type, name, secrets) SELECT '${stranger.uid}', overlay(gen_random_uuid()::text placing 'ff' from 1)::uuid,
      'slack', 'Crowd', secrets FROM integrations.integration, generate_series(1, 1000) WHERE team_id = 'TW' AND secrets IS NOT NULL LIMIT 1000`);
    const challenge = JSON.stringify({ token: 'x', challenge: 'abc', type: 'url_verification' });
    const answer = await post(challenge, signed(secretOf('TW'), challenge));
    await stack.sql("DELETE FROM integrations.integration WHERE name = 'Crowd'");
    assert.deepEqual([answer.status, answer.body], [200, { challenge: 'abc' }]);
  });
  test('url_verification is answered under any secret we know, and under no other', async () => {
    const challenge = JSON.stringify({ token: 'x', challenge: '3eZ"bz\\', type: 'url_verification' });
    const good = await post(challenge, signed(secretOf('TW'), challenge));
    assert.equal(good.status, 200);
    assert.deepEqual(good.body, { challenge: '3eZ"bz\\' });
    assert.equal((await post(challenge, signed('another', challenge))).status, 401);
    const large = challenge + ' '.repeat(10_000); // on which many secrets would be tried
    assert.equal((await post(large, signed(secretOf('TW'), large))).status, 401);
  });
  test('however many webhooks there are, whose secrets are none of Slack\'s', async () => {
    await stack.sql(`INSERT INTO integrations.integration (owner_id, id, type, name, secrets) SELECT owner_id, overlay(gen_random_uuid()::text placing 'ff' from 1)::uuid,
      'webhook', 'Hook', secrets FROM integrations.integration, generate_series(1, 200) WHERE team_id = 'TW' AND secrets IS NOT NULL LIMIT 200`);
    const challenge = JSON.stringify({ token: 'x', challenge: 'abc', type: 'url_verification' });
    const answer = await post(challenge, signed(secretOf('TW'), challenge));
    await stack.sql("DELETE FROM integrations.integration WHERE name = 'Hook'");
    assert.deepEqual([answer.status, answer.body], [200, { challenge: 'abc' }]);
  });

  const bad = [
    ['no signature', () => ({ 'Content-Type': 'application/json' })],
    ['another secret', (b) => signed('another', b)],
    ['six minutes old', (b) => signed(secretOf('TW'), b, { ts: stampNow() - 360 })],
    ['six minutes ahead', (b) => signed(secretOf('TW'), b, { ts: stampNow() + 360 })],
    ['a timestamp that is none', (b) => signed(secretOf('TW'), b, { ts: '-5' })],
    ['one byte changed', (b) => signed(secretOf('TW'), b.replace('hi', 'ho'))],
    ['a signature that is too short', (b) => ({ ...signed(secretOf('TW'), b), 'X-Slack-Signature': 'v0=' })],
  ];
  for (const [name, headers] of bad) {
    test(`${name}: 401`, async () => {
      const text = body();
      assert.equal((await post(text, headers(text))).status, 401);
    });
  }
  test('the app is learned from its first event; another\'s under the same secret is not taken', async () => {
    const made = await create('TAPP');
    const app = async () => (await stack.sql(`SELECT app_id FROM integrations.integration WHERE id = '${made.id}'`))[0][0];
    const told = (api_app_id) => { const text = event('TAPP', { type: 'reaction_added' }, { api_app_id }); return post(text, signed(secretOf('TAPP'), text)); };
    assert.ok(!(await app()));
    const text = event('TAPP', { type: 'reaction_added' }, { api_app_id: 'AFORGED' });
    assert.equal((await post(text, signed('another', text))).status, 401);
    assert.ok(!(await app()), 'not from one that is not verified');
    assert.deepEqual([(await told('AFIRST')).status, await app(), (await told('AOTHER')).status, (await told('AFIRST')).status], [200, 'AFIRST', 401, 200]);
  });
  test('an unknown workspace: 401; not JSON: 400; 5 MB: 413', async () => {
    const stranger = body().replaceAll('TW', 'TX');
    assert.equal((await post(stranger, signed(secretOf('TW'), stranger))).status, 401);
    assert.equal((await post('{"a"', signed(secretOf('TW'), '{"a"'))).status, 400);
    const huge = `{"team_id":"TW","x":"${'a'.repeat(5 << 20)}"}`;
    assert.equal((await post(huge, signed(secretOf('TW'), huge))).status, 413);
  });
  test('a stale token of Parley does not stand in the way', async () => {
    const text = body();
    assert.equal((await post(text, { ...signed(secretOf('TW'), text), Authorization: 'Bearer stale' })).status, 200);
  });
  test('two integrations of one workspace: the signature tells them apart', async () => {
    const other = (await stack.register()).token;
    const second = await stack.ok('POST', '/api/integrations/slack', { token: other, status: 201,
      json: { name: 'Second app', config: { bot_token: 'xoxb-good-TW', signing_secret: 'the-second' } } });
    const text = event('TW', { type: 'app_uninstalled' }, { api_app_id: 'ASECOND' });
    assert.equal((await post(text, signed('the-second', text))).status, 200);
    assert.equal((await stack.ok('GET', `/api/integrations/${second.id}`, { token: other })).status, 'error');
  });
});

describe('answers', () => {
  before(() => create('TA'));

  test('a mention is answered in its thread, with its sources', async () => {
    const channel = channels();
    const body = await mention('TA', channel, 'How long is the warranty?');
    const taken = await send('TA', body);
    assert.deepEqual([taken.status, taken.text], [200, '']);
    const [answer] = await answered(channel);
    assert.equal(answer.thread_ts, JSON.parse(body).event.ts);
    assert.match(answer.text, /two years/);
    assert.equal(answer.blocks[0].type, 'markdown');
    assert.match(answer.blocks[1].elements[0].text, /manual\.txt/);
    const [eyes] = (await calls('reactions.add')).filter((c) => c.args.channel === channel);
    assert.equal(eyes.args.timestamp, JSON.parse(body).event.ts);
  });

  test('the sources lead to a page with the passages, for whoever has the link, while the integration is on', async () => {
    const made = await create('TL');
    const channel = channels();
    await send('TL', await mention('TL', channel, 'How long is the warranty?'));
    const [answer] = await answered(channel);
    const [, url, name] = /<([^|]+)\|([^>]+)>/.exec(answer.blocks[1].elements[0].text);
    assert.equal(name, 'manual.txt');
    const { pathname, search, hash } = new URL(url.replaceAll('&amp;', '&'));
    const open = (query = search) => stack.api('GET', pathname + query);
    const page = await open();
    assert.equal(page.status, 200, page.text);
    assert.match(page.headers['content-type'], /^text\/html/);
    assert.match(page.text, new RegExp(`<section id="${hash.slice(1)}"><h2>\\[1\\] manual\\.txt</h2>\\s*<blockquote>[^<]*two years`));
    for (const none of ['', '?of=', `?of=${search.slice(4, -6)}AAAAAA`]) assert.equal((await open(none)).status, 404, none);
    await stack.ok('PUT', `/api/integrations/${made.id}`, { token, json: { status: 'inactive' } });
    assert.equal((await open()).status, 404, 'switched off');
    await stack.ok('PUT', `/api/integrations/${made.id}`, { token, json: { status: 'active' } });
    assert.equal((await open()).status, 200);
    const [, session] = answer.blocks.find((b) => b.type === 'context_actions').elements[0].positive_button.value.split(' ');
    await stack.ok('DELETE', `/api/chatbots/${bot.id}/conversations/${session}`, { token });
    assert.equal((await open()).status, 404, 'erased');
  });

  test('a mention comes as a message, too, and again: one answer', async () => {
    const channel = channels();
    const body = await mention('TA', channel, 'How long is the warranty?');
    const inner = JSON.parse(body).event;
    const twin = event('TA', { ...inner, type: 'message', channel_type: 'channel' });
    const again = { headers: { 'X-Slack-Retry-Num': '1', 'X-Slack-Retry-Reason': 'http_timeout' } };
    for (const reply of await Promise.all([send('TA', body), send('TA', twin), send('TA', body, again), send('TA', body, again)])) assert.equal(reply.status, 200);
    await answered(channel);
    await until('no job is left', async () => (await stack.sql("SELECT 1 FROM integrations.job WHERE kind <> 'sweep'")).length === 0);
    assert.equal((await answers(channel)).length, 1);
  });

  test('a direct message needs no mention; neither does a reply where the bot has answered', async () => {
    const direct = channels();
    const first = await say(direct, 'How long is the warranty?');
    await send('TA', event('TA', { type: 'message', channel_type: 'im', user: 'U1', text: 'How long is the warranty?', ts: first.ts, channel: direct }));
    const [answer] = await answered(direct);
    const reply = await say(direct, 'And to Norway?', { thread_ts: answer.thread_ts });
    await send('TA', event('TA', { type: 'message', channel_type: 'channel', user: 'U1', text: 'Do you ship to Norway?', ts: reply.ts, thread_ts: answer.thread_ts, channel: direct }));
    assert.match((await answered(direct, 2))[1].text, /Norway/);
  });

  test('never itself, other bots, edits, deletions, strangers\' threads, an empty mention', async () => {
    const channel = channels();
    const base = { channel, ts: '1727000000.000100', user: 'U1', text: '<@U0BOT> How long is the warranty?' };
    const others = [
      { ...base, type: 'message', channel_type: 'im', user: 'U0BOT' },
      { ...base, type: 'message', channel_type: 'im', bot_id: 'B9' },
      { ...base, type: 'app_mention', bot_id: 'B9', subtype: 'bot_message' },
      { ...base, type: 'message', channel_type: 'im', subtype: 'message_changed' },
      { ...base, type: 'message', channel_type: 'im', subtype: 'message_deleted' },
      { ...base, type: 'message', channel_type: 'channel', text: 'nobody asked', thread_ts: '1726000000.000100' },
      { ...base, type: 'message', channel_type: 'channel', text: 'nobody asked' },
      { ...base, type: 'app_mention', text: ' <@U0BOT>  ' },
      { ...base, type: 'reaction_added' },
    ];
    for (const inner of others) assert.equal((await send('TA', event('TA', inner))).status, 200, JSON.stringify(inner));
    assert.deepEqual(await stack.sql(`SELECT payload FROM integrations.job WHERE payload->>'channel' = '${channel}'`), []);
    assert.deepEqual(await answers(channel), []);
  });

  test('Slack asks to wait, fails, or cuts the connection behind the message: one answer', async () => {
    for (const plan of [{ status: 429, retryAfter: 1 }, { status: 503 }, { silent: true }]) {
      const channel = channels();
      for (const api of ['chat.postMessage', 'chat.startStream']) await rig('POST', '/next', { api, ...plan }); // whichever comes first
      await send('TA', await mention('TA', channel, 'How long is the warranty?'));
      await answered(channel);
      await until('no job is left', async () => (await stack.sql("SELECT 1 FROM integrations.job WHERE kind <> 'sweep'")).length === 0);
      assert.equal((await answers(channel)).length, 1, JSON.stringify(plan));
      await rig('POST', '/forget');
    }
  });

  test('a channel that is gone ends the job; a revoked token shows in the status', async () => {
    await send('TA', event('TA', { type: 'app_mention', user: 'U1', text: '<@U0BOT> warranty?', ts: '1727000001.000100', channel: 'CGONE' }));
    await until('it is given up', async () => (await stack.sql("SELECT 1 FROM integrations.job WHERE failed IS NULL AND kind <> 'sweep'")).length === 0);
    for (const error of ['token_revoked', 'account_inactive']) {
      const team = error === 'token_revoked' ? 'TR' : 'TRA';
      const made = await create(team);
      // an answer that takes a while is streamed
      for (const api of ['chat.postMessage', 'chat.startStream']) await rig('POST', '/next', { api, error, times: 5 });
      await send(team, await mention(team, channels(), 'warranty?'));
      await until('the status says so', async () => {
        const now = await stack.ok('GET', `/api/integrations/${made.id}`, { token });
        return now.status === 'error' && now.statusDetail.includes(error);
      });
      await rig('POST', '/forget');
    }
  });

  test('a question of 40,000 characters is answered; one in another language as well', async () => {
    const channel = channels();
    await send('TA', await mention('TA', channel, `How long is the warranty? ${'x'.repeat(40000)}`));
    await answered(channel);
  });

  test('no chatbot, a chatbot of the channel\'s own, an inactive integration', async () => {
    const other = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Empty' } });
    const made = await create('TC', { chatbotId: null });
    const channel = channels();
    await send('TC', await mention('TC', channel, 'warranty?'));
    assert.match((await answered(channel))[0].text, /No chatbot/);
    await stack.ok('PUT', `/api/integrations/${made.id}`, { token, json: { chatbotId: other.id, config: { channels: { [channel]: bot.id } } } });
    await send('TC', await mention('TC', channel, 'How long is the warranty?'));
    assert.match((await answered(channel, 2))[1].text, /two years/);
    const elsewhere = channels(); // of which the chatbot was deleted
    await stack.ok('PUT', `/api/integrations/${made.id}`, { token, json: { config: { channels: { [elsewhere]: randomUUID() } } } });
    await send('TC', await mention('TC', elsewhere, 'warranty?'));
    assert.match((await answered(elsewhere))[0].text, /No chatbot/);
    await until('no job is left', async () => (await stack.sql("SELECT 1 FROM integrations.job WHERE failed IS NULL AND kind <> 'sweep'")).length === 0);
    await stack.ok('PUT', `/api/integrations/${made.id}`, { token, json: { status: 'inactive' } });
    assert.equal((await send('TC', await mention('TC', channel, 'warranty?'))).status, 200);
    assert.deepEqual(await stack.sql("SELECT 1 FROM integrations.job WHERE failed IS NULL AND kind <> 'sweep'"), []);
    assert.equal((await stack.ok('PUT', `/api/integrations/${made.id}`, { token, json: { status: 'active' } })).status, 'active');
    assert.equal((await stack.api('PUT', `/api/integrations/${made.id}`, { token, json: { status: 'error' } })).status, 422);
  });

  test('another chatbot is chosen: it answers from then on, in conversations that go on as well', async () => {
    const document = await stack.upload(token, 'toasters.txt', 'The toaster has a warranty of seven years.\n');
    const other = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Toasters', documents: [document.id] } });
    const made = await create('TB');
    const channel = channels();
    const direct = async (text) => {
      const { ts } = await say(channel, text);
      await send('TB', event('TB', { type: 'message', channel_type: 'im', user: 'U1', text, ts, channel }));
    };
    await direct('How long is the warranty?');
    assert.match((await answered(channel))[0].text, /two years/);
    await stack.ok('PUT', `/api/integrations/${made.id}`, { token, json: { chatbotId: other.id } });
    await direct('How long is the warranty?');
    assert.match((await answered(channel, 2))[1].text, /seven years/);
  });

  test('of a disabled owner: quiet, before and behind the acknowledgement; until the account is enabled', async () => {
    const owner = await stack.register();
    await stack.ok('POST', '/api/integrations/slack', { token: owner.token, status: 201,
      json: { name: 'Theirs', config: { bot_token: 'xoxb-good-TD', signing_secret: secretOf('TD') } } });
    const disable = (value) => stack.sql(`UPDATE auth.users SET disabled_at = ${value} WHERE uid = '${owner.uid}'`);
    const jobs = (channel) => stack.sql(`SELECT 1 FROM integrations.job WHERE payload->>'channel' = '${channel}'`);
    const early = channels();
    await rig('POST', '/next', { api: 'chat.postMessage', status: 429, retryAfter: 3600 });
    await send('TD', await mention('TD', early, 'warranty?'));
    await until('it waits for Slack', async () => (await stack.sql(`SELECT 1 FROM integrations.job WHERE payload->>'channel' = '${early}' AND run_at > now() + interval '10 minutes'`)).length);
    await disable('now()');
    await hurry(`payload->>'channel' = '${early}'`);
    await until('its job is over', async () => (await jobs(early)).length === 0);
    const late = channels();
    assert.equal((await send('TD', await mention('TD', late, 'warranty?'))).status, 200);
    await until('and this one', async () => (await jobs(late)).length === 0);
    assert.deepEqual([await answers(early), await answers(late)], [[], []]);
    const form = new URLSearchParams({ team_id: 'TD', api_app_id: 'ATD', command: '/ask', text: 'warranty?', response_url: `${slack.url}/respond` }).toString();
    assert.match((await post(form, signed(secretOf('TD'), form), 'commands')).body.text, /switched off/);
    await disable('NULL');
    await send('TD', await mention('TD', late, 'warranty?'));
    await answered(late);
  });

  test('thumbs below an answer are its feedback; the conversation is among the chatbot\'s', async () => {
    const channel = channels();
    await send('TA', await mention('TA', channel, 'How long is the warranty?'));
    const [answer] = await answered(channel);
    const [buttons] = answer.blocks.find((b) => b.type === 'context_actions').elements;
    const [what, session, message] = buttons.negative_button.value.split(' ');
    assert.equal(what, 'down');
    const click = (value, secret = secretOf('TA')) => {
      const form = new URLSearchParams({ payload: JSON.stringify({ type: 'block_actions', team: { id: 'TA' }, api_app_id: 'ATA', user: { id: 'U1' },
        channel: { id: channel }, message: { ts: answer.ts }, actions: [{ action_id: buttons.action_id, type: 'feedback_buttons', value }] }) }).toString();
      return post(form, signed(secret, form, { headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }), 'interactivity');
    };
    const list = await stack.ok('GET', `/api/chatbots/${bot.id}/conversations`, { token });
    assert.ok(list.some((s) => s.id === session));
    const feedback = async () => (await stack.ok('GET', `/api/chatbots/${bot.id}/conversations/${session}`, { token })).messages.find((m) => m.id === message).feedback;
    for (const [value, wanted] of [[buttons.negative_button.value, 'down'], [buttons.positive_button.value, 'up']]) {
      const taken = await click(value);
      assert.deepEqual([taken.status, taken.text], [200, '']);
      await until(`it is rated ${wanted}`, async () => (await feedback()) === wanted);
    }
    assert.equal((await click(buttons.negative_button.value, 'another')).status, 401);
    assert.equal((await click('down not-an-id x')).status, 200, 'no button of ours');
    assert.equal((await post('payload=%7B', signed(secretOf('TA'), 'payload=%7B'), 'interactivity')).status, 400);
    assert.equal(await feedback(), 'up');
  });

  test('the slash command answers its asker alone', async () => {
    const form = new URLSearchParams({ team_id: 'TA', api_app_id: 'ATA', command: '/ask', text: 'How long is the warranty?', channel_id: 'C9',
      user_id: 'U1', trigger_id: unique('t'), response_url: `${slack.url}/respond` }).toString();
    const headers = signed(secretOf('TA'), form, { headers: { 'Content-Type': 'application/x-www-form-urlencoded' } });
    const reply = await post(form, headers, 'commands');
    assert.equal(reply.status, 200, reply.text);
    assert.equal(reply.body.response_type, 'ephemeral');
    const [said] = await until('the answer', async () => {
      const all = await rig('GET', '/responses');
      return all.length ? all : null;
    });
    assert.equal(said.response_type, 'ephemeral');
    assert.match(said.text, /two years/);
    assert.equal((await post(form, signed('another', form), 'commands')).status, 401);
  });

  test('in a channel that two companies share the event is the other\'s, and the installation ours', async () => {
    const channel = channels();
    const body = JSON.stringify({ ...JSON.parse(await mention('TA', channel, 'How long is the warranty?', { user_team: 'TTHEIRS', source_team: 'TTHEIRS' })),
      team_id: 'TTHEIRS', is_ext_shared_channel: true, context_team_id: 'TTHEIRS', authorizations: [{ enterprise_id: null, team_id: 'TA', user_id: 'U0BOT', is_bot: true, is_enterprise_install: false }] });
    assert.equal((await send('TA', body)).status, 200);
    await answered(channel);
  });

  test('a question is asked as its author saw it', async () => {
    const channel = channels();
    await send('TA', await mention('TA', channel, 'Is the <http://shop.example|kettle> &lt; 2 years &amp; <@U0BOT2> of <#C1|general> right? :tada: 👩‍👩‍👧'));
    const [answer] = await answered(channel);
    const [, session] = answer.blocks.find((b) => b.type === 'context_actions').elements[0].positive_button.value.split(' ');
    const { messages: [question] } = await stack.ok('GET', `/api/chatbots/${bot.id}/conversations/${session}`, { token });
    assert.equal(question.content, 'Is the kettle (http://shop.example) < 2 years & @U0BOT2 of #general right? :tada: 👩‍👩‍👧');
  });

  test('a file with words, and a reply that is shown in the channel too, are questions like any', async () => {
    for (const more of [{ subtype: 'file_share', files: [{ id: 'F1' }] }, { subtype: 'thread_broadcast', root: { ts: '1726000000.000100' } }]) {
      const channel = channels();
      const { ts } = await say(channel, 'How long is the warranty?');
      await send('TA', event('TA', { type: 'message', channel_type: 'im', user: 'U1', text: 'How long is the warranty?', ts, channel, ...more }));
      await answered(channel);
    }
  });

  test('a refusal of a token that was replaced meanwhile says nothing of the new one, which answers', async () => {
    const made = await create('TQ');
    const channel = channels();
    for (const api of ['chat.postMessage', 'chat.startStream']) await rig('POST', '/next', { api, error: 'token_revoked', token: 'xoxb-good-TQ', times: 100 });
    await rig('POST', '/hold', { api: 'conversations.replies' });
    const before = (await calls('conversations.replies')).length;
    await send('TQ', await mention('TQ', channel, 'How long is the warranty?'));
    await until('its job has read the old one', async () => (await calls('conversations.replies')).length > before);
    await stack.ok('POST', `/api/integrations/slack/${made.id}/credentials`, { token, json: { bot_token: 'xoxe.xoxb-good-TQ', signing_secret: secretOf('TQ') } });
    await rig('POST', '/release');
    await answered(channel);
    await rig('POST', '/forget');
    assert.equal((await stack.ok('GET', `/api/integrations/${made.id}`, { token })).status, 'active');
  });

  // What a direct message may be, as Slack sends it; what is asked; null: nothing, and nothing is said.
  const rich = (...elements) => [{ type: 'rich_text', block_id: 'b', elements: [{ type: 'rich_text_section', elements }] }];
  const odd = [
    ['blocks without a text', { text: '', blocks: rich({ type: 'text', text: 'How long is ' }, { type: 'text', text: 'the warranty?', style: { bold: true } }) }, 'How long is the warranty?'],
    ['a message that is shared', { text: 'is that right?', attachments: [{ is_share: true, is_msg_unfurl: true, author_id: 'U2', text: 'The warranty is two years &amp; a day', fallback: '[x] U2: The warranty' }] },
      'is that right?\n\nThe warranty is two years & a day'],
    ['a message that is shared without a word', { text: '', attachments: [{ is_share: true, text: 'How long is the warranty?' }] }, 'How long is the warranty?'],
    ['the bot named twice, and another', { text: '<@U0BOT> <@U0BOT> does <@U2> know the warranty?' }, 'does @U2 know the warranty?'],
    ['the bot named in code', { text: '`<@U0BOT>` how long is the warranty?' }, '`` how long is the warranty?'],
    ['from another company', { text: 'How long is the warranty?', user: 'W7', user_team: 'TTHEIRS', source_team: 'TTHEIRS', user_profile: { team: 'TTHEIRS' } }, 'How long is the warranty?'],
    ['a huddle that begins', { text: 'A huddle started', subtype: 'huddle_thread', room: { id: 'R1' } }, null],
    ['Slackbot', { text: 'Reminder: How long is the warranty?', user: 'USLACKBOT' }, null],
    ['an edit', { subtype: 'message_changed', hidden: true, text: undefined, user: undefined, message: { type: 'message', user: 'U1', text: 'How long is the warranty?', edited: { user: 'U1', ts: '1.1' } }, previous_message: {} }, null],
    ['an app that joins', { subtype: 'bot_add', text: 'added an integration', bot_id: 'B7' }, null],
  ];
  for (const [name, more, wanted] of odd) {
    test(`a direct message, ${name}: ${wanted ? 'asked as it was meant' : 'nothing'}`, async () => {
      const channel = channels();
      const { ts } = await say(channel, more.text ?? '', more);
      const body = event('TA', { type: 'message', channel_type: 'im', user: 'U1', ts, channel, client_msg_id: randomUUID(), team: 'TA', ...more }, { context_team_id: 'TA', context_enterprise_id: null, is_ext_shared_channel: false });
      assert.equal((await send('TA', body)).status, 200);
      if (!wanted) return assert.deepEqual(await stack.sql(`SELECT payload FROM integrations.job WHERE payload->>'channel' = '${channel}'`), []);
      const [answer] = await answered(channel);
      const [, session] = answer.blocks.find((b) => b.type === 'context_actions').elements[0].positive_button.value.split(' ');
      const { messages: [question] } = await stack.ok('GET', `/api/chatbots/${bot.id}/conversations/${session}`, { token });
      assert.equal(question.content, wanted);
    });
  }

  test('a picture without a word: it says that it reads words', async () => {
    const channel = channels();
    const files = [{ id: 'F1', mimetype: 'image/png', url_private: 'https://files.slack.com/x.png' }];
    const { ts } = await say(channel, '', { files });
    await send('TA', event('TA', { type: 'message', channel_type: 'im', subtype: 'file_share', user: 'U1', text: '', ts, channel, files }));
    assert.match((await answered(channel))[0].text, /only what is written/);
  });

  test('an installation of a whole organisation: its events name the organisation', async () => {
    await create('E5');
    const channel = channels();
    const { ts } = await say(channel, '<@U0BOT> How long is the warranty?');
    const body = event('E5', { type: 'app_mention', user: 'W1', text: '<@U0BOT> How long is the warranty?', ts, channel, team: 'T77' },
      { team_id: 'T77', enterprise_id: 'E5', context_team_id: 'T77', context_enterprise_id: 'E5',
        authorizations: [{ enterprise_id: 'E5', team_id: null, user_id: 'U0BOT', is_bot: true, is_enterprise_install: true }] });
    assert.equal((await send('E5', body)).status, 200);
    await answered(channel);
  });

  test('what Slack tells of tokens, apps and its own limits: in the status, where it concerns the bot', async () => {
    const made = await create('TE');
    const told = async (inner, outer) => {
      assert.equal((await send('TE', event('TE', inner, outer))).status, 200);
      const { status, statusDetail } = await stack.ok('GET', `/api/integrations/${made.id}`, { token });
      return [status, statusDetail];
    };
    assert.deepEqual(await told({ type: 'tokens_revoked', tokens: { oauth: ['U7'], bot: [] } }), ['active', null], 'of a person');
    assert.deepEqual(await told({ type: 'team_access_revoked', team_ids: ['TOTHER'] }), ['active', null], 'of another workspace');
    assert.match((await told({}, { type: 'app_rate_limited', event: undefined, minute_rate_limited: 1518467820 })).join(), /^active,Slack sends too many events/);
    assert.match((await told({ type: 'tokens_revoked', tokens: { oauth: [], bot: ['U0BOT'] } })).join(), /^error,.*revoked the token/);
    assert.equal((await stack.ok('PUT', `/api/integrations/${made.id}`, { token, json: { status: 'active' } })).statusDetail, null);
    assert.match((await told({ type: 'team_access_revoked', team_ids: ['TE'] })).join(), /^error,the app was removed/);
    assert.match((await told({ type: 'app_uninstalled' })).join(), /^error,the app was removed/);
    await stack.ok('PUT', `/api/integrations/${made.id}`, { token, json: { status: 'active' } });
    assert.match((await told({ type: 'app_uninstalled' }, { event_time: stampNow() - 90 })).join(), /^pending,the app was removed.*are tried/, 'it was installed anew since');
    await until('its credentials are good', async () => {
      await hurry("kind = 'slack_verify'");
      return (await stack.ok('GET', `/api/integrations/${made.id}`, { token })).status === 'active';
    }, 30);
  });

  // Taken, since Slack shows an error otherwise; and nothing is done, since none of them is ours.
  const clicks = [
    ['a shortcut', { type: 'shortcut', callback_id: 'x', trigger_id: '1.2' }],
    ['a shortcut of a message', { type: 'message_action', callback_id: 'x', message: { text: 'hi' }, response_url: 'https://hooks.slack.com/x' }],
    ['a view that is submitted', { type: 'view_submission', view: { id: 'V1', state: { values: {} } } }],
    ['a view that is closed', { type: 'view_closed', is_cleared: false, view: { id: 'V1' } }],
    ['a menu that asks for options', { type: 'block_suggestion', action_id: 'x', value: 'a' }],
    ['a button of somebody else', { type: 'block_actions', actions: [{ action_id: 'x', type: 'button', value: 'up a b' }, { type: 'static_select', selected_option: {} }, 7] }],
    ['actions that are no list', { type: 'block_actions', actions: {} }],
    ['from a workspace of an organisation', { type: 'shortcut', team: null, user: { id: 'U1', team_id: 'TA' }, enterprise: { id: 'E1' }, is_enterprise_install: true }],
  ];
  for (const [name, payload] of clicks) {
    test(`interactivity, ${name}: 200`, async () => {
      const form = new URLSearchParams({ payload: JSON.stringify({ team: { id: 'TA' }, api_app_id: 'ATA', user: { id: 'U1' }, ...payload }) }).toString();
      const taken = await post(form, signed(secretOf('TA'), form, { headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }), 'interactivity');
      assert.deepEqual([taken.status, taken.text], [200, '']);
      await until('no job is left', async () => (await stack.sql("SELECT 1 FROM integrations.job WHERE kind = 'slack_action'")).length === 0);
    });
  }

  test('slash commands as Slack sends them: odd words, none, the check of the certificate, an organisation', async () => {
    const command = (fields, secret = secretOf('TA')) => {
      const form = new URLSearchParams({ team_id: 'TA', api_app_id: 'ATA', command: '/ask', channel_id: 'C9', user_id: 'U1', response_url: `${slack.url}/respond`, ...fields }).toString();
      return post(form, signed(secret, form, { headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }), 'commands');
    };
    const asked = async (text) => (await stack.sql(`SELECT 1 FROM chat.message WHERE role = 'user' AND content = '${text}'`)).length;
    await command({ text: 'Wie lange gilt die Garantie für den Kessel „Ä&amp;Ö“ 👩‍👩‍👧 + 100%?' });
    await until('it is asked as it was typed', () => asked('Wie lange gilt die Garantie für den Kessel „Ä&Ö“ 👩‍👩‍👧 + 100%?'));
    assert.match((await command({ text: '  ' })).body.text, /Write the question/);
    assert.match((await command({ text: 'x', response_url: '' })).body.text, /Write the question/);
    assert.match((await command({ text: 'warranty?', team_id: 'TX', enterprise_id: 'TA', is_enterprise_install: 'true' })).body.text, /Looking it up/);
    const check = 'ssl_check=1&token=x';
    const headers = (secret) => signed(secret, check, { headers: { 'Content-Type': 'application/x-www-form-urlencoded' } });
    assert.deepEqual([(await post(check, headers(secretOf('TA')), 'commands')).status, (await post(check, headers('another'), 'commands')).status], [200, 401]);
  });

  test('killed between acknowledgement and answer, repeated at the other replica: one answer', async () => {
    const channel = channels();
    await rig('POST', '/next', { api: 'conversations.replies', status: 503, times: 2 });
    const body = await mention('TA', channel, 'How long is the warranty?');
    assert.equal((await send('TA', body)).status, 200);
    const victim = stack.process('integrations', 1);
    await victim.kill('SIGKILL');
    await until('the other replica takes it', async () => (await send('TA', body)).status === 200);
    await answered(channel);
    await victim.start();
    await until('no job is left', async () => (await stack.sql("SELECT 1 FROM integrations.job WHERE failed IS NULL AND kind <> 'sweep'")).length === 0);
    assert.equal((await answers(channel)).length, 1);
  });

  test('svc-chat is away for a while: nothing is lost', async () => {
    const channel = channels();
    const chat = stack.process('chat');
    await chat.kill('SIGKILL');
    assert.equal((await send('TA', await mention('TA', channel, 'How long is the warranty?'))).status, 200);
    await until('it was tried', async () => (await stack.sql("SELECT 1 FROM integrations.job WHERE attempt > 1 AND kind <> 'sweep'")).length > 0);
    await chat.start();
    assert.match((await answered(channel))[0].text, /two years/);
  });
});
