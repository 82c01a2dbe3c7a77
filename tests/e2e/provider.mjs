// provider: the least that an OpenID Connect provider must do, for tests that need somebody signed in by one.
import { createHash } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { Jar } from './browser.mjs';

export class TinyProvider {
  // issuer: the address of a server that asks answer() first.
  constructor(issuer) {
    this.issuer = issuer;
    this.grants = new Map();
    this.keys = generateKeyPair('ES256', { extractable: true });
  }

  async #document(where, query) {
    if (where === '/.well-known/openid-configuration')
      return { issuer: this.issuer, authorization_endpoint: `${this.issuer}/authorize`, token_endpoint: `${this.issuer}/token`, jwks_uri: `${this.issuer}/jwks`, code_challenge_methods_supported: ['S256'] };
    if (where === '/jwks') return { keys: [{ ...(await exportJWK((await this.keys).publicKey)), kid: 'k', use: 'sig' }] };
    if (where !== '/token') return null;
    let body = '';
    for await (const piece of query) body += piece;
    const form = new URLSearchParams(body);
    const { who, nonce, challenge } = this.grants.get(form.get('code'));
    if (createHash('sha256').update(form.get('code_verifier')).digest('base64url') !== challenge) return { error: 'invalid_grant' };
    const id_token = await new SignJWT({ ...who, nonce }).setProtectedHeader({ alg: 'ES256', kid: 'k' }).setIssuer(this.issuer).setAudience(form.get('client_id') ?? 'parley')
      .setIssuedAt().setExpirationTime('1m').sign((await this.keys).privateKey);
    return { access_token: 'x', token_type: 'Bearer', id_token };
  }

  // true when the question was for it.
  async answer(query, answer) {
    const document = await this.#document(new URL(query.url, this.issuer).pathname, query);
    if (!document) return false;
    answer.writeHead(200, { 'Content-Type': 'application/json' });
    answer.end(JSON.stringify(document));
    return true;
  }

  // Signs somebody in for a frontend: the sign_in_code. who: claims, sub among them.
  async signIn(stack, id, who) {
    const person = new Jar(stack.url());
    const there = new URL((await person.go(`/auth/oidc/${id}/start`)).location).searchParams;
    this.grants.set('code', { who, nonce: there.get('nonce'), challenge: there.get('code_challenge') });
    const back = new URL(there.get('redirect_uri'));
    const answer = await person.go(`${back.pathname}?${new URLSearchParams({ code: 'code', state: there.get('state') })}`);
    return /data-code="([^"]+)"/.exec(answer.html)?.[1] ?? new URL(answer.location).searchParams.get('sign_in_code');
  }
}
