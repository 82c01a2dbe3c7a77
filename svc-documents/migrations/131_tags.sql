-- What its owner sorts it by.
ALTER TABLE document ADD tags text[] NOT NULL DEFAULT '{}';
