-- Sessions of visitors belong to the chatbot's owner; the visitor shows an unguessable id, of which we keep the hash.
ALTER TABLE session
  ADD COLUMN visitor_hash   text,
  ADD COLUMN visitor_origin text,
  ADD COLUMN expires_at     timestamptz;
CREATE UNIQUE INDEX session_visitor ON session (visitor_hash) WHERE visitor_hash IS NOT NULL;

-- A visitor's reader knows the stream, not its owner.
CREATE UNIQUE INDEX message_of_stream ON message (stream) WHERE stream IS NOT NULL;
DROP INDEX message_stream;

-- How many messages came under a key ("ip/<chatbot>/<address>") in a minute. Lost in a crash, which hurts nobody.
CREATE UNLOGGED TABLE visits (
  key    text NOT NULL,
  minute timestamptz NOT NULL,
  count  int NOT NULL,
  PRIMARY KEY (key, minute)
);
CREATE INDEX visits_age ON visits (minute);
