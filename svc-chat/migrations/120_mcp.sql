-- MCP servers of users, what is known of their tools, and what may be called without asking.
CREATE TABLE mcp_server (
  owner_id      uuid NOT NULL REFERENCES auth.users (uid) ON DELETE CASCADE,
  id            bigint GENERATED ALWAYS AS IDENTITY,
  name          text NOT NULL,
  description   text,
  type          text NOT NULL,
  uri           text NOT NULL,
  transport     text NOT NULL CHECK (transport IN ('http', 'sse')),
  headers       text,                          -- sealed
  status        text NOT NULL DEFAULT 'new' CHECK (status IN ('new', 'connected', 'needs_auth', 'error')),
  status_detail text,
  sessions      boolean NOT NULL DEFAULT false, -- it is of the older era: not asked for the newer one first
  tools         text NOT NULL DEFAULT '[]',    -- as the server describes them
  tools_count   int NOT NULL DEFAULT 0,
  asked_at      timestamptz,                   -- when it was last asked for them
  created_at    timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (owner_id, id)
);
CREATE TABLE mcp_policy (
  owner_id  uuid NOT NULL,
  server_id bigint NOT NULL,
  tool      text NOT NULL,                     -- the server's own name for it
  policy    text NOT NULL CHECK (policy IN ('allow', 'ask', 'deny')),
  PRIMARY KEY (owner_id, server_id, tool),
  FOREIGN KEY (owner_id, server_id) REFERENCES mcp_server (owner_id, id) ON DELETE CASCADE
);
