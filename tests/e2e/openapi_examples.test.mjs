// Every operation of openapi.json, called as it is documented: with its example, from a user who may. The answer must have
// the documented status, media type and schema. The list of operations is the document's own: none can be left out.
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import Ajv from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { Jar } from './browser.mjs';
import { Examples } from './examples.mjs';
import { freePort, root, startStack, startRig, until } from './harness.mjs';
import { TinyProvider } from './provider.mjs';
import { browse } from './redirects.mjs';

const api = JSON.parse(fs.readFileSync(path.join(root, 'build/gen/openapi.json'), 'utf8'));
const operations = new Map(Object.entries(api.paths).flatMap(([where, item]) =>
  Object.entries(item).map(([verb, operation]) => [operation.operationId, { where, verb: verb.toUpperCase(), operation }])));
const ajv = new Ajv({ strict: false, allErrors: true });
formats(ajv);
ajv.addSchema(api, 'api');

const examples = new Examples();
const adminAddress = 'admin@example.com';
let stack, site, slack, model, odd, asking, provider, user;
const known = {}; // values of path parameters
before(async () => {
  const port = await freePort();
  provider = new TinyProvider(`http://127.0.0.1:${port}`);
  site = http.createServer(async (query, answer) => (await provider.answer(query, answer)) || answer.setHeader('Content-Type', 'text/html')
    .end('<html><title>Warranty</title><main><p>The warranty of all our lamps is two years from the day of purchase, wherever they were bought.</p></main>'));
  await new Promise((resolve) => site.listen(port, '127.0.0.1', resolve));
  [slack, model, odd, asking] = await Promise.all(['fakeslack.mjs', 'fakellm.mjs', 'oddmcp.mjs', 'askmcp.mjs'].map((name) => startRig(name)));
  stack = await startStack({ env: { PARLEY_ADMIN_EMAIL: adminAddress, METRICS_TOKEN: 'figures', EGRESS_ALLOW: '127.0.0.1/32',
    SLACK_API_URL: `${slack.url}/api`, SLACK_CLIENT_ID: 'client', SLACK_CLIENT_SECRET: 'secret', SLACK_SIGNING_SECRET: 'signing', CHAT_PROVIDER: 'openai', CHAT_BASE_URL: `${model.url}/v1`, CHAT_API_KEY: 'sk-test', CHAT_MODEL: 'scripted',
    OIDC_1_ISSUER: provider.issuer, OIDC_1_CLIENT_ID: 'parley', OIDC_1_NAME: 'Tiny' } });
});
after(async () => {
  site.close();
  await stack?.stop();
  await Promise.all([slack, model, odd, asking].map((rig) => rig?.stop()));
});

const pointer = (...keys) => keys.map((key) => key.replaceAll('~', '~0').replaceAll('/', '~1')).join('/');

function check(id, answer) {
  const { where, verb, operation } = operations.get(id);
  const wanted = Object.keys(operation.responses)[0];
  assert.equal(String(answer.status), wanted, `${verb} ${where}: ${answer.status} ${answer.text}`);
  const content = operation.responses[wanted].content;
  if (!content) return assert.equal(answer.text, '');
  if (content['*/*']) return examples.take(id, '*/*', answer); // a webhook: what goes back is the service's own
  const type = answer.headers['content-type'].split(';')[0];
  assert.ok(content[type], `${verb} ${where}: ${type} is not documented`);
  examples.take(id, type, answer);
  if (type !== 'application/json') return;
  const valid = ajv.getSchema(`api#/${pointer('paths', where, verb.toLowerCase(), 'responses', wanted, 'content', type, 'schema')}`);
  assert.ok(valid(answer.body), `${verb} ${where}: ${ajv.errorsText(valid.errors)}\n${answer.text}`);
}

// The documented call: its example, its path filled with what is known; `options` say what differs.
const done = new Set();
async function call(id, { token = user?.token, values = {}, query = '', ...options } = {}) {
  const { where, verb, operation } = operations.get(id) ?? assert.fail(`there is no operation ${id}`);
  const example = operation.requestBody?.content?.['application/json']?.example;
  const filled = where.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? known[name] ?? assert.fail(`${id}: what is ${name}?`));
  const body = example && !options.form ? { json: { ...example, ...options.json } } : {};
  const answer = await stack.api(verb, filled + query, { token, ...options, ...body });
  check(id, answer);
  done.add(id);
  return answer.body;
}

