-- What an application keeps that encrypts its clients' records with pgcrypto and logs who read them.
-- All that favours PostgreSQL is taken: one key for everybody, AES-256 without a check of integrity,
-- ids of eight bytes, one index of the records, no other of the log than its numbers.
CREATE EXTENSION pgcrypto;

CREATE TABLE records (
  client bigint NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY,
  class text NOT NULL,
  iv bytea NOT NULL,
  data bytea NOT NULL,
  PRIMARY KEY (client, id)
);

CREATE TABLE log (
  n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  principal text NOT NULL DEFAULT 'crm-service',
  action text NOT NULL,
  client bigint NOT NULL,
  record bigint NOT NULL,
  purpose text NOT NULL DEFAULT 'client-care',
  request uuid NOT NULL DEFAULT gen_random_uuid()
);

-- The same, each row with the SHA-256 of the hash before it and of itself. What the next row goes on
-- from is one row, locked until the transaction is durable.
CREATE TABLE chained_log (
  n bigint PRIMARY KEY,
  entry text NOT NULL,
  hash bytea NOT NULL
);
CREATE TABLE chain_head (n bigint NOT NULL, hash bytea NOT NULL) WITH (fillfactor = 10);
INSERT INTO chain_head VALUES (0, '\x');

INSERT INTO records (client, class, iv, data)
SELECT i, 'bench', iv, encrypt_iv(convert_to(json_build_object(
    'email', 'user' || i || '@example.com', 'phone', '+' || (16661000000 + i),
    'text', repeat('The quick brown fox jumps over the lazy dog. ', 20))::text, 'UTF8'),
  decode(:'key', 'hex'), iv, 'aes')
FROM (SELECT i, gen_random_bytes(16) AS iv FROM generate_series(1, :clients) AS i OFFSET 0) AS made
ORDER BY i;

VACUUM ANALYZE;
CHECKPOINT;
