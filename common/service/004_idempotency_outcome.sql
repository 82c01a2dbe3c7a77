-- Whether the first request under a key was done is not known, and stays so: see common/service/idempotency.h.
ALTER TABLE idempotency ADD COLUMN unknown boolean NOT NULL DEFAULT false;
