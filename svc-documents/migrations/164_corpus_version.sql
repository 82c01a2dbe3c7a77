-- Counts whatever changes in a document that searches keep in memory (search/corpora.h): with it they know whether it has.
ALTER TABLE corpus ADD version bigint NOT NULL DEFAULT 0;
