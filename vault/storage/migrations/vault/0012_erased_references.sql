-- Keyed token of the external reference that an erased client had, as long as its act is kept: so
-- that the next import does not bring the person back unasked. NULL: none, unknown, or purged.
ALTER TABLE erasures ADD COLUMN ref_token BLOB CHECK (length(ref_token) = 16);
CREATE INDEX erasures_by_reference ON erasures (ref_token) WHERE ref_token IS NOT NULL;
