-- What is objected to may be all purposes of a legal basis, and what was lifted stays, with who did it.
ALTER TABLE client_restrictions ADD COLUMN legal_bases TEXT;                      -- as purposes; NULL: none
ALTER TABLE client_restrictions ADD COLUMN lifted      INTEGER;                   -- NULL: in force
ALTER TABLE client_restrictions ADD COLUMN lifted_by   BLOB CHECK (length(lifted_by) = 16);
ALTER TABLE client_restrictions ADD COLUMN lifted_seq  INTEGER;                   -- of its entry in the log
