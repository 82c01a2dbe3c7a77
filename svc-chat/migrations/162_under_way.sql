-- A turn that is under way is looked for by its id: among its owner's, of whom one may have a thousand, each with versions
-- of its row that are dead already, PostgreSQL found it by reading all of them, until it had statistics of the table.
DROP INDEX message_under_way;
CREATE INDEX message_under_way ON message (owner_id, id) WHERE status IN ('generating', 'queued', 'waiting');
