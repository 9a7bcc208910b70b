-- Clients and records that are not what the log says of them: they are refused until they are again.
CREATE TABLE damaged (
  id     BLOB    PRIMARY KEY CHECK (length(id) = 16),
  found  INTEGER NOT NULL,
  reason TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
