-- The texts that people are asked to consent to: versions, each in one or more languages, which stay
-- as they were stored.
CREATE TABLE consent_texts (
  name        TEXT    NOT NULL,
  version     INTEGER NOT NULL,
  minimum_age INTEGER,                                   -- in years; NULL: it asks for no age
  shown_since INTEGER NOT NULL,
  created     INTEGER NOT NULL,
  put_by      BLOB    NOT NULL CHECK (length(put_by) = 16),
  PRIMARY KEY (name, version)
) STRICT;
CREATE TABLE consent_wordings (
  name        TEXT    NOT NULL,
  version     INTEGER NOT NULL,
  language    TEXT    NOT NULL,
  sha256      BLOB    NOT NULL CHECK (length(sha256) = 32),
  wording     TEXT    NOT NULL,
  PRIMARY KEY (name, version, language)
) STRICT;

-- What clients consented to, withdrawn ones too. They go with their client.
CREATE TABLE consents (
  client          INTEGER NOT NULL,
  consent         BLOB    NOT NULL CHECK (length(consent) = 16),
  cid             BLOB    NOT NULL CHECK (length(cid) = 16),
  purpose         TEXT    NOT NULL,
  text            TEXT    NOT NULL,
  text_version    INTEGER NOT NULL,
  language        TEXT    NOT NULL,
  sha256          BLOB    NOT NULL CHECK (length(sha256) = 32),  -- of the wording that was shown
  given           INTEGER NOT NULL,
  channel         TEXT    NOT NULL,
  by_client       INTEGER NOT NULL,                      -- 0: somebody in its name
  expires         INTEGER,                               -- NULL: never
  recorded        INTEGER NOT NULL,
  recorded_by     BLOB    NOT NULL CHECK (length(recorded_by) = 16),
  seq             INTEGER NOT NULL,                      -- of its entry in the log
  details         BLOB    NOT NULL,                      -- sealed; empty: the key was gone before
  withdrawn       INTEGER,                               -- NULL: it was not
  withdrawn_how   TEXT,                                  -- the channel; NULL: not said
  withdrawn_by    BLOB    CHECK (length(withdrawn_by) = 16),     -- who recorded it
  withdrawn_seq   INTEGER,
  PRIMARY KEY (client, consent)
) STRICT, WITHOUT ROWID;
-- What a start reads of the purposes that ask for consent: nothing else of their rows.
CREATE INDEX consents_standing ON consents (purpose, client, expires) WHERE withdrawn IS NULL;
