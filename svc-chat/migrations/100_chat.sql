-- requires: auth.users, chatbots.chatbot

CREATE TABLE session (
  owner_id   uuid NOT NULL REFERENCES auth.users (uid) ON DELETE CASCADE,
  id         uuid NOT NULL,
  chatbot_id uuid NOT NULL,
  title      text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (owner_id, id),
  CONSTRAINT session_chatbot FOREIGN KEY (owner_id, chatbot_id)
    REFERENCES chatbots.chatbot (owner_id, id) ON DELETE CASCADE
);
CREATE INDEX session_of_chatbot ON session (owner_id, chatbot_id);

-- A question is complete at once. Its answer follows it: a row `generating` until somebody closes it, whose writer
-- keeps the lease alive and stores what there is every few seconds.
CREATE TABLE message (
  owner_id          uuid NOT NULL,
  session_id        uuid NOT NULL,
  number            bigint GENERATED ALWAYS AS IDENTITY, -- the order within the session
  id                uuid NOT NULL,
  role              text NOT NULL CHECK (role IN ('user', 'assistant')),
  status            text NOT NULL DEFAULT 'complete'
                    CHECK (status IN ('complete', 'generating', 'stopped', 'interrupted', 'failed')),
  content           text NOT NULL DEFAULT '',
  reasoning         text,
  sources           bytea, -- a packed documents.SearchReply: what the content's [1], [2] ... are
  error             text,
  model             text,
  prompt_tokens     bigint,
  completion_tokens bigint,
  feedback          text,
  created_at        timestamptz NOT NULL DEFAULT now(),
  -- Of an answer:
  stream            text,
  key               text, -- the caller's Idempotency-Key, for a day, and what was sent under it
  request_hash      text,
  lease_until       timestamptz,
  stop              boolean NOT NULL DEFAULT false,
  PRIMARY KEY (owner_id, session_id, number),
  CONSTRAINT message_session FOREIGN KEY (owner_id, session_id) REFERENCES session (owner_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX message_id ON message (owner_id, id);
CREATE UNIQUE INDEX message_stream ON message (owner_id, stream) WHERE stream IS NOT NULL;
CREATE UNIQUE INDEX message_key ON message (owner_id, session_id, key) WHERE key IS NOT NULL;
CREATE INDEX message_key_age ON message (created_at) WHERE key IS NOT NULL;
-- One answer at a time in a session; and few rows to look through for leases that have ended.
CREATE UNIQUE INDEX message_generating ON message (owner_id, session_id) WHERE status = 'generating';

-- The events of a finished answer, for readers that come back within ten minutes.
CREATE TABLE stream_log (
  owner_id   uuid NOT NULL,
  message_id uuid NOT NULL,
  events     bytea NOT NULL, -- a packed rpc.NextReply
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (owner_id, message_id),
  FOREIGN KEY (owner_id, message_id) REFERENCES message (owner_id, id) ON DELETE CASCADE
);
CREATE INDEX stream_log_age ON stream_log (expires_at);

-- How many messages a user has sent, deleted ones included.
CREATE TABLE usage (
  owner_id uuid PRIMARY KEY REFERENCES auth.users (uid) ON DELETE CASCADE,
  messages bigint NOT NULL
);
