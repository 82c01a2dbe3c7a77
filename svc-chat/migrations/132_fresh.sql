-- How long a server says that its list of tools is good (ttlMs); -1: it does not say.
ALTER TABLE mcp_server ADD COLUMN fresh_seconds int NOT NULL DEFAULT -1;
