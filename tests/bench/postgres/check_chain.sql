-- Rows, and how many of them do not go on from the one before.
SELECT count(*), count(*) FILTER (WHERE n <> place OR hash <> sha256(before || convert_to(entry, 'UTF8')))
FROM (
  SELECT n, entry, hash, row_number() OVER (ORDER BY n) AS place,
    lag(hash, 1, '\x') OVER (ORDER BY n) AS before
  FROM chained_log
) AS chain;
