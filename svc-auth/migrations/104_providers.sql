-- Signing in with a provider (OpenID Connect).

-- A sign-in under way. `state` and `browser` are hashes of what only that browser has; what else is secret is made from the
-- state, and not kept.
CREATE TABLE oidc_flow (
  state      text PRIMARY KEY,
  browser    text NOT NULL,
  provider   text NOT NULL,
  next       text, -- the page of ours that asked; else a frontend did:
  app_state  text, -- what it gets back,
  challenge  text, -- and what it must prove to exchange the code
  expires_at timestamptz NOT NULL
);
CREATE INDEX oidc_flow_expires ON oidc_flow (expires_at);

-- Who a provider's somebody is here, once and for all: an address may change hands, a subject does not.
CREATE TABLE identity (
  issuer       text NOT NULL,
  subject      text NOT NULL,
  owner_id     uuid NOT NULL REFERENCES users (uid) ON DELETE CASCADE,
  created_at   timestamptz NOT NULL DEFAULT now(),
  last_seen_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (issuer, subject),
  UNIQUE (owner_id, issuer)
);

-- A provider says that they administrate (OIDC_1_ADMIN_CLAIM).
ALTER TABLE users ADD COLUMN admin_by_claim boolean NOT NULL DEFAULT false;