// An event stream is read to its end.
async function follow(id, { query = '', json, ...options } = {}) {
  const { where, verb, operation } = operations.get(id);
  const filled = where.replace(/\{(\w+)\}/g, (_, name) => known[name]) + query;
  const example = operation.requestBody?.content['application/json'].example;
  const stream = await stack.stream(verb, filled, { token: user.token, json: example && { ...example, ...json }, ...options });
  const events = await stream.all();
  const { contentSchema } = operation.responses[200].content['text/event-stream'].schema;
  const valid = ajv.getSchema(`api${contentSchema.items.$ref}`);
  assert.ok(events.length > 0, id);
  for (const { id: at, event, data } of events) assert.ok(valid({ id: at, event, data }), `${id}: ${event} ${JSON.stringify(data)}: ${ajv.errorsText(valid.errors)}`);
  examples.take(id, 'text/event-stream', { text: stream.raw });
  done.add(id);
  return events;
}

test('the gateway itself', async () => {
  for (const name of ['root', 'health', 'ready', 'openapi', 'docs']) await call(`gateway_${name}`, { token: null });
  await call('gateway_metrics', { token: 'figures' });
});

test('accounts', async () => {
  user = await call('auth_register', { token: null });
  await call('auth_register_by_name', { token: null });
  await call('auth_send_otp', { token: null });
  const [, otp] = await stack.mail('test@example.com', /\b(\d{6})\b/);
  await call('auth_verify_otp', { token: null, json: { otp } });
  await call('auth_get_me');
  await call('auth_get_account');
  await call('auth_confirm_page', { token: null, query: '?token=the-token-of-the-link' });
  const [, proof] = await stack.mail('ada@example.com', /confirm-email\?token=([\w-]+)/);
  await call('auth_confirm_email', { token: null, json: { token: proof } });
  await call('auth_change_password');
  await call('auth_reset_password', { token: null });
  await call('auth_reset_page', { token: null, query: '?token=the-token-of-the-link' });
  const [, token] = await stack.mail('ada@example.com', /reset-password\?token=([\w-]+)/);
  await call('auth_confirm_reset', { token: null, json: { token } });
  user = await call('auth_login', { token: null, json: { password: 'a new long password' } });
});

const nobody = '00000000-0000-4000-8000-000000000000';
const filled = (where) => where.replace(/\{(\w+)\}/g, (_, name) => known[name] ?? nobody);

test('a stale token stands in nobody\'s way: where none is asked for, none is looked at', async () => {
  const open = [...operations.values()].filter(({ where, operation }) => operation.security?.length === 0 && /^\/(api|auth|reset)/.test(where));
  assert.ok(open.length > 10, `${open.length}`);
  for (const { where, verb } of open) {
    const json = verb === 'GET' ? undefined : {};
    const { status } = await stack.api(verb, filled(where), { json });
    for (const Authorization of ['Bearer null', 'Bearer undefined', 'Bearer eyJhbGciOiJIUzI1NiJ9.e30.AAAA', 'nonsense', ''])
      assert.equal((await stack.api(verb, filled(where), { json, headers: { Authorization } })).status, status, `${verb} ${where} with "${Authorization}"`);
  }
  const json = { email: 'ada@example.com', password: 'a new long password' };
  await stack.ok('POST', '/api/auth/login', { json, headers: { Authorization: 'Bearer null' } });
});

test('nonsense in a query is refused, and breaks nothing', async () => {
  const words = ['x', '', '-1', '0', '1e99', '99999999999999999999', 'null', "' OR 1=1 --", '%00', '%ff', '☃', '..', 'x'.repeat(3000), '1.2.3.4.5'];
  let tried = 0;
  for (const { where, verb, operation } of operations.values()) {
    if (verb !== 'GET') continue;
    for (const { name } of (operation.parameters ?? []).filter((parameter) => parameter.in === 'query')) {
      for (const word of words) {
        const value = word.startsWith('%') ? word : encodeURIComponent(word);
        const answer = await stack.api(verb, `${filled(where)}?${name}=${value}`, { token: user.token });
        assert.ok(answer.status < 500, `${verb} ${where} ?${name}=${value.slice(0, 30)}: ${answer.status} ${answer.text}`);
        tried += 1;
      }
    }
  }
  assert.ok(tried > 100, `${tried}`);
});

