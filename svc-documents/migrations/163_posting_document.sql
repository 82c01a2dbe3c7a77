-- An index that begins with the owner is taken for looking up terms, too, when the planner has not heard of an owner yet: it
-- expects one row, and reads all of them. This one serves deleting alone.
-- (Made before the other goes: dropping stops all searches until we are through.)
CREATE INDEX posting_of_document ON posting (uuid_hash(document_id), owner_id);
DROP INDEX posting_document;
