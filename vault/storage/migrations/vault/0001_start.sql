-- Row ids of clients and records are the first 63 bits of their 128-bit ids (48 bits of
-- milliseconds, then a sequence that never repeats in a process): one B-tree lookup finds a row,
-- and new rows go to the right edge. The whole id is kept beside it and compared.

CREATE TABLE clients (
  id      INTEGER PRIMARY KEY,
  cid     BLOB    NOT NULL CHECK (length(cid) = 16),
  state   INTEGER NOT NULL,
  version INTEGER NOT NULL,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  tags    TEXT    NOT NULL,             -- sorted, separated by single spaces
  profile BLOB    NOT NULL,             -- sealed under the client's key: the external reference
  ref     BLOB                          -- blind token of the external reference
) STRICT;

CREATE TABLE client_refs (
  ref    BLOB    PRIMARY KEY,
  client INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE client_tags (
  tag    TEXT    NOT NULL,
  client INTEGER NOT NULL,
  PRIMARY KEY (tag, client)
) STRICT, WITHOUT ROWID;

CREATE TABLE records (
  id            INTEGER PRIMARY KEY,
  rid           BLOB    NOT NULL CHECK (length(rid) = 16),
  client        INTEGER NOT NULL,
  class         TEXT    NOT NULL,
  class_version INTEGER NOT NULL,
  version       INTEGER NOT NULL,
  created       INTEGER NOT NULL,
  updated       INTEGER NOT NULL,
  fields        INTEGER NOT NULL,       -- bit i: the class version's field i is present
  tokens        BLOB    NOT NULL,       -- the record's blind index tokens, 16 bytes each
  import_token  BLOB,                   -- blind token of an imported record's key
  payload       BLOB    NOT NULL        -- sealed under the client's key
) STRICT;

CREATE INDEX records_by_client ON records (client, class);

CREATE TABLE record_versions (
  record        INTEGER NOT NULL,
  version       INTEGER NOT NULL,
  class_version INTEGER NOT NULL,
  written       INTEGER NOT NULL,
  fields        INTEGER NOT NULL,
  payload       BLOB    NOT NULL
) STRICT;

CREATE UNIQUE INDEX record_versions_by_record ON record_versions (record, version);

CREATE TABLE blind_index (
  token  BLOB    NOT NULL CHECK (length(token) = 16),
  record INTEGER NOT NULL,
  PRIMARY KEY (token, record)
) STRICT, WITHOUT ROWID;

CREATE TABLE classes (
  name       TEXT    NOT NULL,
  version    INTEGER NOT NULL,
  definition TEXT    NOT NULL,
  created    INTEGER NOT NULL,
  PRIMARY KEY (name, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE purposes (
  code       TEXT    PRIMARY KEY,
  definition TEXT    NOT NULL,
  updated    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE principals (
  pid     BLOB    PRIMARY KEY CHECK (length(pid) = 16),
  kind    INTEGER NOT NULL,
  name    TEXT    NOT NULL,
  role    INTEGER NOT NULL,
  created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
  tid       BLOB    PRIMARY KEY CHECK (length(tid) = 16),
  digest    BLOB    NOT NULL UNIQUE CHECK (length(digest) = 32),
  principal BLOB    NOT NULL REFERENCES principals (pid),
  created   INTEGER NOT NULL,
  expires   INTEGER NOT NULL,
  revoked   INTEGER                     -- when, or NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
  id      INTEGER PRIMARY KEY,          -- in the order of time, for purging
  key     BLOB    NOT NULL UNIQUE,      -- keyed hash of principal, operation and key
  body    BLOB    NOT NULL,             -- keyed hash of the request's body
  object  BLOB    NOT NULL,             -- id of what was made
  client  INTEGER NOT NULL,
  created INTEGER NOT NULL
) STRICT;

CREATE INDEX idempotency_by_client ON idempotency (client);

CREATE TABLE log_entries (
  seq   INTEGER PRIMARY KEY,
  entry BLOB    NOT NULL
) STRICT;

CREATE TABLE log_tiles (
  level  INTEGER NOT NULL,
  n      INTEGER NOT NULL,
  hashes BLOB    NOT NULL,
  PRIMARY KEY (level, n)
) STRICT;

CREATE TABLE log_notes (
  client INTEGER NOT NULL,              -- 0: concerns no single client
  seq    INTEGER NOT NULL,
  note   BLOB    NOT NULL,              -- sealed: salt (32), then the text
  PRIMARY KEY (client, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE log_checkpoint (
  id   INTEGER PRIMARY KEY CHECK (id = 1),
  note TEXT    NOT NULL                 -- the last signed checkpoint
) STRICT;

-- One row an erasure, kept for good. key_destroyed is 0 between the commit of the erasure and the
-- commit of keys.db; a start finishes what a crash left there.
CREATE TABLE erasures (
  client        BLOB    PRIMARY KEY CHECK (length(client) = 16),
  erased        INTEGER NOT NULL,
  seq           INTEGER NOT NULL,
  records       INTEGER NOT NULL,
  key_destroyed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
