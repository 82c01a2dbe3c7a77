-- Pictures, sounds and files that a tool gave back. What is told of them stands in the call's step.
CREATE TABLE attachment (
  owner_id   uuid NOT NULL,
  id         uuid NOT NULL,
  message_id uuid NOT NULL, -- the answer
  name       text NOT NULL,
  type       text NOT NULL, -- as the server says
  data       bytea NOT NULL,
  PRIMARY KEY (owner_id, id),
  FOREIGN KEY (owner_id, message_id) REFERENCES message (owner_id, id) ON DELETE CASCADE
);
CREATE INDEX attachment_message ON attachment (owner_id, message_id);
ALTER TABLE attachment ALTER data SET STORAGE EXTERNAL;
