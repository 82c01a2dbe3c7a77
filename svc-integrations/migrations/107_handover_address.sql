-- Addresses that conversations are to be mailed to: each is asked first whether it wants them.
CREATE TABLE handover_address (
  owner_id     uuid NOT NULL REFERENCES auth.users (uid) ON DELETE CASCADE,
  address      text NOT NULL,
  asked_at     timestamptz NOT NULL DEFAULT now(),
  confirmed_at timestamptz,
  PRIMARY KEY (owner_id, address)
);
