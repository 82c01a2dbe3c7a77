// fakeslack.mjs PORT: the part of Slack's Web API that a bot uses, with channels that keep what is posted.
//
// Tokens: xoxb-good-TEAM is the bot of workspace TEAM (user U0BOT, bot B0BOT); anything else is invalid_auth. oauth.v2.access gives
// one for the code good-TEAM (org-TEAM: for a whole organisation), or, for rotating-TEAM, xoxe.xoxb-good-TEAM-1, which expires when it is renewed (client "client", "secret").
//   GET  /calls            every call so far: [{api, token, args}]
//   GET  /messages?channel=C   what stands in a channel, oldest first
//   POST /say {channel, user, text, thread_ts?}   a person writes: {ts}
//   POST /respond   a command's response_url, which takes five messages (at ?of=x; without, as many as come); GET /responses  all of them
//   POST /next {api, status?, error?, retryAfter?, times?, token?, silent?, after?}   how the next calls of that method (with that
//                                            token) go; silent: it is
//                          done, and the connection is cut instead of answered
//   POST /hold {api}  the next call of that method is written down, and waits for  POST /release
//   GET  /ephemeral?channel=C  what single people were shown there;  GET /home?user=U  the home tab that was published
//   POST /down {down}      refuse every connection's request
//
// Which methods there are, and what each takes and demands, is what Slack's own library says (slackmethods.mjs): what it does not
// know is refused.
import http from 'node:http';
import { methods } from './slackmethods.mjs';

const port = Number(process.argv[2]);
const calls = [];
const channels = new Map();
const responses = [];
const planned = [];
const held = new Set();
const waiting = [];
let serial = 0;
let down = false;

const stamp = () => `${Math.floor(Date.now() / 1000)}.${String(++serial).padStart(6, '0')}`;
const channel = (id) => channels.get(id) ?? channels.set(id, []).get(id);

const ephemerals = [];
const homes = new Map();
const generations = new Map(); // of tokens that are renewed, by workspace

// What is wrong with the arguments; null when nothing is.
function argumentsError(api, args) {
  const { required, known } = methods[api];
  const odd = Object.keys(args).find((name) => !known.includes(name) && name !== 'team_id'); // Bolt says that one everywhere
  if (odd) return { ok: false, error: 'invalid_arguments', response_metadata: { messages: [`[ERROR] no such argument: ${odd}`] } };
  const given = (name) => args[name] !== undefined && args[name] !== '';
  if (!required.length || required.some((form) => form.every(given))) return null;
  return { ok: false, error: 'invalid_arguments', response_metadata: { messages: [`[ERROR] one of these is wanted: ${JSON.stringify(required)}`] } };
}

function give(team, rotating, organisation) {
  if (organisation) return { ok: true, token_type: 'bot', access_token: 'xoxb-good-E1', app_id: `A${team}`, team: null, is_enterprise_install: true, enterprise: { id: 'E1', name: 'All of us' } };
  const all = { ok: true, token_type: 'bot', scope: 'chat:write', bot_user_id: 'U0BOT', app_id: `A${team}`, team: { id: team, name: `Team ${team}` }, enterprise: null };
  if (!rotating) return { ...all, access_token: `xoxb-good-${team}` };
  const n = (generations.get(team) ?? 0) + 1;
  generations.set(team, n);
  return { ...all, access_token: `xoxe.xoxb-good-${team}-${n}`, refresh_token: `xoxe-1-${team}-${n}`, expires_in: 43200 };
}
const codes = new Set();
function exchange({ client_id, client_secret, code, redirect_uri, grant_type, refresh_token }) {
  if (client_id !== 'client' || client_secret !== 'secret') return { ok: false, error: 'invalid_client_id' };
  if (grant_type === 'refresh_token') {
    const [, team, n] = /^xoxe-1-(\w+)-(\d+)$/.exec(refresh_token ?? '') ?? [];
    return team && Number(n) === generations.get(team) ? give(team, true) : { ok: false, error: 'invalid_refresh_token' };
  }
  const [, kind, team] = /^(good|rotating|org)-(\w+)$/.exec(code ?? '') ?? [];
  if (!team || !/\/api\/integrations\/slack\/oauth$/.test(redirect_uri)) return { ok: false, error: 'invalid_code' };
  if (codes.has(code)) return { ok: false, error: 'code_already_used' };
  codes.add(code);
  return give(team, kind === 'rotating', kind === 'org');
}

