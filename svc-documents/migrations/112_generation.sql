-- A document's generation counts by itself: a number that every row has from one place is none for a sharded cluster.
DROP SEQUENCE generation;
