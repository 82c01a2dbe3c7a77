-- Where somebody is signed in: by a token of the API, in a browser at our sign-in page, or by a program (OAuth).
ALTER TABLE session
  ADD COLUMN kind           text NOT NULL DEFAULT 'token' CHECK (kind IN ('token', 'browser', 'program')),
  ADD COLUMN client_id      text,                   -- of the program
  ADD COLUMN client_name    text,
  ADD COLUMN resource       text,                   -- the one address that its tokens are for
  ADD COLUMN refresh_number int NOT NULL DEFAULT 0, -- of its only refresh token that still counts
  ADD COLUMN issuer         text,                   -- the provider that somebody signed in with, if any (OIDC)
  ADD COLUMN issuer_session text;                   -- and its `sid`
CREATE INDEX session_issuer ON session (issuer, issuer_session) WHERE issuer IS NOT NULL;

-- A code that somebody may exchange, once, for tokens: of a program, or of the API after a sign-in with a provider.
CREATE TABLE sign_in_code (
  owner_id       uuid NOT NULL REFERENCES users (uid) ON DELETE CASCADE,
  id             uuid NOT NULL,        -- also of the session that it becomes, which ends when the code comes again
  kind           text NOT NULL CHECK (kind IN ('token', 'program')),
  client_id      text,
  client_name    text,
  redirect_uri   text,
  challenge      text,                 -- PKCE, S256
  resource       text,
  issuer         text,
  issuer_session text,
  used           boolean NOT NULL DEFAULT false,
  expires_at     timestamptz NOT NULL,
  PRIMARY KEY (owner_id, id)
);
CREATE INDEX sign_in_code_expires ON sign_in_code (expires_at);
