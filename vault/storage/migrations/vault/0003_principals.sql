-- Services and users. A user has a login name; a service may be known by certificates.
ALTER TABLE principals ADD COLUMN login TEXT;
ALTER TABLE principals ADD COLUMN disabled INTEGER;              -- when, or NULL
ALTER TABLE principals ADD COLUMN owner BLOB;                    -- the person who answers for it
ALTER TABLE principals ADD COLUMN certificates TEXT NOT NULL DEFAULT '';  -- separated by spaces
CREATE UNIQUE INDEX principals_by_login ON principals (login) WHERE login IS NOT NULL;

-- What a bearer shows: a service's token, or a user's session.
ALTER TABLE tokens ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE tokens ADD COLUMN limits TEXT NOT NULL DEFAULT '{}'; -- JSON; they only narrow the role
ALTER TABLE tokens ADD COLUMN idle INTEGER NOT NULL DEFAULT 0;   -- of a session, in ms; 0: a token
ALTER TABLE tokens ADD COLUMN seen INTEGER NOT NULL DEFAULT 0;   -- last request, within a minute
ALTER TABLE tokens ADD COLUMN factor INTEGER;                    -- last second factor, or NULL
UPDATE tokens SET name = (SELECT p.name FROM principals p WHERE p.pid = tokens.principal);

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

CREATE TABLE teams (
  tid     BLOB    PRIMARY KEY CHECK (length(tid) = 16),
  name    TEXT    NOT NULL UNIQUE,
  created INTEGER NOT NULL,
  members BLOB    NOT NULL              -- principal ids, 16 bytes each, sorted
) STRICT, WITHOUT ROWID;

-- Plain reveals in an hour (of the Unix epoch), of principals whose role has a budget.
CREATE TABLE reveals (
  pid   BLOB    NOT NULL,
  hour  INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (pid, hour)
) STRICT, WITHOUT ROWID;

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
) STRICT, WITHOUT ROWID;

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

CREATE INDEX emergencies_unreviewed ON emergencies (due) WHERE reviewed IS NULL;

-- Decided when the vault was made.
CREATE TABLE settings (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
