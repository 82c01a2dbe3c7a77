-- Unique within an owner is enough: ids are random. A cluster sharded by owner has no other uniqueness to offer.
DROP INDEX chatbot_id;
CREATE INDEX chatbot_by_id ON chatbot (id); -- visitors know the chatbot, not its owner
