\set client random(1, :clients)
WITH fresh AS MATERIALIZED (
  SELECT gen_random_bytes(16) AS iv
), stored AS (
  INSERT INTO records (client, class, iv, data)
  SELECT :client, 'bench', iv, encrypt_iv(convert_to(:document, 'UTF8'), decode(:key, 'hex'), iv, 'aes')
  FROM fresh RETURNING id, client
), logged AS (
  INSERT INTO log (action, client, record) SELECT 'record.create', client, id FROM stored
)
SELECT id FROM stored;
