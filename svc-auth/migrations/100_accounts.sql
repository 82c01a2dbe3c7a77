-- Who there is, how they prove it, and where they are signed in.

CREATE TABLE users (
  uid          uuid PRIMARY KEY,
  id           bigint GENERATED ALWAYS AS IDENTITY UNIQUE, -- what ChatConnect shows
  email        text COLLATE "C" NOT NULL UNIQUE,           -- in lower case, ASCII
  display_name text NOT NULL,
  password     text,                                       -- Argon2id in PHC form; none: signs in by code
  proven_at    timestamptz,                                -- first proof that the address is theirs
  admin        boolean NOT NULL DEFAULT false,             -- PARLEY_ADMIN_EMAIL, proven
  disabled_at  timestamptz,
  preferences  json NOT NULL DEFAULT '{}',
  created_at   timestamptz NOT NULL DEFAULT now(),
  updated_at   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE session (
  owner_id     uuid NOT NULL REFERENCES users (uid) ON DELETE CASCADE,
  id           uuid NOT NULL,
  expires_at   timestamptz NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now(),
  last_seen_at timestamptz NOT NULL DEFAULT now(),
  ip           text,
  user_agent   text,
  PRIMARY KEY (owner_id, id)
);
CREATE INDEX session_expires ON session (expires_at);

-- Platform keys (hash) and keys of model providers (sealed), numbered together.
CREATE TABLE api_key (
  owner_id     uuid NOT NULL REFERENCES users (uid) ON DELETE CASCADE,
  id           bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  name         text NOT NULL,
  hash         text UNIQUE, -- SHA-256 of the key, in hexadecimal
  prefix       text,
  scopes       text[] NOT NULL DEFAULT '{}',
  provider     text,
  sealed       text,
  base_url     text,
  masked       text NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now(),
  last_used_at timestamptz,
  expires_at   timestamptz,
  PRIMARY KEY (owner_id, id),
  CHECK ((hash IS NULL) = (provider IS NOT NULL) AND (sealed IS NULL) = (provider IS NULL))
);

-- What stopped working before its time. Every gateway hears of a row here at once, and reads them all when it starts.
CREATE TABLE revocation (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  session_id uuid,
  api_key_id bigint,
  until      timestamptz NOT NULL -- may be forgotten after
);
CREATE INDEX revocation_until ON revocation (until);

-- The payload is an auth.Revocation in JSON.
CREATE FUNCTION revocation_tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('auth_revoked', json_build_object('sessionId', NEW.session_id, 'apiKeyId', NEW.api_key_id,
    'until', ceil(extract(epoch FROM NEW.until))::bigint)::text);
  RETURN NULL;
END $$;
CREATE TRIGGER revocation_tell AFTER INSERT ON revocation FOR EACH ROW EXECUTE FUNCTION revocation_tell();

-- A session that goes before its time is revoked, whatever statement or cascade it goes by.
CREATE FUNCTION session_revoke() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO auth.revocation (session_id, until) VALUES (OLD.id, OLD.expires_at);
  RETURN NULL;
END $$;
CREATE TRIGGER session_revoke AFTER DELETE ON session FOR EACH ROW
  WHEN (OLD.expires_at > now()) EXECUTE FUNCTION session_revoke();

-- So is a platform key. Gateways keep what they know of one for minutes: an hour is plenty.
CREATE FUNCTION api_key_revoke() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO auth.revocation (api_key_id, until) VALUES (OLD.id, now() + interval '1 hour');
  RETURN NULL;
END $$;
CREATE TRIGGER api_key_revoke AFTER DELETE ON api_key FOR EACH ROW
  WHEN (OLD.hash IS NOT NULL) EXECUTE FUNCTION api_key_revoke();

-- Keys that sign tokens and seal secrets, themselves sealed under a key derived from PARLEY_SECRET.
CREATE TABLE keyring (
  purpose    text NOT NULL, -- token, storage
  id         text NOT NULL,
  sealed     text NOT NULL,
  signs_from timestamptz NOT NULL DEFAULT now(), -- until then it only verifies and opens
  PRIMARY KEY (purpose, id)
);

GRANT USAGE ON SCHEMA auth TO parley_documents, parley_chatbots, parley_chat, parley_integrations;
GRANT REFERENCES ON users TO parley_documents, parley_chatbots, parley_chat, parley_integrations;
