// dual.mjs PORT [stateless|reject]: the official SDK's server of both eras, 2026-07-28 and 2025, at /mcp; `reject`: of the newer
// alone. Its tools: add {a, b}; fail {}, an isError; ask {}, which asks its user for a name.
import { createServer } from 'node:http';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, inputRequired, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

const [port, legacy = 'stateless'] = process.argv.slice(2);
const text = (words, more) => ({ content: [{ type: 'text', text: words }], ...more });
const question = { message: 'Your name?', requestedSchema: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] } };

const handler = toNodeHandler(createMcpHandler(() => {
  const server = new McpServer({ name: 'dual', version: '1.0.0' }, { capabilities: { tools: { listChanged: true } } });
  const register = (name, description, shape, run) =>
    server.registerTool(name, { description, inputSchema: z.object(shape), annotations: { readOnlyHint: true } }, run);
  register('add', 'Adds two numbers.', { a: z.number(), b: z.number() }, async ({ a, b }) => text(String(a + b)));
  register('fail', 'Fails.', {}, async () => text('boom', { isError: true }));
  register('ask', 'Asks its user.', {}, async (args, context) => {
    const who = (context.mcpReq?.inputResponses ?? context.inputResponses)?.who;
    return who ? text(`got ${JSON.stringify(who)}`) : inputRequired({ inputRequests: { who: inputRequired.elicit(question) }, requestState: 'opaque' });
  });
  return server;
}, { legacy }));
createServer((request, response) => (request.url === '/mcp' ? handler(request, response) : response.writeHead(404).end()))
  .listen(Number(port), '127.0.0.1', () => console.log('ready'));
