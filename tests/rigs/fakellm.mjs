// fakellm.mjs PORT: a scripted model behind OpenAI's API, in the manner of DeepSeek (reasoning_content, streamed tool calls).
//
// The last user text is the script; what comes first in this list counts:
//   overload      503 with Retry-After
//   cut off       the connection is dropped in the middle of the answer
//   add A B       a call of the tool `add` (or one whose name ends so), when it is offered; the tool's result is then told
//   call T {...} && T {...}   calls of the tools whose names end with T, in one round; what they gave back is then told,
//                 joined by " | "; `loop T {...}`: again and again; `then` between calls: one round after the other
//   count N MS    N words, MS milliseconds apart (MS may be left out: 5): "w1 w2 ... wN"
//   burst N       N words in one piece
//   slowly MS     nothing for so many milliseconds, then as below; GET /asked tells what has been asked, GET /offered with what tools,
//                 GET /left what was being answered when its reader went away
//   recall        what tools gave back before the question, joined by " | "
//   what was said the conversation before the question: "user: ... | assistant: ..."
//   cite          an answer that cites [1], which is there, and [9], which is invented
//   Rewrite ...   (first words of the system's message) the user's words before it and the last question, with quotes
//   anything else "You said: ..."
// TOOLS=no answers 400 to requests that offer tools; where the system message tells of <tool_call>, it then calls in words:
// in a tag, or as the question has it: "... by fence", "by line", "by mistake" (at the first try).
// ECHO=v3.2 (default) answers 400 when a turn with tool calls lacks reasoning_content, ECHO=r1 when any message has it.
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const port = Number(process.argv[2] || 3974);
const echo = process.env.ECHO || 'v3.2';
const thoughts = ['Let me ', 'think.'];
const asked = [];
let offered; // with the last request: {tools, system}
const leftAlone = []; // what was being answered when whoever asked went away

const textOf = (content) =>
  typeof content === 'string' ? content : (content ?? []).map((part) => part.text ?? '').join('');

function refuse(answer, status, message, type = 'invalid_request_error', headers = {}) {
  answer.writeHead(status, { 'content-type': 'application/json', ...headers });
  answer.end(JSON.stringify({ error: { message, type, param: null, code: type } }));
}

function json(answer, value) {
  answer.writeHead(200, { 'content-type': 'application/json' });
  answer.end(JSON.stringify(value));
}

// What DeepSeek demands of messages that come back to it. A sentence when it would refuse.
function echoMistake(messages) {
  for (const [i, m] of messages.entries()) {
    if (echo === 'v3.2' && m.role === 'assistant' && m.tool_calls && m.reasoning_content === undefined)
      return `Missing \`reasoning_content\` field in the assistant message at message index ${i}.`;
    if (echo === 'r1' && m.reasoning_content !== undefined) return 'reasoning_content is not allowed in messages';
  }
  return null;
}

