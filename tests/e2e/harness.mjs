// harness: a stack of its own for a test file, and what a test does with it.
//
//   const stack = await startStack({ replicas: { chat: 2, gateway: 2 }, env: { CHAT_PROVIDER: 'openai' } });
//   const user = await stack.register();
//   const { status, body } = await stack.api('GET', '/api/auth/me', { token: user.token });
//   const stream = await stack.stream('POST', `/api/chat/sessions/${id}/messages/stream`, { token, json: { content } });
//   for await (const event of stream) ...                       stream.cut(); stack.stream(..., { lastEventId })
//   await stack.process('chat', 2).kill('SIGKILL'); await stack.process('chat', 2).start();
//   await stack.stop();                                         also fails when a process left a sanitizer's report
//
// Ports are free ones, the state directory is new, PostgreSQL is the stack's own. Which processes there are, with what
// environment, is asked of common/scripts/stack.sh: there is no second description of the stack. startRig() starts a
// counterpart of tests/rigs.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { record } from './recorder.mjs';

export { sleep };
export const root = fileURLToPath(new URL('../..', import.meta.url));
export const variant = process.env.VARIANT || 'release';
export const longer = variant === 'release' ? 1 : 5; // how much longer a load has to last to be one: sanitizers take time
export const slow = 3 * longer; // how much longer an answer may take, for the machine is busy with others as well
const execute = promisify(execFile);
const children = new Set(); // whatever happens, nothing outlives the test
process.on('exit', () => children.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

// --- Small things -------------------------------------------------------------------------------------------------------

const listen = (port) =>
  new Promise((resolve) => {
    const server = net.createServer().once('error', () => resolve(null));
    server.listen(port, '127.0.0.1', () => resolve(server.unref()));
  });

// Ports come in blocks of 20, below those that the system gives to clients. The last of a block says that it is taken: who
// took it listens there as long as it lives. So nobody else gets ports that are free for a moment only, as those of a
// process that is started again.
const BLOCK = 20;
async function takeBlock(base) {
  const servers = await Promise.all(Array.from({ length: BLOCK }, (_, i) => listen(base + i)));
  const free = servers.every(Boolean);
  if (free) servers.pop();
  await Promise.all(servers.filter(Boolean).map((server) => new Promise((resolve) => server.close(resolve))));
  return free;
}

// The first of a row of blocks that together have `count` ports; those at the ends of blocks are not for use.
export async function freePorts(count) {
  const blocks = Math.ceil(count / BLOCK);
  for (let tries = 0; tries < 100; tries++) {
    const base = 12000 + Math.floor(Math.random() * 950) * BLOCK;
    let taken = 0;
    while (taken < blocks && await takeBlock(base + taken * BLOCK)) taken++;
    if (taken === blocks) return base;
  }
  throw new Error('no free ports');
}

const spare = [];
export async function freePort() {
  if (spare.length === 0) {
    const base = await freePorts(BLOCK);
    spare.push(...Array.from({ length: BLOCK - 1 }, (_, i) => base + i));
  }
  return spare.pop();
}

// Ask again until `check` gives something true; that is the result.
export async function until(what, check, seconds = 20 * slow) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const got = await check();
    if (got) return got;
    if (Date.now() > end) assert.fail(`not within ${seconds} s: ${what}`);
    await sleep(25);
  }
}

let serial = 0;
export const unique = (prefix) => `${prefix}-${process.pid}-${Date.now().toString(36)}-${++serial}`;
export const uniqueEmail = (name = 'user') => `${unique(name)}@example.com`;

// --- HTTP ---------------------------------------------------------------------------------------------------------------

// One request on a connection of its own, the answer as it came. body: a string or Buffer.
export function request(url, { method = 'GET', headers = {}, body, timeout = 60_000 * slow } = {}) {
  return new Promise((resolve, reject) => {
    // Node would send the body of a DELETE without its length
    const length = body === undefined || Object.keys(headers).some((name) => /^(content-length|transfer-encoding)$/i.test(name))
      ? {} : { 'Content-Length': Buffer.byteLength(body) };
    const query = http.request(url, { method, headers: { ...headers, ...length }, agent: false, timeout }, (answer) => {
      const pieces = [];
      answer.on('data', (piece) => pieces.push(piece));
      answer.on('error', reject);
      answer.on('end', () => {
        const bytes = Buffer.concat(pieces);
        const text = bytes.toString('utf8');
        const isJson = /^application\/json/.test(answer.headers['content-type'] ?? '');
        record(method, url, headers, body, answer.statusCode, answer.headers, text);
        resolve({ status: answer.statusCode, headers: answer.headers, bytes, text, body: isJson && text ? JSON.parse(text) : null });
      });
    });
    query.on('timeout', () => query.destroy(new Error(`no answer from ${method} ${url} in ${timeout} ms`)));
    query.on('error', reject);
    query.end(body);
  });
}

