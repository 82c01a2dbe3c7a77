-- What is mailed to prove an address, what bounds guessing, and what is written down of it.

-- The code that a user may sign in with: one at a time. job_id: of the mail, so that sending it twice is one code.
CREATE TABLE code (
  owner_id   uuid PRIMARY KEY REFERENCES users (uid) ON DELETE CASCADE,
  job_id     uuid NOT NULL,
  hash       text NOT NULL,
  tries      int NOT NULL DEFAULT 0,
  expires_at timestamptz NOT NULL
);

CREATE TABLE reset_link (
  hash       text PRIMARY KEY,
  owner_id   uuid NOT NULL REFERENCES users (uid) ON DELETE CASCADE,
  expires_at timestamptz NOT NULL
);
CREATE INDEX reset_link_owner ON reset_link (owner_id);

-- The latest times that something happened ("sign-in/ada@example.com"), oldest first, as many as its limit asks for.
CREATE TABLE throttle (
  key   text PRIMARY KEY,
  times timestamptz[] NOT NULL,
  until timestamptz NOT NULL -- may be forgotten after
);
CREATE INDEX throttle_until ON throttle (until);

-- Security events. owner_id outlives the user: no foreign key.
CREATE TABLE audit (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at         timestamptz NOT NULL DEFAULT now(),
  event      text NOT NULL,
  owner_id   uuid,
  actor_id   uuid, -- who did it, when somebody else
  ip         text,
  user_agent text,
  request_id text,
  detail     text
);
CREATE INDEX audit_owner ON audit (owner_id, id);
CREATE INDEX audit_at ON audit (at);
