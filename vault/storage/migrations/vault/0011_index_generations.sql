-- The search index is made anew under another key now and then, beside the one in use: generations
-- with an even number stand in the tables there were, those with an odd one in these.
CREATE TABLE client_refs_odd (
  ref    BLOB    PRIMARY KEY,
  client INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE blind_index_odd (
  token  BLOB    NOT NULL CHECK (length(token) = 16),
  record INTEGER NOT NULL,
  PRIMARY KEY (token, record)
) STRICT, WITHOUT ROWID;

-- Generation 0 is under the key in the keyring; its rows had their tokens in clear.
CREATE TABLE index_state (
  id             INTEGER PRIMARY KEY CHECK (id = 1),
  live           INTEGER NOT NULL,      -- the generation that searches use
  next           INTEGER,               -- the one that is being built
  phase          INTEGER NOT NULL,      -- 0 none, 1 clients, 2 records, 3 old key goes, 4 old rows go
  position       INTEGER NOT NULL,      -- row of the last client or record that `next` has
  done           INTEGER NOT NULL,      -- how many of both
  rules          INTEGER NOT NULL,      -- of normalising, that `live` was made by; 0: see index_coverage
  begun          INTEGER,               -- when `next` was
  exchanged      INTEGER,               -- when `live` became it
  uncovered      INTEGER,               -- of the oldest deletion that `live` may still have in a copy
  uncovered_next INTEGER                -- the same of `next`
) STRICT;
INSERT INTO index_state (id, live, phase, position, done, rules) VALUES (1, 0, 0, 0, 0, 0);

-- Indexed fields whose index has every record of their class. Before rules 1 what it has follows from
-- the versions of the class.
CREATE TABLE index_coverage (
  class         TEXT    NOT NULL,
  field         TEXT    NOT NULL,
  normalisation INTEGER NOT NULL,
  live          INTEGER NOT NULL,
  next          INTEGER NOT NULL,
  PRIMARY KEY (class, field)
) STRICT, WITHOUT ROWID;

-- Free text about a client, under its key. NULL: as it was written before, in clear, or of a tag.
ALTER TABLE holds ADD COLUMN sealed BLOB;
