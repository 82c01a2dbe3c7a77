-- How often visitors come is counted in `tries` (common/db/throttle.h) from now on. Lost in a crash, which hurts nobody. The
-- table `visits` is for replicas of before, which may still run, and for nobody once they have gone.
ALTER TABLE tries SET UNLOGGED;
