-- Of Slack: the sealed token and signing secret, and what auth.test and the first event say of workspace and app.
ALTER TABLE integration ADD COLUMN secrets text;
ALTER TABLE integration ADD COLUMN team_id text;
ALTER TABLE integration ADD COLUMN app_id text;
ALTER TABLE integration ADD COLUMN bot_user_id text;
ALTER TABLE integration ADD COLUMN bot_id text;
-- An event names its workspace, not its owner.
CREATE INDEX integration_team ON integration (team_id) WHERE team_id IS NOT NULL;

-- What was taken already, by event and by text: Slack repeats events, and tells of a mention twice.
CREATE TABLE slack_event (
  owner_id   uuid NOT NULL,
  key        text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (owner_id, key),
  FOREIGN KEY (owner_id) REFERENCES auth.users (uid) ON DELETE CASCADE
);
CREATE INDEX slack_event_age ON slack_event (owner_id, created_at);

-- Threads in which a bot has answered: there it needs no mention.
CREATE TABLE slack_thread (
  owner_id       uuid NOT NULL,
  integration_id uuid NOT NULL,
  channel        text NOT NULL,
  thread         text NOT NULL,
  PRIMARY KEY (owner_id, integration_id, channel, thread),
  FOREIGN KEY (owner_id, integration_id) REFERENCES integration (owner_id, id) ON DELETE CASCADE
);
