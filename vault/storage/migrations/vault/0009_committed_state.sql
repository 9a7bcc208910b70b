-- What the newest state_hash in the log was computed from. One row, so that no old page can bring back
-- a part of it: entry `seq` has the hash, and of the first `size` entries it is the last that has one.
CREATE TABLE committed_state (
  id   INTEGER PRIMARY KEY CHECK (id = 1),
  size INTEGER NOT NULL,
  seq  INTEGER NOT NULL,
  sums BLOB    NOT NULL                 -- one of each table, so that a difference has a name
) STRICT;
