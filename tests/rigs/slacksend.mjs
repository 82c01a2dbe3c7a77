// slacksend.mjs: a request as Slack sends it. What is well signed has been approved by Slack's own verifier (Bolt's) before it leaves.
//   signedHeaders(secret, body, { ts, type, retry: [1, 'http_timeout'] })
// As a program: slacksend.mjs URL SECRET FILE|-
import { createHmac } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(import.meta.url);
const { verifySlackRequest } = require('@slack/bolt/dist/receivers/verify-request.js');
const now = () => Math.floor(Date.now() / 1000);

export function signedHeaders(secret, body, { ts = now(), type = 'application/json', retry } = {}) {
  const signature = `v0=${createHmac('sha256', secret).update(`v0:${ts}:${body}`).digest('hex')}`;
  if (Math.abs(now() - ts) < 60) verifySlackRequest({ signingSecret: secret, body, headers: { 'x-slack-signature': signature, 'x-slack-request-timestamp': ts } });
  return { 'Content-Type': type, 'User-Agent': 'Slackbot 1.0 (+https://api.slack.com/robots)', 'X-Slack-Request-Timestamp': String(ts), 'X-Slack-Signature': signature,
    ...(retry ? { 'X-Slack-Retry-Num': String(retry[0]), 'X-Slack-Retry-Reason': retry[1] } : {}) };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [url, secret, file] = process.argv.slice(2);
  const body = fs.readFileSync(file === '-' ? 0 : file, 'utf8');
  const answer = await fetch(url, { method: 'POST', headers: signedHeaders(secret, body), body });
  console.log(answer.status, await answer.text());
}
