-- The lists of a small document stand in one row, beside its words, instead of in a row for each term: writing several
-- hundred rows was most of an upload. Once an owner has many such documents the oldest get rows of their own (posting).
ALTER TABLE vocabulary ADD lists bytea;
ALTER TABLE document ADD small boolean NOT NULL DEFAULT false;
ALTER TABLE corpus ADD small bigint NOT NULL DEFAULT 0; -- how many
CREATE INDEX document_small ON document (owner_id, id) WHERE small;
