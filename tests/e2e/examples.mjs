// examples: proto/examples.json, the answers that openapi.json shows for each success, by operation and media type. They are
// what openapi_examples.test.mjs was answered, with ids, times and secrets of one run replaced by such as stay.
// PARLEY_EXAMPLES=1 make test-e2e ONLY=openapi_examples writes the file anew; look at what changes.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { root } from './harness.mjs';

const file = path.join(root, 'proto/examples.json');
const MOST = 600; // characters of a text, and events of a stream that are shown whole

const uuid = /\b[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}\b/g;
const replacements = [
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]+/g, 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTkwLi4uIn0.c2lnbmF0dXJl'],
  [/\b(pk|whsec|as|rt|at)_[\w+/=-]{16,}/g, '$1_example'],
  [/\bpk_[\w-]{4,12}\b/g, 'pk_AbCd'],
  [/\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '2026-01-15T10:30:00Z'],
  [/\b20\d\d-\d\d-\d\d( \d\d:\d\d)?(?![\dT])/g, (_, time) => `2026-01-15${time ? ' 10:30' : ''}`],
  [/\*{4}[\w+/=-]{4}/g, '****AbCd'],
  [/\bhttp:\/\/(127\.0\.0\.1|localhost):\d+/g, 'https://parley.example.com'],
  [/\bhttp%3A%2F%2F(127\.0\.0\.1|localhost)%3A\d+/g, 'https%3A%2F%2Fparley.example.com'],
  [/\b(127\.0\.0\.1|localhost):\d+/g, 'parley.example.com'],
  [/\b(client_id|state|code_challenge)=[\w-]+/g, '$1=an-opaque-text'],
  [/^[\w-]{80,}$/, 'an-opaque-text-of-120-characters'],
  [/\b[\da-f]{32,}\b/g, '9f86d081884c7d659a2feaa0c55ad015'],
  [/"created":\d{10}/g, '"created":1768473000'],
];

export class Examples {
  #taken = {};
  #ids = new Map();

  // Ids are numbered as they appear, so that one that is used twice is the same twice.
  #steady(text) {
    let result = text.replace(uuid, (id) => {
      if (!this.#ids.has(id)) this.#ids.set(id, `01890a5d-ac96-774b-bcce-${String(this.#ids.size + 1).padStart(12, '0')}`);
      return this.#ids.get(id);
    });
    for (const [pattern, by] of replacements) result = result.replace(pattern, by);
    return result;
  }

  #value(value, key) {
    if (Array.isArray(value)) return value.slice(0, 2).map((one) => this.#value(one, key));
    if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, this.#value(one, name)]));
    if (typeof value === 'string') {
      if (/^(client_id|secret|state|code|token|refresh_token)$/.test(key) && value.length > 30 && !/^eyJ/.test(value) && !/^https?:/.test(value)) return 'an-opaque-text';
      const steady = this.#steady(value);
      return steady.length > MOST ? `${steady.slice(0, MOST)}…` : steady;
    }
    return typeof value === 'number' && value > 1.7e9 && value < 2.5e9 ? 1768473000 : value;
  }

  #stream(text) {
    const events = text.replace(/^id: .*\.(\d+)$/gm, 'id: AbCd.$1').split('\n\n').filter((event) => event && !event.startsWith(':'));
    const deltas = events.filter((event) => /^event: delta$/m.test(event));
    const shown = events.filter((event) => !deltas.includes(event) || deltas.indexOf(event) < 2);
    return this.#steady(shown.join('\n\n') + '\n\n');
  }

  take(id, type, answer) {
    const seen = (this.#taken[id] ??= {});
    if (type in seen && seen[type].length !== 0) return; // the first, but an empty list
    let value = answer.text;
    if (type === 'text/event-stream') value = this.#stream(value);
    else if (answer.body !== null && answer.body !== undefined && type !== 'application/octet-stream') value = this.#value(answer.body, '');
    else if (type === 'text/html') value = '<!doctype html> …';
    else if (value.length > MOST) value = `${this.#steady(value).slice(0, MOST)}…`;
    else value = this.#steady(value);
    if (id === 'gateway_openapi') value = { openapi: value.openapi, info: { title: value.info.title } };
    if (value !== '') seen[type] = value;
  }

  check(api) {
    const sorted = Object.fromEntries(Object.entries(this.#taken).sort(([a], [b]) => (a < b ? -1 : 1)).filter(([, types]) => Object.keys(types).length));
    if (process.env.PARLEY_EXAMPLES) return fs.writeFileSync(file, `${JSON.stringify(sorted, null, 1)}\n`); // the document is made of it later
    const kept = JSON.parse(fs.readFileSync(file, 'utf8'));
    const members = (value) => (Array.isArray(value) ? value.slice(0, 1).map(members) : value && typeof value === 'object' ? Object.keys(value).sort() : typeof value);
    const advice = 'PARLEY_EXAMPLES=1 make test-e2e ONLY=openapi_examples writes proto/examples.json anew';
    for (const [id, types] of Object.entries(sorted)) {
      for (const [type, value] of Object.entries(types)) {
        assert.ok(kept[id]?.[type] !== undefined, `${id} has no example of ${type}: ${advice}`);
        if (type === 'application/json' && !/^gateway_openapi$/.test(id)) assert.deepEqual(members(kept[id][type]), members(value), `${id}: ${advice}`);
      }
    }
    for (const id of Object.keys(kept)) assert.ok(sorted[id], `there is no answer of ${id} any more: ${advice}`);
    // and they stand in the document
    for (const item of Object.values(api.paths)) {
      for (const { operationId, responses } of Object.values(item)) {
        const status = Object.keys(responses).find((code) => code.startsWith('2'));
        const types = Object.values(responses[status].content ?? {});
        const silent = /^(auth_program_revoke|integrations_take_slack_action)$/.test(operationId); // whose body is empty
        const binary = types.every(({ schema }) => schema.format === 'binary'); // an image has no example in JSON
        assert.ok(!types.length || silent || binary || types.some(({ example }) => example !== undefined), `${operationId}: ${advice}, and make puts it into openapi.json`);
      }
    }
  }
}
