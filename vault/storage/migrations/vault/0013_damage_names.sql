-- Of which client and record something is damaged, as the log has them: what has no entry of its own
-- can be named again when it is gone. Empty: found before this was kept.
ALTER TABLE damaged ADD COLUMN client TEXT NOT NULL DEFAULT '';
ALTER TABLE damaged ADD COLUMN record TEXT NOT NULL DEFAULT '';
