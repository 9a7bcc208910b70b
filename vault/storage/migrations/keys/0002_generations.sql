-- A client whose records were erased in part has a new key, and for a moment two. Rows have ids of
-- their own: the rewriting of keys.db follows changes by them.
CREATE TABLE client_keys_by_generation (
  id         INTEGER PRIMARY KEY,
  client     INTEGER NOT NULL,          -- row id of the client in vault.db
  generation INTEGER NOT NULL,          -- clients.generation says which one holds
  cid        BLOB    NOT NULL CHECK (length(cid) = 16),
  wrapped    BLOB    NOT NULL,
  UNIQUE (client, generation)
) STRICT;
INSERT INTO client_keys_by_generation (client, generation, cid, wrapped)
  SELECT client, 0, cid, wrapped FROM client_keys ORDER BY client;
DROP TABLE client_keys;
ALTER TABLE client_keys_by_generation RENAME TO client_keys;
