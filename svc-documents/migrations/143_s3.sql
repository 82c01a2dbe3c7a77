-- Originals that lie in S3 instead of `piece`: in parts of 8 MiB, each an object. A row is there before the first of them is,
-- and until the last of them has gone: so none is forgotten, not even when its owner's account is.
CREATE TABLE s3_file (
  owner_id uuid NOT NULL,
  file_id  uuid NOT NULL,
  parts    int NOT NULL,
  moved    boolean NOT NULL DEFAULT false,  -- all of them are there
  PRIMARY KEY (owner_id, file_id)
);
