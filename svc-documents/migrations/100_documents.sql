-- requires: auth.users

-- What people upload. The owner comes first in every key: that is what a cluster is sharded by.
CREATE TABLE document (
  owner_id    uuid NOT NULL REFERENCES auth.users (uid) ON DELETE CASCADE,
  id          uuid NOT NULL,
  name        text NOT NULL,
  description text,
  type        text NOT NULL,
  status      text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'processing', 'ready', 'failed')),
  progress    real NOT NULL DEFAULT 0,
  error       text,
  size        bigint NOT NULL DEFAULT 0,
  pages       int,
  chunks      int,
  metadata    json NOT NULL DEFAULT '{}',
  file_id     uuid,                        -- the pieces of the original
  terms       bigint NOT NULL DEFAULT 0,   -- counted over all chunks: BM25 wants the average
  model       text,                        -- what made its vectors
  created_at  timestamptz NOT NULL DEFAULT now(),
  updated_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (owner_id, id)
);
CREATE UNIQUE INDEX document_file ON document (owner_id, file_id);
CREATE INDEX document_model ON document (model) WHERE model IS NOT NULL; -- which are to be embedded anew
GRANT USAGE ON SCHEMA documents TO parley_chatbots;
GRANT REFERENCES ON document TO parley_chatbots;

-- Files, in pieces as they came. A piece belongs to the document whose file_id it bears, or to an upload under way.
CREATE TABLE piece (
  owner_id   uuid NOT NULL REFERENCES auth.users (uid) ON DELETE CASCADE,
  file_id    uuid NOT NULL,
  number     int NOT NULL,
  data       bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (owner_id, file_id, number)
);
ALTER TABLE piece ALTER data SET STORAGE EXTERNAL; -- PDF and DOCX are compressed already
CREATE INDEX piece_age ON piece (created_at);

-- The extracted text, which offsets count characters of, and where pages start and end in it.
CREATE TABLE content (
  owner_id    uuid NOT NULL,
  document_id uuid NOT NULL,
  text        text NOT NULL,
  page_starts bigint[] NOT NULL DEFAULT '{}',
  page_ends   bigint[] NOT NULL DEFAULT '{}',
  PRIMARY KEY (owner_id, document_id),
  FOREIGN KEY (owner_id, document_id) REFERENCES document (owner_id, id) ON DELETE CASCADE
);

-- Passages. `text` runs on to the next chunk's start, so that neighbours join without a gap; `stop` is where the
-- passage itself ends.
CREATE TABLE chunk (
  owner_id    uuid NOT NULL,
  document_id uuid NOT NULL,
  number      int NOT NULL,
  id          uuid NOT NULL DEFAULT gen_random_uuid(),
  page        int,
  start       bigint NOT NULL,
  stop        bigint NOT NULL,
  heading     text,
  text        text NOT NULL,
  PRIMARY KEY (owner_id, document_id, number),
  FOREIGN KEY (owner_id, document_id) REFERENCES document (owner_id, id) ON DELETE CASCADE
);

-- Their vectors, made by document.model: apart from the text, so that an exact search reads little else.
CREATE TABLE embedding (
  owner_id    uuid NOT NULL,
  document_id uuid NOT NULL,
  number      int NOT NULL,
  vector      halfvec NOT NULL,
  PRIMARY KEY (owner_id, document_id, number),
  FOREIGN KEY (owner_id, document_id, number) REFERENCES chunk (owner_id, document_id, number) ON DELETE CASCADE
);
ALTER TABLE embedding ALTER vector SET STORAGE MAIN; -- in the row whenever it fits a page

-- The lexical index: for a word of a document, its chunks, packed (index.h says how). `term` is the word's hash.
CREATE TABLE posting (
  owner_id    uuid NOT NULL,
  term        bigint NOT NULL,
  document_id uuid NOT NULL,
  packed      bytea NOT NULL,
  PRIMARY KEY (owner_id, term, document_id),
  FOREIGN KEY (owner_id, document_id) REFERENCES document (owner_id, id) ON DELETE CASCADE
);
ALTER TABLE posting ALTER packed SET STORAGE EXTERNAL; -- packed is packed
CREATE INDEX posting_document ON posting (owner_id, document_id);
