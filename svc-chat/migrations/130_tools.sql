-- A call of a tool is a step of its turn, from the model's wish to the result. `waiting`: its user is asked; `ready`: it may
-- run; `running`: it was sent. It is sent at most once, by whoever takes it from ready to running.
ALTER TABLE step
  DROP CONSTRAINT step_kind_check,
  DROP CONSTRAINT step_state_check,
  ADD CONSTRAINT step_kind_check CHECK (kind IN ('retrieve', 'model', 'tool_call')),
  ADD CONSTRAINT step_state_check CHECK (state IN ('open', 'done', 'failed', 'waiting', 'ready', 'running')),
  ADD COLUMN call_id uuid,
  ADD COLUMN detail  bytea, -- a packed chat.ToolDetail; `content` is a packed chat.ToolCallList of one, as it is shown
  ADD COLUMN result  text;  -- what came back
CREATE INDEX step_call ON step (owner_id, call_id) WHERE call_id IS NOT NULL;
ALTER TABLE message ADD COLUMN tools boolean NOT NULL DEFAULT false; -- it has steps that are calls of tools

-- Whose description, schema and hints a user's word holds for: a changed tool asks again. NULL: whatever they are.
ALTER TABLE mcp_policy ADD COLUMN digest text;
-- What may be called without asking in one session.
CREATE TABLE session_tool (
  owner_id   uuid NOT NULL,
  session_id uuid NOT NULL,
  server_id  bigint NOT NULL,
  tool       text NOT NULL,
  digest     text NOT NULL,
  PRIMARY KEY (owner_id, session_id, server_id, tool),
  FOREIGN KEY (owner_id, session_id) REFERENCES session (owner_id, id) ON DELETE CASCADE,
  FOREIGN KEY (owner_id, server_id) REFERENCES mcp_server (owner_id, id) ON DELETE CASCADE
);
