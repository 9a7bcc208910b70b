-- Keys of the search index's generations. One that is destroyed has no row.
CREATE TABLE index_keys (
  generation INTEGER PRIMARY KEY,
  wrapped    BLOB    NOT NULL
) STRICT;
