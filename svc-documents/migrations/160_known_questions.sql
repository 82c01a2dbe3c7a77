-- Vectors of questions that have answers written beforehand (svc-chatbots keeps those). Made when they are first compared,
-- and again after some weeks: what is not asked about any more goes by itself.
CREATE TABLE known_question (
  owner_id   uuid NOT NULL REFERENCES auth.users (uid) ON DELETE CASCADE,
  hash       text NOT NULL, -- SHA-256 of the question
  model      text NOT NULL,
  vector     halfvec NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (owner_id, hash, model)
);
CREATE INDEX known_question_age ON known_question (created_at);
