// load.mjs URL SECONDS READERS [WRITERS]: users who read, write and ask, without a retry of their own. Prints one line of JSON:
// {requests, failed, byStatus, lost}; lost: writes that were acknowledged and cannot be read afterwards. Ends at SIGTERM too.
import http from 'node:http';

const [url, seconds, readers, writers = '2'] = process.argv.slice(2);
const agent = new http.Agent({ keepAlive: true });
let stop = false;
process.on('SIGTERM', () => { stop = true; });
setTimeout(() => { stop = true; }, Number(seconds) * 1000).unref();
const result = { requests: 0, failed: 0, byStatus: {}, lost: 0 };

const ask = (method, where, { token, json } = {}) => new Promise((resolve) => {
  const body = json && JSON.stringify(json);
  const req = http.request(url + where, { method, agent, timeout: 30_000, headers: {
    ...(token && { authorization: `Bearer ${token}` }), ...(body && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
  } }, (res) => {
    let text = '';
    res.setEncoding('utf8').on('data', (part) => { text += part; }).on('end', () => resolve({ status: res.statusCode, text })).on('error', () => resolve({ status: 'cut', text }));
  });
  req.on('timeout', () => req.destroy()).on('error', (err) => resolve({ status: err.code || 'error', text: '' }));
  req.end(body);
});

async function counted(...args) {
  const answer = await ask(...args);
  result.requests++;
  if (!(answer.status >= 200 && answer.status < 300)) {
    result.failed++;
    const what = `${answer.status} ${args[0]} ${args[1].replace(/[0-9a-f-]{36}/g, ':id')} ${answer.text.slice(0, 120)}`;
    result.byStatus[what] = (result.byStatus[what] || 0) + 1;
    return null;
  }
  return answer.text ? JSON.parse(answer.text) : {};
}

const email = `load-${Date.now()}-${process.pid}@example.com`;
const { token } = JSON.parse((await ask('POST', '/api/auth/register', { json: { email, password: 'analytical engine', display_name: 'Load' } })).text);
const { id: bot } = JSON.parse((await ask('POST', '/api/chatbots', { token, json: { name: 'Load' } })).text);
const made = [];

const read = async () => {
  for (let i = 0; !stop; i++) await counted('GET', ['/api/chatbots', `/api/chatbots/${bot}`, '/api/auth/me', '/api/documents', '/api/chat/sessions', '/api/integrations'][i % 6], { token });
};
const write = async () => {
  while (!stop) {
    const session = await counted('POST', '/api/chat/sessions', { token, json: { chatbotId: bot } });
    if (!session) continue;
    const message = await counted('POST', `/api/chat/sessions/${session.id}/messages`, { token, json: { content: 'Hello' } });
    if (message) made.push([session.id, message.id]);
  }
};
await Promise.all([...Array.from({ length: Number(readers) }, read), ...Array.from({ length: Number(writers) }, write)]);
for (const [session, id] of made) {
  const messages = await ask('GET', `/api/chat/sessions/${session}/messages`, { token });
  if (!messages.text.includes(id)) result.lost++;
}
console.log(JSON.stringify(result));
