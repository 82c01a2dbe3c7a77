-- How many messages an owner has sent: in parts, by session, since one row for all made turns of different sessions wait for
-- each other. What `usage` has counted so far stays there, and so does what replicas of before still count.
CREATE TABLE asked_part (
  owner_id uuid NOT NULL REFERENCES auth.users (uid) ON DELETE CASCADE,
  part int NOT NULL,
  messages bigint NOT NULL,
  PRIMARY KEY (owner_id, part)
);
