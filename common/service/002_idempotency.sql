-- First answers under a caller's Idempotency-Key, for 24 hours: see common/service/service.h.
CREATE TABLE idempotency (
  owner_id     uuid NOT NULL,
  key          text NOT NULL,
  method       text NOT NULL,
  request_hash text NOT NULL,
  reply        bytea,
  created_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (owner_id, key, method)
);
CREATE INDEX idempotency_age ON idempotency (created_at);
