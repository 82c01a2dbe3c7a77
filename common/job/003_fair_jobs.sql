-- Whose turn it is: see job_take in common/job/job.c. `number` orders jobs as they were added.
ALTER TABLE job ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY;
CREATE INDEX job_running ON job (owner_id) WHERE lease_until IS NOT NULL;
CREATE INDEX job_running_key ON job (kind, key) WHERE lease_until IS NOT NULL AND key IS NOT NULL;
