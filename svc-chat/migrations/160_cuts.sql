-- How the text of an answer was cut into the events of its stream (svc-chat/turn/cuts.h), and the sequence of its last event:
-- with the message itself that is its log, which most answers need not keep a second time. NULL: it is in stream_log, for a while.
ALTER TABLE message
  ADD COLUMN cuts       bytea,
  ADD COLUMN last_event bigint;
