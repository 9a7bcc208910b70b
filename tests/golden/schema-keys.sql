CREATE TABLE "client_keys" (
  id         INTEGER PRIMARY KEY,
  client     INTEGER NOT NULL,          -- row id of the client in vault.db
  generation INTEGER NOT NULL,          -- clients.generation says which one holds
  cid        BLOB    NOT NULL CHECK (length(cid) = 16),
  wrapped    BLOB    NOT NULL,
  UNIQUE (client, generation)
) STRICT;
CREATE TABLE index_keys (
  generation INTEGER PRIMARY KEY,
  wrapped    BLOB    NOT NULL
) STRICT;
CREATE TABLE schema_migrations (name TEXT PRIMARY KEY, sha256 TEXT NOT NULL) STRICT, WITHOUT ROWID;
