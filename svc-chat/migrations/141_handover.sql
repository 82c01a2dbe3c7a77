-- Whether a visitor's conversation goes on to people: it should, once he has said where he can be reached; or it has. And where
-- that is, where no website has signed it.
ALTER TABLE session
  ADD COLUMN handover text CHECK (handover IN ('wanted', 'given')),
  ADD COLUMN contact  text;
