-- What the ledger outside of this database has of acts that protect, and of those that take it
-- back, each in the transaction of the act: what the ledger has more was done after this copy was
-- made, what it has less is added to it.
CREATE TABLE protective_acts (
  id     INTEGER PRIMARY KEY,           -- in the order in which they were done
  aid    BLOB    NOT NULL UNIQUE CHECK (length(aid) = 16),
  kind   TEXT    NOT NULL,
  object TEXT    NOT NULL,
  cid    BLOB    CHECK (length(cid) = 16),
  seq    INTEGER NOT NULL,              -- of the entry in the log
  acted  INTEGER NOT NULL,
  sealed BLOB    NOT NULL               -- how to do it again; empty: there is no more to know
) STRICT;
CREATE INDEX protective_acts_by_object ON protective_acts (object, kind);
