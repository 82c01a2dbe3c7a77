-- Long work that must not be lost: see common/job/job.h.
CREATE TABLE job (
  id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  kind        text NOT NULL,
  owner_id    uuid,
  key         text,
  payload     jsonb NOT NULL DEFAULT '{}',
  attempt     int NOT NULL DEFAULT 0,
  run_at      timestamptz NOT NULL DEFAULT now(),
  lease_until timestamptz,
  lease_by    uuid,
  failed      text,
  created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX job_due ON job (kind, run_at) WHERE failed IS NULL;
CREATE UNIQUE INDEX job_key ON job (kind, key) WHERE key IS NOT NULL AND attempt = 0 AND failed IS NULL;
CREATE INDEX job_owner ON job (owner_id);
