// as-and-mcp.mjs AS_PORT MCP_PORT: an OAuth 2.1 authorization server (oidc-provider) and an MCP server (SDK 1.x) that wants
// its tokens, at http://127.0.0.1:MCP_PORT/mcp. Whoever comes is signed in as alice and consents, so that redirects alone
// play the browser.
//
// GET  AS/control                   {requests: {"/token": 3, ...}}: how often each path was asked for
// POST AS/control {down, deny, ttl, slow, documents}   down: refuse everything else with 503; deny: the user says no; ttl: of
//                                   access tokens; slow: milliseconds until an answer to /token; documents: where documents
//                                   of clients (CIMD) are really asked for, whatever their host
// NO_DCR=1: it registers nobody. CALLBACKS='["https://..."]': it knows the client "pre-registered", who comes back there.
// CIMD=1: it knows whoever has a document.
import http from 'node:http';
import Provider, { errors } from 'oidc-provider';
import express from 'express';
import { randomUUID } from 'node:crypto';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { z } from 'zod';

const [asPort, mcpPort] = process.argv.slice(2).map(Number);
const AS = `http://127.0.0.1:${asPort}`, RS = `http://127.0.0.1:${mcpPort}`, RESOURCE = `${RS}/mcp`;
const now = { down: false, deny: false, ttl: 3600, slow: 0, documents: null };

// --- The authorization server ---------------------------------------------------------------------------------------------

const provider = new Provider(AS, {
  scopes: ['openid', 'offline_access', 'mcp:read', 'mcp:write'],
  clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post'],
  clients: JSON.parse(process.env.CALLBACKS ?? '[]').slice(0, 1).map(() => ({ client_id: 'pre-registered', client_secret: 'pre-registered-secret-0123456789',
    redirect_uris: JSON.parse(process.env.CALLBACKS), grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] })),
  fetch: (url, options) => globalThis.fetch(now.documents + new URL(url).pathname, { ...options, dispatcher: undefined }), // who looks at addresses: here all are ours
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: async (ctx, client) => client.grantTypeAllowed('refresh_token'),
  ttl: { AccessToken: () => now.ttl, AuthorizationCode: 60, RefreshToken: 86400, Grant: 86400, Session: 86400, Interaction: 600, IdToken: 3600 },
  features: {
    devInteractions: { enabled: false },
    registration: { enabled: process.env.NO_DCR !== '1' },
    clientIdMetadataDocument: { enabled: process.env.CIMD === '1', ack: 'draft-02' },
    revocation: { enabled: true, allowedPolicy: () => true },
    resourceIndicators: {
      enabled: true,
      defaultResource: (ctx, client, oneOf) => oneOf,
      useGrantedResource: () => true,
      getResourceServerInfo: (ctx, resource) => {
        if (resource !== RESOURCE) throw new errors.InvalidTarget();
        return { scope: 'mcp:read mcp:write', audience: resource, accessTokenFormat: 'jwt', accessTokenTTL: now.ttl, jwt: { sign: { alg: 'RS256' } } };
      },
    },
  },
  interactions: { url: (ctx, i) => `/interaction/${i.uid}` },
});

async function interact(req, res) {
  const d = await provider.interactionDetails(req, res);
  if (now.deny) return provider.interactionFinished(req, res, { error: 'access_denied', error_description: 'user said no' });
  if (d.prompt.name === 'login') return provider.interactionFinished(req, res, { login: { accountId: 'alice' } });
  const grant = d.grantId ? await provider.Grant.find(d.grantId) : new provider.Grant({ accountId: d.session.accountId, clientId: d.params.client_id });
  if (d.prompt.details.missingOIDCScope) grant.addOIDCScope(d.prompt.details.missingOIDCScope.join(' '));
  for (const [r, s] of Object.entries(d.prompt.details.missingResourceScopes || {})) grant.addResourceScope(r, s.join(' '));
  return provider.interactionFinished(req, res, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
}

const requests = {};
http.createServer(async (req, res) => {
  const where = req.url.split('?')[0];
  if (where === '/control') {
    let body = '';
    for await (const piece of req) body += piece;
    if (body) Object.assign(now, JSON.parse(body));
    return res.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ requests }));
  }
  requests[where] = (requests[where] ?? 0) + 1;
  if (where === '/token' && now.slow) await new Promise((resolve) => setTimeout(resolve, now.slow));
  if (now.down) return res.writeHead(503).end();
  return where.startsWith('/interaction/') ? interact(req, res) : provider.callback()(req, res);
}).listen(asPort, '127.0.0.1');

// --- The MCP server -----------------------------------------------------------------------------------------------------------

const jwks = createRemoteJWKSet(new URL(`${AS}/jwks`));
const app = express();
app.get('/.well-known/oauth-protected-resource/mcp', (q, r) =>
  r.json({ resource: RESOURCE, authorization_servers: [AS], scopes_supported: ['mcp:read'], bearer_methods_supported: ['header'] }));
const challenge = (r, code, extra) => r.status(code)
  .set('WWW-Authenticate', `Bearer ${extra}resource_metadata="${RS}/.well-known/oauth-protected-resource/mcp"`).json({ error: 'unauthorized' });
const sessions = new Map();
app.use(express.json());
app.all('/mcp', async (req, res) => {
  const t = /^Bearer (.+)$/.exec(req.headers.authorization || '');
  if (!t) return challenge(res, 401, 'scope="mcp:read", ');
  let claims;
  try { claims = (await jwtVerify(t[1], jwks, { issuer: AS, audience: RESOURCE })).payload; } catch { return challenge(res, 401, 'error="invalid_token", '); }
  if (req.body?.method === 'tools/call' && req.body.params.name === 'write' && !String(claims.scope).split(' ').includes('mcp:write'))
    return challenge(res, 403, 'error="insufficient_scope", scope="mcp:write", ');
  const id = req.headers['mcp-session-id'];
  let tr = sessions.get(id);
  if (id && !tr) return res.status(404).json({ jsonrpc: '2.0', id: null, error: { code: -32001, message: 'Session not found' } });
  if (!tr) {
    tr = new StreamableHTTPServerTransport({ sessionIdGenerator: () => randomUUID(), onsessioninitialized: (s) => sessions.set(s, tr) });
    tr.onclose = () => sessions.delete(tr.sessionId);
    const s = new McpServer({ name: 'protected', version: '1.0.0' });
    s.registerTool('whoami', { description: 'who am I', inputSchema: {} }, async () => ({ content: [{ type: 'text', text: `${claims.sub} ${claims.scope}` }] }));
    s.registerTool('write', { description: 'needs mcp:write', inputSchema: { text: z.string() } }, async ({ text }) => ({ content: [{ type: 'text', text: `wrote ${text}` }] }));
    await s.connect(tr);
  }
  return tr.handleRequest(req, res, req.body);
});
app.listen(mcpPort, '127.0.0.1', () => console.log('ready'));
