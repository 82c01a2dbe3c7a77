-- requires: auth.users, chatbots.chatbot

CREATE TABLE integration (
  owner_id      uuid NOT NULL REFERENCES auth.users (uid) ON DELETE CASCADE,
  id            uuid NOT NULL,
  type          text NOT NULL CHECK (type IN ('slack', 'website')),
  name          text NOT NULL,
  status        text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'active', 'inactive', 'error')),
  status_detail text,
  chatbot_id    uuid,
  config        json NOT NULL DEFAULT '{}',
  created_at    timestamptz NOT NULL DEFAULT now(),
  updated_at    timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (owner_id, id),
  FOREIGN KEY (owner_id, chatbot_id) REFERENCES chatbots.chatbot (owner_id, id) ON DELETE CASCADE
);
CREATE INDEX integration_chatbot ON integration (owner_id, chatbot_id);
