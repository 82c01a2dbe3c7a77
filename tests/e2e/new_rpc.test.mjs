// ARCHITECTURE.md promises that a new endpoint is one rpc in a contract and one handler. Here it is done, in a copy of the
// tree that is built, and called over HTTP.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { root, startStack, variant } from './harness.mjs';

const copy = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-new-rpc-'));
after(() => fs.rmSync(copy, { recursive: true, force: true }));

function edit(file, change) {
  const where = path.join(copy, file);
  const before = fs.readFileSync(where, 'utf8');
  const now = change(before);
  assert.notEqual(now, before, `${file} is not what this test expects`);
  fs.writeFileSync(where, now);
}

test('one rpc and one handler make an endpoint', async () => {
  execFileSync('bash', ['-c', `git -C "${root}" ls-files -z | (cd "${root}" && tar --null -T - -cf -) | tar -C "${copy}" -xf -`]);
  // what is built already is taken along, with its times, so that make has only the change to do
  execFileSync('bash', ['-c', `mkdir -p "${copy}/build" && cp -a "${root}/build/gen" "${root}/build/generate" "${root}/build/${variant}" "${root}/build/deps" "${copy}/build/" && touch -r "${root}/Makefile" "${copy}/Makefile"`]);
  edit('proto/chatbots.proto', (text) => text.replace(/^service Chatbots \{$/m, `service Chatbots {
  // How long a name is.
  rpc MeasureName(MeasureNameRequest) returns (NameMeasure) {
    option (parley.http) = { get: "/api/chatbots/measure/{name}" access: USER };
    option idempotency_level = NO_SIDE_EFFECTS;
  }`) + `
message MeasureNameRequest { optional string name = 1 [(parley.rule) = { required: true max_length: 20 }]; }
message NameMeasure { optional string name = 1; optional int64 length = 2; }
`);
  edit('svc-chatbots/handlers.c', (text) => `${text}
int chatbots_measure_name(struct call *call, const Chatbots__MeasureNameRequest *in, Chatbots__NameMeasure *out)
{
	out->name = arena_strdup(call->arena, in->name);
	out->has_length = 1;
	out->length = (int64_t)strlen(in->name);
	return 0;
}
`);
  edit('svc-chatbots/handlers.c', (text) => (text.includes('<string.h>') ? `${text}\n` : `#include <string.h>\n${text}`));
  try {
    execFileSync('make', ['-C', copy, '-j2', `VARIANT=${variant}`, 'all'], { encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    assert.fail(error.stdout + error.stderr);
  }

  const stack = await startStack({ tree: copy });
  try {
    const { token } = await stack.register();
    assert.deepEqual(await stack.ok('GET', '/api/chatbots/measure/Historian', { token }), { name: 'Historian', length: 9 });
    assert.equal((await stack.api('GET', '/api/chatbots/measure/Historian')).status, 401);
    assert.equal((await stack.api('GET', '/api/chatbots/measure/longer-than-twenty-characters', { token })).status, 422);
    const documented = await stack.ok('GET', '/openapi.json');
    assert.equal(documented.paths['/api/chatbots/measure/{name}'].get.summary, 'How long a name is');
  } finally {
    await stack.stop();
  }
});
