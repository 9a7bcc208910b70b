-- The register of breaches. What was said of one stays as it was said: rows are added, and none is
-- altered or removed.
CREATE TABLE breaches (
  id  INTEGER PRIMARY KEY,
  bid BLOB NOT NULL UNIQUE CHECK (length(bid) = 16)
) STRICT;
CREATE TABLE breach_events (
  breach   INTEGER NOT NULL REFERENCES breaches (id),
  number   INTEGER NOT NULL,            -- from 0
  step     TEXT    NOT NULL,            -- opened, noted, scoped, notified, closed
  at       INTEGER NOT NULL,
  said_by  BLOB    NOT NULL CHECK (length(said_by) = 16),
  seq      INTEGER NOT NULL,            -- of its entry in the log
  document TEXT    NOT NULL,            -- JSON: what was said
  PRIMARY KEY (breach, number)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER breaches_stay BEFORE UPDATE ON breaches
BEGIN SELECT RAISE(ABORT, 'a breach is kept as it is'); END;
CREATE TRIGGER breaches_remain BEFORE DELETE ON breaches
BEGIN SELECT RAISE(ABORT, 'a breach is kept'); END;
CREATE TRIGGER breach_events_stay BEFORE UPDATE ON breach_events
BEGIN SELECT RAISE(ABORT, 'what was said of a breach is kept as it is'); END;
CREATE TRIGGER breach_events_remain BEFORE DELETE ON breach_events
BEGIN SELECT RAISE(ABORT, 'what was said of a breach is kept'); END;
