-- Sign-ins of users at their MCP servers.
-- Clients that we registered with issuers: of the installation, not of an owner.
CREATE TABLE oauth_client (
  issuer        text NOT NULL,
  redirect_uri  text NOT NULL,
  client_id     text NOT NULL,
  secret        text,                            -- sealed
  method        int NOT NULL,
  expires_at    bigint NOT NULL DEFAULT 0,       -- of the secret: Unix seconds; 0: never
  registered_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (issuer, redirect_uri)
);
-- A browser has been sent to an issuer, and has not come back.
CREATE TABLE oauth_flow (
  owner_id     uuid NOT NULL,
  state        text NOT NULL,                    -- SHA-256
  server_id    bigint NOT NULL,
  uri          text NOT NULL,                    -- of the server: another address does not get the token
  provider     text NOT NULL,
  issuer       text NOT NULL,
  document     text NOT NULL,                    -- its metadata
  client_id    text NOT NULL,
  method       int NOT NULL,
  scope        text,
  resource     text,
  redirect_uri text NOT NULL,
  secrets      text NOT NULL,                    -- sealed: {verifier, client_secret}
  cookie       text NOT NULL,                    -- SHA-256
  expires_at   timestamptz NOT NULL,
  PRIMARY KEY (owner_id, state),
  FOREIGN KEY (owner_id, server_id) REFERENCES mcp_server (owner_id, id) ON DELETE CASCADE
);
CREATE TABLE oauth_token (
  owner_id         uuid NOT NULL,
  server_id        bigint NOT NULL,
  provider         text NOT NULL,
  issuer           text NOT NULL,
  document         text NOT NULL,
  client_id        text NOT NULL,
  method           int NOT NULL,
  scope            text,
  resource         text,
  secrets          text NOT NULL,                -- sealed: {access, refresh, client_secret}
  refreshes        boolean NOT NULL,             -- there is a refresh token
  valid            boolean NOT NULL DEFAULT true, -- false: the issuer or the server has refused it
  issued_at        timestamptz NOT NULL,
  expires_at       timestamptz,                  -- NULL: not said
  version          bigint NOT NULL DEFAULT 1,    -- of the secrets
  refreshing_until timestamptz,                  -- one worker is at it
  PRIMARY KEY (owner_id, server_id),
  FOREIGN KEY (owner_id, server_id) REFERENCES mcp_server (owner_id, id) ON DELETE CASCADE
);
