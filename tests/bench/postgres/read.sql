-- One statement, so one round trip: more would only slow PostgreSQL.
\set id random(1, :clients)
WITH found AS (
  SELECT id, client, convert_from(decrypt_iv(data, decode(:key, 'hex'), iv, 'aes'), 'UTF8') AS data
  FROM records WHERE client = :id AND id = :id
), logged AS (
  INSERT INTO log (action, client, record) SELECT 'record.read', client, id FROM found
)
SELECT data FROM found;