// multipart/form-data of { name: 'text' } and { name: { filename, type, content } }.
export function multipart(fields) {
  const boundary = unique('boundary');
  const parts = [];
  for (const [name, value] of Object.entries(fields)) {
    const file = typeof value === 'object' && !Buffer.isBuffer(value);
    parts.push(Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${file ? `; filename="${value.filename}"` : ''}\r\n` +
        (file ? `Content-Type: ${value.type ?? 'application/octet-stream'}\r\n` : '') + '\r\n'));
    parts.push(Buffer.from(file ? value.content : value), Buffer.from('\r\n'));
  }
  parts.push(Buffer.from(`--${boundary}--\r\n`));
  return { body: Buffer.concat(parts), headers: { 'Content-Type': `multipart/form-data; boundary=${boundary}` } };
}

// Server-sent events, read as they come. `for await` gives { id, event, data, raw }; comment lines are counted as pings.
export class EventStream {
  events = [];
  pings = 0;
  raw = '';
  #rest = '';
  #waiting = [];
  #over = false;
  #failed = null;

  constructor(answer, query) {
    this.status = answer.statusCode;
    this.headers = answer.headers;
    this.query = query;
    answer.setEncoding('utf8');
    answer.on('data', (text) => this.#take(text));
    answer.on('end', () => this.#end());
    answer.on('error', (error) => this.#end(error));
  }

  #take(text) {
    this.raw += text;
    this.#rest += text;
    let end;
    while ((end = this.#rest.indexOf('\n\n')) >= 0) {
      const block = this.#rest.slice(0, end);
      this.#rest = this.#rest.slice(end + 2);
      const event = { raw: block + '\n\n' };
      const data = [];
      for (const line of block.split('\n')) {
        const [, name, value] = /^([^:]*)(?:: ?(.*))?$/.exec(line);
        if (name === '') this.pings += 1;
        else if (name === 'data') data.push(value ?? '');
        else event[name] = value ?? '';
      }
      if (data.length === 0) continue;
      event.data = JSON.parse(data.join('\n'));
      this.events.push(event);
    }
    this.#wake();
  }

  #end(error = null) {
    this.#over = true;
    this.#failed = error;
    this.#wake();
  }

  #wake() {
    this.#waiting.splice(0).forEach((resolve) => resolve());
  }

  async *[Symbol.asyncIterator]() {
    for (let i = 0; ; i++) {
      while (i >= this.events.length) {
        if (this.#over) {
          if (this.#failed && !this.wasCut) throw this.#failed;
          return;
        }
        await new Promise((resolve) => this.#waiting.push(resolve));
      }
      yield this.events[i];
    }
  }

  // Everything to its end.
  async all() {
    for await (const _ of this);
    return this.events;
  }

  // Up to the n-th event of that name; fails when the stream ends before.
  async upTo(name, n = 1) {
    for await (const event of this) if (event.event === name && --n === 0) return event;
    assert.fail(`the stream ended without \`${name}\`:\n${this.raw}`);
  }

  cut() {
    this.wasCut = true;
    this.query.destroy();
  }
}

// --- Processes ----------------------------------------------------------------------------------------------------------

class Process {
  constructor(stack, name, replica, env) {
    Object.assign(this, { stack, name, replica, env, id: `${name}-${replica}` });
    this.program = path.join(stack.tree, 'build', variant, name === 'gateway' ? 'gateway' : `svc-${name}`);
    this.log = path.join(stack.state, 'log', `${this.id}.log`);
    this.admin = `http://${env[`${name.toUpperCase()}_ADMIN`]}`;
  }

  // Does it call services of that name? The gateway calls all; of the others their source says so.
  calls(name) {
    if (this.name === 'gateway') return name !== 'gateway';
    const [, peers] = /\.peers = [^{]*\{([^}]*)\}/.exec(fs.readFileSync(path.join(this.stack.tree, `svc-${this.name}/main.c`), 'utf8'));
    return peers.includes(`"${name}"`);
  }

