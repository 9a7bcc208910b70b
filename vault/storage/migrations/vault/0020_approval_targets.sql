-- The version of the role, class or schedule that an approval is to replace, as it was when it was
-- asked for; 0: there was none. Null: it replaces none of these, or was asked for before.
ALTER TABLE approvals ADD COLUMN target_version INTEGER;
