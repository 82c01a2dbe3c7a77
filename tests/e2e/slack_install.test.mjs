// The operator's own app, installed in a workspace by OAuth; tokens that Slack wants renewed; the home tab; answers for one pair of eyes.
import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { client, from, trusting } from './accounts.mjs';
import { request, startRig, startStack, unique, until } from './harness.mjs';

const SIGNING = 'the-signing-secret-of-the-operator';
let stack, slack, token, bot;
before(async () => {
  slack = await startRig('fakeslack.mjs');
  stack = await startStack({ replicas: { integrations: 2 }, env: { ...trusting, SLACK_API_URL: `${slack.url}/api`, EGRESS_ALLOW: '127.0.0.1/32',
    SLACK_CLIENT_ID: 'client', SLACK_CLIENT_SECRET: 'secret', SLACK_SIGNING_SECRET: SIGNING } });
  ({ token } = await stack.register());
  const document = await stack.upload(token, 'manual.txt', 'The kettle has a warranty of two years. It begins on the day of purchase.\n');
  bot = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Kettles <!channel>', description: 'All about kettles & toasters', documents: [document.id], settings: { suggestedQuestions: ['How long is the warranty?'] } } });
});
after(async () => {
  await stack?.stop();
  await slack?.stop();
});

const rig = async (method, where, json) => (await request(slack.url + where, { method, body: json && JSON.stringify(json) })).body;
const posted = async (channel) => (await rig('GET', `/messages?channel=${channel}`)).filter((m) => m.bot_id && !m.streaming);
const calls = async (api) => (await rig('GET', '/calls')).filter((c) => c.api === api);
const place = () => `C${unique('').replace(/\W/g, '').toUpperCase()}`;
const CALLBACK = '/api/integrations/slack/oauth';
async function begin(who = token, query = '') {
  const answer = await stack.api('GET', `/api/integrations/slack/install${query}`, { token: who, headers: from(client()) }); // 20 a minute from one address
  assert.equal(answer.status, 200, answer.text);
  const url = new URL(answer.body.url);
  return { url, state: url.searchParams.get('state'), cookie: answer.headers['set-cookie'][0] };
}
const back = (query, cookie) => stack.api('GET', `${CALLBACK}?${new URLSearchParams(query)}`, { headers: { ...from(client()), ...(cookie ? { Cookie: cookie.split(';')[0] } : {}) } });
const installed = async (who = token) => (await stack.ok('GET', '/api/integrations', { token: who })).filter((i) => i.type === 'slack');
async function send(team, inner, secret = SIGNING) {
  const body = JSON.stringify({ team_id: team, api_app_id: `A${team}`, type: 'event_callback', event_id: `Ev${randomUUID()}`, event: inner });
  const ts = String(Math.floor(Date.now() / 1000));
  const signature = `v0=${createHmac('sha256', secret).update(`v0:${ts}:${body}`).digest('hex')}`;
  return stack.api('POST', '/api/integrations/slack/events', { body, headers: { 'Content-Type': 'application/json', 'X-Slack-Request-Timestamp': ts, 'X-Slack-Signature': signature } });
}
async function mention(team, text, channel = place()) {
  const { ts } = await rig('POST', '/say', { channel, user: 'U1', text: `<@U0BOT> ${text}` });
  assert.equal((await send(team, { type: 'app_mention', user: 'U1', text: `<@U0BOT> ${text}`, ts, event_ts: ts, channel })).status, 200);
  return channel;
}
const answered = (channel) => until(`an answer in ${channel}`, async () => (await posted(channel))[0]);
const install = async (code, query = '', who = token) => {
  const flow = await begin(who, query);
  const answer = await back({ state: flow.state, code }, flow.cookie);
  assert.equal(answer.status, 200, answer.text);
  return flow;
};

