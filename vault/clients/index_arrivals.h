// What the search index has got and has not sorted yet. A new token belongs on a page of its own of
// the sorted tables, which a store would have to write, encrypted, twice. Instead it is appended
// here, where a page has a hundred, in the store's own transaction; what is here is found in
// memory, in an exact picture that an operation's failure takes back and a start reads anew. In the
// background runs of them are merged into the sorted tables in the order of the tokens, so that
// those for one page are written together.
//
// While a run is merged its tokens are in both places, and so they are after a crash: whoever finds
// them takes either, whoever removes them removes both. Engine thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "crypto/blind_index.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {

using crypto::BlindToken;

// The sorted tables, by the parity of the generation; numbers are stored.
enum class IndexPlace : std::uint8_t { kTokens = 0, kReferences = 2 };
inline constexpr std::uint8_t PlaceOf(IndexPlace place, std::uint64_t generation) {
  return static_cast<std::uint8_t>(static_cast<std::uint8_t>(place) + generation % 2);
}

struct Arrival {
  std::uint8_t place = 0;
  BlindToken token{};
  std::int64_t owner = 0;  // the record, or the client
  std::int64_t id = 0;     // in the order of arrival

  // By what it says: one of a kind.
  friend bool operator<(const Arrival& a, const Arrival& b) {
    if (a.place != b.place) return a.place < b.place;
    const int order = std::memcmp(a.token.data(), b.token.data(), a.token.size());
    return order != 0 ? order < 0 : a.owner < b.owner;
  }
};

class IndexArrivals {
 public:
  IndexArrivals();
  IndexArrivals(IndexArrivals&&) noexcept;
  IndexArrivals& operator=(IndexArrivals&&) noexcept;
  ~IndexArrivals();
  static Result<IndexArrivals> Open(Database& database);
  Status Load();

  std::size_t size() const;
  // Once: what is here already stays as it is.
  Status Put(std::uint8_t place, const BlindToken& token, std::int64_t owner);
  Status Remove(std::uint8_t place, const BlindToken& token, std::int64_t owner);
  // Of any of the owners. `place` of both generations.
  Status RemoveOwners(IndexPlace place, std::span<const std::int64_t> owners);
  // Some of a place; how many.
  Result<std::int64_t> RemoveSome(std::uint8_t place, std::int64_t most);
  // Owners after `after`, in order, at most `limit`.
  std::vector<std::int64_t> Find(std::uint8_t place, const BlindToken& token, std::int64_t after,
                                 std::size_t limit) const;

  // Of what there was when the run began (up to the id `last`), some that are next in the order of
  // place and token, behind `after`; where to go on, or nothing: that was all of it. Not more than
  // `most`, and it looks at no more than some times as many.
  struct RunPart {
    std::vector<Arrival> arrivals;
    std::optional<Arrival> after;
  };
  RunPart NextOfRun(std::int64_t last, const std::optional<Arrival>& after, std::size_t most) const;
  std::int64_t last_id() const { return last_id_; }
  // The oldest of a merged run. False: none is left of it.
  Result<bool> DropMerged(std::int64_t last, std::int64_t most);

  void EndOperation(bool succeeded);

 private:
  struct Picture;  // of the table

  Status Delete(const Arrival& arrival);

  std::unique_ptr<Picture> picture_;
  std::int64_t last_id_ = 0;
  std::int64_t last_id_before_ = 0;  // the running operation, which did this, to be undone
  std::vector<Arrival> added_, removed_;
  Statement read_, insert_, remove_, read_oldest_, drop_;
};

}  // namespace coffer::vault
