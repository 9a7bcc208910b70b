-- Access packages: that one was prepared for a client, and handed out once. What is in them is
-- nowhere: it is made of the vault while it is handed out. The rows stay when the client goes.
CREATE TABLE packages (
  id             INTEGER PRIMARY KEY,
  pid            BLOB    NOT NULL UNIQUE CHECK (length(pid) = 16),
  cid            BLOB    NOT NULL CHECK (length(cid) = 16),
  request        BLOB    CHECK (length(request) = 16),      -- that it answers; NULL: none was named
  purpose        TEXT    NOT NULL,                          -- that was stated, for each part too
  representative INTEGER NOT NULL,                          -- 1: for who asks in the client's name
  names_staff    INTEGER NOT NULL,                          -- 1: entries of the log as they are
  prepared       INTEGER NOT NULL,
  prepared_by    BLOB    NOT NULL CHECK (length(prepared_by) = 16),
  seq            INTEGER NOT NULL,                          -- of the entry about that
  expires        INTEGER NOT NULL,
  revoked        INTEGER,
  revoked_by     BLOB    CHECK (length(revoked_by) = 16),
  handed_out     INTEGER,                                   -- when the first part was
  handed_out_by  BLOB    CHECK (length(handed_out_by) = 16),
  digest         BLOB    CHECK (length(digest) = 32),       -- SHA-256 of the key it goes on with
  log_size       INTEGER,                                   -- entries of the log that it tells of
  completed      INTEGER                                    -- when the last part was
) STRICT;
CREATE INDEX packages_of ON packages (cid, id);
CREATE TABLE package_parts (
  package     INTEGER NOT NULL REFERENCES packages (id),
  part        INTEGER NOT NULL,          -- from 1
  made        INTEGER NOT NULL,
  seq         INTEGER NOT NULL,          -- of the entry about it, which has the SHA-256 too
  sha256      BLOB    NOT NULL CHECK (length(sha256) = 32),
  next_stage  INTEGER NOT NULL,          -- where the next part begins: 1 records, 2 log, 3 nowhere
  next_record INTEGER NOT NULL,
  next_number INTEGER NOT NULL,          -- a version of that record, or an entry of the log
  PRIMARY KEY (package, part)
) STRICT, WITHOUT ROWID;
