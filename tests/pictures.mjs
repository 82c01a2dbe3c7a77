// pictures.mjs [DIR]: the pictures of README and guides, taken from a stack of its own with the built-in answerer. They go to
// gateway/static/docs/guides. Look at them before they are committed. (node tests/pictures.mjs, after make.)
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { root, startStack } from './e2e/harness.mjs';

const folder = process.argv[2] ?? path.join(root, 'gateway/static/docs/guides');
const stack = await startStack();
const { token } = await stack.register({ display_name: 'Ada' });
const ids = [];
for (const name of ['normans.txt', 'six-articles.pdf'])
  ids.push((await stack.upload(token, name === 'normans.txt' ? 'The Normans' : 'Six Articles', fs.readFileSync(path.join(root, 'tests/data', name)), { type: name.endsWith('pdf') ? 'application/pdf' : 'text/plain' })).id);
const bot = await stack.ok('POST', '/api/chatbots', {
  token, json: { name: 'Historian', documents: ids, settings: {
    welcomeMessage: 'Hello! Ask me about the Normans, oil crises or whatever stands in our articles.',
    suggestedQuestions: ['Who gave Normandy its name?', 'When did the oil embargo end?'],
    appearance: { primaryColor: '#0f766e', chatTitle: 'Historian' },
  } },
});
const site = http.createServer((query, answer) => {
  answer.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
  answer.end(`<!doctype html><html lang="en"><meta name="viewport" content="width=device-width,initial-scale=1"><title>City Library</title>
<style>body{margin:0;font:17px/1.6 Georgia,serif;color:#222;background:#fdfbf7}header{padding:18px 40px;border-bottom:1px solid #e5dfd2;font-size:22px}main{max-width:640px;padding:30px 40px}
h1{font-size:34px;line-height:1.2}p{color:#444}</style>
<header>City Library</header><main><h1>The reading room is open again</h1><p>After two years of work the reading room on the first floor has its old light back. Eighty seats, the
open shelves of history and law, and a quiet corner for those who came for the newspaper.</p><p>Ask our historian what you would have looked up in the catalogue: it answers from the articles on
our shelves, and shows you where it read it.</p><p>Open Tuesday to Saturday, ten to eight.</p></main>
<script src="${stack.url()}/widget.js" data-chatbot="${bot.id}" data-mode="open" async></script></html>`);
});
await new Promise((resolve) => site.listen(0, '127.0.0.1', resolve));
const context = await chromium.launchPersistentContext(path.join(stack.state, 'chromium'), {
  executablePath: '/usr/bin/chromium', deviceScaleFactor: 1,
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

for (const [name, width, height, colorScheme] of [['widget', 1180, 720, 'light'], ['widget-phone', 390, 760, 'dark']]) {
  const page = await context.newPage();
  await page.emulateMedia({ colorScheme });
  await page.setViewportSize({ width, height });
  await page.goto(`http://127.0.0.1:${site.address().port}/`);
  await page.locator('.launch').click();
  await page.locator('textarea').fill('Who was the leader of the Norse that gave Normandy its name?');
  await page.keyboard.press('Enter');
  await page.locator('.msg.bot .text').last().filter({ hasText: 'Rollo' }).waitFor();
  await page.locator('details, .sources').last().waitFor();
  await page.locator('summary').last().click({ timeout: 3000 }).catch(() => {}); // opens the sources, where they fold
  await page.waitForTimeout(600); // the scrolling
  await page.screenshot({ path: path.join(folder, `${name}.png`) });
  await page.evaluate(() => localStorage.clear());
  await page.close();
}
await context.close();
site.closeAllConnections();
site.close();
await stack.stop();
