// A frontend's types made from openapi.json by openapi-typescript: they compile in strict mode, every operation of every
// chapter can be named through them, and they bite: what an answer has not, and what a request may not hold, is refused.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { root } from './harness.mjs';

const execute = promisify(execFile);
const modules = path.join(root, 'tests/node_modules');
const api = JSON.parse(fs.readFileSync(path.join(root, 'build/gen/openapi.json'), 'utf8'));
let folder;
before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-types-'));
  await execute(process.execPath, [path.join(modules, 'openapi-typescript/bin/cli.js'), path.join(root, 'build/gen/openapi.json'), '-o', path.join(folder, 'api.d.ts')]);
});
after(() => fs.rmSync(folder, { recursive: true, force: true }));

// What the compiler says to those programs ({ name: text }), all at once.
async function compile(programs) {
  const files = Object.entries(programs).map(([name, text]) => {
    fs.writeFileSync(path.join(folder, `${name}.ts`), text);
    return `${name}.ts`;
  });
  const said = await execute(process.execPath, [path.join(modules, 'typescript/bin/tsc'), '--strict', '--noEmit', '--exactOptionalPropertyTypes', '--target', 'es2022',
    '--module', 'esnext', '--moduleResolution', 'bundler', ...files], { cwd: folder }).catch((failed) => failed);
  return said.stdout;
}

// A program that takes each operation's success, and its body where it has one.
const every = () => {
  const lines = ["import type { operations } from './api';", 'type Is<T> = [T] extends [never] ? never : T;'];
  const chapters = new Map();
  for (const item of Object.values(api.paths)) {
    for (const operation of Object.values(item)) {
      const id = JSON.stringify(operation.operationId);
      const [status] = Object.keys(operation.responses);
      const content = operation.responses[status].content;
      for (const chapter of operation.tags) chapters.set(chapter, (chapters.get(chapter) ?? 0) + 1);
      const answer = `operations[${id}]['responses'][${status}]`;
      for (const type of Object.keys(content ?? {})) lines.push(`export const a${lines.length} = (x: Is<${answer}['content'][${JSON.stringify(type)}]>) => x;`);
      if (!content) lines.push(`export const a${lines.length} = (x: Is<${answer}>) => x;`);
      for (const type of Object.keys(operation.requestBody?.content ?? {}))
        lines.push(`export const b${lines.length} = (x: Is<NonNullable<operations[${id}]['requestBody']>['content'][${JSON.stringify(type)}]>) => x;`);
    }
  }
  return { program: lines.join('\n'), chapters };
};

const story = `
import type { components, operations } from './api';
type Schemas = components['schemas'];
type Answer<Id extends keyof operations, Status extends number> = operations[Id]['responses'] extends { [S in Status]: { content: { 'application/json': infer T } } } ? T : never;
export function show(document: Answer<'documents_get_document', 200>, message: Answer<'chat_send_message', 200>, bot: Answer<'chatbots_create_chatbot', 201>): string {
  const known: Schemas['DocumentResponse'] = document;
  const warmth: number = bot.settings.temperature + bot.settings.maxTokens;
  const own: unknown = bot.settings.mine; // keys that only the frontend knows
  const event = ({ event, data }: Schemas['ChatEvent']): string => (event === 'delta' ? data.text : event === 'done' ? data.message.content : event === 'error' ? data.detail : '');
  const cited = message.sources.map((source) => \`\${source.documentName}\${source.page === null || source.page === undefined ? '' : ', ' + source.page}\`);
  return [known.name.toUpperCase(), known.progress.toFixed(1), message.content, warmth, own, event, ...cited].join();
}
export const completion = (x: Answer<'chat_create_completion', 200>): string | undefined => x.choices[0]?.message.content;
export const asked: NonNullable<operations['chat_create_completion']['requestBody']>['content']['application/json'] = { model: 'x', messages: [{ role: 'user', content: 'hello' }], stream: false };
`;

test('every operation of every chapter has types, and a small frontend compiles', async () => {
  const { program, chapters } = every();
  assert.ok(chapters.size >= 10, [...chapters.keys()].join(', '));
  assert.equal(await compile({ every: program, story }), '');
});

test('what is wrong does not', async () => {
  const slips = [['known.name.', 'known.title.'], ['source.documentName', 'source.document_name'], ["role: 'user'", "role: 'tool'"], ['stream: false', "stream: 'no'"],
    ["'chat_send_message', 200", "'chat_send_massage', 200"], ["event === 'delta'", "event === 'dleta'"], ['data.text', 'data.content'], ['settings.temperature +', "settings.temperature + 'x' +"]];
  for (const [good] of slips) assert.ok(story.includes(good), good);
  const said = await compile(Object.fromEntries(slips.map(([good, bad], i) => [`slip${i}`, story.replace(good, bad)])));
  slips.forEach(([, bad], i) => assert.match(said, new RegExp(`^slip${i}\\.ts.*error TS`, 'm'), bad));
});
