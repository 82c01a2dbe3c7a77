-- What searching wants to know of a document: its language, the version of the tokenizer that indexed it (0: an older
-- one; such documents are indexed anew in the background), and a number that changes whenever its index does.
ALTER TABLE document ADD language text NOT NULL DEFAULT 'en';
ALTER TABLE document ADD terms_version int NOT NULL DEFAULT 0;
ALTER TABLE document ADD generation bigint NOT NULL DEFAULT 0;
CREATE SEQUENCE generation;
CREATE INDEX document_terms_version ON document (terms_version) WHERE chunks > 0;

-- A document's distinct words as they are spelled, for questions that spell them otherwise.
CREATE TABLE vocabulary (
  owner_id    uuid NOT NULL,
  document_id uuid NOT NULL,
  words       text NOT NULL,
  PRIMARY KEY (owner_id, document_id),
  FOREIGN KEY (owner_id, document_id) REFERENCES document (owner_id, id) ON DELETE CASCADE
);

-- What an owner has in all, so that a search of everything need not read every document's row.
CREATE TABLE corpus (
  owner_id  uuid PRIMARY KEY REFERENCES auth.users (uid) ON DELETE CASCADE,
  documents bigint NOT NULL,
  chunks    bigint NOT NULL,
  terms     bigint NOT NULL
);
INSERT INTO corpus SELECT owner_id, count(*), sum(chunks), sum(terms) FROM document WHERE chunks > 0 GROUP BY owner_id;

-- A vector belongs to its document: checking each against its chunk was most of the work of writing and deleting.
ALTER TABLE embedding DROP CONSTRAINT embedding_owner_id_document_id_number_fkey;
DELETE FROM embedding e USING document d
 WHERE d.owner_id = e.owner_id AND d.id = e.document_id AND d.model LIKE 'builtin%'; -- they are not used any more
UPDATE document SET model = NULL WHERE model LIKE 'builtin%';
ALTER TABLE embedding ADD FOREIGN KEY (owner_id, document_id) REFERENCES document (owner_id, id) ON DELETE CASCADE;

-- The text in rows of 64 K characters, so that a part of it is read without the rest.
CREATE TABLE piece_of_text (
  owner_id    uuid NOT NULL,
  document_id uuid NOT NULL,
  number      int NOT NULL,
  text        text NOT NULL,
  PRIMARY KEY (owner_id, document_id, number),
  FOREIGN KEY (owner_id, document_id) REFERENCES document (owner_id, id) ON DELETE CASCADE
);
INSERT INTO piece_of_text
SELECT c.owner_id, c.document_id, n, substr(c.text, n * 65536 + 1, 65536)
  FROM content c, generate_series(0, (length(c.text) - 1) / 65536) AS n;
ALTER TABLE content ADD characters bigint NOT NULL DEFAULT 0;
ALTER TABLE content ADD bytes bigint NOT NULL DEFAULT 0;
UPDATE content SET characters = length(text), bytes = octet_length(text);
ALTER TABLE content DROP text;
