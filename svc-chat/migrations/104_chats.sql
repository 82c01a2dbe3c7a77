-- A chat of ChatConnect is a session without a chatbot; it and its messages are shown under their numbers.
ALTER TABLE session
  ALTER COLUMN chatbot_id DROP NOT NULL,
  ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY,
  ADD COLUMN kind   text NOT NULL DEFAULT 'session' CHECK (kind IN ('session', 'chat', 'chatconnect'));
CREATE INDEX session_number ON session (owner_id, number) WHERE kind <> 'session';
DROP INDEX session_own;
CREATE INDEX session_own ON session (owner_id, kind, id) WHERE NOT visitor;