test('every 422 says where', async () => {
  const valid = ajv.getSchema('api#/components/schemas/ValidationError');
  for (const [where, json] of [
    ['/api/documents/url', { url: 'http://10.0.0.1/' }],
    ['/api/chatbots', { name: 'x', documents: ['nope'] }],
    ['/api/auth/register', {}],
  ]) {
    const answer = await stack.api('POST', where, { json, token: user.token });
    assert.equal(answer.status, 422, answer.text);
    assert.ok(valid(answer.body), `${where}: ${ajv.errorsText(valid.errors)} ${answer.text}`);
  }
});

test('sessions, keys and settings', async () => {
  const other = await stack.ok('POST', '/api/auth/login', { json: { email: 'ada@example.com', password: 'a new long password' } });
  const sessions = await call('auth_list_sessions');
  assert.ok(sessions.length >= 2 && other.token);
  await call('auth_end_session', { values: { id: sessions.find((s) => !s.current).id } });
  known.key_id = (await call('auth_add_api_key')).id;
  await call('auth_list_api_keys');
  await call('auth_delete_api_key');
  await call('auth_get_user_settings');
  await call('auth_update_user_settings');
  await call('auth_regenerate_api_key');
});

test('documents', async () => {
  const document = await call('documents_upload_document', { query: '?wait=30',
    form: { file: { filename: 'lamps.txt', type: 'text/plain', content: 'The warranty of all our lamps is two years.\n' } } });
  known.document_id = document.id;
  await call('documents_add_url', { json: { url: `http://127.0.0.1:${site.address().port}/article` } });
  await call('documents_list_documents');
  await call('documents_get_document');
  await call('documents_get_text');
  const original = await stack.api('GET', `/api/documents/${known.document_id}/content`, { token: user.token });
  assert.match(original.text, /^The warranty/); // of the file's own type
  examples.take('documents_get_content', '*/*', original);
  done.add('documents_get_content');
  await call('documents_list_chunks');
  await call('documents_update_document');
  const { id } = await call('documents_add_text');
  const { deleted } = await call('documents_delete_documents', { json: { ids: [id] } });
  assert.deepEqual(deleted, [id]);
  await call('documents_search');
  await call('documents_reindex_document');
  const events = await follow('documents_follow_document');
  assert.equal(events.at(-1).data.status, 'ready');
});

test('chatbots', async () => {
  known.chatbot_id = (await call('chatbots_create_chatbot')).id;
  await call('chatbots_list_chatbots');
  await call('chatbots_get_chatbot');
  await call('chatbots_update_chatbot');
  await call('chatbots_assign_documents', { json: { documentIds: [known.document_id] } });
  await call('chatbots_get_widget_config', { token: null });
});

test('programs that are let in', async () => {
  const site = (await call('auth_get_server_metadata', { token: null })).issuer;
  await call('auth_get_openid_metadata', { token: null });
  const { resource } = await call('auth_get_resource_metadata', { token: null });
  const redirect_uri = 'http://127.0.0.1/callback', verifier = 'v'.repeat(43);
  const { client_id } = await call('auth_program_register', { token: null, json: { client_name: 'Example', redirect_uris: [redirect_uri] } });
  const person = new Jar(stack.url());
  await person.signIn({ email: 'ada@example.com', password: 'a new long password' });
  const page = await person.go(`/oauth/authorize?${new URLSearchParams({ response_type: 'code', client_id, redirect_uri, resource, code_challenge_method: 'S256',
    code_challenge: createHash('sha256').update(verifier).digest('base64url') })}`);
  const back = new URL((await person.go('/oauth/authorize', { form: { ...page.fields, decision: 'allow' } })).location);
  assert.equal(back.searchParams.get('iss'), site);
  const form = (fields) => ({ token: null, body: new URLSearchParams(fields).toString(), headers: { 'Content-Type': 'application/x-www-form-urlencoded' } });
  const { refresh_token } = await call('auth_program_token', form({ grant_type: 'authorization_code', code: back.searchParams.get('code'), redirect_uri, client_id, code_verifier: verifier }));
  await call('auth_program_revoke', form({ token: refresh_token, client_id }));
  const [{ id }] = await call('auth_list_providers', { token: null });
  await call('auth_oidc_token', { token: null, json: { code: await provider.signIn(stack, id, { sub: '1', email: 'grace@example.com', email_verified: true }) } });
});