// The limits that Slack checks: 50 blocks, 12,000 characters of markdown in a message, 10 elements of a context.
function blocksError(text) {
  if (text === undefined) return null;
  let blocks;
  try { blocks = JSON.parse(text); } catch { return 'invalid_blocks_format'; }
  if (!Array.isArray(blocks) || blocks.length > 50) return 'invalid_blocks';
  let markdown = 0;
  for (const block of blocks) {
    if (block.type === 'markdown' && typeof block.text === 'string' && block.text.length > 0) markdown += block.text.length;
    else if (block.type === 'context' && block.elements?.length > 0 && block.elements.length <= 10) {
      if (block.elements.some((e) => e.type !== 'mrkdwn' || !e.text || e.text.length > 3000)) return 'invalid_blocks';
    } else if (block.type === 'context_actions' && block.elements?.length > 0 && block.elements.length <= 5) {
      if (block.elements.some((e) => e.type !== 'feedback_buttons' || !(e.positive_button?.value && e.negative_button?.value) ||
        e.positive_button.text?.type !== 'plain_text' || e.negative_button.text?.type !== 'plain_text')) return 'invalid_blocks';
    } else if (block.type === 'actions' && block.elements?.length > 0 && block.elements.length <= 25) {
      if (block.elements.some((e) => e.type !== 'button' || e.text?.type !== 'plain_text' || e.text.text.length > 75 || (e.value ?? '').length > 2000)) return 'invalid_blocks';
    } else if (block.type === 'header') {
      if (block.text?.type !== 'plain_text' || !block.text.text || block.text.text.length > 150) return 'invalid_blocks';
    } else if (block.type === 'section') {
      if (block.text?.type !== 'mrkdwn' || !block.text.text || block.text.text.length > 3000) return 'invalid_blocks';
    } else return 'invalid_blocks';
  }
  return markdown > 12000 ? 'msg_blocks_too_long' : null;
}

function perform(api, args, team) {
  const me = { user: 'U0BOT', bot_id: 'B0BOT' };
  switch (api) {
    case 'auth.test':
      return { ok: true, url: `https://${team}.slack.com/`, team, user: 'parley', team_id: team, user_id: me.user, bot_id: me.bot_id };
    case 'chat.postMessage': {
      if (args.channel === 'CGONE') return { ok: false, error: 'channel_not_found' };
      if (!args.text && !args.blocks) return { ok: false, error: 'no_text' };
      if (args.text?.length > 40000) return { ok: false, error: 'msg_too_long' };
      const bad = blocksError(args.blocks);
      if (bad) return { ok: false, error: bad };
      const message = { type: 'message', ...me, text: args.text, ts: stamp(), blocks: args.blocks && JSON.parse(args.blocks),
        ...(args.thread_ts ? { thread_ts: args.thread_ts } : {}), ...(args.metadata ? { metadata: JSON.parse(args.metadata) } : {}) };
      channel(args.channel).push(message);
      return { ok: true, channel: args.channel, ts: message.ts, message };
    }
    case 'assistant.threads.setStatus':
      return /^TS/.test(team) ? { ok: true } : { ok: false, error: 'missing_scope' };
    case 'chat.update': {
      const message = channel(args.channel).find((m) => m.ts === args.ts && m.bot_id);
      if (!message) return { ok: false, error: 'message_not_found' };
      if (message.streaming) return { ok: false, error: 'streaming_state_conflict' };
      const bad = blocksError(args.blocks);
      if (bad) return { ok: false, error: bad };
      Object.assign(message, { text: args.text, blocks: args.blocks && JSON.parse(args.blocks), edits: (message.edits ?? 0) + 1 }, args.metadata ? { metadata: JSON.parse(args.metadata) } : {});
      return { ok: true, channel: args.channel, ts: message.ts };
    }
    case 'chat.startStream': { // apps of workspaces TN… may not
      if (/^TN/.test(team)) return { ok: false, error: 'missing_scope' };
      if (!args.channel.startsWith('D') && !(args.recipient_team_id && args.recipient_user_id)) return { ok: false, error: 'missing_recipient_user_id' };
      const message = { type: 'message', ...me, text: args.markdown_text ?? '', ts: stamp(), thread_ts: args.thread_ts, streaming: true, pieces: 1 };
      channel(args.channel).push(message);
      return { ok: true, channel: args.channel, ts: message.ts };
    }
    case 'chat.appendStream':
    case 'chat.stopStream': {
      const message = channel(args.channel).find((m) => m.ts === args.ts && m.streaming);
      if (!message) return { ok: false, error: 'message_not_in_streaming_state' };
      if (api === 'chat.appendStream' && !args.markdown_text) return { ok: false, error: 'invalid_arguments' };
      const text = message.text + (args.markdown_text ?? '');
      if (text.length > 12000) return { ok: false, error: 'msg_too_long' };
      const bad = blocksError(args.blocks);
      if (bad) return { ok: false, error: bad };
      message.text = text;
      message.pieces += 1;
      if (api === 'chat.stopStream') {
        message.streaming = false;
        message.blocks = [{ type: 'markdown', text }, ...(args.blocks ? JSON.parse(args.blocks) : [])];
        if (args.metadata) message.metadata = JSON.parse(args.metadata);
      }
      return { ok: true, channel: args.channel, ts: message.ts };
    }
    case 'conversations.replies': {
      const found = channel(args.channel).filter((m) => m.ts === args.ts || m.thread_ts === args.ts);
      return found.length ? { ok: true, messages: found, has_more: false } : { ok: false, error: 'thread_not_found' };
    }
    case 'chat.postEphemeral': {
      if (args.channel === 'CGONE') return { ok: false, error: 'channel_not_found' };
      const bad = blocksError(args.blocks);
      if (bad) return { ok: false, error: bad };
      ephemerals.push({ ...args, blocks: args.blocks && JSON.parse(args.blocks) });
      return { ok: true, message_ts: stamp() };
    }
    case 'views.publish': {
      let view;
      try { view = JSON.parse(args.view); } catch { return { ok: false, error: 'invalid_arguments' }; }
      if (view.type !== 'home' || !Array.isArray(view.blocks) || view.blocks.length > 100 || view.blocks.some((b) => b.type === 'markdown')) return { ok: false, error: 'invalid_arguments' };
      const bad = blocksError(JSON.stringify(view.blocks));
      if (bad) return { ok: false, error: bad };
      homes.set(args.user_id, view);
      return { ok: true, view };
    }
    case 'chat.getPermalink':
      return { ok: true, channel: args.channel, permalink: `https://${team.toLowerCase()}.slack.com/archives/${args.channel}/p${args.message_ts.replace('.', '')}` };
    case 'conversations.history':
      return { ok: true, messages: channel(args.channel).filter((m) => !m.thread_ts || m.thread_ts === m.ts).reverse(), has_more: false };
    case 'reactions.add':
    case 'reactions.remove':
      return { ok: true };
    default:
      return { ok: false, error: 'not_played_here' };
  }
}

