-- Answers that the owner wrote beforehand, each to one or several questions.
CREATE TABLE answer (
  owner_id   uuid NOT NULL,
  chatbot_id uuid NOT NULL,
  id         uuid NOT NULL,
  questions  text[] NOT NULL,
  answer     text NOT NULL,
  enabled    boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (owner_id, chatbot_id, id),
  FOREIGN KEY (owner_id, chatbot_id) REFERENCES chatbot (owner_id, id) ON DELETE CASCADE
);

-- What a chatbot was after each change, the latest of them.
CREATE TABLE version (
  owner_id    uuid NOT NULL,
  chatbot_id  uuid NOT NULL,
  number      int NOT NULL,
  name        text NOT NULL,
  description text,
  settings    json NOT NULL,
  documents   uuid[] NOT NULL, -- some may be deleted by now
  created_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (owner_id, chatbot_id, number),
  FOREIGN KEY (owner_id, chatbot_id) REFERENCES chatbot (owner_id, id) ON DELETE CASCADE
);
INSERT INTO version (owner_id, chatbot_id, number, name, description, settings, documents, created_at)
  SELECT c.owner_id, c.id, 1, c.name, c.description, c.settings, ARRAY(SELECT d.document_id FROM chatbot_document d
    WHERE d.owner_id = c.owner_id AND d.chatbot_id = c.id ORDER BY d.position), c.updated_at FROM chatbot c;

-- For the sweep of conversations (svc-chat).
CREATE INDEX chatbot_retention ON chatbot (id) WHERE settings ->> 'retentionDays' IS NOT NULL;
