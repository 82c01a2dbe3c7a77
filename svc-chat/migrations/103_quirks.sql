-- What models refuse (svc-chat/model/quirks.h): of the installation, not of an owner. A row is good for a day.
CREATE TABLE quirk (
  endpoint    text NOT NULL,
  model       text NOT NULL,
  bits        bigint NOT NULL,
  most_tokens bigint NOT NULL,
  learned_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (endpoint, model)
);
