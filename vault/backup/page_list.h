// A long file in a repository: its pages in packs, and lists that say which page is where. Pages
// that are as they were in an earlier generation are not stored again: SQLCipher leaves the
// ciphertext of an unchanged page unchanged.
//
//   list    "coffer-page-list-v1\n", then the hash of each part
//   part    "coffer-page-part-v1\n" for up to 16,384 pages: u16 packs, the hash of each; then for
//           each page u16 pack, u16 place in it, SHA-256 of the page. Big-endian
//   pack    up to 1,024 pages of 4,096 bytes, one behind the other; the last of a file may be
//   shorter
//
// No pack is named by two parts of one list.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "vault/backup/repository.h"

namespace coffer::vault {

struct PageFigures {
  std::uint64_t pages = 0;         // of the file
  std::uint64_t pages_stored = 0;  // of them, new in the repository
  std::uint64_t bytes_stored = 0;  // lists included
};

// What is stored: `read` is given places that are multiples of a page, and room within the file.
struct PagedFile {
  std::uint64_t bytes = 0;
  std::function<Status(std::uint64_t at, std::span<std::uint8_t> out)> read;
};

// Stores what `earlier`, a list in the same repository, has not; a list that cannot be read stands
// for none. `go_on` is asked before each pack. Returns the list. Errors: those of `read`, `go_on`
// and Repository::Put.
Result<Hash> StorePages(const PagedFile& file, const Repository& repository,
                        const std::optional<Hash>& earlier, const std::function<Status()>& go_on,
                        PageFigures& figures);

// Hands out all pages of a list, in no order, each with its place in the file and checked against
// its hash, as long as they are in a file of `size` bytes. Errors: those of Repository::Get and
// `take`; kCorrupted "page_list_malformed", also where they are not that file, "page_wrong".
using TakePage = std::function<Status(std::uint64_t at, ByteView page)>;
Status ReadPages(const Repository& repository, const Hash& list, std::uint64_t size,
                 const TakePage& take);

// Every object that the list needs, itself among them, and no part twice; nor what a part needs
// that is among `known`. Errors: those of Repository::Get and `each`; kCorrupted
// "page_list_malformed".
Status ForEachObject(const Repository& repository, const Hash& list, const std::set<Hash>& known,
                     const std::function<Status(const Hash&)>& each);

}  // namespace coffer::vault
