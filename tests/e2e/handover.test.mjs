// Handing over to people: a conversation in which somebody was not helped goes, once, where its integration says: by mail, to a
// webhook, into a Slack channel. A visitor of a website is asked for an address first.
import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { proven } from './accounts.mjs';
import { request, startRig, startStack, unique, uniqueEmail, until } from './harness.mjs';

const ARTICLE = 'The kettle has a warranty of two years. It begins on the day of purchase.\n';
const PERSON = 'I want to talk to a human';
let stack, slack, owner, token, bot, hook, hookServer, team, site;
const got = [];
before(async () => {
  hookServer = http.createServer(async (query, answer) => {
    let body = '';
    for await (const piece of query) body += piece;
    got.push({ headers: query.headers, body });
    answer.writeHead(204).end();
  });
  await new Promise((resolve) => hookServer.listen(0, '127.0.0.1', resolve));
  slack = await startRig('fakeslack.mjs');
  stack = await startStack({ env: { SLACK_API_URL: `${slack.url}/api`, EGRESS_ALLOW: '127.0.0.1/32' } });
  owner = await proven(stack);
  ({ token } = owner);
  const document = await stack.upload(token, 'manual.txt', ARTICLE);
  bot = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Kettles', documents: [document.id] } });
  hook = await create('webhook', { name: 'Ours', config: { url: `http://127.0.0.1:${hookServer.address().port}/`, events: ['document.ready'] } });
  team = await create('slack', { name: 'Our Slack', chatbotId: bot.id, config: { bot_token: 'xoxb-good-TH', signing_secret: 'secret-of-TH' } });
});
after(async () => {
  await stack?.stop();
  await slack?.stop();
  hookServer?.close();
});

const create = (type, json, who = token) => stack.ok('POST', `/api/integrations/${type}`, { token: who, status: 201, json });
const known = () => until('the services know', async () => (await stack.sql("SELECT 1 FROM integrations.job WHERE kind = 'listening'")).length === 0);
const rig = async (method, where, json) => (await request(slack.url + where, { method, body: json && JSON.stringify(json) })).body;
const posted = async (channel) => (await rig('GET', `/messages?channel=${channel}`)).filter((m) => m.bot_id);
const idle = () => until('all is done', async () => (await stack.sql("SELECT 1 FROM integrations.job WHERE failed IS NULL AND kind NOT IN ('sweep', 'website') AND run_at < now() + interval '1 hour' UNION ALL SELECT 1 FROM chat.job WHERE failed IS NULL AND kind = 'event'")).length === 0);
const quoted = (mail) => Buffer.from(mail.replaceAll('=\r\n', '').replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16))), 'latin1').toString('utf8');

// As whoever reads the mail does: opens the link, and agrees.
const letter = /handover\/confirm\?token=([\w.~-]+)/;
const link = (email) => until(`the question to ${email}`, () => stack.mails(email).map(quoted).map((m) => letter.exec(m)?.[1]).find(Boolean));
// want: the button that is pressed, which the page must have; the page's sentence.
async function answer(email, want, with_) {
  const page = await stack.api('GET', `/api/integrations/handover/confirm?token=${with_}`);
  assert.equal(page.status, 200, page.text);
  assert.ok(page.text.includes(email.toLowerCase()), page.text);
  assert.ok(page.text.includes(`<button name="want" value="${want}">`), page.text);
  const [, given] = /name="token" value="([^"]*)"/.exec(page.text);
  const done = await stack.api('POST', '/api/integrations/handover/confirm', { body: new URLSearchParams({ token: given, want }).toString(), headers: { 'Content-Type': 'application/x-www-form-urlencoded' } });
  assert.deepEqual([done.status, (want === 'yes' ? /will be sent to you/ : /Nothing more is sent/).test(done.text)], [200, true], done.text);
  return page.text;
}
const agree = async (email) => answer(email, 'yes', await link(email));
// Conversations have a link, too: at their end.
const below = /To receive no more of these conversations, open this page:\s+\S*\/api\/integrations\/handover\/confirm\?token=([\w.~-]+)/;
const handed = (email) => stack.mails(email).map(quoted).filter((m) => below.test(m));