http.createServer(async (request, response) => {
  let body = '';
  for await (const piece of request) body += piece;
  const url = new URL(request.url, 'http://slack');
  const answer = (value, status = 200, headers = {}) => {
    response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', ...headers });
    response.end(JSON.stringify(value));
  };
  if (url.pathname === '/calls') return answer(calls);
  if (url.pathname === '/responses') return answer(responses);
  if (url.pathname === '/messages') return answer(channel(url.searchParams.get('channel')));
  if (url.pathname === '/ephemeral') return answer(ephemerals.filter((e) => e.channel === url.searchParams.get('channel')));
  if (url.pathname === '/home') return answer(homes.get(url.searchParams.get('user')) ?? null);
  if (url.pathname === '/down') return (down = JSON.parse(body).down, answer({}));
  if (url.pathname === '/hold') return (held.add(JSON.parse(body).api), answer({}));
  if (url.pathname === '/release') return (waiting.splice(0).forEach((go) => go()), answer({}));
  if (url.pathname === '/forget') return ((planned.length = 0), answer({}));
  if (url.pathname === '/next') return (planned.push({ times: 1, after: 0, ...JSON.parse(body) }), answer({}));
  if (url.pathname === '/say') {
    const { channel: where, ...said } = JSON.parse(body);
    const message = { type: 'message', ts: stamp(), ...said };
    channel(where).push(message);
    return answer({ ts: message.ts });
  }
  if (down) return request.socket.destroy();
  if (url.pathname === '/respond') {
    const of = url.searchParams.get('of');
    const plan = planned.find((p) => p.api === 'respond' && p.times > 0);
    if (plan && plan.after-- <= 0) {
      plan.times -= 1;
      return answer({ ok: false }, plan.status);
    }
    if (of && responses.filter((r) => r.of === of).length >= 5) return answer({ ok: false, error: 'used_url' }, 404);
    responses.push({ ...JSON.parse(body), ...(of ? { of } : {}) });
    return answer({ ok: true });
  }

  const api = url.pathname.replace(/^\/api\//, '');
  const args = Object.fromEntries(new URLSearchParams(body));
  const token = (request.headers.authorization ?? '').replace(/^Bearer /, '');
  calls.push({ api, token, args });
  if (held.delete(api)) await new Promise((go) => waiting.push(go));
  if (!Object.hasOwn(methods, api)) return answer({ ok: false, error: 'unknown_method' });
  const wrong = argumentsError(api, args);
  if (api === 'oauth.v2.access') return answer(wrong ?? exchange(args));
  if (!token) return answer({ ok: false, error: 'not_authed' });
  const [, team, generation] = /^(?:xoxe\.)?xoxb-good-(\w+?)(?:-(\d+))?$/.exec(token) ?? [];
  if (!team) return answer({ ok: false, error: 'invalid_auth' });
  if (generation && Number(generation) !== generations.get(team)) return answer({ ok: false, error: 'token_expired' });
  if (wrong) return answer(wrong);
  const plan = planned.find((p) => p.api === api && p.times > 0 && (!p.token || p.token === token));
  if (plan) {
    plan.times -= 1;
    if (plan.silent) { perform(api, args, team); return request.socket.destroy(); }
    return answer({ ok: false, error: plan.error ?? 'fatal_error' }, plan.status ?? 200, plan.retryAfter ? { 'Retry-After': String(plan.retryAfter) } : {});
  }
  answer(perform(api, args, team));
}).listen(port, '127.0.0.1', () => console.log('ready'));
