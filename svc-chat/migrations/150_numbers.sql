-- A message's number counts within its session (store_turns.c): a sequence counts by itself on each machine of a cluster,
-- and an answer could stand before its question.
ALTER TABLE message ALTER COLUMN number DROP IDENTITY;
