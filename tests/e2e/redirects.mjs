// redirects: what a browser does with them: it keeps cookies, and follows.
import assert from 'node:assert/strict';

// From `url` until a redirect leads to an address that begins with `end`, which is returned and not asked for.
export async function browse(url, end) {
  const jar = new Map();
  for (let at = url, i = 0; i < 12; i++) {
    if (at.startsWith(end)) return new URL(at);
    const answer = await fetch(at, { redirect: 'manual', headers: { Cookie: [...jar].map(([k, v]) => `${k}=${v}`).join('; ') } });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      jar.set(name, value);
    }
    assert.ok(answer.headers.get('location'), `${at}: ${answer.status} ${await answer.text()}`);
    at = new URL(answer.headers.get('location'), at).href;
  }
  return assert.fail('redirects without an end');
}
