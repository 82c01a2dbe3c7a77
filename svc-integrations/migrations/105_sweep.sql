-- Swept for all owners at once.
DROP INDEX delivery_age;
CREATE INDEX delivery_age ON delivery (created_at);
DROP INDEX slack_event_age;
CREATE INDEX slack_event_age ON slack_event (created_at);
CREATE INDEX slack_install_age ON slack_install (expires_at);
