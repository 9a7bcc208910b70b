-- What persons ask for, and what became of it: the register, and each of its steps.
CREATE TABLE requests (
  id             INTEGER PRIMARY KEY,
  qid            BLOB    NOT NULL UNIQUE CHECK (length(qid) = 16),
  cid            BLOB    CHECK (length(cid) = 16),  -- NULL: not known yet; of one that is erased too
  kind           TEXT    NOT NULL,
  regime         TEXT    NOT NULL,
  regime_version INTEGER NOT NULL,
  channel        TEXT    NOT NULL,
  representative INTEGER NOT NULL,
  state          TEXT    NOT NULL,
  open           INTEGER NOT NULL,                  -- it waits for an answer
  received       INTEGER NOT NULL,
  registered     INTEGER NOT NULL,
  acknowledged   INTEGER,
  extended       INTEGER,
  decided        INTEGER,
  closed         INTEGER,
  seq            INTEGER NOT NULL,                  -- of the log's entry
  steps          INTEGER NOT NULL,
  next_due       INTEGER NOT NULL,                  -- 9223372036854775807: nothing is counted
  due            INTEGER,
  last_day       INTEGER NOT NULL
) STRICT;
CREATE INDEX requests_due ON requests (next_due, id) WHERE open;
CREATE INDEX requests_by_client ON requests (cid, id) WHERE cid IS NOT NULL;
CREATE INDEX requests_closed ON requests (regime, closed) WHERE closed IS NOT NULL;
CREATE TABLE request_steps (
  request INTEGER NOT NULL,
  number  INTEGER NOT NULL,
  kind    TEXT    NOT NULL,
  at      INTEGER NOT NULL,
  by      BLOB    CHECK (length(by) = 16),          -- NULL: the vault
  seq     INTEGER NOT NULL,                         -- of the log's entry
  article TEXT    NOT NULL,
  proofs  TEXT    NOT NULL,                         -- "4711 client.package 4712 client.erase"
  due     INTEGER,
  sealed  BLOB    NOT NULL,                         -- words; empty: none
  PRIMARY KEY (request, number)
) STRICT, WITHOUT ROWID;

-- Regimes that people put, in their versions.
CREATE TABLE regimes (
  name       TEXT    NOT NULL,
  version    INTEGER NOT NULL,
  definition TEXT    NOT NULL,
  created    INTEGER NOT NULL,
  PRIMARY KEY (name, version)
) STRICT, WITHOUT ROWID;
