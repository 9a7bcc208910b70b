\set id random(1, :clients)
WITH found AS (
  SELECT id, client, convert_from(decrypt_iv(data, decode(:key, 'hex'), iv, 'aes'), 'UTF8') AS data
  FROM records WHERE client = :id AND id = :id
), entry AS MATERIALIZED (
  SELECT concat_ws('|', now(), 'crm-service', 'record.read', client, id, 'client-care', gen_random_uuid()) AS text
  FROM found
), head AS (
  UPDATE chain_head SET n = n + 1, hash = sha256(hash || convert_to(entry.text, 'UTF8'))
  FROM entry RETURNING n, entry.text, hash
), logged AS (
  INSERT INTO chained_log SELECT n, text, hash FROM head
)
SELECT data FROM found;
