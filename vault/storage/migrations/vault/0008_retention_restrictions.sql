-- Some restrictions are put by the retention schedule, and by nobody.
CREATE TABLE restrictions_of_all (
  client    INTEGER NOT NULL,
  class     TEXT    NOT NULL,                            -- empty: the whole client
  cid       BLOB    NOT NULL CHECK (length(cid) = 16),
  basis     TEXT    NOT NULL,
  purposes  TEXT    NOT NULL,                            -- sorted, separated by single spaces
  since     INTEGER NOT NULL,
  placed_by BLOB    CHECK (length(placed_by) = 16),      -- NULL: the vault, by the schedule
  PRIMARY KEY (client, class)
) STRICT, WITHOUT ROWID;
INSERT INTO restrictions_of_all (client, class, cid, basis, purposes, since, placed_by)
  SELECT client, class, cid, basis, purposes, since, placed_by FROM restrictions;
DROP TABLE restrictions;
ALTER TABLE restrictions_of_all RENAME TO restrictions;

-- What a version of the schedule restricted once: where it is not restricted any more, people lifted
-- that, and the same version does not put it again.
CREATE TABLE retention_restrictions (
  client   INTEGER NOT NULL,
  class    TEXT    NOT NULL,
  schedule INTEGER NOT NULL,            -- the newest version that did
  PRIMARY KEY (client, class)
) STRICT, WITHOUT ROWID;

-- Who put a version into force, and who agreed: what it erases is erased by them.
ALTER TABLE retention_schedules ADD COLUMN put_by BLOB CHECK (length(put_by) = 16);
ALTER TABLE retention_schedules ADD COLUMN approved_by BLOB CHECK (length(approved_by) = 16);

-- All that retention asks of a client without records, so that looking for those that are due reads
-- no sealed page, and nothing of clients whose relationship goes on.
CREATE INDEX clients_ended ON clients (id, relationship_end, tags) WHERE relationship_end IS NOT NULL;
