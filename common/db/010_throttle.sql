-- The latest times that something was tried ("sign-in/ada@example.com"), oldest first, as many as its limit asks for.
CREATE TABLE tries (
  key   text COLLATE "C" PRIMARY KEY,
  times timestamptz[] NOT NULL,
  until timestamptz NOT NULL -- may be forgotten after
);
CREATE INDEX tries_until ON tries (until);
