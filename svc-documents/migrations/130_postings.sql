-- Checking each of a document's several hundred lists against the document was a third of the work of an upload: they
-- go with the document by a statement of their own, those of a deleted account with the next sweep.
ALTER TABLE posting DROP CONSTRAINT posting_owner_id_document_id_fkey;

-- Long texts are packed by LZ4 where PostgreSQL has it: it takes a fraction of the time.
DO $$
BEGIN
  ALTER TABLE piece_of_text ALTER text SET COMPRESSION lz4;
  ALTER TABLE vocabulary ALTER words SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN NULL;
END $$;
