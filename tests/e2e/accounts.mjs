// accounts: what the tests of users, codes and keys share.
import assert from 'node:assert/strict';
import { uniqueEmail, until } from './harness.mjs';

export const password = 'correct horse 9 battery';

// A stack whose gateways believe X-Forwarded-For, so that each test can be a client of its own.
export const trusting = { PARLEY_TRUSTED_PROXIES: '127.0.0.1', PARLEY_ADMIN_EMAIL: 'Admin@example.com' };
let clients = 0;
export const client = () => `198.51.${(clients += 1) >> 8}.${clients & 255}`;
export const from = (ip) => ({ 'X-Forwarded-For': ip });

const sixDigits = /^Subject: (\d{6}) is your/m;
const link = /\/reset-password\?token=(?:3D)?([\w-]{43})/, confirmation = /\/confirm-email\?token=(?:3D)?([\w-]{43})/;

// Asks for a code (or a link) and reads it from the mail. No mail is sent twice in a minute: time is helped on.
export async function code(stack, email) {
  await forget(stack, 'code-mail', email);
  const before = found(stack, email, sixDigits).length;
  await stack.ok('POST', '/auth/send-otp', { json: { email } });
  return mailed(stack, email, sixDigits, before);
}
export async function resetToken(stack, email) {
  await forget(stack, 'link-mail', email);
  const before = found(stack, email, link).length;
  await stack.ok('POST', '/api/auth/reset-password', { json: { email } });
  return mailed(stack, email, link, before);
}
// What registering with a password mails.
export const confirmToken = (stack, email) => mailed(stack, email, confirmation, 0);

const found = (stack, email, what) => stack.mails(email).flatMap((mail) => what.exec(mail.replaceAll('=\r\n', ''))?.[1] ?? []);
const mailed = (stack, email, what, before) =>
  until(`a mail to ${email}`, () => found(stack, email, what)[before]);
export const forget = (stack, what, key) =>
  stack.sql(`DELETE FROM auth.tries WHERE starts_with(key, '${what}/${key.toLowerCase()}')`);

// A user who was registered by name and signed in by code: proven. { email, token }
export async function proven(stack, email = uniqueEmail()) {
  await stack.api('POST', '/auth/register', { json: { name: 'Test User', email } });
  const otp = await code(stack, email);
  const { access_token: token } = await stack.ok('POST', '/auth/verify-otp', { json: { email, otp }, status: 200 });
  return { email: email.toLowerCase(), token };
}

export const refused = async (stack, token, options = {}) =>
  (await stack.api('GET', '/api/auth/me', { token, ...options })).status === 401;

// What the answer must be: its status, and a sentence where it is an error.
export function check(answer, status, what = '') {
  assert.equal(answer.status, status, `${what}: ${answer.status} ${answer.text}`);
  if (status >= 400) assert.equal(typeof (answer.body?.detail ?? answer.body?.error?.message), 'string', `${what}: ${answer.text}`);
  return answer.body;
}