// What came back since the question, newest round; and how many rounds there were.
function results(request) {
  const after = request.messages.slice(request.messages.findLastIndex((m) => m.role === 'user' && !/^<tool_result/.test(textOf(m.content))) + 1);
  const rounds = after.filter((m) => m.role === 'assistant').length;
  const last = after.slice(after.findLastIndex((m) => m.role === 'assistant') + 1);
  const texts = last.flatMap((m) => m.role === 'tool' ? [textOf(m.content)]
    : [...textOf(m.content).matchAll(/<tool_result name="[^"]*">\n([^]*?)\n<\/tool_result>/g)].map((x) => x[1]));
  return { rounds, texts };
}

// The name by which a tool is offered.
function named(request, name) {
  const told = [...textOf(request.messages[0].content).matchAll(/^- ([\w-]+): /gm)].map((x) => x[1]);
  const names = request.tools?.map((t) => t.function.name) ?? told;
  return names.find((n) => n === name) ?? names.find((n) => n.endsWith(name));
}

const wanted = (request, text) => text.split(/ && /).map((one, i) => {
  const [, name, args] = /^(\S+) ?([^]*)$/.exec(one.trim());
  return { id: `call_${i}`, type: 'function', function: { name: named(request, name) ?? name, arguments: args || '{}' } };
});

function inWords(request, calls, form) {
  const text = calls.map(({ function: f }) => {
    const json = `{"name": ${JSON.stringify(f.name)}, "arguments": ${f.arguments}}`;
    if (form === 'fence') return `\`\`\`json\n${json}\n\`\`\`\n`;
    if (form === 'line') return `Function call: ${json}\n`;
    if (form === 'mistake' && results(request).rounds === 0) return `<tool_call>${f.name} please</tool_call>`;
    return `<tool_call>\n${json}\n</tool_call>\n`;
  }).join('');
  return { text, pause: 1 };
}

// The answer to a request: { calls } or { text, pause, cut }.
function script(request) {
  const { rounds, texts } = results(request);
  const question = request.messages.findLast((m) => m.role === 'user' && !/^<tool_result/.test(textOf(m.content)));
  const asked = textOf(question?.content).split('</passages>').pop().trim();
  if (/^Rewrite the last question/.test(textOf(request.messages[0].content))) {
    const last = textOf(request.messages.at(-1).content);
    const [before] = [...last.matchAll(/^user: (.*)$/gm)].map((m) => m[1]).slice(-1);
    return { text: `"${before} ${/The last question: (.*)/.exec(last)[1]}"\nThat is it.`, pause: 1 };
  }
  const add = /add (\d+) (\d+)/.exec(asked);
  const form = / by (fence|line|mistake)$/.exec(asked)?.[1] ?? 'tag';
  const call = (calls) => request.tools ? { calls } : inWords(request, calls, form);
  const offers = request.tools || /<tool_call>/.test(textOf(request.messages[0].content));
  const again = form === 'mistake' && !request.tools && rounds === 1;
  if (texts.length && add && !again) return { text: `The sum is ${texts[0]}.`, pause: 5 };
  if (add && offers && named(request, 'add'))
    return call([{ id: 'call_0', type: 'function', function: { name: named(request, 'add'), arguments: `{"a":${add[1]},"b":${add[2]}}` } }]);
  const loop = /^loop ([^]*)/.exec(asked), plan = /^call ([^]*)/.exec(asked)?.[1].split(/ then /) ?? [];
  if (loop && !/No more tools/.test(texts.at(-1))) return call(wanted(request, loop[1]));
  if (plan[rounds]) return call(wanted(request, plan[rounds]));
  if (texts.length) return { text: `It says: ${texts.join(' | ')}`, pause: 1 };
  if (asked === 'recall') {
    const told = request.messages.flatMap((m) => m.role === 'tool' ? [textOf(m.content)]
      : [...textOf(m.content).matchAll(/<tool_result name="[^"]*">\n([^]*?)\n<\/tool_result>/g)].map((x) => x[1]));
    return { text: `I recall: ${told.join(' | ')}`, pause: 1 };
  }
  if (asked === 'what was said')
    return { text: request.messages.slice(1, -1).map((m) => `${m.role}: ${textOf(m.content)}`).join(' | '), pause: 1 };
  const count = /count (\d+)(?: (\d+))?/.exec(asked);
  if (count)
    return { text: Array.from({ length: Number(count[1]) }, (_, i) => `w${i + 1}`).join(' '), pause: Number(count[2] ?? 5) };
  const burst = /burst (\d+)/.exec(asked);
  if (burst) return { text: Array.from({ length: Number(burst[1]) }, () => 'word').join('\u00a0'), pause: 5 };
  if (/\bcite\b/i.test(asked))
    return { text: 'The first source says so [1]. Nobody says this [9]. Both together [1][9] settle it.', pause: 5 };
  return { text: `You said: ${asked}`, pause: 5, cut: /cut off/.test(asked) };
}

const usage = { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12, completion_tokens_details: { reasoning_tokens: 2 } };

async function complete(request, answer) {
  const base = { id: 'chatcmpl-1', created: 1, model: request.model, system_fingerprint: 'fp' };
  const { calls, text, pause, cut } = script(request);
  const last = textOf(request.messages.at(-1).content);
  const slowly = /slowly (\d+)/.exec(last);
  asked.push(last);
  offered = { tools: request.tools ?? null, system: textOf(request.messages[0].content) };
  if (slowly) await sleep(Number(slowly[1]));
  const finish = calls ? 'tool_calls' : 'stop';
  if (!request.stream) {
    const message = { role: 'assistant', content: calls ? '' : text, reasoning_content: thoughts.join('') };
    if (calls) message.tool_calls = calls;
    return json(answer, { ...base, object: 'chat.completion', usage, choices: [{ index: 0, message, logprobs: null, finish_reason: finish }] });
  }

  answer.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
  const send = (delta, reason = null, more = {}) =>
    answer.write('data: ' + JSON.stringify({
      ...base, object: 'chat.completion.chunk', choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }], ...more,
    }) + '\n\n');
  answer.write(': keep-alive\n\n');
  send({ role: 'assistant', content: null, reasoning_content: '' });
  for (const thought of thoughts) send({ content: null, reasoning_content: thought });
  if (calls) {
    for (const [index, { id, function: f }] of calls.entries()) {
      send({ tool_calls: [{ index, id, type: 'function', function: { name: f.name, arguments: '' } }] });
      for (const piece of f.arguments.match(/[^]{1,4}/g)) send({ tool_calls: [{ index, function: { arguments: piece } }] });
    }
  } else {
    for (const word of text.match(/[^ ]+ */g)) {
      if (answer.destroyed) return leftAlone.push(last);
      send({ content: word, reasoning_content: null });
      await sleep(pause);
      if (cut) return answer.destroy();
    }
  }
  send({ content: '', reasoning_content: null }, finish, { usage });
  answer.end('data: [DONE]\n\n');
}

// Vectors of 256 numbers that are near when texts share words.
function embed(text) {
  const vector = new Array(256).fill(0);
  for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []) {
    let hash = 2166136261;
    for (const c of word) hash = Math.imul(hash ^ c.codePointAt(0), 16777619) >>> 0;
    vector[hash % 256] += hash & 256 ? 1 : -1;
  }
  const length = Math.hypot(...vector) || 1;
  return vector.map((x) => x / length);
}

async function embeddings(request, answer) {
  const inputs = Array.isArray(request.input) ? request.input : [request.input];
  const slowly = /slowly (\d+)/.exec(inputs.join(' '));
  if (slowly) await sleep(Number(slowly[1]));
  const data = inputs.map((input, index) => {
    const vector = embed(String(input));
    const embedding = request.encoding_format === 'base64' ? Buffer.from(new Float32Array(vector).buffer).toString('base64') : vector;
    return { object: 'embedding', index, embedding };
  });
  json(answer, { object: 'list', data, model: request.model, usage: { prompt_tokens: 1, total_tokens: 1 } });
}

http.createServer(async (query, answer) => {
  let body = '';
  for await (const piece of query) body += piece;
  if (query.headers.authorization !== 'Bearer sk-test')
    return refuse(answer, 401, 'Authentication Fails (no such user)', 'authentication_error');
  if (query.method === 'GET' && query.url.endsWith('/offered')) return json(answer, offered);
  if (query.method === 'GET' && query.url.endsWith('/asked')) return json(answer, asked);
  if (query.method === 'GET' && query.url.endsWith('/left')) return json(answer, leftAlone);
  if (query.method === 'GET' && query.url.endsWith('/models'))
    return json(answer, { object: 'list', data: [{ id: 'deepseek-reasoner', object: 'model', created: 1, owned_by: 'deepseek' }] });
  let request;
  try {
    request = JSON.parse(body);
  } catch {
    return refuse(answer, 400, 'Failed to parse the request body as JSON');
  }
  if (query.method === 'POST' && query.url.endsWith('/embeddings')) return embeddings(request, answer);
  if (query.method !== 'POST' || !query.url.endsWith('/chat/completions')) return refuse(answer, 404, 'not found');
  if (!Array.isArray(request.messages)) return refuse(answer, 400, 'missing field `messages`');
  if (process.env.TOOLS === 'no' && request.tools) return refuse(answer, 400, `${request.model} does not support tools`);
  const mistake = echoMistake(request.messages);
  if (mistake) return refuse(answer, 400, mistake);
  if (/overload/.test(textOf(request.messages.at(-1).content)))
    return refuse(answer, 503, 'Server overloaded', 'server_error', { 'retry-after': '1' });
  await complete(request, answer);
}).listen(port, '127.0.0.1', () => console.log('ready'));
