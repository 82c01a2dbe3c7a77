// The public documentation: a linter that others wrote accepts it, and it is the one that the gateway serves.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { root } from './harness.mjs';

const file = path.join(root, 'build/gen/openapi.json');

test('redocly lint passes', () => {
  const done = spawnSync(path.join(root, 'tests/node_modules/.bin/redocly'), ['lint', '--format=stylish', file],
    { cwd: path.join(root, 'tests'), encoding: 'utf8', env: { ...process.env, REDOCLY_TELEMETRY: 'off' } });
  assert.equal(done.status, 0, done.stdout + done.stderr);
});

test('it is OpenAPI 3.1 and has routes', () => {
  const api = JSON.parse(fs.readFileSync(file, 'utf8'));
  assert.match(api.openapi, /^3\.1/);
  assert.ok(Object.keys(api.paths).length > 30);
});

// What ChatSphere's API document calls the bodies and answers: who has read it finds them here.
const named = [
  ['POST /api/auth/register', 'UserCreate', 'UserResponse'], ['POST /api/auth/login', 'UserLogin', 'UserResponse'], ['POST /api/auth/reset-password', 'PasswordReset', ''],
  ['GET /api/auth/me', '', 'UserResponse'], ['GET /api/documents', '', 'DocumentResponse[]'], ['GET /api/documents/{document_id}', '', 'DocumentResponse'],
  ['POST /api/documents/{document_id}/reindex', '', 'DocumentResponse'], ['POST /api/chatbots/preview', 'PreviewRequest', 'PreviewResponse'],
  ['POST /api/chatbots', 'ChatbotCreate', 'ChatbotResponse'], ['GET /api/chatbots', '', 'ChatbotResponse[]'], ['GET /api/chatbots/{chatbot_id}', '', 'ChatbotResponse'],
  ['PUT /api/chatbots/{chatbot_id}', 'ChatbotUpdate', 'ChatbotResponse'], ['POST /api/chatbots/{chatbot_id}/documents', 'ChatbotDocumentAssign', 'ChatbotResponse'],
  ['DELETE /api/chatbots/{chatbot_id}/documents/{document_id}', '', 'ChatbotResponse'], ['POST /api/chat/sessions', 'ChatSessionCreate', 'ChatSessionResponse'],
  ['GET /api/chat/sessions/{session_id}', '', 'ChatSessionResponse'], ['POST /api/chat/sessions/{session_id}/messages', 'MessageCreate', 'MessageResponse'],
  ['GET /api/chat/sessions/{session_id}/messages', '', 'MessageResponse[]'], ['POST /api/chat/widget/{chatbot_id}/session', 'WidgetSessionRequest', 'SessionResponse'],
  ['POST /api/chat/widget/{chatbot_id}/message', 'WidgetMessageRequest', 'ChatResponse'], ['GET /api/integrations', '', 'Integration[]'],
  ['POST /api/integrations/slack', 'IntegrationCreate', 'Integration'], ['POST /api/integrations/website', 'IntegrationCreate', 'Integration'],
  ['GET /api/integrations/{integration_id}', '', 'Integration'], ['PUT /api/integrations/{integration_id}', 'IntegrationUpdate', 'Integration'],
];
const called = { '/api/auth': ['register', 'login', 'logout', 'reset_password'], '/api/settings': ['get_user_settings', 'update_user_settings', 'regenerate_api_key'],
  '/api/integrations': ['list_integrations', 'create_integration_slack', 'create_integration_website', 'get_integration', 'update_integration', 'delete_integration', 'handle_slack_events', 'update_slack_credentials'] };

test('schemas and operations bear the names of the API documents', () => {
  const api = JSON.parse(fs.readFileSync(file, 'utf8'));
  const name = (schema) => (schema?.items ? `${name(schema.items)}[]` : (schema?.$ref ?? '').split('/').pop());
  for (const [route, body, answer] of named) {
    const [verb, where] = route.split(' '), operation = api.paths[where][verb.toLowerCase()];
    if (body) assert.equal(name(operation.requestBody.content['application/json'].schema), body, route);
    if (answer) assert.equal(name(Object.values(operation.responses)[0].content['application/json'].schema), answer, route);
  }
  for (const [prefix, names] of Object.entries(called)) {
    const ids = Object.entries(api.paths).filter(([where]) => where.startsWith(prefix)).flatMap(([, item]) => Object.values(item).map(({ operationId }) => operationId.replace(/^[a-z]+_/, '')));
    assert.deepEqual(names.filter((one) => !ids.includes(one)), [], prefix);
  }
  for (const one of ['ChatbotSettings', 'ChatMessage']) assert.ok(api.components.schemas[one], one);
});

test('where nobody signs in no padlock is shown; elsewhere one is', () => {
  const api = JSON.parse(fs.readFileSync(file, 'utf8'));
  for (const where of ['/api/auth/register', '/api/auth/login', '/auth/register', '/auth/send-otp', '/auth/verify-otp', '/api/auth/reset-password', '/api/chat/widget/{chatbot_id}/session'])
    assert.deepEqual(api.paths[where].post.security, [], where);
  assert.equal(api.paths['/api/auth/me'].get.security, undefined);
  assert.deepEqual(api.security, [{ bearer: [] }, { apiKey: [] }]);
});
