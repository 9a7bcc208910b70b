-- To whom data goes. What was said of a recipient stays as it was said.
CREATE TABLE recipients (
  id  INTEGER PRIMARY KEY,
  rid BLOB NOT NULL UNIQUE CHECK (length(rid) = 16)
) STRICT;
CREATE TABLE recipient_events (
  recipient INTEGER NOT NULL REFERENCES recipients (id),
  number    INTEGER NOT NULL,           -- from 0
  step      TEXT    NOT NULL,           -- created, changed, bound, unbound, ended
  at        INTEGER NOT NULL,
  said_by   BLOB    NOT NULL CHECK (length(said_by) = 16),
  seq       INTEGER NOT NULL,           -- of its entry in the log
  document  TEXT    NOT NULL,           -- JSON: what was said
  PRIMARY KEY (recipient, number)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER recipients_stay BEFORE UPDATE ON recipients
BEGIN SELECT RAISE(ABORT, 'a recipient is kept as it is'); END;
CREATE TRIGGER recipients_remain BEFORE DELETE ON recipients
BEGIN SELECT RAISE(ABORT, 'a recipient is kept'); END;
CREATE TRIGGER recipient_events_stay BEFORE UPDATE ON recipient_events
BEGIN SELECT RAISE(ABORT, 'what was said of a recipient is kept as it is'); END;
CREATE TRIGGER recipient_events_remain BEFORE DELETE ON recipient_events
BEGIN SELECT RAISE(ABORT, 'what was said of a recipient is kept'); END;

-- What lists have of each, without its history.
CREATE INDEX recipient_events_steps ON recipient_events (recipient, step, number);

-- Accounts that recipients use: what such a one is shown from its entry `since` on is disclosed to
-- the recipient.
CREATE TABLE recipient_principals (
  principal BLOB    NOT NULL CHECK (length(principal) = 16),
  since     INTEGER NOT NULL,           -- entries of the log
  until     INTEGER,
  recipient INTEGER NOT NULL REFERENCES recipients (id),
  PRIMARY KEY (principal, since)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX recipient_principals_bound ON recipient_principals (principal)
  WHERE until IS NULL;
CREATE INDEX recipient_principals_of ON recipient_principals (recipient);

-- What was given to whom. A client's id stays when the client is erased: its recipients are to be
-- told of that.
CREATE TABLE disclosures (
  id          INTEGER PRIMARY KEY,
  did         BLOB    NOT NULL UNIQUE CHECK (length(did) = 16),
  recipient   INTEGER NOT NULL REFERENCES recipients (id),
  source      TEXT    NOT NULL,         -- export, package, hand
  given       INTEGER NOT NULL,
  basis       TEXT    NOT NULL,
  purpose     TEXT    NOT NULL,
  channel     TEXT    NOT NULL,
  reference   TEXT    NOT NULL,
  recorded    INTEGER NOT NULL,
  recorded_by BLOB    NOT NULL CHECK (length(recorded_by) = 16),
  seq         INTEGER NOT NULL,         -- of the entry that began it
  run         BLOB,                     -- of an export, by which its pages find it
  clients     INTEGER NOT NULL
) STRICT;
CREATE INDEX disclosures_of ON disclosures (recipient, id);
CREATE TRIGGER disclosures_stay BEFORE UPDATE OF id, did, recipient, source, given, basis, purpose,
  channel, reference, recorded, recorded_by, seq, run ON disclosures
BEGIN SELECT RAISE(ABORT, 'a disclosure is kept as it is'); END;
CREATE TRIGGER disclosures_remain BEFORE DELETE ON disclosures
BEGIN SELECT RAISE(ABORT, 'a disclosure is kept'); END;
CREATE INDEX disclosures_run ON disclosures (run, id) WHERE run IS NOT NULL;
-- A row is 40 bytes, with its index 70.
CREATE TABLE disclosure_clients (
  client     BLOB    NOT NULL CHECK (length(client) = 16),
  disclosure INTEGER NOT NULL REFERENCES disclosures (id),
  classes    INTEGER NOT NULL REFERENCES class_sets (id),
  seq        INTEGER NOT NULL,          -- of the entry that shows it
  PRIMARY KEY (client, disclosure)
) STRICT, WITHOUT ROWID;
CREATE INDEX disclosure_clients_of ON disclosure_clients (disclosure, client);
CREATE TRIGGER disclosure_clients_remain BEFORE DELETE ON disclosure_clients
BEGIN SELECT RAISE(ABORT, 'who was disclosed is kept'); END;
-- Sets of classes, each once.
CREATE TABLE class_sets (
  id      INTEGER PRIMARY KEY,
  classes TEXT NOT NULL UNIQUE          -- names in their order, with spaces between
) STRICT;

-- Of what a recipient is to be told, and was.
CREATE TABLE tellings (
  id         INTEGER PRIMARY KEY,
  client     BLOB    NOT NULL CHECK (length(client) = 16),
  recipient  INTEGER NOT NULL REFERENCES recipients (id),
  act        TEXT    NOT NULL,          -- erased, rectified, restricted, withdrawn
  class      TEXT    NOT NULL,          -- empty: all of the client
  act_seq    INTEGER NOT NULL,          -- of its entry in the log
  act_at     INTEGER NOT NULL,
  told       INTEGER,
  told_by    BLOB,
  told_seq   INTEGER,
  channel    TEXT,
  reference  TEXT,
  not_told   TEXT,                      -- why nobody could be told: impossible, disproportionate
  UNIQUE (client, recipient, act_seq, class)
) STRICT;
CREATE INDEX tellings_open ON tellings (recipient, id) WHERE told_seq IS NULL;
CREATE INDEX tellings_to_tell ON tellings (id) WHERE told_seq IS NULL;
CREATE TRIGGER tellings_stay BEFORE UPDATE ON tellings WHEN OLD.told_seq IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'that a recipient was told is kept as it is'); END;
CREATE TRIGGER tellings_remain BEFORE DELETE ON tellings
BEGIN SELECT RAISE(ABORT, 'what a recipient is to be told is kept'); END;
-- Acts of which it is not known yet whether accounts of recipients were shown the client: the log's
-- index says so.
CREATE TABLE acts_to_settle (
  id     INTEGER PRIMARY KEY,
  client BLOB    NOT NULL CHECK (length(client) = 16),
  act    TEXT    NOT NULL,
  class  TEXT    NOT NULL,
  seq    INTEGER NOT NULL,
  at     INTEGER NOT NULL
) STRICT;
CREATE INDEX acts_to_settle_of ON acts_to_settle (client);
