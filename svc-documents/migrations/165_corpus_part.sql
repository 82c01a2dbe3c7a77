-- requires: auth.users
-- What an owner has in all is counted in parts: uploads that are ready at once waited for each other at the one row, and so no
-- commit of theirs could wait for the disk while it had that. What `corpus` has counted stays there, and so does what is
-- processed by jobs, deleted or spread; the whole is the sum.
CREATE TABLE corpus_part (
  owner_id  uuid NOT NULL REFERENCES auth.users (uid) ON DELETE CASCADE,
  part      int NOT NULL,
  documents bigint NOT NULL,
  chunks    bigint NOT NULL,
  terms     bigint NOT NULL,
  small     bigint NOT NULL,
  PRIMARY KEY (owner_id, part)
);
