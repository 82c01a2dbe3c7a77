-- The same file twice is stored once: `hash` tells it (SHA-256), `original` is the file_id of the document that came first.
ALTER TABLE document ADD hash text;
ALTER TABLE document ADD original uuid;
CREATE INDEX document_hash ON document (owner_id, hash) WHERE hash IS NOT NULL;
CREATE INDEX document_original ON document (owner_id, original) WHERE original IS NOT NULL;