const visit = async (json = {}, which = bot) => (await stack.ok('POST', `/api/chat/widget/${which.id}/session`, { json, status: 201 })).sessionId;
async function say(sessionId, message, which = bot) {
  const stream = await stack.stream('POST', `/api/chat/widget/${which.id}/message/stream`, { json: { sessionId, message } });
  let done;
  for await (const event of stream) if (event.event === 'done') done = event.data.message;
  return done;
}
const hand = (sessionId, json, which = bot) => stack.api('POST', `/api/chat/widget/${which.id}/session/${sessionId}/handover`, { json });
const details = (sessionId) => stack.ok('GET', `/api/chat/widget/${bot.id}/session/${sessionId}`);

describe('a website', () => {
  const help = uniqueEmail('help');
  before(async () => {
    site = await create('website', { name: 'Our shop', chatbotId: bot.id, config: { handover: { email: help, webhook: hook.id, channel: 'CSITE', integration: team.id } } });
    assert.match(site.statusDetail, /has been asked by mail/);
    await agree(help);
    assert.equal((await stack.ok('GET', `/api/integrations/${site.id}`, { token })).statusDetail, null);
    await known();
  });

  test('its visitor is asked for an address; then it goes to people by all three ways, once', async () => {
    const answered = await visit();
    assert.equal((await say(answered, 'How long is the warranty?')).handover, undefined, 'nobody is needed');
    assert.equal((await hand(answered, { email: 'v@example.com' })).status, 409, 'not offered');
    const session = await visit();
    assert.equal((await say(session, 'Wer malte die Sixtinische Kapelle?')).handover, 'wanted');
    await say(session, 'How long is the warranty?');
    assert.equal((await details(session)).handover, 'wanted');
    await idle();
    assert.deepEqual([handed(help).length, got.length, (await posted('CSITE')).length], [0, 0, 0], 'nothing goes before');

    const email = uniqueEmail('visitor');
    for (const bad of ['no address', 'a@b', `${'x'.repeat(300)}@example.com`, 'v@example.com\r\nBcc: w@example.com']) assert.equal((await hand(session, { email: bad })).status, 422, bad);
    assert.equal((await hand(session, {})).status, 422);
    const answer = await hand(session, { email });
    assert.deepEqual([answer.status, answer.body], [200, { handover: 'given' }], answer.text);
    assert.equal((await hand(session, { email: 'other@example.com' })).status, 200, 'it has gone already');
    await until('the mail', () => handed(help).length);
    await until('the post', async () => (await posted('CSITE')).length);
    await until('the webhook', () => got.length);
    assert.equal((await say(session, PERSON)).handover, undefined, 'once');
    await idle();
    assert.deepEqual([handed(help).length, got.length, (await posted('CSITE')).length], [1, 1, 1]);

    const [mail] = handed(help);
    assert.match(mail, /^Subject: Somebody was not helped: Our shop/m);
    assert.match(mail, new RegExp(`^Reply-To: ${email}\r?$`, 'm'));
    for (const said of ['How long is the warranty?', 'two years', 'Wer malte die Sixtinische Kapelle?', email, owner.email]) assert.ok(mail.includes(said), said);
    const event = JSON.parse(got[0].body);
    assert.equal(event.type, 'conversation.handover');
    assert.deepEqual([event.data.chatbotId, event.data.contact, event.data.reason, event.data.messages.map((m) => m.role)],
      [bot.id, email, 'nothing_found', ['user', 'assistant', 'user', 'assistant']]);
    const mac = createHmac('sha256', Buffer.from(hook.signing_secret.slice(6), 'base64')).update(`${got[0].headers['webhook-id']}.${got[0].headers['webhook-timestamp']}.${got[0].body}`).digest('base64');
    assert.equal(got[0].headers['webhook-signature'], `v1,${mac}`);
    const [post] = await posted('CSITE');
    assert.equal(post.thread_ts, undefined);
    assert.match(post.text, /found no answer[\s\S]*Reach them here: visitor/);

    const mine = (await stack.ok('GET', `/api/chatbots/${bot.id}/conversations`, { token })).find((s) => s.contact === email);
    assert.equal(mine.handover, 'given', 'its owner sees it');
    assert.equal((await details(session)).handover, 'given');
  });

  test('a visitor whom the site has named is not asked', async () => {
    const { secret } = await stack.ok('GET', `/api/chatbots/${bot.id}/visitor-secret`, { token });
    const visitor = JSON.stringify({ name: 'Ada', email: 'ada@example.com', exp: Math.floor(Date.now() / 1000) + 60 });
    const session = await visit({ visitor, signature: createHmac('sha256', secret).update(visitor).digest('hex') });
    const before = got.length;
    assert.equal((await say(session, PERSON)).handover, 'given');
    await until('the webhook', () => got.length > before);
    const { data } = JSON.parse(got.at(-1).body);
    assert.deepEqual([data.name, data.contact, data.reason], ['Ada', 'ada@example.com', 'asked_for_person']);
  });

  test('not for the owner\'s own sessions, nor with another chatbot, nor with a session that is none', async () => {
    const other = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Other' } });
    assert.equal((await say(await visit({}, other), PERSON, other)).handover, undefined);
    const mine = await stack.ok('POST', '/api/chat/sessions', { token, json: { chatbotId: bot.id } });
    assert.equal((await stack.ok('POST', `/api/chat/sessions/${mine.id}/messages`, { token, json: { content: PERSON } })).handover, undefined);
    assert.equal((await hand('nope', { email: 'v@example.com' })).status, 404);
    assert.equal((await hand(await visit(), { email: 'v@example.com' }, other)).status, 404);
  });

  test('who has not confirmed his own address sends nobody mail, and reads why', async () => {
    const stranger = await stack.register();
    const theirs = await stack.ok('POST', '/api/chatbots', { token: stranger.token, json: { name: 'Theirs' } });
    const victim = uniqueEmail('victim');
    const made = await create('website', { name: 'x', chatbotId: theirs.id, config: { handover: { email: victim } } }, stranger.token);
    await known();
    const session = await visit({}, theirs);
    assert.equal((await say(session, PERSON, theirs)).handover, 'wanted');
    assert.equal((await hand(session, { email: 'v@example.com' }, theirs)).status, 200);
    const now = await until('the reason', async () => {
      const shown = await stack.ok('GET', `/api/integrations/${made.id}`, { token: stranger.token });
      return /could not be asked/.test(shown.statusDetail) && shown;
    });
    assert.match(now.statusDetail, /could not be asked .*confirmed their own address/);
    assert.equal(stack.mails(victim).length, 0);
  });

  test('an address is sent nothing but one question before it has agreed; then what has waited', async () => {
    const other = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Unasked' } });
    const desk = uniqueEmail('Desk');
    const made = await create('website', { name: 'Third shop', chatbotId: other.id, config: { handover: { email: desk } } });
    await stack.ok('PUT', `/api/integrations/${made.id}`, { token, json: { name: 'Third shop, saved anew' } });
    const token_ = await link(desk);
    await known();
    const session = await visit({}, other);
    assert.equal((await say(session, PERSON, other)).handover, 'wanted');
    assert.equal((await hand(session, { email: 'v@example.com' }, other)).status, 200);
    await until('it waits', async () => (await stack.sql(`SELECT 1 FROM integrations.job WHERE kind = 'handover' AND payload->>'integration' = '${made.id}' AND run_at > now() + interval '1 hour'`)).length === 1);
    assert.equal(stack.mails(desk).length, 1, 'the question, once');
    assert.doesNotMatch(quoted(stack.mails(desk)[0]), /Third shop/, 'no words of whoever has it asked');
    for (const bad of ['', 'x', `${token_.slice(0, -4)}AAAA`]) {
      assert.equal((await stack.api('GET', `/api/integrations/handover/confirm?token=${bad}`)).status, 404, bad);
      assert.equal((await stack.api('POST', '/api/integrations/handover/confirm', { body: `token=${bad}`, headers: { 'Content-Type': 'application/x-www-form-urlencoded' } })).status, 404, bad);
    }
    assert.equal(handed(desk).length, 0, 'opening the page is no consent');
    await agree(desk);
    await until('the conversation, at once', () => handed(desk).length === 1);
  });

  test('what was agreed to is taken back by way of the link below each conversation, and given again', async () => {
    const other = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Unloved' } });
    const desk = uniqueEmail('Quiet');
    const made = await create('website', { name: 'Sixth shop', chatbotId: other.id, config: { handover: { email: desk } } });
    const detail = async () => (await stack.ok('GET', `/api/integrations/${made.id}`, { token })).statusDetail;
    await agree(desk);
    await known();
    const happen = async () => {
      const session = await visit({}, other);
      assert.equal((await say(session, PERSON, other)).handover, 'wanted');
      assert.equal((await hand(session, { email: 'v@example.com' }, other)).status, 200);
    };
    await happen();
    await until('the conversation', () => handed(desk).length === 1);
    // Which whoever gets a reply to that mail may see: it has a letter sent to the address, and does no more.
    const [, shown] = below.exec(handed(desk)[0]);
    const page = await stack.api('GET', `/api/integrations/handover/confirm?token=${shown}`);
    assert.deepEqual([page.status, /are sent to/.test(page.text), [...page.text.matchAll(/name="want" value="(\w+)"/g)].map((m) => m[1])], [200, true, ['link']], page.text);
    for (const want of ['no', 'link', 'link']) {
      const sent = await stack.api('POST', '/api/integrations/handover/confirm', { body: new URLSearchParams({ token: shown, want }).toString(), headers: { 'Content-Type': 'application/x-www-form-urlencoded' } });
      assert.deepEqual([sent.status, /A mail with a link goes there/.test(sent.text)], [200, true], sent.text);
    }
    const letters = () => stack.mails(desk).map(quoted).filter((m) => /would like to change/.test(m));
    await until('the letter', () => letters().length);
    assert.equal(await detail(), null);
    const [, token_] = letter.exec(letters()[0]);
    assert.match(await answer(desk, 'no', token_), /are sent to/);
    assert.match(await detail(), /does not want these conversations: nothing is sent there/);
    await happen();
    await until('it is given up', async () => /could not be handed over: .* does not want/.test(await detail()));
    await stack.ok('PUT', `/api/integrations/${made.id}`, { token, json: { name: 'Sixth shop, saved anew', config: { handover: { email: desk } } } });
    await idle();
    assert.equal(stack.mails(desk).length, 3, 'a question, a conversation, a letter: neither sent nor asked again');
    assert.match(await answer(desk, 'yes', token_), /are not sent to/);
    await happen();
    await until('the next conversation', () => handed(desk).length === 2);
  });

  test('who says no to the question is asked no more, and what has waited is dropped', async () => {
    const other = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Refused' } });
    const desk = uniqueEmail('No');
    const made = await create('website', { name: 'Seventh shop', chatbotId: other.id, config: { handover: { email: desk } } });
    await known();
    const session = await visit({}, other);
    assert.equal((await say(session, PERSON, other)).handover, 'wanted');
    assert.equal((await hand(session, { email: 'v@example.com' }, other)).status, 200);
    const waiting = () => stack.sql(`SELECT 1 FROM integrations.job WHERE kind = 'handover' AND failed IS NULL AND payload->>'integration' = '${made.id}'`);
    await until('it waits', async () => (await waiting()).length === 1);
    await answer(desk, 'no', await link(desk));
    await until('it is dropped', async () => (await waiting()).length === 0);
    await stack.sql(`UPDATE integrations.handover_address SET asked_at = now() - interval '30 days' WHERE address = '${desk.toLowerCase()}'`);
    const again = await stack.ok('PUT', `/api/integrations/${made.id}`, { token, json: { config: { handover: { email: desk } } } });
    assert.match(again.statusDetail, /does not want these conversations/);
    await idle();
    assert.equal(stack.mails(desk).length, 1);
  });

  test('one\'s own address, confirmed, is not asked', async () => {
    const other = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Mine' } });
    const made = await create('website', { name: 'Fourth shop', chatbotId: other.id, config: { handover: { email: owner.email.toUpperCase() } } });
    assert.equal(made.statusDetail, null);
    const to = new RegExp(`^To: ${owner.email}`, 'mi');
    assert.ok(!stack.mails(owner.email).map(quoted).some((m) => to.test(m) && letter.test(m)));
  });

  test('a webhook of the plan that was deleted keeps nobody else from hearing of it', async () => {
    const gone = await create('webhook', { name: 'Gone', config: { url: `http://127.0.0.1:${hookServer.address().port}/gone`, events: ['document.ready'] } });
    const other = await stack.ok('POST', '/api/chatbots', { token, json: { name: 'Widowed' } });
    const desk = uniqueEmail('desk');
    await create('website', { name: 'Second shop', chatbotId: other.id, config: { handover: { webhook: gone.id, email: desk } } });
    await stack.ok('DELETE', `/api/integrations/${gone.id}`, { token });
    await agree(desk);
    await known();
    const session = await visit({}, other);
    assert.equal((await say(session, PERSON, other)).handover, 'wanted');
    assert.equal((await hand(session, { email: 'v@example.com' }, other)).status, 200);
    await until('the mail', () => handed(desk).length);
  });

  test('it ends with the plan', async () => {
    await stack.ok('PUT', `/api/integrations/${site.id}`, { token, json: { config: { handover: null } } });
    await known();
    assert.equal((await say(await visit(), PERSON)).handover, undefined);
  });
});

