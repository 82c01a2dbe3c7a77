// browser: people in front of our pages: without a browser (a jar of cookies, forms read from the HTML), and in Chromium.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { request, slow } from './harness.mjs';

const unescape = (text) => text.replace(/&(lt|gt|quot|#39|amp);/g, (_, name) => ({ lt: '<', gt: '>', quot: '"', '#39': "'", amp: '&' })[name]);

// What a browser keeps and sends, one redirection at a time.
export class Jar {
  cookies = [];

  constructor(base, headers = {}) {
    Object.assign(this, { base, headers });
  }

  // form: an object, or pairs. answer: with `location`, `html` and `fields` (the hidden ones of the page's form).
  async go(where, { form, headers = {}, keep = true } = {}) {
    const url = new URL(where, this.base);
    const cookie = this.cookies.filter((c) => url.pathname === c.path || url.pathname.startsWith(c.path === '/' ? '/' : `${c.path}/`))
      .map((c) => `${c.name}=${c.value}`).join('; ');
    const answer = await request(url, {
      method: form ? 'POST' : 'GET', body: form && new URLSearchParams(form).toString(),
      headers: { Accept: 'text/html', ...this.headers, ...(cookie ? { Cookie: cookie } : {}), ...(form ? { 'Content-Type': 'application/x-www-form-urlencoded' } : {}), ...headers },
    });
    for (const line of keep ? answer.headers['set-cookie'] ?? [] : []) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      const cookiePath = /; Path=([^;]+)/.exec(line)?.[1] ?? '/';
      this.cookies = this.cookies.filter((c) => c.name !== name || c.path !== cookiePath);
      if (!/Max-Age=0/.test(line)) this.cookies.push({ name, value, path: cookiePath, line });
    }
    const fields = Object.fromEntries([...answer.text.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g)].map(([, name, value]) => [name, unescape(value)]));
    return { ...answer, location: answer.headers.location, html: answer.text, fields };
  }

  // Signs in at the page; gives what it answered.
  async signIn(user, next) {
    const page = await this.go(`/sign-in${next ? `?${new URLSearchParams({ next })}` : ''}`);
    assert.equal(page.status, 200, page.text);
    return this.go('/sign-in', { form: { ...page.fields, email: user.email, password: user.password, do: 'password' } });
  }
}

// A person's browser is a context of it: openContext(browser).
export const openChromium = () => chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
export async function openContext(browser, options = {}) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(15_000 * slow);
  return context;
}

// What axe finds on the page. Its script comes in by the debugger: the page's policy lets none in.
const axe = fs.readFileSync(path.join(path.dirname(fileURLToPath(import.meta.resolve('axe-core'))), 'axe.min.js'), 'utf8');
export async function complaints(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`);
}

// Looks at a page as many see it: both widths, light and dark; folder: screenshots go there, of all four.
export async function lookAround(page, name, folder) {
  for (const [width, schemes] of folder ? [[390, ['light', 'dark']], [1280, ['light', 'dark']]] : [[390, ['light']], [1280, ['dark']]])
    for (const colorScheme of schemes) {
      await page.setViewportSize({ width, height: 850 });
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await complaints(page), [], `${name}, ${width} px, ${colorScheme}`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${name} scrolls sideways at ${width} px`);
      if (folder) await page.screenshot({ path: path.join(folder, `${name}-${width}-${colorScheme}.png`) });
    }
}
