-- The token that this one was issued in the place of: revoked with it.
ALTER TABLE tokens ADD COLUMN parent BLOB;

-- Of one requester, what is open or ended without having been used; and what is old enough to go.
CREATE INDEX approvals_unused ON approvals (requester) WHERE executed IS NULL;
CREATE INDEX approvals_executed ON approvals (executed) WHERE executed IS NOT NULL;
CREATE INDEX leases_by_end ON leases (expires);
CREATE INDEX emergencies_reviewed ON emergencies (reviewed) WHERE reviewed IS NOT NULL;
