-- Each client's data key, wrapped under a client-KEK. A destroyed key has no row.
CREATE TABLE client_keys (
  client  INTEGER PRIMARY KEY,          -- row id of the client in vault.db
  cid     BLOB    NOT NULL CHECK (length(cid) = 16),
  wrapped BLOB    NOT NULL
) STRICT;
