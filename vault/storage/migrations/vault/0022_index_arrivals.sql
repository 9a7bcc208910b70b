-- What is new in the search index, in the order of its arrival, until it is merged into the tables
-- that are sorted by token: there each token is on a page of its own, here a page has a hundred.
CREATE TABLE index_arrivals (
  id    INTEGER PRIMARY KEY,
  place INTEGER NOT NULL CHECK (place BETWEEN 0 AND 3), -- 0 blind_index, 1 blind_index_odd,
                                                        -- 2 client_refs, 3 client_refs_odd
  token BLOB    NOT NULL CHECK (length(token) = 16),
  owner INTEGER NOT NULL                                -- the record, or the client
) STRICT;
