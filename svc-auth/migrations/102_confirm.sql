-- What is mailed to a new account to prove its address. (Counting moved to `tries`; `throttle` goes with a later version,
-- when no replica counts there any more.)
CREATE TABLE confirm_link (
  hash       text PRIMARY KEY,
  owner_id   uuid NOT NULL REFERENCES users (uid) ON DELETE CASCADE,
  expires_at timestamptz NOT NULL
);
CREATE INDEX confirm_link_owner ON confirm_link (owner_id);