test('integrations', async () => {
  known.integration_id = (await call('integrations_create_integration_website', { json: { chatbotId: known.chatbot_id, config: { domain: `http://127.0.0.1:${site.address().port}` } } })).id;
  await call('integrations_check_integration');
  await stack.api('DELETE', `/api/integrations/${known.integration_id}`, { token: user.token }); // its origin is the chatbot's alone otherwise
  known.integration_id = (await call('integrations_create_integration_webhook', { json: { config: { url: `http://127.0.0.1:${site.address().port}/`, events: ['document.ready'] } } })).id;
  await until('it is known', async () => (await stack.sql('SELECT 1 FROM documents.listening')).length > 0);
  await stack.upload(user.token, 'told.txt', 'A document that somebody hears of.');
  [{ id: known.delivery_id }] = await until('it was told', async () => {
    const list = await call('integrations_list_deliveries');
    return list.length ? list : null;
  });
  await call('integrations_repeat_delivery');
  known.integration_id = (await call('integrations_create_integration_slack', { json: { config: {} } })).id;
  await call('integrations_update_slack_credentials', { json: { bot_token: 'xoxb-good-T1' } });
  await call('integrations_list_integrations');
  await call('integrations_get_integration');
  await call('integrations_get_slack_manifest');
  await call('integrations_install_slack');
  // What Slack sends is signed; the secret is the example's.
  const { signing_secret: secret } = operations.get('integrations_update_slack_credentials').operation.requestBody.content['application/json'].example;
  const signed = (body, type) => {
    const ts = String(Math.floor(Date.now() / 1000));
    const signature = `v0=${createHmac('sha256', secret).update(`v0:${ts}:${body}`).digest('hex')}`;
    return { body, token: null, headers: { 'Content-Type': type, 'X-Slack-Request-Timestamp': ts, 'X-Slack-Signature': signature } };
  };
  await call('integrations_handle_slack_events', signed('{"type":"url_verification","challenge":"abc"}', 'application/json'));
  await call('integrations_take_slack_command', signed('team_id=T1&command=%2Fask&text=', 'application/x-www-form-urlencoded'));
  await call('integrations_take_slack_action', signed(`payload=${encodeURIComponent('{"type":"block_actions","team":{"id":"T1"},"actions":[]}')}`, 'application/x-www-form-urlencoded'));
  await call('integrations_update_integration');
  await call('integrations_delete_integration');
});

test('chat', async () => {
  known.session_id = (await call('chat_create_session', { json: { chatbotId: known.chatbot_id } })).id;
  await call('chat_list_sessions');
  known.message_id = (await call('chat_send_message')).id;
  await follow('chat_stream_message');
  await follow('chat_resume_message');
  await call('chat_get_session');
  await call('chat_export_session');
  await call('chat_list_messages');
  await call('chat_stop_message');
  await call('chat_rename_session');
  await call('chat_search_messages', { query: '?q=warranty' });
  const latest = async () => (await stack.ok('GET', `/api/chat/sessions/${known.session_id}/messages`, { token: user.token })).slice(-2);
  known.message_id = (await latest())[1].id;
  known.message_id = (await call('chat_regenerate_message')).id;
  await call('chat_set_feedback');
  await call('chat_choose_message');
  await follow('chat_stream_regenerate_message');
  known.message_id = (await latest())[0].id;
  await call('chat_edit_message');
  known.message_id = (await latest())[0].id;
  await follow('chat_stream_edit_message');
});

test('chats of ChatConnect', async () => {
  known.chat_id = (await call('chat_create_chat')).id;
  await call('chat_list_chats');
  await call('chat_rename_chat');
  const values = { message_id: (await call('chat_send_chat_message', { json: { chatId: known.chat_id } })).id };
  await follow('chat_stream_chat_message', { json: { chatId: known.chat_id } });
  await follow('chat_resume_chat_message');
  const messages = await call('chat_list_chat_messages');
  values.message_id = messages.at(-1).id;
  await call('chat_stop_chat_message', { values });
  await call('chat_set_chat_feedback', { values });
  await call('chat_choose_chat_message', { values });
  await call('chat_regenerate_chat_message', { values });
  await call('chat_edit_chat_message', { values: { message_id: messages.at(-2).id } });
  await call('chat_export_chat');
  await call('chat_delete_chat');
  known.chat_id = (await call('chat_create_connect_chat')).id;
  await call('chat_list_connect_chats');
  await call('chat_send_connect_message', { json: { chatId: known.chat_id } });
  await call('chat_list_connect_messages');
});

