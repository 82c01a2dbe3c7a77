-- Somebody is on the way to Slack, to install the operator's app for his account: what he shows when he is back is known by its
-- hash, as is the cookie of his browser. It works once.
CREATE TABLE slack_install (
  owner_id   uuid NOT NULL REFERENCES auth.users (uid) ON DELETE CASCADE,
  state      text NOT NULL,
  cookie     text NOT NULL,
  chatbot_id uuid,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (owner_id, state)
);
