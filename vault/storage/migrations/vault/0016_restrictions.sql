-- Restrictions stand side by side, each with an id of its own, and their bases are sealed under the
-- client's key. The rows of the table before are moved by a logged operation of the first start, which
-- has the keys: what the log says of that table stays true until then, and it is empty afterwards.
CREATE TABLE client_restrictions (
  client    INTEGER NOT NULL,
  rid       BLOB    NOT NULL CHECK (length(rid) = 16),
  cid       BLOB    NOT NULL CHECK (length(cid) = 16),
  class     TEXT    NOT NULL,                            -- empty: the whole client
  basis     BLOB    NOT NULL,                            -- sealed; empty: the key was gone before
  all_but   INTEGER NOT NULL,                            -- 0: those named are stopped; else all others
  purposes  TEXT    NOT NULL,                            -- sorted, separated by single spaces
  since     INTEGER NOT NULL,
  placed_by BLOB    CHECK (length(placed_by) = 16),      -- NULL: the vault, by the schedule
  PRIMARY KEY (client, rid)
) STRICT, WITHOUT ROWID;