test('OpenAI\'s API', async () => {
  await call('chat_list_models');
  await call('chat_get_model', { values: { model: known.chatbot_id } });
  await call('chat_create_completion', { json: { model: known.chatbot_id } });
});

test('calls of tools that wait for their user', async () => {
  await stack.ok('POST', '/auth/mcp-servers', { token: user.token, json: { name: 'Odd', config: { uri: `${odd.url}/mcp` } } });
  const json = { content: 'call send {"to":"ada"}' };
  const bot = await stack.ok('POST', '/api/chatbots', { token: user.token, json: { name: 'With tools', settings: { tools: true } } });
  const session = await stack.ok('POST', '/api/chat/sessions', { token: user.token, json: { chatbotId: bot.id } });
  const asked = async (where) => {
    const message = await stack.ok('POST', `${where}/messages`, { token: user.token, json });
    assert.equal(message.status, 'waiting', JSON.stringify(message));
    return message.tool_calls.at(-1).id;
  };
  for (const what of ['approve', 'deny']) {
    await call(`chat_${what}_tool_call`, { values: { session_id: session.id, tool_call_id: await asked(`/api/chat/sessions/${session.id}`) } });
    await call(`chat_${what}_chat_tool_call`, { values: { tool_call_id: await asked(`/chat/chats/${known.chat_id}`) } });
  }
  json.content = 'call files {}';
  for (const [name, where, values] of [['chat_get_attachment', `/api/chat/sessions/${session.id}`, { session_id: session.id }],
    ['chat_get_chat_attachment', `/chat/chats/${known.chat_id}`, {}]]) {
    const { tool_calls: [files] } = await stack.ok('POST', `${where}/messages`, { token: user.token, json });
    await call(name, { values: { ...values, attachment_id: files.attachments[0].id } });
  }
  const ask = await stack.ok('POST', '/auth/mcp-servers', { token: user.token, json: { name: 'Ask', config: { uri: `${asking.url}/modern` } } });
  await stack.ok('POST', `/chat/mcp/servers/${ask.id}/connect`, { token: user.token });
  await stack.ok('PUT', '/chat/mcp/tools/mcp_Ask_two', { token: user.token, json: { policy: 'allow' } });
  json.content = 'call two {}';
  const question = async (where) => {
    await asked(where);
    return (await stack.ok('GET', `${where}/messages`, { token: user.token })).at(-1).tool_calls[0].elicitations[0].id;
  };
  await call('chat_answer_elicitation', { values: { session_id: session.id, elicitation_id: await question(`/api/chat/sessions/${session.id}`) } });
  await call('chat_answer_chat_elicitation', { values: { elicitation_id: await question(`/chat/chats/${known.chat_id}`) } });
});

test('previews and widgets', async () => {
  await call('chat_preview', { token: null });
  const { sessionId } = await call('chat_create_widget_session', { token: null });
  const { messageId } = await call('chat_send_widget_message', { token: null, json: { sessionId } });
  await call('chat_set_widget_feedback', { token: null, json: { sessionId, value: 'up' }, values: { message_id: messageId } });
  await call('chat_stop_widget_message', { token: null, json: { sessionId }, values: { message_id: messageId } });
  await follow('chat_stream_widget_message', { token: null, json: { sessionId } });
  await follow('chat_resume_widget_message', { token: null, query: `?sessionId=${sessionId}` });
  await call('chat_get_widget_session', { token: null, values: { session_id: sessionId } });
  await stack.ok('POST', '/api/integrations/website', { token: user.token, status: 201,
    json: { name: 'Handed over', chatbotId: known.chatbot_id, config: { handover: { email: 'help@example.com' } } } });
  await until('it is known', async () => (await stack.sql("SELECT 1 FROM chat.listening WHERE handover <> '{}'")).length > 0);
  await stack.ok('POST', `/api/chat/widget/${known.chatbot_id}/message`, { json: { sessionId, message: 'I want to talk to a human' } });
  await call('chat_hand_over_widget_session', { token: null, values: { session_id: sessionId } });
  const [conversation] = await call('chat_list_conversations');
  await call('chat_get_conversation', { values: { session_id: conversation.id } });
  await call('chat_get_analytics');
  await call('chat_get_visitor_secret');
  await call('chat_delete_conversation', { values: { session_id: conversation.id } });
  await call('chatbots_copy_chatbot');
  await call('chatbots_export_chatbot');
  await call('chatbots_import_chatbot');
  known.answer_id = (await call('chatbots_create_answer')).id;
  await call('chatbots_list_answers');
  await call('chatbots_update_answer');
  await call('chatbots_delete_answer');
  known.version = (await call('chatbots_list_versions')).at(-1).version;
  await call('chatbots_restore_version');
});

