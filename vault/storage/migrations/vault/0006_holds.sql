-- What may not be deleted, and until when somebody looks at it again.
CREATE TABLE holds (
  id          INTEGER PRIMARY KEY,
  hid         BLOB    NOT NULL UNIQUE CHECK (length(hid) = 16),
  cid         BLOB    CHECK (length(cid) = 16),          -- NULL: of every client with the tag
  class       TEXT    NOT NULL,                          -- empty: the whole client
  tag         TEXT    NOT NULL,
  reason      TEXT    NOT NULL,
  case_number TEXT    NOT NULL,
  review_due  INTEGER NOT NULL,
  placed      INTEGER NOT NULL,
  placed_by   BLOB    NOT NULL CHECK (length(placed_by) = 16),
  lifted      INTEGER,
  lifted_by   BLOB    CHECK (length(lifted_by) = 16)
) STRICT;
CREATE INDEX holds_by_client ON holds (cid) WHERE cid IS NOT NULL;

-- What is stored only, but for the purposes named.
CREATE TABLE restrictions (
  client    INTEGER NOT NULL,
  class     TEXT    NOT NULL,                            -- empty: the whole client
  cid       BLOB    NOT NULL CHECK (length(cid) = 16),
  basis     TEXT    NOT NULL,
  purposes  TEXT    NOT NULL,                            -- sorted, separated by single spaces
  since     INTEGER NOT NULL,
  placed_by BLOB    NOT NULL CHECK (length(placed_by) = 16),
  PRIMARY KEY (client, class)
) STRICT, WITHOUT ROWID;
