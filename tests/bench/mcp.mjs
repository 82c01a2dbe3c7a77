// mcp.mjs PORT: a stand-in for a model and for the MCP servers that its chats have, of both eras (/modern/N, /sessions/N;
// N tells them apart), with 50 tools each, of which "work" {ms} answers so much later.
//   a question "loop COUNT MS"   the model wants "work" so often, one call a round, then says "done"
//   GET /gaps                    ms from each answer that wants a call to the question that follows it; then they are forgotten
//   POST /hang N                 /modern/N never answers from now on
import http from 'node:http';

const port = Number(process.argv[2]);
const tools = Array.from({ length: 50 }, (_, i) => ({ name: i ? `tool_${i}` : 'work', description: `Does what number ${i} does, as its name says.`,
  inputSchema: { type: 'object', properties: { ms: { type: 'integer' }, word: { type: 'string', description: 'A word' } } }, annotations: { readOnlyHint: true } }));
const wanted = new Map(), hanging = new Set();
let gaps = [], made = 0;

const textOf = (content) => (typeof content === 'string' ? content : (content ?? []).map((part) => part.text ?? '').join(''));

function model(request, response) {
  const from = request.messages.findLastIndex((m) => m.role === 'user'), after = request.messages.slice(from + 1);
  const [, count, ms] = /loop (\d+) (\d+)/.exec(textOf(request.messages[from].content)) ?? [null, 0, 0];
  const before = after.findLast((m) => m.tool_calls)?.tool_calls[0].id;
  if (wanted.has(before)) gaps.push(performance.now() - wanted.get(before));
  wanted.delete(before);
  const chunk = (delta, finish_reason = null) => `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'stand-in', choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
  response.writeHead(200, { 'Content-Type': 'text/event-stream' });
  if (after.filter((m) => m.tool_calls).length >= Number(count)) return response.end(`${chunk({ content: 'done' })}${chunk({}, 'stop')}data: [DONE]\n\n`);
  const id = `call_${++made}`, name = request.tools.find((t) => t.function.name.endsWith('_work')).function.name;
  wanted.set(id, performance.now());
  response.end(`${chunk({ tool_calls: [{ index: 0, id, type: 'function', function: { name, arguments: `{"ms":${ms}}` } }] })}${chunk({}, 'tool_calls')}data: [DONE]\n\n`);
}

function serve(where, { id, method, params }, response) {
  const [, era, number] = where.split('/');
  const answer = (result, headers = {}) => response.writeHead(200, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify({ jsonrpc: '2.0', id, result }));
  if (hanging.has(number)) return;
  if (method === 'server/discover' && era === 'modern') return answer({ supportedVersions: ['2026-07-28'], capabilities: { tools: {} } });
  if (method === 'initialize') return answer({ protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'bench', version: '1' } }, { 'Mcp-Session-Id': `s${++made}` });
  if (method === 'tools/list') return answer({ tools });
  if (method === 'tools/call') return setTimeout(answer, params.arguments.ms, { content: [{ type: 'text', text: 'worked' }] });
  return id === undefined ? response.writeHead(202).end() : response.writeHead(400).end('{}');
}

http.createServer(async (request, response) => {
  let body = '';
  for await (const piece of request) body += piece;
  const json = (value) => response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
  if (request.url === '/gaps') return json(gaps), (gaps = []);
  if (request.url === '/hang') return hanging.add(body), json({});
  if (request.url === '/v1/models') return json({ data: [{ id: 'stand-in' }] });
  if (request.method !== 'POST') return response.writeHead(405).end();
  if (request.url === '/v1/chat/completions') return model(JSON.parse(body), response);
  serve(request.url, JSON.parse(body), response);
}).listen({ port, host: '127.0.0.1', backlog: 511 });