test('tools', async () => {
  const answers = { initialize: { protocolVersion: '2025-06-18', capabilities: {}, serverInfo: { name: 'x', version: '1' } },
    'tools/list': { tools: [{ name: 'add', inputSchema: { type: 'object' } }] } };
  const server = http.createServer(async (request, response) => {
    let body = '';
    for await (const piece of request) body += piece;
    const { id, method } = JSON.parse(body || '{}');
    response.writeHead(answers[method] ? 200 : 400, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(answers[method] ? { jsonrpc: '2.0', id, result: answers[method] } : {}));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  known.server_id = (await call('chat_add_server', { json: { name: 'T', config: { uri: `http://127.0.0.1:${server.address().port}/mcp` } } })).id;
  await call('chat_list_servers');
  await call('chat_get_server');
  await call('chat_update_server');
  await call('chat_test_server');
  await call('chat_connect_server');
  await call('chat_list_tools');
  await call('chat_list_chatconnect_tools');
  await call('chat_set_tool_policy', { values: { name: 'mcp_T_add' } });
  server.closeAllConnections();
  server.close();
});

test('signing in at an MCP server', async () => {
  const rig = await startRig('as-and-mcp.mjs', { ports: 2 });
  const callback = `${stack.process('chat').env.PUBLIC_URL}/auth/oauth/callback`;
  known.server_id = (await stack.ok('POST', '/auth/mcp-servers', { token: user.token, json: { name: 'P', config: { uri: `${rig.url}/mcp` } } })).id;
  await call('chat_get_client_document', { token: null });
  const { oauth_url: url } = await call('chat_authorize_server', { json: { server_id: known.server_id } });
  const { search, searchParams } = await browse(url, callback);
  await call('chat_end_sign_in', { token: null, query: search });
  await call('chat_confirm_sign_in', { token: null, json: Object.fromEntries(searchParams) });
  await call('chat_get_oauth_status');
  await call('chat_revoke_tokens');
  await call('chat_delete_server');
  await rig.stop();
});

test('a chatbot as an MCP server', async () => {
  const { key } = await stack.ok('POST', '/auth/api-keys', { token: user.token, json: { name: 'program' } });
  const { result } = await call('chat_serve_chatbot', { token: key });
  assert.deepEqual(result.tools.map((tool) => tool.name), ['search', 'ask']);
});

test('administration', async () => {
  await stack.ok('POST', '/auth/register', { json: { name: 'Admin', email: adminAddress } });
  await stack.ok('POST', '/auth/send-otp', { json: { email: adminAddress } });
  const [, otp] = await stack.mail(adminAddress, /\b(\d{6})\b/);
  const admin = (await stack.ok('POST', '/auth/verify-otp', { json: { email: adminAddress, otp } })).access_token;
  const users = await call('auth_admin_list_users', { token: admin });
  const uid = users.find((u) => u.email === 'test@example.com').uid;
  await call('auth_admin_disable_user', { token: admin, values: { uid } });
  await call('auth_admin_enable_user', { token: admin, values: { uid } });
});

test('the end of everything', async () => {
  await call('chat_delete_session');
  await call('chatbots_unassign_document');
  await call('chatbots_delete_chatbot');
  await call('documents_delete_document');
  await call('auth_logout');
  const leaving = await stack.register();
  await call('auth_delete_me', { token: leaving.token });
});

test('no operation was left out', () => {
  assert.deepEqual([...operations.keys()].filter((id) => !done.has(id)), []);
});

test('each success has its example, and the example looks as the answer does', () => examples.check(api));
