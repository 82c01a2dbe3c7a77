// compare.mjs FOLDER: what the e2e tests asked and were answered (recorder.mjs wrote it to FOLDER), held against openapi.json.
//
// Each recorded request goes through Prism, by Stoplight, as a proxy; behind it stands a server that gives the recorded answer. What
// Prism says against an answer, and against a request that was taken (2xx) although the document refuses it, is told. Then the
// members: one that the document allows to be null or absent, and that never was in a hundred answers, should be `required`.
// First of all planted answers, each wrong in its way, must be told, or nothing that is said here is worth anything.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url)), root = path.join(here, '../..');
const folder = process.argv[2] ?? fail('compare.mjs FOLDER');
const file = process.env.OPENAPI ?? path.join(root, 'build/gen/openapi.json');
const api = JSON.parse(fs.readFileSync(file, 'utf8'));
const allowed = JSON.parse(fs.readFileSync(path.join(here, 'allowed.json'), 'utf8'));
const ENOUGH = 3; // answers that hold a member, before "never null" means something

function fail(...why) {
  console.error(...why);
  process.exit(1);
}

// --- Which operation it was: a literal segment beats a parameter -----------------------------------------------------------
const routes = Object.entries(api.paths).flatMap(([where, item]) => Object.entries(item).map(([verb, operation]) => ({
  verb: verb.toUpperCase(), where, operation, literal: where.replaceAll(/\{\w+\}/g, '~'),
  pattern: new RegExp(`^${where.replaceAll(/\{\w+\}/g, '([^/]+)')}/?$`),
}))).sort((a, b) => (a.literal < b.literal ? -1 : 1));
const operationOf = ({ method, where }) => routes.find(({ verb, pattern }) => verb === method && pattern.test(where.replace(/[?#].*/, '')));

const recorded = fs.readdirSync(folder).filter((name) => name.endsWith('.jsonl')).flatMap((name) =>
  fs.readFileSync(path.join(folder, name), 'utf8').split('\n').filter(Boolean).map((line) => ({ ...JSON.parse(line), test: name.replace(/-\d+\.jsonl/, '') })));
// What is no request of HTTP's at all, a client cannot send through another program.
const sendable = ({ where, sent }) => /^\/[\x21-\x7e]*$/.test(where) && Object.keys(sent).every((name) => !/^(transfer-encoding|expect|content-length|connection)$/i.test(name));
// 408, 414 and 431 come from below all operations, as the document's first paragraph says.
const known = recorded.filter((one) => operationOf(one) && sendable(one) && ![408, 414, 431].includes(one.status));

// --- Prism, and what stands behind it ------------------------------------------------------------------------------------
const port = 18790 + (process.pid % 100) * 2;
const replies = new Map();
const upstream = http.createServer((query, answer) => {
  query.resume().on('end', () => {
    const { status, headers, text } = replies.get(query.headers['x-recorded']) ?? { status: 200, headers: {}, text: '' }; // else: is it up?
    const kept = Object.fromEntries(Object.entries(headers).filter(([name]) => !/^(content-length|transfer-encoding|connection|keep-alive|content-encoding)$/.test(name)));
    answer.writeHead(status, kept).end([204, 304].includes(status) ? undefined : text);
  });
});
await new Promise((resolve) => upstream.listen(port + 1, '127.0.0.1', resolve));
const prism = spawn(process.execPath, ['--max-http-header-size=200000', path.join(here, 'node_modules/@stoplight/prism-cli/dist/index.js'),
  'proxy', file, `http://127.0.0.1:${port + 1}`, '--port', String(port), '--host', '127.0.0.1', '--verboseLevel', 'error'], { stdio: ['ignore', 'pipe', 'pipe'] });
let said = '';
prism.stdout.on('data', (text) => (said += text));
prism.stderr.on('data', (text) => (said += text));
process.on('exit', () => prism.kill());

// Prism's own reader of forms does not live through the odd ones that the tests send; it is the answer that counts.
const form = { type: 'multipart/form-data; boundary=b', body: '--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\na\r\n--b--\r\n' };
const plain = (one) => {
  const type = Object.keys(one.sent).find((name) => /^content-type$/i.test(name) && /^multipart/i.test(one.sent[name]));
  return type ? { ...one, sent: { ...one.sent, [type]: form.type }, body: Buffer.from(form.body).toString('base64') } : one;
};

let serial = 0;
function through(one) {
  const { method, where, sent, body, status, headers, text } = plain(one), id = String(++serial);
  replies.set(id, { status, headers, text });
  return new Promise((resolve, reject) => {
    const query = http.request({ host: '127.0.0.1', port, method, path: where.replace(/\/(?=\?|$)/, '') || '/', headers: { ...sent, 'x-recorded': id }, maxHeaderSize: 200_000, timeout: 60_000 }, (answer) => {
      answer.resume().on('end', () => {
        replies.delete(id);
        resolve(answer.headers['sl-violations'] ? JSON.parse(answer.headers['sl-violations']) : []);
      });
    });
    query.on('error', (error) => reject(new Error(`${method} ${where} ${status}: ${error.message}\n${said.slice(-1000)}`))).on('timeout', () => query.destroy(new Error('Prism does not answer')));
    query.end(body === undefined ? undefined : Buffer.from(body, 'base64'));
  });
}
for (let tries = 0; ; tries++) {
  const up = await new Promise((resolve) => http.get({ host: '127.0.0.1', port, path: '/' }, (answer) => resolve(answer.resume())).on('error', () => resolve(null)));
  if (up) break;
  if (tries > 600 || prism.exitCode !== null) fail('Prism does not start:', said);
  await new Promise((resolve) => setTimeout(resolve, 100));
}

// Against a request only what a client could not send by the document although the server takes it. That a number may come as
// text, and that more is taken than is promised, is no fault.
const about = ({ location: [where, ...rest] }, one) => where === 'response' || (where === 'request' && one.status < 300 && rest[0] === 'header');
const sentence = ({ method, where }, { location, message }) => `${method} ${operationOf({ method, where }).where}: ${location.join('.')} ${message}`;

async function compare(list) {
  const found = new Map();
  for (let i = 0; i < list.length; i += 8) {
    await Promise.all(list.slice(i, i + 8).map(async (one) => {
      for (const violation of (await through(one)).filter((each) => about(each, one))) {
        const line = sentence(one, violation);
        if (!found.has(line)) found.set(line, `${one.test} ${one.status} ${one.text.slice(0, 300)}`);
      }
    }));
  }
  return found;
}

// --- It bites ---------------------------------------------------------------------------------------------------------------
const plant = (name, pick, change) => {
  const one = structuredClone(known.find(pick) ?? fail(`nothing recorded to plant "${name}" in`));
  change(one);
  return { name, one };
};
const json = (one, change) => {
  const body = JSON.parse(one.text);
  change(body);
  one.text = JSON.stringify(body);
};
const chatbot = ({ method, where, status }) => method === 'GET' && /^\/api\/chatbots\/[\da-f-]{36}$/.test(where) && status === 200;
const planted = [
  plant('a member is missing', chatbot, (one) => json(one, (body) => delete body.name)),
  plant('a member is null', chatbot, (one) => json(one, (body) => { body.createdAt = null; })),
  plant('a number is a text', chatbot, (one) => json(one, (body) => { body.documents = 'none'; })),
  plant('a word that there is not', ({ where, status, method }) => method === 'GET' && /^\/api\/documents\/[\da-f-]{36}$/.test(where) && status === 200, (one) => json(one, (body) => { body.status = 'eaten'; })),
  plant('a status that is not documented', chatbot, (one) => { one.status = 418; }),
  plant('a media type that is not documented', chatbot, (one) => { one.headers['content-type'] = 'text/html'; one.text = '<p>'; }),
];
for (const { name, one } of planted) if ((await compare([one])).size === 0) fail(`Prism says nothing of this: ${name}\n${one.text}`);
console.log(`planted: ${planted.length} of ${planted.length} told`);

const violations = await compare(known);
prism.kill();
upstream.closeAllConnections();
upstream.close();
for (const [line, where] of violations) console.log(`VIOLATION ${line}\n    ${where}`);

// --- Never null, never absent -----------------------------------------------------------------------------------------------
const members = new Map(); // "Schema.member" -> { held, absent }
const resolve = (schema) => (schema?.$ref ? api.components.schemas[schema.$ref.split('/').pop()] : schema);
function walk(schema, value, name) {
  if (schema?.$ref) name = schema.$ref.split('/').pop();
  schema = resolve(schema);
  if (!schema || value === null || value === undefined) return;
  if (schema.anyOf ?? schema.oneOf) return walk((schema.anyOf ?? schema.oneOf).find((one) => one.type !== 'null'), value, name);
  if (Array.isArray(value)) return value.forEach((one) => walk(schema.items, one, `${name}[]`));
  if (typeof value !== 'object') return;
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    const count = members.get(`${name}.${key}`) ?? members.set(`${name}.${key}`, { held: 0, missing: 0, required: schema.required?.includes(key), nullable: nullable(property) }).get(`${name}.${key}`);
    if (value[key] === null || value[key] === undefined) count.missing++;
    else count.held++;
    walk(property, value[key], `${name}.${key}`);
  }
}
const nullable = (property) => [property.type].flat().includes('null') || (property.anyOf ?? []).some(({ type }) => type === 'null');
for (const one of known.filter(({ status, headers, text }) => status < 300 && text && /^application\/json/.test(headers['content-type'] ?? ''))) {
  const { operation } = operationOf(one);
  walk(operation.responses[one.status]?.content?.['application/json']?.schema, JSON.parse(one.text), operation.operationId);
}
// (What a part of the tests never saw as null says little: told, and no fault.)
const forgotten = [...members].filter(([name, { held, missing, required, nullable: mayBe }]) => held >= ENOUGH && missing === 0 && (!required || mayBe) && !(name in allowed)).map(([name, { held }]) => `${name} (${held} answers)`);
for (const line of forgotten) console.log(`NEVER NULL OR ABSENT, yet the document says that it may be: ${line}`);
const idle = Object.keys(allowed).filter((name) => !members.has(name) || members.get(name).missing > 0);
for (const name of idle) console.log(`allowed.json: ${name} needs no word any more`);

console.log(`${recorded.length} kinds of answers recorded, ${known.length} of documented operations held against the document; ${violations.size} violations; ${members.size} members, ${forgotten.length} forgotten`);
process.exit(violations.size || (forgotten.length && !process.env.ONLY) ? 1 : 0);
