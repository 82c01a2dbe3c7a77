-- A page of one chatbot's conversations is read from the index, in order, however many there are of it or of others.
DROP INDEX session_of_chatbot;
CREATE INDEX session_of_chatbot ON session (owner_id, chatbot_id, id);
