-- Vectors of a document's passages before it was processed anew: those whose text has stayed the same are used again.
CREATE TABLE spare_vector (
  owner_id    uuid NOT NULL,
  document_id uuid NOT NULL,
  hash        uuid NOT NULL,     -- MD5 of what was embedded
  model       text NOT NULL,
  vector      halfvec NOT NULL,
  PRIMARY KEY (owner_id, document_id, hash),
  FOREIGN KEY (owner_id, document_id) REFERENCES document (owner_id, id) ON DELETE CASCADE
);
