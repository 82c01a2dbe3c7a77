// slack.mjs URL SECRET TEAM RATE SECONDS: mentions, signed as Slack signs them, at a steady rate, however slowly they are taken: the
// time counts from when each was due. One line of JSON: { sent, failed, p50, p99, max } (ms).
import { createHmac, randomUUID } from 'node:crypto';
import http from 'node:http';

const [url, secret, team, rate, seconds] = process.argv.slice(2).map((word, i) => (i > 2 ? Number(word) : word));
const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
const took = [];
let failed = 0;

function send(n, due) {
  const ts = String(Math.floor(Date.now() / 1000));
  const body = JSON.stringify({ token: 'x', team_id: team, api_app_id: `A${team}`, type: 'event_callback', event_id: `Ev${randomUUID()}`, event_time: Number(ts),
    event: { type: 'app_mention', user: `U${n % 50}`, text: '<@U0BOT> How long is the warranty?', ts: `${ts}.${String(n).padStart(6, '0')}`, channel: `C${n % 20}` } });
  const signature = `v0=${createHmac('sha256', secret).update(`v0:${ts}:${body}`).digest('hex')}`;
  return new Promise((resolve) => {
    const end = (fine) => {
      took.push(performance.now() - due);
      failed += !fine;
      resolve();
    };
    http.request(url, { method: 'POST', agent, headers: { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body), 'X-Slack-Request-Timestamp': ts, 'X-Slack-Signature': signature } },
      (answer) => answer.resume().on('end', () => end(answer.statusCode === 200))).on('error', () => end(false)).end(body);
  });
}

const start = performance.now(), under = [];
for (let n = 0; n < rate * seconds;) {
  const now = performance.now();
  for (; n < rate * seconds && start + (n * 1000) / rate <= now; n++) under.push(send(n, start + (n * 1000) / rate));
  await new Promise((resolve) => setTimeout(resolve, 2));
}
await Promise.all(under);
took.sort((a, b) => a - b);
const at = (part) => Math.round(took[Math.min(took.length - 1, Math.floor(took.length * part))] * 10) / 10;
console.log(JSON.stringify({ sent: took.length, failed, p50: at(0.5), p99: at(0.99), max: at(1) }));
process.exit(0);
