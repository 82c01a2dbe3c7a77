-- requires: auth.users, documents.document

-- Settings are stored complete, with the defaults of the day they were written: a chatbot goes on behaving as it did
-- when a later version has other defaults.
CREATE TABLE chatbot (
  owner_id    uuid NOT NULL REFERENCES auth.users (uid) ON DELETE CASCADE,
  id          uuid NOT NULL,
  name        text NOT NULL,
  description text,
  settings    json NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now(),
  updated_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (owner_id, id)
);
CREATE UNIQUE INDEX chatbot_id ON chatbot (id); -- visitors know the chatbot, not its owner

-- The foreign keys carry the owner, so that nobody can assign somebody else's document.
CREATE TABLE chatbot_document (
  owner_id    uuid NOT NULL,
  chatbot_id  uuid NOT NULL,
  document_id uuid NOT NULL,
  position    bigint GENERATED ALWAYS AS IDENTITY,
  PRIMARY KEY (owner_id, chatbot_id, document_id),
  CONSTRAINT chatbot_document_chatbot FOREIGN KEY (owner_id, chatbot_id)
    REFERENCES chatbot (owner_id, id) ON DELETE CASCADE,
  CONSTRAINT chatbot_document_document FOREIGN KEY (owner_id, document_id)
    REFERENCES documents.document (owner_id, id) ON DELETE CASCADE
);
CREATE INDEX chatbot_document_uses ON chatbot_document (owner_id, document_id);

GRANT USAGE ON SCHEMA chatbots TO parley_chat, parley_integrations;
GRANT REFERENCES ON chatbot TO parley_chat, parley_integrations;
