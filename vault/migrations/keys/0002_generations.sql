-- A client whose records were erased in part has a new key, and for a moment two.
CREATE TABLE client_keys_by_generation (
  client     INTEGER NOT NULL,          -- row id of the client in vault.db
  generation INTEGER NOT NULL,          -- clients.generation says which one holds
  cid        BLOB    NOT NULL CHECK (length(cid) = 16),
  wrapped    BLOB    NOT NULL,
  PRIMARY KEY (client, generation)
) STRICT, WITHOUT ROWID;
INSERT INTO client_keys_by_generation (client, generation, cid, wrapped)
  SELECT client, 0, cid, wrapped FROM client_keys;
DROP TABLE client_keys;
ALTER TABLE client_keys_by_generation RENAME TO client_keys;
