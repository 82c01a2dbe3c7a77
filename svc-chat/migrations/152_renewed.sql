-- A turn's lease is renewed every other second while it is written: no index has that column, so that a renewal writes its
-- row and nothing else.
DROP INDEX message_lease;
CREATE INDEX message_under_way ON message (owner_id) WHERE status IN ('generating', 'queued', 'waiting');
