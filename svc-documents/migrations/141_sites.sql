-- What is done to a document at the moment ("fetch", "extract", "chunk", "store"; "embed" of one that is ready).
ALTER TABLE document ADD step text;

-- A document that is read from the web again and again, or is a whole site: what is wanted, and how far this round is.
CREATE TABLE site (
  owner_id    uuid NOT NULL,
  document_id uuid NOT NULL,
  settings    json NOT NULL,
  every       int,                      -- seconds between two rounds; NULL: only when it is asked for
  next_at     timestamptz,
  round       int NOT NULL DEFAULT 1,
  requests    int NOT NULL DEFAULT 0,   -- of this round
  robots      text,                     -- our rules in robots.txt; NULL: not read in this round
  delay       int NOT NULL DEFAULT 0,   -- ms between two requests, as robots.txt has it
  stored      text,                     -- hash of what the document was made of
  PRIMARY KEY (owner_id, document_id),
  FOREIGN KEY (owner_id, document_id) REFERENCES document (owner_id, id) ON DELETE CASCADE
);
CREATE INDEX site_next ON site (next_at) WHERE next_at IS NOT NULL;

-- Its pages, and the lists that name some. One whose round is an older one is still to be asked for.
CREATE TABLE part (
  owner_id    uuid NOT NULL,
  document_id uuid NOT NULL,
  number      int NOT NULL,
  address     text NOT NULL,
  list        boolean NOT NULL DEFAULT false,  -- a sitemap
  depth       int NOT NULL,
  round       int NOT NULL DEFAULT 0,
  title       text,
  body        text,                     -- its text; NULL: there is none
  hash        text,
  etag        text,
  modified    text,
  problem     text,                     -- why the last round brought nothing, for people
  gone        int,                      -- the first round in which the page was gone
  page        int,                      -- which of the document's pages it is, from 1
  PRIMARY KEY (owner_id, document_id, number),
  UNIQUE (owner_id, document_id, address),
  FOREIGN KEY (owner_id, document_id) REFERENCES document (owner_id, id) ON DELETE CASCADE
);
CREATE INDEX part_page ON part (owner_id, document_id, page) WHERE page IS NOT NULL;
DO $$
BEGIN
  ALTER TABLE part ALTER body SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN NULL;
END $$;