describe('installing', () => {
  test('there and back in one browser: an integration that answers, under the operator\'s signing secret', async () => {
    const flow = await begin(token, `?chatbotId=${bot.id}`);
    assert.equal(flow.url.origin + flow.url.pathname, `${slack.url}/oauth/v2/authorize`);
    assert.equal(flow.url.searchParams.get('client_id'), 'client');
    assert.match(flow.url.searchParams.get('scope'), /app_mentions:read,.*chat:write/);
    assert.ok(flow.url.searchParams.get('redirect_uri').endsWith(CALLBACK));
    assert.match(flow.cookie, /HttpOnly; SameSite=Lax/);
    const answer = await back({ state: flow.state, code: 'good-TI' }, flow.cookie);
    assert.deepEqual([answer.status, answer.headers['content-type']], [200, 'text/html; charset=utf-8'], answer.text);
    assert.match(answer.text, /is connected/);
    assert.match(answer.headers['content-security-policy'], /default-src 'none'/);
    const [made] = await installed();
    assert.deepEqual([made.status, made.name, made.chatbotId, made.config.configured], ['active', 'Slack: Team TI', bot.id, true]);
    assert.ok(!JSON.stringify(made).includes(SIGNING.slice(-4)), 'the operator\'s secret is not shown');
    const [[row]] = await stack.sql(`SELECT i::text FROM integrations.integration i WHERE id = '${made.id}'`);
    assert.ok(!row.includes('xoxb-good') && !row.includes(SIGNING), 'sealed at rest');
    assert.match((await answered(await mention('TI', 'How long is the warranty?'))).text, /two years/);
    assert.equal((await send('TI', { type: 'message' }, 'another')).status, 401);
  });

  test('the state works once; again is one integration, not two', async () => {
    const before = (await installed()).length;
    const flow = await begin();
    assert.equal((await back({ state: flow.state, code: 'good-TI2' }, flow.cookie)).status, 200);
    assert.equal((await back({ state: flow.state, code: 'good-TI3' }, flow.cookie)).status, 400);
    assert.equal((await installed()).length, before + 1);
    await install('rotating-TI2');
    assert.equal((await installed()).length, before + 1);
  });

  test('a browser that did not begin is asked first; another flow\'s cookie is refused', async () => {
    const flow = await begin(), other = await begin();
    const before = (await installed()).length;
    assert.equal((await back({ state: flow.state, code: 'good-TJ' }, other.cookie)).status, 400);
    const page = await back({ state: flow.state, code: 'good-TJ' });
    assert.equal(page.status, 200);
    assert.match(page.text, /Connect this Slack workspace to the Parley account .…@example\.com\?/);
    assert.equal((await installed()).length, before, 'nothing before the click');
    const form = new URLSearchParams([...page.text.matchAll(/name="(\w+)" value="([^"]*)"/g)].map((m) => [m[1], m[2]]));
    const done = await stack.api('POST', CALLBACK, { body: form.toString(), headers: { 'Content-Type': 'application/x-www-form-urlencoded' } });
    assert.deepEqual([done.status, /is connected/.test(done.text)], [200, true], done.text);
    assert.equal((await installed()).length, before + 1);
  });

  const bad = [
    ['no state', { code: 'good-TK' }, 400],
    ['a state that is none', { state: `${randomUUID()}.abc`, code: 'good-TK' }, 400],
    ['a state that is markup', { state: '"><script>alert(1)</script>', code: 'good-TK' }, 400],
    ['Slack\'s no', (f) => ({ state: f.state, error: 'access_denied<b>' }), 400],
    ['no code', (f) => ({ state: f.state, code: '' }), 400],
    ['a whole organisation', (f) => ({ state: f.state, code: 'org-TK' }), 400],
    ['a code that Slack refuses', (f) => ({ state: f.state, code: 'bad' }), 400],
  ];
  for (const [name, query, status] of bad) {
    test(`refused: ${name}`, async () => {
      const flow = typeof query === 'function' ? await begin() : {}; // so many of them are not taken in a minute
      const answer = await back(typeof query === 'function' ? query(flow) : query, flow.cookie);
      assert.equal(answer.status, status, answer.text);
      assert.doesNotMatch(answer.text, /<script>|<b>/);
    });
  }
  test('refused: one that took longer than ten minutes, a chatbot of another', async () => {
    const flow = await begin();
    await stack.sql('UPDATE integrations.slack_install SET expires_at = now()');
    assert.equal((await back({ state: flow.state, code: 'good-TK' }, flow.cookie)).status, 400);
    const stranger = (await stack.register()).token;
    assert.equal((await stack.api('GET', `/api/integrations/slack/install?chatbotId=${bot.id}`, { token: stranger })).status, 404);
    const theirs = await stack.ok('POST', '/api/chatbots', { token: stranger, json: { name: 'Theirs' } });
    const late = await begin(stranger, `?chatbotId=${theirs.id}`);
    await stack.ok('DELETE', `/api/chatbots/${theirs.id}`, { token: stranger });
    assert.equal((await back({ state: late.state, code: 'good-TK' }, late.cookie)).status, 404, 'deleted on the way');
    assert.deepEqual(await installed(stranger), []);
    assert.equal((await stack.api('GET', '/api/integrations/slack/install?chatbotId=x', { token })).status, 422);
    assert.equal((await stack.api('GET', '/api/integrations/slack/install')).status, 401);
  });

  test('Slack checks the address before anybody has installed anything', async () => {
    const challenge = JSON.stringify({ type: 'url_verification', challenge: 'abc' });
    const ts = String(Math.floor(Date.now() / 1000));
    const signature = `v0=${createHmac('sha256', SIGNING).update(`v0:${ts}:${challenge}`).digest('hex')}`;
    const answer = await stack.api('POST', '/api/integrations/slack/events', { body: challenge, headers: { 'Content-Type': 'application/json', 'X-Slack-Request-Timestamp': ts, 'X-Slack-Signature': signature } });
    assert.deepEqual([answer.status, answer.body], [200, { challenge: 'abc' }]);
  });
});

describe('tokens that expire', () => {
  const soon = () => stack.sql("WITH moved AS (UPDATE integrations.job SET run_at = now() WHERE kind = 'slack_rotate' AND lease_until IS NULL AND run_at > now() + interval '1 hour' RETURNING kind) SELECT pg_notify('parley_job', kind) FROM moved");
  const rotated = async (team) => (await calls('oauth.v2.access')).filter((c) => c.args.refresh_token?.includes(team));

  test('are renewed before, by one replica, and used from then on', async () => {
    await install('rotating-TR', `?chatbotId=${bot.id}`);
    const [[due]] = await stack.sql("SELECT extract(epoch FROM max(run_at) - now())::int FROM integrations.job WHERE kind = 'slack_rotate'");
    assert.ok(due > 10 * 3600 && due < 12 * 3600, `${due} s`);
    await soon();
    await until('it was renewed', async () => (await rotated('TR')).length > 0);
    await until('the next time is set', async () => (await stack.sql("SELECT 1 FROM integrations.job WHERE kind = 'slack_rotate' AND run_at > now() + interval '1 hour'")).length > 0);
    assert.equal((await rotated('TR')).length, 1);
    const channel = await mention('TR', 'How long is the warranty?');
    assert.match((await answered(channel)).text, /two years/);
    const used = (await rig('GET', '/calls')).filter((c) => (c.args.channel ?? c.args.channel_id) === channel).map((c) => c.token);
    assert.deepEqual([...new Set(used)], ['xoxe.xoxb-good-TR-2']);
  });

  test('one that has expired all the same is renewed then, and the answer comes', async () => {
    await install('rotating-TE', `?chatbotId=${bot.id}`);
    for (const api of ['chat.postMessage', 'chat.startStream']) await rig('POST', '/next', { api, error: 'token_expired', token: 'xoxe.xoxb-good-TE-1', times: 100 });
    const channel = await mention('TE', 'How long is the warranty?');
    await until('it was renewed', async () => {
      await stack.sql("WITH moved AS (UPDATE integrations.job SET run_at = now() WHERE kind IN ('slack_rotate', 'slack_answer') AND lease_until IS NULL AND run_at < now() + interval '2 minutes' RETURNING kind) SELECT pg_notify('parley_job', kind) FROM moved");
      return (await rotated('TE')).length > 0;
    });
    assert.match((await answered(channel)).text, /two years/);
    await rig('POST', '/forget');
  });

  test('one that Slack does not renew shows in the status', async () => {
    await install('rotating-TG');
    const mine = (await installed()).find((i) => i.name === 'Slack: Team TG');
    // somebody else has used it
    await request(`${slack.url}/api/oauth.v2.access`, { method: 'POST', body: new URLSearchParams({ client_id: 'client', client_secret: 'secret', grant_type: 'refresh_token', refresh_token: 'xoxe-1-TG-1' }).toString() });
    await soon();
    const now = await until('the status says so', async () => {
      const shown = await stack.ok('GET', `/api/integrations/${mine.id}`, { token });
      return shown.status === 'error' && shown;
    });
    assert.match(now.statusDetail, /invalid_refresh_token.*install the app anew/);
  });
});

describe('a token is renewed while its integration is changed', () => {
  let owner, theirs;
  before(async () => {
    owner = (await stack.register()).token;
    const document = await stack.upload(owner, 'manual.txt', 'The kettle has a warranty of two years.\n');
    theirs = await stack.ok('POST', '/api/chatbots', { token: owner, json: { name: 'Kettles', documents: [document.id] } });
  });
  const soon = ({ id }) => stack.sql(`WITH moved AS (UPDATE integrations.job SET run_at = now() WHERE kind = 'slack_rotate' AND key = '${id}' AND lease_until IS NULL AND run_at > now() + interval '1 hour' RETURNING kind) SELECT pg_notify('parley_job', kind) FROM moved`);
  const renewals = async (team) => (await calls('oauth.v2.access')).filter((c) => c.args.refresh_token?.includes(team)).length;
  const idle = ({ id }) => until('no renewal is under way', async () => (await stack.sql(`SELECT 1 FROM integrations.job WHERE kind = 'slack_rotate' AND key = '${id}' AND run_at < now() + interval '1 hour'`)).length === 0);
  const usedIn = async (channel) => [...new Set((await rig('GET', '/calls')).filter((c) => (c.args.channel ?? c.args.channel_id) === channel).map((c) => c.token))];
  const named = async (name) => (await installed(owner)).find((i) => i.name === name);

  test('the old token is not written over the new one', async () => {
    await install('rotating-TW1', `?chatbotId=${theirs.id}`, owner);
    const made = await named('Slack: Team TW1');
    const before = (await calls('auth.test')).length;
    await rig('POST', '/hold', { api: 'auth.test' });
    const change = stack.api('PUT', `/api/integrations/${made.id}`, { token: owner, json: { name: 'Another name', config: { note: 'x' } } });
    await until('the change has read the old one', async () => (await calls('auth.test')).length > before);
    await soon(made);
    await until('it was renewed', async () => (await renewals('TW1')) === 1);
    await idle(made);
    await rig('POST', '/release');
    const answer = await change;
    assert.deepEqual([answer.status, answer.body.name, answer.body.status, answer.body.config.note], [200, 'Another name', 'active', 'x'], answer.text);
    const channel = await mention('TW1', 'How long is the warranty?');
    await answered(channel);
    assert.deepEqual(await usedIn(channel), ['xoxe.xoxb-good-TW1-2']);
  });

  test('one that its owner gives meanwhile stays', async () => {
    await install('rotating-TW2', `?chatbotId=${theirs.id}`, owner);
    const made = await named('Slack: Team TW2');
    await rig('POST', '/hold', { api: 'oauth.v2.access' });
    await soon(made);
    await until('it is being renewed', async () => (await renewals('TW2')) === 1);
    await stack.ok('POST', `/api/integrations/slack/${made.id}/credentials`, { token: owner, json: { bot_token: 'xoxb-good-TW2', signing_secret: 'of-our-own' } });
    await rig('POST', '/release');
    await idle(made);
    const channel = place();
    const { ts } = await rig('POST', '/say', { channel, user: 'U1', text: '<@U0BOT> How long is the warranty?' });
    assert.equal((await send('TW2', { type: 'app_mention', user: 'U1', text: '<@U0BOT> How long is the warranty?', ts, event_ts: ts, channel }, 'of-our-own')).status, 200);
    await answered(channel);
    assert.deepEqual(await usedIn(channel), ['xoxb-good-TW2']);
  });

  test('a refusal of the old one that comes late says nothing of the new', async () => {
    await install('rotating-TW4', `?chatbotId=${theirs.id}`, owner);
    const made = await named('Slack: Team TW4');
    await request(`${slack.url}/api/oauth.v2.access`, { method: 'POST', body: new URLSearchParams({ client_id: 'client', client_secret: 'secret', grant_type: 'refresh_token', refresh_token: 'xoxe-1-TW4-1' }).toString() });
    const before = await renewals('TW4');
    await rig('POST', '/hold', { api: 'oauth.v2.access' });
    await soon(made);
    await until('it is being renewed', async () => (await renewals('TW4')) > before);
    await stack.ok('POST', `/api/integrations/slack/${made.id}/credentials`, { token: owner, json: { bot_token: 'xoxb-good-TW4', signing_secret: 'of-our-own' } });
    await rig('POST', '/release');
    await idle(made);
    const now = await stack.ok('GET', `/api/integrations/${made.id}`, { token: owner });
    assert.deepEqual([now.status, now.statusDetail], ['active', null]);
  });

  test('what else is changed meanwhile does not lose the new one', async () => {
    await install('rotating-TW3', `?chatbotId=${theirs.id}`, owner);
    const made = await named('Slack: Team TW3');
    await rig('POST', '/hold', { api: 'oauth.v2.access' });
    await soon(made);
    await until('it is being renewed', async () => (await renewals('TW3')) === 1);
    await stack.ok('PUT', `/api/integrations/${made.id}`, { token: owner, json: { config: { note: 'y' } } });
    await rig('POST', '/release');
    await idle(made);
    const channel = await mention('TW3', 'How long is the warranty?');
    await answered(channel);
    assert.deepEqual(await usedIn(channel), ['xoxe.xoxb-good-TW3-2']);
    assert.deepEqual((({ status, config }) => [status, config.note])(await stack.ok('GET', `/api/integrations/${made.id}`, { token: owner })), ['active', 'y']);
  });
});

test('the home tab says what the bot knows', async () => {
  await install('good-TH', `?chatbotId=${bot.id}`);
  assert.equal((await send('TH', { type: 'app_home_opened', user: 'UHOME', channel: 'D1', tab: 'messages' })).status, 200);
  assert.equal((await send('TH', { type: 'app_home_opened', user: 'UHOME', channel: 'D1', tab: 'home' })).status, 200);
  const view = await until('it is published', () => rig('GET', '/home?user=UHOME'));
  const text = JSON.stringify(view);
  for (const known of ['Kettles', 'All about kettles &amp; toasters', 'manual.txt', 'How long is the warranty?']) assert.ok(text.includes(known), known);
  assert.equal((await calls('views.publish')).length, 1);
  assert.equal((await send('TH', { type: 'app_home_opened', tab: 'home' })).status, 200, 'of nobody');
});

test('answers for the asker alone, in the channels that are named, or in all', async () => {
  await install('good-TP', `?chatbotId=${bot.id}`);
  const made = (await installed()).find((i) => i.name === 'Slack: Team TP');
  const quiet = place();
  await stack.ok('PUT', `/api/integrations/${made.id}`, { token, json: { config: { ephemeral: [quiet] } } });
  await mention('TP', 'How long is the warranty?', quiet);
  const [said] = await until('it is shown', async () => {
    const all = await rig('GET', `/ephemeral?channel=${quiet}`);
    return all.length && all;
  });
  assert.deepEqual([said.user, said.thread_ts], ['U1', undefined]);
  assert.match(said.text, /two years/);
  assert.deepEqual(await posted(quiet), []);
  await answered(await mention('TP', 'How long is the warranty?'));
  await stack.ok('PUT', `/api/integrations/${made.id}`, { token, json: { config: { ephemeral: true } } });
  const other = await mention('TP', 'How long is the warranty?');
  await until('it is shown', async () => (await rig('GET', `/ephemeral?channel=${other}`)).length);
});
