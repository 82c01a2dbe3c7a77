-- Where the answer of a job stands in Slack (the key "post <job>"), so that another run goes on with that message.
ALTER TABLE slack_event ADD COLUMN ts text;
