-- By which version of its class a record's retention_day was read. NULL: by the one that it was
-- written with (class_version), as all days before this were.
ALTER TABLE records ADD COLUMN retention_rule INTEGER;
DROP INDEX records_by_client;
CREATE INDEX records_by_client ON records (client, class, id, created, updated, retention_day,
                                           class_version, retention_rule);

-- What a report says of a run beyond its counts. Runs from before this have reports of version 1.
ALTER TABLE retention_runs ADD COLUMN report_version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE retention_runs ADD COLUMN detail TEXT NOT NULL DEFAULT '';      -- of the reason
ALTER TABLE retention_runs ADD COLUMN counted INTEGER NOT NULL DEFAULT 1;   -- 0: not all that was due

-- The first entry of the run that found it last: what the next one does not find is no review any
-- more.
ALTER TABLE retention_reviews ADD COLUMN run INTEGER NOT NULL DEFAULT 0;