  // Has that one found it, as its log says from that byte on?
  foundBy(other, from) {
    const address = { ...other.env, ...this.stack.env }[`${this.name.toUpperCase()}_ADDRESS`].split(',')[this.replica - 1];
    return other.said(from).some((line) => line.includes('"replica found"') && line.includes(`"${address}"`));
  }

  // Returns when it is ready, and all who call it have found it: from then on no call comes too early.
  async start() {
    const callers = this.stack.processes.filter((one) => one.calls(this.name))
      .map((caller) => ({ caller, from: fs.existsSync(caller.log) ? fs.statSync(caller.log).size : 0 }));
    const log = fs.openSync(this.log, 'a');
    this.child = spawn(this.program, [], { env: { ...process.env, ...this.env, ...this.stack.env }, stdio: ['ignore', log, log] });
    fs.closeSync(log);
    children.add(this.child);
    this.stopped = false;
    const { child } = this;
    this.ended = new Promise((resolve) => child.once('exit', (code, signal) => {
      children.delete(child);
      resolve({ code, signal });
    }));
    await until(`${this.id} is ready\n${this.tail()}`, async () => {
      assert.ok(child.exitCode === null && child.signalCode === null, `${this.id} ended while starting:\n${this.tail()}`);
      const answer = await request(`${this.admin}/readyz`, { timeout: 2000 }).catch(() => null);
      return answer?.status === 200;
    }, 60 * slow);
    for (const { caller, from } of callers)
      await until(`${caller.id} finds ${this.id}`, () => !this.running || !caller.running || caller.stopped || this.foundBy(caller, from));
  }

  get pid() {
    return this.child.pid;
  }

  get running() {
    return this.child && this.child.exitCode === null && this.child.signalCode === null;
  }

  // Returns when it has ended (or at once, for signals that do not end it).
  async kill(signal = 'SIGTERM') {
    if (!this.running) return null;
    this.child.kill(signal);
    this.stopped = signal === 'SIGSTOP';
    return signal === 'SIGSTOP' || signal === 'SIGCONT' ? null : this.ended;
  }

  async metrics() {
    return (await request(`${this.admin}/metrics`)).text;
  }

  // The lines of its log from that byte on.
  said(from = 0) {
    if (!fs.existsSync(this.log)) return [];
    const log = fs.openSync(this.log), bytes = Buffer.alloc(Math.max(0, fs.fstatSync(log).size - from));
    fs.readSync(log, bytes, 0, bytes.length, from);
    fs.closeSync(log);
    return bytes.toString('utf8').split('\n');
  }

  tail(lines = 15) {
    return this.said().slice(-lines).join('\n');
  }
}

// --- The stack ----------------------------------------------------------------------------------------------------------

class Stack {
  constructor(options) {
    this.state = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-e2e-'));
    fs.chmodSync(this.state, 0o711); // PostgreSQL may run as another user
    fs.mkdirSync(path.join(this.state, 'log'));
    this.env = options.env ?? {};
    this.tree = options.tree ?? root; // of which programs
    this.replicas = options.replicas ?? {};
    this.processes = [];
    this.rigs = [];
  }

