-- Roles have names; the numbers of the first version are those of built-in ones.
ALTER TABLE principals ADD COLUMN role_name TEXT NOT NULL DEFAULT '';
UPDATE principals SET role_name = CASE role
  WHEN 1 THEN 'administrator'
  WHEN 2 THEN 'security-officer'
  WHEN 3 THEN 'privacy-officer'
  WHEN 4 THEN 'case-worker'
  WHEN 5 THEN 'crm-service'
  WHEN 6 THEN 'auditor'
  ELSE '' END;
ALTER TABLE principals DROP COLUMN role;
ALTER TABLE principals RENAME COLUMN role_name TO role;

-- Roles that were made here. Every version is kept: the log names which one a decision went by.
CREATE TABLE roles (
  name       TEXT    NOT NULL,
  version    INTEGER NOT NULL,
  definition TEXT    NOT NULL,
  created    INTEGER NOT NULL,
  PRIMARY KEY (name, version)
) STRICT, WITHOUT ROWID;

-- Who works with whom.
CREATE TABLE assignments (
  client    INTEGER NOT NULL,
  principal BLOB    NOT NULL CHECK (length(principal) = 16),
  cid       BLOB    NOT NULL CHECK (length(cid) = 16),
  starts    INTEGER NOT NULL,
  ends      INTEGER NOT NULL,           -- 2^63-1: until it is taken away
  given_by  BLOB    NOT NULL CHECK (length(given_by) = 16),
  PRIMARY KEY (client, principal)
) STRICT, WITHOUT ROWID;

CREATE TABLE leases (
  lid       BLOB    PRIMARY KEY CHECK (length(lid) = 16),
  client    INTEGER NOT NULL,
  cid       BLOB    NOT NULL CHECK (length(cid) = 16),
  principal BLOB    NOT NULL CHECK (length(principal) = 16),
  class     TEXT    NOT NULL,
  fields    TEXT    NOT NULL,           -- sorted, separated by single spaces
  purpose   TEXT    NOT NULL,
  ticket    TEXT    NOT NULL,
  created   INTEGER NOT NULL,
  expires   INTEGER NOT NULL,           -- also when it was ended before its time
  given_by  BLOB    NOT NULL CHECK (length(given_by) = 16)
) STRICT, WITHOUT ROWID;

CREATE INDEX leases_by_client ON leases (client);
