CREATE TABLE acts_to_settle (
  id     INTEGER PRIMARY KEY,
  client BLOB    NOT NULL CHECK (length(client) = 16),
  act    TEXT    NOT NULL,
  class  TEXT    NOT NULL,
  seq    INTEGER NOT NULL,
  at     INTEGER NOT NULL
) STRICT;
CREATE INDEX acts_to_settle_of ON acts_to_settle (client);
CREATE TABLE approvals (
  aid       BLOB    PRIMARY KEY CHECK (length(aid) = 16),
  action    TEXT    NOT NULL,
  target    TEXT    NOT NULL,
  content   TEXT    NOT NULL,           -- canonical JSON of what will be done
  hash      BLOB    NOT NULL CHECK (length(hash) = 32),
  requester BLOB    NOT NULL,
  created   INTEGER NOT NULL,
  expires   INTEGER NOT NULL,
  decider   BLOB,
  decided   INTEGER,
  approved  INTEGER NOT NULL,
  executed  INTEGER
, ended INTEGER, ended_by BLOB, ended_why INTEGER, target_version INTEGER, asked_seq INTEGER) STRICT, WITHOUT ROWID;
CREATE INDEX approvals_executed ON approvals (executed) WHERE executed IS NOT NULL;
CREATE INDEX approvals_unused ON approvals (requester) WHERE executed IS NULL;
CREATE TABLE assignments (
  client    INTEGER NOT NULL,
  principal BLOB    NOT NULL CHECK (length(principal) = 16),
  cid       BLOB    NOT NULL CHECK (length(cid) = 16),
  starts    INTEGER NOT NULL,
  ends      INTEGER NOT NULL,           -- 2^63-1: until it is taken away
  given_by  BLOB    NOT NULL CHECK (length(given_by) = 16),
  PRIMARY KEY (client, principal)
) STRICT, WITHOUT ROWID;
CREATE INDEX assignments_of ON assignments(principal, client);
CREATE TABLE blind_index (
  token  BLOB    NOT NULL CHECK (length(token) = 16),
  record INTEGER NOT NULL,
  PRIMARY KEY (token, record)
) STRICT, WITHOUT ROWID;
CREATE TABLE blind_index_odd (
  token  BLOB    NOT NULL CHECK (length(token) = 16),
  record INTEGER NOT NULL,
  PRIMARY KEY (token, record)
) STRICT, WITHOUT ROWID;
CREATE TABLE breach_events (
  breach   INTEGER NOT NULL REFERENCES breaches (id),
  number   INTEGER NOT NULL,            -- from 0
  step     TEXT    NOT NULL,            -- opened, noted, scoped, notified, closed
  at       INTEGER NOT NULL,
  said_by  BLOB    NOT NULL CHECK (length(said_by) = 16),
  seq      INTEGER NOT NULL,            -- of its entry in the log
  document TEXT    NOT NULL,            -- JSON: what was said
  PRIMARY KEY (breach, number)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER breach_events_remain BEFORE DELETE ON breach_events
BEGIN SELECT RAISE(ABORT, 'what was said of a breach is kept'); END;
CREATE TRIGGER breach_events_stay BEFORE UPDATE ON breach_events
BEGIN SELECT RAISE(ABORT, 'what was said of a breach is kept as it is'); END;
CREATE TABLE breaches (
  id  INTEGER PRIMARY KEY,
  bid BLOB NOT NULL UNIQUE CHECK (length(bid) = 16)
) STRICT;
CREATE TRIGGER breaches_remain BEFORE DELETE ON breaches
BEGIN SELECT RAISE(ABORT, 'a breach is kept'); END;
CREATE TRIGGER breaches_stay BEFORE UPDATE ON breaches
BEGIN SELECT RAISE(ABORT, 'a breach is kept as it is'); END;
CREATE TABLE class_sets (
  id      INTEGER PRIMARY KEY,
  classes TEXT NOT NULL UNIQUE          -- names in their order, with spaces between
) STRICT;
CREATE TABLE classes (
  name       TEXT    NOT NULL,
  version    INTEGER NOT NULL,
  definition TEXT    NOT NULL,
  created    INTEGER NOT NULL,
  PRIMARY KEY (name, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE client_refs (
  ref    BLOB    PRIMARY KEY,
  client INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE client_refs_odd (
  ref    BLOB    PRIMARY KEY,
  client INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE client_restrictions (
  client    INTEGER NOT NULL,
  rid       BLOB    NOT NULL CHECK (length(rid) = 16),
  cid       BLOB    NOT NULL CHECK (length(cid) = 16),
  class     TEXT    NOT NULL,                            -- empty: the whole client
  basis     BLOB    NOT NULL,                            -- sealed; empty: the key was gone before
  all_but   INTEGER NOT NULL,                            -- 0: those named are stopped; else all others
  purposes  TEXT    NOT NULL,                            -- sorted, separated by single spaces
  since     INTEGER NOT NULL,
  placed_by BLOB    CHECK (length(placed_by) = 16), legal_bases TEXT, lifted      INTEGER, lifted_by   BLOB CHECK (length(lifted_by) = 16), lifted_seq  INTEGER,      -- NULL: the vault, by the schedule
  PRIMARY KEY (client, rid)
) STRICT, WITHOUT ROWID;
CREATE TABLE client_tags (
  tag    TEXT    NOT NULL,
  client INTEGER NOT NULL,
  PRIMARY KEY (tag, client)
) STRICT, WITHOUT ROWID;
CREATE TABLE clients (
  id      INTEGER PRIMARY KEY,
  cid     BLOB    NOT NULL CHECK (length(cid) = 16),
  state   INTEGER NOT NULL,
  version INTEGER NOT NULL,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  tags    TEXT    NOT NULL,             -- sorted, separated by single spaces
  profile BLOB    NOT NULL,             -- sealed under the client's key: the external reference
  ref     BLOB                          -- blind token of the external reference
, generation INTEGER NOT NULL DEFAULT 0, sealed_since INTEGER NOT NULL DEFAULT 0, relationship_end INTEGER) STRICT;
CREATE INDEX clients_ended ON clients (id, relationship_end, tags) WHERE relationship_end IS NOT NULL;
CREATE TABLE committed_state (
  id   INTEGER PRIMARY KEY CHECK (id = 1),
  size INTEGER NOT NULL,
  seq  INTEGER NOT NULL,
  sums BLOB    NOT NULL                 -- one of each table, so that a difference has a name
) STRICT;
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
CREATE INDEX consents_standing ON consents (purpose, client, expires) WHERE withdrawn IS NULL;
CREATE INDEX consents_to_text ON consents (text, client, expires) WHERE withdrawn IS NULL;
CREATE TABLE damaged (
  id     BLOB    PRIMARY KEY CHECK (length(id) = 16),
  found  INTEGER NOT NULL,
  reason TEXT    NOT NULL
, client TEXT NOT NULL DEFAULT '', record TEXT NOT NULL DEFAULT '') STRICT, WITHOUT ROWID;
CREATE TABLE disclosure_clients (
  client     BLOB    NOT NULL CHECK (length(client) = 16),
  disclosure INTEGER NOT NULL REFERENCES disclosures (id),
  classes    INTEGER NOT NULL REFERENCES class_sets (id),
  seq        INTEGER NOT NULL,          -- of the entry that shows it
  PRIMARY KEY (client, disclosure)
) STRICT, WITHOUT ROWID;
CREATE INDEX disclosure_clients_of ON disclosure_clients (disclosure, client);
CREATE TRIGGER disclosure_clients_remain BEFORE DELETE ON disclosure_clients
BEGIN SELECT RAISE(ABORT, 'who was disclosed is kept'); END;
CREATE TABLE disclosures (
  id          INTEGER PRIMARY KEY,
  did         BLOB    NOT NULL UNIQUE CHECK (length(did) = 16),
  recipient   INTEGER NOT NULL REFERENCES recipients (id),
  source      TEXT    NOT NULL,         -- export, package, hand
  given       INTEGER NOT NULL,
  basis       TEXT    NOT NULL,
  purpose     TEXT    NOT NULL,
  channel     TEXT    NOT NULL,
  reference   TEXT    NOT NULL,
  recorded    INTEGER NOT NULL,
  recorded_by BLOB    NOT NULL CHECK (length(recorded_by) = 16),
  seq         INTEGER NOT NULL,         -- of the entry that began it
  run         BLOB,                     -- of an export, by which its pages find it
  clients     INTEGER NOT NULL
) STRICT;
CREATE INDEX disclosures_of ON disclosures (recipient, id);
CREATE TRIGGER disclosures_remain BEFORE DELETE ON disclosures
BEGIN SELECT RAISE(ABORT, 'a disclosure is kept'); END;
CREATE INDEX disclosures_run ON disclosures (run, id) WHERE run IS NOT NULL;
CREATE TRIGGER disclosures_stay BEFORE UPDATE OF id, did, recipient, source, given, basis, purpose,
  channel, reference, recorded, recorded_by, seq, run ON disclosures
BEGIN SELECT RAISE(ABORT, 'a disclosure is kept as it is'); END;
CREATE TABLE emergencies (
  eid      BLOB    PRIMARY KEY CHECK (length(eid) = 16),
  client   INTEGER NOT NULL,
  cid      BLOB    NOT NULL CHECK (length(cid) = 16),
  pid      BLOB    NOT NULL CHECK (length(pid) = 16),
  purpose  TEXT    NOT NULL,
  ticket   TEXT    NOT NULL,
  created  INTEGER NOT NULL,
  expires  INTEGER NOT NULL,
  due      INTEGER NOT NULL,            -- of the review
  reviewer BLOB,
  reviewed INTEGER,
  finding  TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX emergencies_reviewed ON emergencies (reviewed) WHERE reviewed IS NOT NULL;
CREATE INDEX emergencies_unreviewed ON emergencies (due) WHERE reviewed IS NULL;
CREATE TABLE "erasures" (
  id         INTEGER PRIMARY KEY,
  eid        BLOB    NOT NULL UNIQUE CHECK (length(eid) = 16),
  cid        BLOB    NOT NULL CHECK (length(cid) = 16),
  scope      INTEGER NOT NULL,
  basis      INTEGER NOT NULL,
  class      TEXT    NOT NULL,          -- of scope "class", else empty
  erased     INTEGER NOT NULL,
  seq        INTEGER NOT NULL,
  records    INTEGER NOT NULL,
  versions   INTEGER NOT NULL,
  generation INTEGER NOT NULL,          -- of the key that was destroyed
  state      INTEGER NOT NULL,          -- 0 committed, 1 key destroyed and in the ledger, 2 complete
  ledger     INTEGER,                   -- number of its first line in the ledger
  rids       BLOB    NOT NULL,          -- of scope "records": 16 bytes each
  facts      TEXT,                      -- what the act will say; NULL: none, or purged
  act        TEXT                       -- the signed act, from when it was first asked for
, ref_token BLOB CHECK (length(ref_token) = 16)) STRICT;
CREATE INDEX erasures_by_client ON erasures (cid);
CREATE INDEX erasures_by_reference ON erasures (ref_token) WHERE ref_token IS NOT NULL;
CREATE INDEX erasures_unfinished ON erasures (state) WHERE state < 2;
CREATE TABLE holds (
  id          INTEGER PRIMARY KEY,
  hid         BLOB    NOT NULL UNIQUE CHECK (length(hid) = 16),
  cid         BLOB    CHECK (length(cid) = 16),          -- NULL: of every client with the tag
  class       TEXT    NOT NULL,                          -- empty: the whole client
  tag         TEXT    NOT NULL,
  reason      TEXT    NOT NULL,
  case_number TEXT    NOT NULL,
  review_due  INTEGER NOT NULL,
  placed      INTEGER NOT NULL,
  placed_by   BLOB    NOT NULL CHECK (length(placed_by) = 16),
  lifted      INTEGER,
  lifted_by   BLOB    CHECK (length(lifted_by) = 16)
, sealed BLOB) STRICT;
CREATE INDEX holds_by_client ON holds (cid) WHERE cid IS NOT NULL;
CREATE TABLE idempotency (
  id      INTEGER PRIMARY KEY,          -- in the order of time, for purging
  key     BLOB    NOT NULL UNIQUE,      -- keyed hash of principal, operation and key
  body    BLOB    NOT NULL,             -- keyed hash of the request's body
  object  BLOB    NOT NULL,             -- id of what was made
  client  INTEGER NOT NULL,
  created INTEGER NOT NULL
) STRICT;
CREATE INDEX idempotency_by_client ON idempotency (client);
CREATE TABLE index_arrivals (
  id    INTEGER PRIMARY KEY,
  place INTEGER NOT NULL CHECK (place BETWEEN 0 AND 3), -- 0 blind_index, 1 blind_index_odd,
                                                        -- 2 client_refs, 3 client_refs_odd
  token BLOB    NOT NULL CHECK (length(token) = 16),
  owner INTEGER NOT NULL                                -- the record, or the client
) STRICT;
CREATE TABLE index_coverage (
  class         TEXT    NOT NULL,
  field         TEXT    NOT NULL,
  normalisation INTEGER NOT NULL,
  live          INTEGER NOT NULL,
  next          INTEGER NOT NULL,
  PRIMARY KEY (class, field)
) STRICT, WITHOUT ROWID;
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
, conditions TEXT) STRICT, WITHOUT ROWID;
CREATE INDEX leases_by_client ON leases (client);
CREATE INDEX leases_by_end ON leases (expires);
CREATE TABLE log_checkpoint (
  id   INTEGER PRIMARY KEY CHECK (id = 1),
  note TEXT    NOT NULL                 -- the last signed checkpoint
) STRICT;
CREATE TABLE log_entries (
  seq   INTEGER PRIMARY KEY,
  entry BLOB    NOT NULL
) STRICT;
CREATE TABLE log_notes (
  client INTEGER NOT NULL,              -- 0: concerns no single client
  seq    INTEGER NOT NULL,
  note   BLOB    NOT NULL,              -- sealed: salt (32), then the text
  PRIMARY KEY (client, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE log_tiles (
  level  INTEGER NOT NULL,
  n      INTEGER NOT NULL,
  hashes BLOB    NOT NULL,
  PRIMARY KEY (level, n)
) STRICT;
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
CREATE TRIGGER notice_steps_remain BEFORE DELETE ON notice_steps
BEGIN SELECT RAISE(ABORT, 'what was said of a notice is kept'); END;
CREATE TRIGGER notice_steps_stay BEFORE UPDATE ON notice_steps
BEGIN SELECT RAISE(ABORT, 'what was said of a notice is kept as it is'); END;
CREATE TABLE notice_tellings (
  notice INTEGER NOT NULL,
  client INTEGER NOT NULL,
  step   INTEGER NOT NULL,
  PRIMARY KEY (notice, client)
) STRICT, WITHOUT ROWID;
CREATE INDEX notice_tellings_of ON notice_tellings (client);
CREATE TABLE notices (
  id        INTEGER PRIMARY KEY,
  nid       BLOB    NOT NULL UNIQUE CHECK (length(nid) = 16),
  effective INTEGER NOT NULL,
  told      INTEGER NOT NULL,           -- clients, ever
  steps     INTEGER NOT NULL,           -- how many there are
  closed    INTEGER                     -- NULL: open
) STRICT;
CREATE INDEX notices_open ON notices (effective) WHERE closed IS NULL;
CREATE TABLE package_parts (
  package     INTEGER NOT NULL REFERENCES packages (id),
  part        INTEGER NOT NULL,          -- from 1
  made        INTEGER NOT NULL,
  seq         INTEGER NOT NULL,          -- of the entry about it, which has the SHA-256 too
  sha256      BLOB    NOT NULL CHECK (length(sha256) = 32),
  next_stage  INTEGER NOT NULL,          -- where the next part begins: 1 records, 2 log, 3 nowhere
  next_record INTEGER NOT NULL,
  next_number INTEGER NOT NULL,          -- a version of that record, or an entry of the log
  PRIMARY KEY (package, part)
) STRICT, WITHOUT ROWID;
CREATE TABLE packages (
  id             INTEGER PRIMARY KEY,
  pid            BLOB    NOT NULL UNIQUE CHECK (length(pid) = 16),
  cid            BLOB    NOT NULL CHECK (length(cid) = 16),
  request        BLOB    CHECK (length(request) = 16),      -- that it answers; NULL: none was named
  purpose        TEXT    NOT NULL,                          -- that was stated, for each part too
  representative INTEGER NOT NULL,                          -- 1: for who asks in the client's name
  names_staff    INTEGER NOT NULL,                          -- 1: entries of the log as they are
  prepared       INTEGER NOT NULL,
  prepared_by    BLOB    NOT NULL CHECK (length(prepared_by) = 16),
  seq            INTEGER NOT NULL,                          -- of the entry about that
  expires        INTEGER NOT NULL,
  revoked        INTEGER,
  revoked_by     BLOB    CHECK (length(revoked_by) = 16),
  handed_out     INTEGER,                                   -- when the first part was
  handed_out_by  BLOB    CHECK (length(handed_out_by) = 16),
  digest         BLOB    CHECK (length(digest) = 32),       -- SHA-256 of the key it goes on with
  log_size       INTEGER,                                   -- entries of the log that it tells of
  completed      INTEGER                                    -- when the last part was
) STRICT;
CREATE INDEX packages_of ON packages (cid, id);
CREATE TABLE principals (
  pid     BLOB    PRIMARY KEY CHECK (length(pid) = 16),
  kind    INTEGER NOT NULL,
  name    TEXT    NOT NULL,
  created INTEGER NOT NULL
, role TEXT NOT NULL DEFAULT '', login TEXT, disabled INTEGER, owner BLOB, certificates TEXT NOT NULL DEFAULT '') STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX principals_by_login ON principals (login) WHERE login IS NOT NULL;
CREATE TABLE processing_documents (
  version    INTEGER PRIMARY KEY,
  definition TEXT    NOT NULL,                              -- canonical JSON
  sha256     BLOB    NOT NULL CHECK (length(sha256) = 32),  -- of it
  created    INTEGER NOT NULL,
  put_by     BLOB    NOT NULL CHECK (length(put_by) = 16),
  seq        INTEGER NOT NULL                               -- of its entry in the log
) STRICT;
CREATE TRIGGER processing_documents_remain BEFORE DELETE ON processing_documents
BEGIN SELECT RAISE(ABORT, 'a document of the processing is kept'); END;
CREATE TRIGGER processing_documents_stay BEFORE UPDATE ON processing_documents
BEGIN SELECT RAISE(ABORT, 'a document of the processing is kept as it is'); END;
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
CREATE TRIGGER processing_versions_remain BEFORE DELETE ON processing_versions
BEGIN SELECT RAISE(ABORT, 'a published register is kept'); END;
CREATE TRIGGER processing_versions_stay BEFORE UPDATE ON processing_versions
BEGIN SELECT RAISE(ABORT, 'a published register is kept as it is'); END;
CREATE TABLE protective_acts (
  id     INTEGER PRIMARY KEY,           -- in the order in which they were done
  aid    BLOB    NOT NULL UNIQUE CHECK (length(aid) = 16),
  kind   TEXT    NOT NULL,
  object TEXT    NOT NULL,
  cid    BLOB    CHECK (length(cid) = 16),
  seq    INTEGER NOT NULL,              -- of the entry in the log
  acted  INTEGER NOT NULL,
  sealed BLOB    NOT NULL               -- how to do it again; empty: there is no more to know
) STRICT;
CREATE INDEX protective_acts_by_object ON protective_acts (object, kind);
CREATE TABLE purposes (
  code       TEXT    PRIMARY KEY,
  definition TEXT    NOT NULL,
  updated    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE recipient_events (
  recipient INTEGER NOT NULL REFERENCES recipients (id),
  number    INTEGER NOT NULL,           -- from 0
  step      TEXT    NOT NULL,           -- created, changed, bound, unbound, ended
  at        INTEGER NOT NULL,
  said_by   BLOB    NOT NULL CHECK (length(said_by) = 16),
  seq       INTEGER NOT NULL,           -- of its entry in the log
  document  TEXT    NOT NULL,           -- JSON: what was said
  PRIMARY KEY (recipient, number)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER recipient_events_remain BEFORE DELETE ON recipient_events
BEGIN SELECT RAISE(ABORT, 'what was said of a recipient is kept'); END;
CREATE TRIGGER recipient_events_stay BEFORE UPDATE ON recipient_events
BEGIN SELECT RAISE(ABORT, 'what was said of a recipient is kept as it is'); END;
CREATE INDEX recipient_events_steps ON recipient_events (recipient, step, number);
CREATE TABLE recipient_principals (
  principal BLOB    NOT NULL CHECK (length(principal) = 16),
  since     INTEGER NOT NULL,           -- entries of the log
  until     INTEGER,
  recipient INTEGER NOT NULL REFERENCES recipients (id),
  PRIMARY KEY (principal, since)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX recipient_principals_bound ON recipient_principals (principal)
  WHERE until IS NULL;
CREATE INDEX recipient_principals_of ON recipient_principals (recipient);
CREATE TABLE recipients (
  id  INTEGER PRIMARY KEY,
  rid BLOB NOT NULL UNIQUE CHECK (length(rid) = 16)
) STRICT;
CREATE TRIGGER recipients_remain BEFORE DELETE ON recipients
BEGIN SELECT RAISE(ABORT, 'a recipient is kept'); END;
CREATE TRIGGER recipients_stay BEFORE UPDATE ON recipients
BEGIN SELECT RAISE(ABORT, 'a recipient is kept as it is'); END;
CREATE TABLE record_versions (
  record        INTEGER NOT NULL,
  version       INTEGER NOT NULL,
  class_version INTEGER NOT NULL,
  written       INTEGER NOT NULL,
  fields        INTEGER NOT NULL,
  payload       BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX record_versions_by_record ON record_versions (record, version);
CREATE TABLE records (
  id            INTEGER PRIMARY KEY,
  rid           BLOB    NOT NULL CHECK (length(rid) = 16),
  client        INTEGER NOT NULL,
  class         TEXT    NOT NULL,
  class_version INTEGER NOT NULL,
  version       INTEGER NOT NULL,
  created       INTEGER NOT NULL,
  updated       INTEGER NOT NULL,
  fields        INTEGER NOT NULL,       -- bit i: the class version's field i is present
  tokens        BLOB    NOT NULL,       -- the record's blind index tokens, 16 bytes each
  import_token  BLOB,                   -- blind token of an imported record's key
  payload       BLOB    NOT NULL        -- sealed under the client's key
, retention_day INTEGER, retention_rule INTEGER) STRICT;
CREATE INDEX records_by_client ON records (client, class, id, created, updated, retention_day,
                                           class_version, retention_rule);
CREATE TABLE regimes (
  name       TEXT    NOT NULL,
  version    INTEGER NOT NULL,
  definition TEXT    NOT NULL,
  created    INTEGER NOT NULL,
  PRIMARY KEY (name, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE request_steps (
  request INTEGER NOT NULL,
  number  INTEGER NOT NULL,
  kind    TEXT    NOT NULL,
  at      INTEGER NOT NULL,
  by      BLOB    CHECK (length(by) = 16),          -- NULL: the vault
  seq     INTEGER NOT NULL,                         -- of the log's entry
  article TEXT    NOT NULL,
  proofs  TEXT    NOT NULL,                         -- "4711 client.package 4712 client.erase"
  due     INTEGER,
  sealed  BLOB    NOT NULL,                         -- words; empty: none
  PRIMARY KEY (request, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE requests (
  id             INTEGER PRIMARY KEY,
  qid            BLOB    NOT NULL UNIQUE CHECK (length(qid) = 16),
  cid            BLOB    CHECK (length(cid) = 16),  -- NULL: not known yet; of one that is erased too
  kind           TEXT    NOT NULL,
  regime         TEXT    NOT NULL,
  regime_version INTEGER NOT NULL,
  channel        TEXT    NOT NULL,
  representative INTEGER NOT NULL,
  state          TEXT    NOT NULL,
  open           INTEGER NOT NULL,                  -- it waits for an answer
  received       INTEGER NOT NULL,
  registered     INTEGER NOT NULL,
  acknowledged   INTEGER,
  extended       INTEGER,
  decided        INTEGER,
  closed         INTEGER,
  seq            INTEGER NOT NULL,                  -- of the log's entry
  steps          INTEGER NOT NULL,
  next_due       INTEGER NOT NULL,                  -- 9223372036854775807: nothing is counted
  due            INTEGER,
  last_day       INTEGER NOT NULL
) STRICT;
CREATE INDEX requests_by_client ON requests (cid, id) WHERE cid IS NOT NULL;
CREATE INDEX requests_closed ON requests (regime, closed) WHERE closed IS NOT NULL;
CREATE INDEX requests_due ON requests (next_due, id) WHERE open;
CREATE TABLE "restrictions" (
  client    INTEGER NOT NULL,
  class     TEXT    NOT NULL,                            -- empty: the whole client
  cid       BLOB    NOT NULL CHECK (length(cid) = 16),
  basis     TEXT    NOT NULL,
  purposes  TEXT    NOT NULL,                            -- sorted, separated by single spaces
  since     INTEGER NOT NULL,
  placed_by BLOB    CHECK (length(placed_by) = 16),      -- NULL: the vault, by the schedule
  PRIMARY KEY (client, class)
) STRICT, WITHOUT ROWID;
CREATE TABLE retention_restrictions (
  client   INTEGER NOT NULL,
  class    TEXT    NOT NULL,
  schedule INTEGER NOT NULL,            -- the newest version that did
  PRIMARY KEY (client, class)
) STRICT, WITHOUT ROWID;
CREATE TABLE retention_reviews (
  record INTEGER NOT NULL,
  policy TEXT    NOT NULL,
  found  INTEGER NOT NULL, run INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (record, policy)
) STRICT, WITHOUT ROWID;
CREATE TABLE retention_runs (
  id        INTEGER PRIMARY KEY,
  rid       BLOB    NOT NULL UNIQUE CHECK (length(rid) = 16),
  schedule  INTEGER NOT NULL,
  state     INTEGER NOT NULL,           -- 0 running, 1 waiting for the clock, 2 finished, 3 failed
  demanded  INTEGER NOT NULL,           -- 1: by asked_by; 0: by the schedule
  asked_by  BLOB,
  started   INTEGER NOT NULL,
  finished  INTEGER,
  first_seq INTEGER NOT NULL,
  last_seq  INTEGER NOT NULL,
  position  INTEGER NOT NULL,           -- the last client that was gone through
  counts    TEXT    NOT NULL,           -- JSON, by class
  reason    TEXT    NOT NULL,           -- of a failure
  report    TEXT                        -- signed, from when it was first asked for
, report_version INTEGER NOT NULL DEFAULT 1, detail TEXT NOT NULL DEFAULT '', counted INTEGER NOT NULL DEFAULT 1) STRICT;
CREATE UNIQUE INDEX retention_runs_open ON retention_runs ((1)) WHERE state < 2;
CREATE TABLE retention_schedules (
  version    INTEGER PRIMARY KEY,
  definition TEXT    NOT NULL,
  created    INTEGER NOT NULL
, put_by BLOB CHECK (length(put_by) = 16), approved_by BLOB CHECK (length(approved_by) = 16)) STRICT;
CREATE TABLE reveals (
  pid   BLOB    NOT NULL,
  hour  INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (pid, hour)
) STRICT, WITHOUT ROWID;
CREATE TABLE roles (
  name       TEXT    NOT NULL,
  version    INTEGER NOT NULL,
  definition TEXT    NOT NULL,
  created    INTEGER NOT NULL,
  PRIMARY KEY (name, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE schema_migrations (name TEXT PRIMARY KEY, sha256 TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE settings (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE teams (
  tid     BLOB    PRIMARY KEY CHECK (length(tid) = 16),
  name    TEXT    NOT NULL UNIQUE,
  created INTEGER NOT NULL,
  members BLOB    NOT NULL              -- principal ids, 16 bytes each, sorted
) STRICT, WITHOUT ROWID;
CREATE TABLE tellings (
  id         INTEGER PRIMARY KEY,
  client     BLOB    NOT NULL CHECK (length(client) = 16),
  recipient  INTEGER NOT NULL REFERENCES recipients (id),
  act        TEXT    NOT NULL,          -- erased, rectified, restricted, withdrawn
  class      TEXT    NOT NULL,          -- empty: all of the client
  act_seq    INTEGER NOT NULL,          -- of its entry in the log
  act_at     INTEGER NOT NULL,
  told       INTEGER,
  told_by    BLOB,
  told_seq   INTEGER,
  channel    TEXT,
  reference  TEXT,
  not_told   TEXT,                      -- why nobody could be told: impossible, disproportionate
  UNIQUE (client, recipient, act_seq, class)
) STRICT;
CREATE INDEX tellings_open ON tellings (recipient, id) WHERE told_seq IS NULL;
CREATE TRIGGER tellings_remain BEFORE DELETE ON tellings
BEGIN SELECT RAISE(ABORT, 'what a recipient is to be told is kept'); END;
CREATE TRIGGER tellings_stay BEFORE UPDATE ON tellings WHEN OLD.told_seq IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'that a recipient was told is kept as it is'); END;
CREATE INDEX tellings_to_tell ON tellings (id) WHERE told_seq IS NULL;
CREATE TABLE tokens (
  tid       BLOB    PRIMARY KEY CHECK (length(tid) = 16),
  digest    BLOB    NOT NULL UNIQUE CHECK (length(digest) = 32),
  principal BLOB    NOT NULL REFERENCES principals (pid),
  created   INTEGER NOT NULL,
  expires   INTEGER NOT NULL,
  revoked   INTEGER                     -- when, or NULL
, name TEXT NOT NULL DEFAULT '', limits TEXT NOT NULL DEFAULT '{}', idle INTEGER NOT NULL DEFAULT 0, seen INTEGER NOT NULL DEFAULT 0, factor INTEGER, parent BLOB) STRICT, WITHOUT ROWID;
CREATE TABLE user_credentials (
  pid               BLOB    PRIMARY KEY CHECK (length(pid) = 16),
  password          TEXT,               -- Argon2id; NULL until enrolled
  totp              BLOB,               -- sealed secret; NULL: no second factor
  totp_step         INTEGER NOT NULL,   -- the last one used
  recovery          BLOB    NOT NULL,   -- keyed hashes of the recovery codes left, 32 bytes each
  enrolment         BLOB,               -- keyed hash of the one-time code
  enrolment_expires INTEGER NOT NULL,
  enrolment_totp    BLOB                -- sealed secret that is offered with the code
) STRICT, WITHOUT ROWID;