describe('Slack', () => {
  before(async () => {
    await stack.ok('PUT', `/api/integrations/${team.id}`, { token, json: { config: { handover: { channel: 'CTEAM' } } } });
    await known();
  });
  async function ask(channel, text) {
    const { ts } = await rig('POST', '/say', { channel, user: 'U1', text: `<@U0BOT> ${text}` });
    const body = JSON.stringify({ team_id: 'TH', api_app_id: 'ATH', type: 'event_callback', event_id: `Ev${randomUUID()}`,
      event: { type: 'app_mention', user: 'U1', text: `<@U0BOT> ${text}`, ts, event_ts: ts, channel } });
    const time = String(Math.floor(Date.now() / 1000));
    const signature = `v0=${createHmac('sha256', 'secret-of-TH').update(`v0:${time}:${body}`).digest('hex')}`;
    const taken = await stack.api('POST', '/api/integrations/slack/events', { body, headers: { 'Content-Type': 'application/json', 'X-Slack-Request-Timestamp': time, 'X-Slack-Signature': signature } });
    assert.equal(taken.status, 200);
    return ts;
  }
  test('who asks for a person there: with a link to the thread, and told so', async () => {
    const channel = `C${unique('').replace(/\W/g, '').toUpperCase()}`;
    const ts = await ask(channel, PERSON);
    const [answer] = await until('the answer', async () => {
      const all = await posted(channel);
      return all[0]?.blocks && !all[0].streaming && all;
    });
    assert.match(JSON.stringify(answer.blocks), /A person has been told/);
    const [post] = await until('the post', async () => ((await posted('CTEAM')).length ? posted('CTEAM') : null));
    assert.match(post.text, /asks to speak with a person/);
    assert.ok(post.text.includes(`https://th.slack.com/archives/${channel}/p${ts.replace('.', '')}`), post.text);
    await idle();
    assert.equal((await posted('CTEAM')).length, 1);
  });

  test('posted though nobody knows whether: there once', async () => {
    const before = (await posted('CTEAM')).length;
    const channel = `C${unique('').replace(/\W/g, '').toUpperCase()}`;
    await ask(channel, 'Wer malte die Sixtinische Kapelle?');
    await until('the answer', async () => (await posted(channel)).length);
    await rig('POST', '/next', { api: 'chat.postMessage', silent: true });
    await ask(channel, PERSON); // a thread of its own
    await until('the posts', async () => (await posted('CTEAM')).length >= before + 2);
    await idle();
    assert.equal((await posted('CTEAM')).length, before + 2);
  });
});

