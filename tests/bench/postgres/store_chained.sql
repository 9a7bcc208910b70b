\set client random(1, :clients)
WITH fresh AS MATERIALIZED (
  SELECT gen_random_bytes(16) AS iv
), stored AS (
  INSERT INTO records (client, class, iv, data)
  SELECT :client, 'bench', iv, encrypt_iv(convert_to(:document, 'UTF8'), decode(:key, 'hex'), iv, 'aes')
  FROM fresh RETURNING id, client
), entry AS MATERIALIZED (
  SELECT concat_ws('|', now(), 'crm-service', 'record.create', client, id, 'client-care', gen_random_uuid()) AS text
  FROM stored
), head AS (
  UPDATE chain_head SET n = n + 1, hash = sha256(hash || convert_to(entry.text, 'UTF8'))
  FROM entry RETURNING n, entry.text, hash
), logged AS (
  INSERT INTO chained_log SELECT n, text, hash FROM head
)
SELECT id FROM stored;
