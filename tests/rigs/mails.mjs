// mails.mjs PORT: maildev's own MCP server (@maildev/mcp, as `maildev --mcp` serves it: at /mcp, with sessions), over one mail.
import { randomUUID } from 'node:crypto';
import { registerMCPHandlers } from '@maildev/mcp';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import express from 'express';

const port = Number(process.argv[2]);
const mails = [{ id: 'a1', time: new Date(), subject: 'Your kettle', from: [{ address: 'shop@example.com' }], to: [{ address: 'ada@example.com' }],
  text: 'It is on its way.', read: false, attachments: [] }];
const source = { getEmails: async () => mails, getEmail: async (id) => mails.find((mail) => mail.id === id) };

const sessions = new Map();
const app = express();
app.use(express.json());
app.all('/mcp', async (request, response) => {
  let transport = sessions.get(request.headers['mcp-session-id']);
  if (!transport) {
    transport = new StreamableHTTPServerTransport({ sessionIdGenerator: randomUUID, onsessioninitialized: (id) => sessions.set(id, transport) });
    transport.onclose = () => sessions.delete(transport.sessionId);
    const server = new Server({ name: 'maildev', version: '3.0.0' }, { capabilities: { tools: {}, resources: {}, prompts: {} } });
    registerMCPHandlers(server, source, { webUrl: `http://127.0.0.1:${port}` });
    await server.connect(transport);
  }
  return transport.handleRequest(request, response, request.body);
});
app.listen(port, '127.0.0.1', () => console.log('ready'));