const bad = [
  ['no object', 'x', 'config.handover'],
  ['nowhere', {}, 'config.handover'],
  ['a member that there is not', { mail: 'a@example.com' }, 'config.handover'],
  ['an address that is none', { email: 'nope' }, 'config.handover.email'],
  ['a line of a header', { email: 'a@example.com\nBcc: b@example.com' }, 'config.handover.email'],
  ['a webhook that is none', { webhook: randomUUID() }, 'config.handover.webhook'],
  ['a channel that is none', { channel: '#help', integration: randomUUID() }, 'config.handover.channel'],
  ['a channel of no Slack', { channel: 'C1' }, 'config.handover.integration'],
  ['a Slack that is none', { channel: 'C1', integration: randomUUID() }, 'config.handover.integration'],
];
for (const [name, handover, field] of bad) {
  test(`refused: ${name}`, async () => {
    const answer = await stack.api('POST', '/api/integrations/website', { token, json: { name: 'x', config: { handover } } });
    assert.equal(answer.status, 422, answer.text);
    assert.equal(answer.body.errors[0].loc.slice(1).join('.'), field);
  });
}
test('somebody else\'s webhook or Slack is none', async () => {
  const other = (await stack.register()).token;
  for (const handover of [{ webhook: hook.id }, { channel: 'C1', integration: team.id }]) {
    assert.equal((await stack.api('POST', '/api/integrations/website', { token: other, json: { name: 'x', config: { handover } } })).status, 422);
  }
});
