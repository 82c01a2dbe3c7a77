// recorder: with PARLEY_RECORD=FOLDER, what the tests ask and are answered is written there, a JSON line each, for those who compare
// it with openapi.json afterwards (`make prism`). Of answers that look alike (same path but for ids, same status, members
// of the same types) the first is kept.
import fs from 'node:fs';
import path from 'node:path';

const folder = process.env.PARLEY_RECORD;
const MOST_BYTES = 200_000, MOST_KINDS = 20_000;
const seen = new Set();

const shape = (value) =>
  value === null ? 'null' : Array.isArray(value) ? `[${[...new Set(value.map(shape))].sort().join('|')}]`
    : typeof value === 'object' ? `{${Object.keys(value).sort().map((key) => `${key}:${shape(value[key])}`).join()}}` : typeof value;
const plain = (where) => where.replace(/[?#].*/, '').split('/').map((part) => (/^[\da-f-]{36}$|^\d+$|^mcp_/.test(part) ? '*' : part)).join('/');

export function record(method, url, sent, body, status, headers, text) {
  if (!folder || text.length > MOST_BYTES || seen.size >= MOST_KINDS) return;
  const { pathname, search } = new URL(url);
  let looks = '';
  if (/^application\/json/.test(headers['content-type'] ?? '') && text) {
    try {
      looks = shape(JSON.parse(text));
    } catch {
      looks = 'broken';
    }
  }
  const kind = [method, plain(pathname), status, headers['content-type'], looks].join(' ');
  if (seen.has(kind)) return;
  seen.add(kind);
  const said = body === undefined ? undefined : Buffer.from(body).toString('base64');
  fs.mkdirSync(folder, { recursive: true });
  fs.appendFileSync(path.join(folder, `${path.basename(process.argv[1], '.test.mjs')}-${process.pid}.jsonl`),
    JSON.stringify({ method, where: pathname + search, sent, body: said && said.length < MOST_BYTES ? said : undefined, status, headers, text }) + '\n');
}
