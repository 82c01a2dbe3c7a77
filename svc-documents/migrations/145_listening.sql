-- requires: auth.users
-- Who is gone wants to hear of nothing. Rows of accounts that went before stay: nothing happens to them.
ALTER TABLE listening ADD FOREIGN KEY (owner_id) REFERENCES auth.users (uid) ON DELETE CASCADE NOT VALID;
