-- Webhooks, and what each was sent. The id is the event's; the body stays as it was signed.
ALTER TABLE integration DROP CONSTRAINT integration_type_check;
ALTER TABLE integration ADD CONSTRAINT integration_type_check CHECK (type IN ('slack', 'website', 'webhook'));

CREATE TABLE delivery (
  owner_id        uuid NOT NULL,
  integration_id  uuid NOT NULL,
  id              uuid NOT NULL,
  event           text NOT NULL,
  body            text NOT NULL,
  status          text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'delivered', 'given_up')),
  attempts        int NOT NULL DEFAULT 0,
  response_status int,
  error           text,
  next_attempt_at timestamptz,
  created_at      timestamptz NOT NULL DEFAULT now(),
  delivered_at    timestamptz,
  PRIMARY KEY (owner_id, integration_id, id),
  FOREIGN KEY (owner_id, integration_id) REFERENCES integration (owner_id, id) ON DELETE CASCADE
);
CREATE INDEX delivery_newest ON delivery (owner_id, integration_id, created_at DESC, id DESC);
CREATE INDEX delivery_age ON delivery (owner_id, created_at);
