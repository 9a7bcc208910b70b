-- What the vault cannot know of the processing, as it was said: versions, which stay as they are.
CREATE TABLE processing_documents (
  version    INTEGER PRIMARY KEY,
  definition TEXT    NOT NULL,                              -- canonical JSON
  sha256     BLOB    NOT NULL CHECK (length(sha256) = 32),  -- of it
  created    INTEGER NOT NULL,
  put_by     BLOB    NOT NULL CHECK (length(put_by) = 16),
  seq        INTEGER NOT NULL                               -- of its entry in the log
) STRICT;
-- The register of processing, whole, as it was published.
CREATE TABLE processing_versions (
  version      INTEGER PRIMARY KEY,
  register     TEXT    NOT NULL,                              -- JSON
  sha256       BLOB    NOT NULL CHECK (length(sha256) = 32),  -- of it
  form         TEXT    NOT NULL,                              -- gdpr, ru-152fz, pipl
  missing      INTEGER NOT NULL,                              -- how many things; 0: complete
  published    INTEGER NOT NULL,
  published_by BLOB    NOT NULL CHECK (length(published_by) = 16),
  seq          INTEGER NOT NULL                               -- of its entry in the log
) STRICT;
CREATE TRIGGER processing_documents_stay BEFORE UPDATE ON processing_documents
BEGIN SELECT RAISE(ABORT, 'a document of the processing is kept as it is'); END;
CREATE TRIGGER processing_documents_remain BEFORE DELETE ON processing_documents
BEGIN SELECT RAISE(ABORT, 'a document of the processing is kept'); END;
CREATE TRIGGER processing_versions_stay BEFORE UPDATE ON processing_versions
BEGIN SELECT RAISE(ABORT, 'a published register is kept as it is'); END;
CREATE TRIGGER processing_versions_remain BEFORE DELETE ON processing_versions
BEGIN SELECT RAISE(ABORT, 'a published register is kept'); END;

-- Notices: what clients are told of a change. Steps are added, and none is altered or removed.
CREATE TABLE notices (
  id        INTEGER PRIMARY KEY,
  nid       BLOB    NOT NULL UNIQUE CHECK (length(nid) = 16),
  effective INTEGER NOT NULL,
  told      INTEGER NOT NULL,           -- clients, ever
  steps     INTEGER NOT NULL,           -- how many there are
  closed    INTEGER                     -- NULL: open
) STRICT;
CREATE INDEX notices_open ON notices (effective) WHERE closed IS NULL;
CREATE TABLE notice_steps (
  notice   INTEGER NOT NULL REFERENCES notices (id),
  number   INTEGER NOT NULL,            -- from 0
  step     TEXT    NOT NULL,            -- created, told, closed
  at       INTEGER NOT NULL,
  said_by  BLOB    NOT NULL CHECK (length(said_by) = 16),
  seq      INTEGER NOT NULL,            -- of its entry in the log
  document TEXT    NOT NULL,            -- JSON: what was said
  PRIMARY KEY (notice, number)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER notice_steps_stay BEFORE UPDATE ON notice_steps
BEGIN SELECT RAISE(ABORT, 'what was said of a notice is kept as it is'); END;
CREATE TRIGGER notice_steps_remain BEFORE DELETE ON notice_steps
BEGIN SELECT RAISE(ABORT, 'what was said of a notice is kept'); END;
-- Which clients were told, and in which step. They go with their client.
CREATE TABLE notice_tellings (
  notice INTEGER NOT NULL,
  client INTEGER NOT NULL,
  step   INTEGER NOT NULL,
  PRIMARY KEY (notice, client)
) STRICT, WITHOUT ROWID;
CREATE INDEX notice_tellings_of ON notice_tellings (client);
-- Whose consents to a text stand.
CREATE INDEX consents_to_text ON consents (text, client, expires) WHERE withdrawn IS NULL;
