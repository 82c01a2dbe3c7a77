-- A turn is a stored state machine: the answer's row is the turn (who writes it holds the lease, under a number of
-- attempt), its steps are rows. It may wait for its place in the session (queued) or for people (waiting).
ALTER TABLE message
  DROP CONSTRAINT message_status_check,
  ADD CONSTRAINT message_status_check CHECK
    (status IN ('complete', 'generating', 'stopped', 'interrupted', 'failed', 'waiting', 'queued')),
  ADD COLUMN question_id   uuid,                          -- of an answer: what it answers
  ADD COLUMN replaces      uuid,                          -- of a question that was edited, of an answer written anew
  ADD COLUMN shown         boolean NOT NULL DEFAULT true, -- false: another one stands in its place
  ADD COLUMN attempt       int NOT NULL DEFAULT 0,        -- whoever holds the lease changes nothing under an older number
  ADD COLUMN finish_reason text,
  ADD COLUMN rag_status    text,
  ADD COLUMN comment       text;                          -- with the feedback
UPDATE message a SET question_id = (SELECT q.id FROM message q WHERE q.owner_id = a.owner_id
    AND q.session_id = a.session_id AND q.number < a.number ORDER BY q.number DESC LIMIT 1)
  WHERE a.role = 'assistant';
DROP INDEX message_generating;
CREATE UNIQUE INDEX message_active ON message (owner_id, session_id) WHERE status IN ('generating', 'waiting');
CREATE INDEX message_queued ON message (owner_id, session_id, number) WHERE status = 'queued';
CREATE INDEX message_lease ON message (lease_until) WHERE lease_until IS NOT NULL;
DROP INDEX message_of_stream;
CREATE INDEX message_stream ON message (owner_id, stream) WHERE stream IS NOT NULL;

CREATE TABLE step (
  owner_id   uuid NOT NULL,
  message_id uuid NOT NULL, -- the answer
  number     int NOT NULL,  -- the order within the turn
  round      int NOT NULL,  -- how often a model was asked before
  kind       text NOT NULL CHECK (kind IN ('retrieve', 'model', 'tool_call', 'tool_result', 'ask')),
  state      text NOT NULL CHECK (state IN ('open', 'done', 'failed')),
  content    bytea,         -- of retrieve: a packed documents.SearchReply
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (owner_id, message_id, number),
  FOREIGN KEY (owner_id, message_id) REFERENCES message (owner_id, id) ON DELETE CASCADE
);

ALTER TABLE stream_log ADD COLUMN last bigint NOT NULL DEFAULT 0; -- the sequence of its last event

-- What a visitor shows carries the owner and the session, so neither is looked for by a hash; a session exists from the
-- first message on.
ALTER TABLE session ADD COLUMN visitor boolean NOT NULL DEFAULT false;
UPDATE session SET visitor = true WHERE visitor_hash IS NOT NULL;
DELETE FROM session s WHERE visitor AND expires_at < now()
  AND NOT EXISTS (SELECT FROM message m WHERE m.owner_id = s.owner_id AND m.session_id = s.id);
DROP INDEX session_visitor;
ALTER TABLE session DROP COLUMN visitor_hash;
CREATE INDEX session_own ON session (owner_id, id) WHERE NOT visitor;
