-- The log's entry that asked for an approval, for what was said with it: its ticket and its reason.
-- Null: it was asked for before.
ALTER TABLE approvals ADD COLUMN asked_seq INTEGER;

-- The clients of one person.
CREATE INDEX assignments_of ON assignments(principal, client);
