// SQLite's own page cache, without one trap in it.
//
// When a B-tree page splits, SQLite swaps pages by way of the number of the page at 1 GiB, which no
// smaller database has. Its cache then believes that it holds such a page, and at the next commit
// looks at every page it holds to drop those past the end: with 40,000 pages, several milliseconds
// a commit, half of the engine's time under writes. Knowing what is really there, nothing is looked
// at when nothing is to be dropped.
#pragma once

namespace coffer::vault {

// Precondition: called once a process. After SQLite was used it changes nothing, and commits stay
// slower.
void InstallPageCache();

}  // namespace coffer::vault
