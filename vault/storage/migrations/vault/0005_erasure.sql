ALTER TABLE clients ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;    -- of its key in keys.db
-- Everything of the client was sealed again from this entry on: what earlier entries say of sealed
-- bytes is past.
ALTER TABLE clients ADD COLUMN sealed_since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE clients ADD COLUMN relationship_end INTEGER;                 -- when, or NULL
ALTER TABLE records ADD COLUMN retention_day INTEGER;                    -- days since 1970, or NULL

CREATE TABLE erasures_of_all (
  id         INTEGER PRIMARY KEY,
  eid        BLOB    NOT NULL UNIQUE CHECK (length(eid) = 16),
  cid        BLOB    NOT NULL CHECK (length(cid) = 16),
  scope      INTEGER NOT NULL,
  basis      INTEGER NOT NULL,
  class      TEXT    NOT NULL,          -- of scope "class", else empty
  erased     INTEGER NOT NULL,
  seq        INTEGER NOT NULL,
  records    INTEGER NOT NULL,
  versions   INTEGER NOT NULL,
  generation INTEGER NOT NULL,          -- of the key that was destroyed
  state      INTEGER NOT NULL,          -- 0 committed, 1 key destroyed and in the ledger, 2 complete
  ledger     INTEGER,                   -- number of its first line in the ledger
  rids       BLOB    NOT NULL,          -- of scope "records": 16 bytes each
  facts      TEXT,                      -- what the act will say; NULL: none, or purged
  act        TEXT                       -- the signed act, from when it was first asked for
) STRICT;
INSERT INTO erasures_of_all (eid, cid, scope, basis, class, erased, seq, records, versions,
                             generation, state, rids)
  SELECT client, client, 1, 1, '', erased, seq, records, 0, 0, iif(key_destroyed, 2, 0), x''
  FROM erasures ORDER BY seq;
DROP TABLE erasures;
ALTER TABLE erasures_of_all RENAME TO erasures;
CREATE INDEX erasures_by_client ON erasures (cid);
CREATE INDEX erasures_unfinished ON erasures (state) WHERE state < 2;
