// catcher.mjs SMTP_PORT HTTP_PORT: a mail server that keeps what it gets, with an HTTP door to look at it.
//
//   GET /mails?to=ADDRESS   [{from, to, tls, user, subject, text, html, headers, raw}], oldest first
//   DELETE /mails           forget them
//   POST /next?...          how the next mails go: after=CODE answers DATA with that code; delay=MS waits before the answer to
//                           DATA; drop=1 takes the mail, then cuts the connection instead of answering; times=N (1)
// SMTP_USER, SMTP_PASS: AUTH is demanded. NO_TLS=1: no STARTTLS. SMTPS=1: TLS from the start. TLS_KEY, TLS_CERT: files;
// without them the certificate is smtp-server's own, which no client trusts.
import fs from 'node:fs';
import http from 'node:http';
import { simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';

const [smtpPort = 3962, httpPort = 3963] = process.argv.slice(2).map(Number);
const { SMTP_USER: user, SMTP_PASS: password, TLS_KEY, TLS_CERT } = process.env;
let mails = [];
let next = { times: 0 };

const coded = (message, responseCode) => Object.assign(new Error(message), { responseCode });
const read = async (stream) => {
  const pieces = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
};

const server = new SMTPServer({
  authOptional: !user,
  disabledCommands: process.env.NO_TLS ? ['STARTTLS'] : [],
  secure: process.env.SMTPS === '1',
  ...(TLS_CERT ? { key: fs.readFileSync(TLS_KEY), cert: fs.readFileSync(TLS_CERT) } : {}),
  size: 1 << 20,
  onAuth(auth, session, done) {
    if (auth.username === user && auth.password === password) done(null, { user });
    else done(new Error('Invalid username or password'));
  },
  onRcptTo({ address }, session, done) {
    if (address.startsWith('reject@')) done(coded('No such user', 550));
    else if (address.startsWith('busy@')) done(coded('Try again later', 451));
    else done();
  },
  async onData(stream, session, done) {
    const raw = await read(stream);
    const plan = next.times > 0 ? next : {};
    if (next.times > 0) next.times -= 1;
    if (plan.after) return done(coded('As you wished', plan.after));
    const mail = await simpleParser(raw);
    mails.push({
      from: session.envelope.mailFrom.address,
      to: session.envelope.rcptTo.map((r) => r.address),
      tls: session.secure,
      user: session.user || null,
      subject: mail.subject,
      text: mail.text,
      html: mail.html || null,
      headers: Object.fromEntries(mail.headerLines.map((h) => [h.key, h.line])),
      raw: raw.toString('latin1'),
    });
    if (plan.delay) await new Promise((resolve) => setTimeout(resolve, plan.delay)); // it is there by now
    if (plan.drop) return server.connections.forEach((c) => c._socket.destroy());
    done(null, 'queued');
  },
});
server.on('error', (error) => console.error(error.message));

const door = http.createServer((query, answer) => {
  const url = new URL(query.url, 'http://localhost');
  const to = url.searchParams.get('to');
  if (query.method === 'DELETE') mails = [];
  if (query.method === 'POST')
    next = Object.fromEntries([['times', 1], ...url.searchParams].map(([name, value]) => [name, Number(value)]));
  answer.setHeader('content-type', 'application/json');
  answer.end(JSON.stringify(mails.filter((mail) => !to || mail.to.includes(to))));
});

server.listen(smtpPort, '127.0.0.1', () => door.listen(httpPort, '127.0.0.1', () => console.log('ready')));
