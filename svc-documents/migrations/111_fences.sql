-- requires: auth.users

-- Which job writes the document: one that was frozen and wakes too late finds other numbers here, and changes nothing.
ALTER TABLE document
  ADD COLUMN job_number  bigint NOT NULL DEFAULT 0,
  ADD COLUMN job_attempt int NOT NULL DEFAULT 0;

-- Who goes takes what is still to be done along.
ALTER TABLE job ADD CONSTRAINT job_user FOREIGN KEY (owner_id) REFERENCES auth.users (uid) ON DELETE CASCADE NOT VALID;
