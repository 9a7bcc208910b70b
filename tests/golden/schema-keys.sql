CREATE TABLE client_keys (
  client  INTEGER PRIMARY KEY,          -- row id of the client in vault.db
  cid     BLOB    NOT NULL CHECK (length(cid) = 16),
  wrapped BLOB    NOT NULL
) STRICT;
CREATE TABLE schema_migrations (name TEXT PRIMARY KEY, sha256 TEXT NOT NULL) STRICT, WITHOUT ROWID;
