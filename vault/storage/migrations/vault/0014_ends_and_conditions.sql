-- An approval that was withdrawn, or that ended with the account of who asked or approved.
ALTER TABLE approvals ADD COLUMN ended INTEGER;      -- when, or NULL
ALTER TABLE approvals ADD COLUMN ended_by BLOB;      -- who withdrew it, or NULL
ALTER TABLE approvals ADD COLUMN ended_why INTEGER;  -- of ApprovalEnd, or NULL

-- What a lease asks for in the place of its holder's role, as canonical JSON; NULL: as the role does.
ALTER TABLE leases ADD COLUMN conditions TEXT;
