-- Every version is kept: entries and acts name which one something was erased by.
CREATE TABLE retention_schedules (
  version    INTEGER PRIMARY KEY,
  definition TEXT    NOT NULL,
  created    INTEGER NOT NULL
) STRICT;

CREATE TABLE retention_runs (
  id        INTEGER PRIMARY KEY,
  rid       BLOB    NOT NULL UNIQUE CHECK (length(rid) = 16),
  schedule  INTEGER NOT NULL,
  state     INTEGER NOT NULL,           -- 0 running, 1 waiting for the clock, 2 finished, 3 failed
  demanded  INTEGER NOT NULL,           -- 1: by asked_by; 0: by the schedule
  asked_by  BLOB,
  started   INTEGER NOT NULL,
  finished  INTEGER,
  first_seq INTEGER NOT NULL,
  last_seq  INTEGER NOT NULL,
  position  INTEGER NOT NULL,           -- the last client that was gone through
  counts    TEXT    NOT NULL,           -- JSON, by class
  reason    TEXT    NOT NULL,           -- of a failure
  report    TEXT                        -- signed, from when it was first asked for
) STRICT;
CREATE UNIQUE INDEX retention_runs_open ON retention_runs ((1)) WHERE state < 2;

-- Records that a policy left to a person, and the log has said so.
CREATE TABLE retention_reviews (
  record INTEGER NOT NULL,
  policy TEXT    NOT NULL,
  found  INTEGER NOT NULL,
  PRIMARY KEY (record, policy)
) STRICT, WITHOUT ROWID;

-- All that retention asks of a record, client by client, so that looking for what is due reads no
-- sealed page. With the id in its place, lists of one client's records stay in their order.
DROP INDEX records_by_client;
CREATE INDEX records_by_client ON records (client, class, id, created, updated, retention_day);
