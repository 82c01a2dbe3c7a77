-- Who does not want them, or not any more: nothing is sent to that address, and nobody asks it again.
ALTER TABLE handover_address ADD COLUMN refused_at timestamptz;