  async #script(name, ...args) {
    const env = { ...process.env, ...this.env, PARLEY_STATE: this.state, PARLEY_PORT: String(this.port), VARIANT: variant,
      PARLEY_POSTGRES_OPTIONS: '-c fsync=off',
      PARLEY_REPLICAS: Object.entries(this.replicas).map(([n, count]) => `${n}=${count}`).join(' ') };
    const { stdout } = await execute(path.join(this.tree, 'common/scripts', name), args, { env, maxBuffer: 1 << 24 });
    return stdout;
  }

  async start() {
    const most = Math.max(1, ...Object.values(this.replicas));
    this.port = await freePorts(20 * most);
    await this.startDatabase();
    const list = (await this.#script('stack.sh', 'list')).trim().split('\n').map((line) => line.split(' '));
    await Promise.all(list.map(async ([name, replica]) => {
      const lines = (await this.#script('stack.sh', 'env', name, replica)).trim().split('\n');
      const env = Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
      this.processes.push(new Process(this, name, Number(replica), env));
    }));
    const auth = this.process('auth');
    await execute(auth.program, ['--init'], { env: { ...process.env, ...auth.env, ...this.env } });
    await Promise.all(this.processes.map((p) => p.start()));
  }

  startDatabase() {
    return this.#script('postgres.sh', 'start');
  }

  stopDatabase() {
    return this.#script('postgres.sh', 'stop');
  }

  // Rows of a query as the database's superuser, for tests that look behind the API. Fields are text, split at tabs.
  async sql(text) {
    const url = (await this.#script('postgres.sh', 'url', 'parley_admin')).trim();
    const { stdout } = await execute('psql', ['-qAtX', '-F', '\t', '-v', 'ON_ERROR_STOP=1', '-c', text, url]);
    return stdout.split('\n').slice(0, -1).map((line) => line.split('\t'));
  }

  process(name, replica = 1) {
    const found = this.processes.find((p) => p.name === name && p.replica === replica);
    assert.ok(found, `no process ${name} ${replica}`);
    return found;
  }

  // The address of a gateway.
  url(replica = 1) {
    return `http://${this.process('gateway', replica).env.PARLEY_LISTEN}`;
  }

  // { json } is sent as JSON, { form } as multipart, { body } as it is. gateway: which one.
  async api(method, where, { token, json, form, body, headers = {}, gateway = 1, timeout } = {}) {
    const made = form ? multipart(form) : json !== undefined ? { body: JSON.stringify(json), headers: { 'Content-Type': 'application/json' } } : { body };
    const auth = token ? { Authorization: `Bearer ${token}` } : {};
    return request(this.url(gateway) + where, { method, headers: { ...made.headers, ...auth, ...headers }, body: made.body, timeout });
  }

  // The same, for what must succeed: the parsed body. status: what success is.
  async ok(method, where, options = {}) {
    const answer = await this.api(method, where, options);
    const wanted = options.status ? answer.status === options.status : answer.status < 300;
    assert.ok(wanted, `${method} ${where}: ${answer.status} ${answer.text}${await this.why(answer)}`);
    return answer.body;
  }

  // Of an answer that only the log can explain: what it says.
  async why({ status, headers }) {
    if (status !== 500) return '';
    const lines = () => this.logLines(headers['x-request-id']).filter(({ detail }) => detail);
    await until('the service has written', () => lines().some(({ process }) => !process.startsWith('gateway')), 2).catch(() => null);
    return lines().map(({ process, detail }) => `\n${process}: ${detail}`).join('');
  }

  // An event stream; fails when the answer is none.
  async stream(method, where, { token, json, lastEventId, headers = {}, gateway = 1 } = {}) {
    const body = json === undefined ? undefined : JSON.stringify(json);
    const all = { Accept: 'text/event-stream', ...headers };
    if (token) all.Authorization = `Bearer ${token}`;
    if (body) all['Content-Type'] = 'application/json';
    if (lastEventId) all['Last-Event-ID'] = lastEventId;
    const answer = await new Promise((resolve, reject) => {
      const query = http.request(this.url(gateway) + where, { method, headers: all, agent: false }, (a) => resolve({ a, query }));
      query.on('error', reject);
      query.end(body);
    });
    const stream = new EventStream(answer.a, answer.query);
    answer.a.on('end', () => record(method, this.url(gateway) + where, all, body, answer.a.statusCode, answer.a.headers, stream.raw));
    if (answer.a.statusCode !== 200 || !/^text\/event-stream/.test(answer.a.headers['content-type'] ?? '')) {
      await stream.all().catch(() => {});
      assert.fail(`${method} ${where}: ${answer.a.statusCode} ${stream.raw}`);
    }
    return stream;
  }

  // A new user: { uid, id, email, password, token, ... }.
  async register(fields = {}) {
    const json = { email: uniqueEmail(), password: 'correct horse 9 battery', display_name: 'Test User', ...fields };
    return { ...(await this.ok('POST', '/api/auth/register', { json, status: 201 })), password: json.password };
  }

  // Uploads and waits until it is ready (or failed; wait: 0: does not); content: a string or Buffer.
  async upload(token, name, content, { type, wait = 60, fields = {} } = {}) {
    const form = { name, ...fields, file: { filename: name, type, content } };
    const document = await this.ok('POST', `/api/documents/upload?wait=${wait}`, { token, form, status: 201, timeout: (wait + 30) * 1000 * slow });
    return wait ? this.processed(token, document) : document;
  }

  // The document of that answer once it is ready, or failed: on a slow machine that may be long after the upload was answered.
  async processed(token, document) {
    const busy = ({ status }) => status === 'pending' || status === 'processing';
    if (!busy(document)) return document;
    return until(`${document.name} is processed`, async () => {
      const { body } = await this.api('GET', `/api/documents/${document.id}`, { token });
      return !busy(body) && { ...document, ...body };
    }, 60 * slow);
  }

  // The mails that wait in files (no SMTP server is set), oldest first, for one address or all.
  mails(to) {
    const folder = path.join(this.state, 'mail');
    if (!fs.existsSync(folder)) return [];
    return fs.readdirSync(folder).filter((name) => !name.startsWith('.')) // those are still being written
      .map((name) => path.join(folder, name))
      .map((file) => ({ file, written: fs.statSync(file, { bigint: true }).mtimeNs }))
      .sort((a, b) => (a.written < b.written ? -1 : 1))
      .map(({ file }) => fs.readFileSync(file, 'utf8').replace(/=\r?\n/g, ''))
      .filter((text) => !to || text.toLowerCase().includes(to.toLowerCase()));
  }

  // Waits for a mail to that address whose text matches; gives the match.
  async mail(to, pattern) {
    return until(`a mail to ${to} with ${pattern}`, () => {
      for (const text of this.mails(to).reverse()) {
        const match = pattern.exec(text);
        if (match) return match;
      }
      return null;
    });
  }

  // A rig that ends with the stack.
  async rig(name, options) {
    const rig = await startRig(name, options);
    this.rigs.push(rig);
    return rig;
  }

  // The log lines (parsed) of every process that carry this request id.
  logLines(requestId) {
    return this.processes.flatMap((p) => fs.readFileSync(p.log, 'utf8').split('\n')
      .filter((line) => line.includes(requestId)).map((line) => ({ process: p.id, ...JSON.parse(line) })));
  }

  async stop({ keep = false } = {}) {
    const mistakes = [];
    const gateways = this.processes.filter((p) => p.name === 'gateway');
    for (const group of [gateways, this.processes.filter((p) => p.name !== 'gateway')]) {
      await Promise.all(group.map(async (p) => {
        p.child?.kill('SIGCONT');
        const end = await p.kill('SIGTERM');
        if (end && end.code !== 0) mistakes.push(`${p.id} ended with ${JSON.stringify(end)}:\n${p.tail()}`);
      }));
    }
    await Promise.all(this.rigs.map((rig) => rig.stop()));
    await this.stopDatabase();
    for (const p of this.processes) {
      const report = /^.*(ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:)[\s\S]{0,4000}/m.exec(fs.readFileSync(p.log, 'utf8'));
      if (report) mistakes.push(`${p.id}: ${report[0]}`);
    }
    if (mistakes.length === 0 && !keep) {
      fs.rmSync(fs.realpathSync(path.join(this.state, 'postgres')), { recursive: true, force: true });
      fs.rmSync(this.state, { recursive: true, force: true });
    }
    assert.deepEqual(mistakes, [], `logs are kept in ${this.state}`);
  }
}

export async function startStack(options = {}) {
  const stack = new Stack(options);
  try {
    await stack.start();
    return stack;
  } catch (error) {
    console.error(`# the stack did not start; its state and logs: ${stack.state}`);
    stack.processes.forEach((p) => p.child?.kill('SIGKILL'));
    await stack.stopDatabase().catch(() => {});
    throw error;
  }
}

// --- Rigs ---------------------------------------------------------------------------------------------------------------

// tests/rigs/NAME with `ports` free ports before its other arguments; ready when it says so. { ports, url, log, stop() }.
export async function startRig(name, { ports = 1, args = [], env = {} } = {}) {
  const list = [];
  for (let i = 0; i < ports; i++) list.push(await freePort());
  const child = spawn(process.execPath, [path.join(root, 'tests/rigs', name), ...list.map(String), ...args],
    { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  const rig = { ports: list, url: `http://127.0.0.1:${list.at(-1)}`, log: '', pid: child.pid };
  const ended = new Promise((resolve) => child.once('exit', resolve));
  ended.then(() => children.delete(child));
  child.stderr.on('data', (text) => (rig.log += text));
  child.stdout.on('data', (text) => (rig.log += text));
  rig.stop = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  await until(`${name} is ready`, () => {
    assert.equal(child.exitCode, null, `${name} ended:\n${rig.log}`);
    return /^ready/m.test(rig.log);
  }, 60 * slow);
  return rig;
}
