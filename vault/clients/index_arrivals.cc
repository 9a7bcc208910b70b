#include "vault/clients/index_arrivals.h"

#include <absl/container/btree_set.h>

#include <algorithm>
#include <limits>
#include <set>

namespace coffer::vault {
namespace {

constexpr std::string_view kReadArrivals =
    "SELECT id, place, token, owner FROM index_arrivals ORDER BY id";
constexpr std::string_view kInsertArrival =
    "INSERT INTO index_arrivals (id, place, token, owner) VALUES (?, ?, ?, ?)";
constexpr std::string_view kRemoveArrival = "DELETE FROM index_arrivals WHERE id = ?";
constexpr std::string_view kReadOldest =
    "SELECT id, place, token, owner FROM index_arrivals WHERE id <= ? ORDER BY id LIMIT ?";
constexpr std::string_view kDropArrivals = "DELETE FROM index_arrivals WHERE id <= ?";

constexpr std::uint8_t kPlaces = 4;
constexpr std::size_t kLooksAtOnce = 8;  // at what came after a run began, for each of the run

Result<Arrival> ReadArrival(const Cursor& row) {
  const std::int64_t place = row.Int(1);
  const ByteView token = row.Blob(2);
  Arrival arrival{.owner = row.Int(3), .id = row.Int(0)};
  if (place < 0 || place >= kPlaces || token.size() != arrival.token.size()) {
    return Fail(Code::kCorrupted, "storage_corrupted",
                "arrival " + std::to_string(arrival.id) + " of the search index");
  }
  arrival.place = static_cast<std::uint8_t>(place);
  std::ranges::copy(token, arrival.token.begin());
  return arrival;
}

}  // namespace

// Many small entries that come and go in no order: a tree with several in a node.
struct IndexArrivals::Picture {
  absl::btree_set<Arrival> arrivals;
};

IndexArrivals::IndexArrivals() : picture_(std::make_unique<Picture>()) {}
IndexArrivals::IndexArrivals(IndexArrivals&&) noexcept = default;
IndexArrivals& IndexArrivals::operator=(IndexArrivals&&) noexcept = default;
IndexArrivals::~IndexArrivals() = default;

std::size_t IndexArrivals::size() const { return picture_->arrivals.size(); }

Result<IndexArrivals> IndexArrivals::Open(Database& database) {
  IndexArrivals arrivals;
  COFFER_ASSIGN(arrivals.read_, Statement::Prepare(database, kReadArrivals));
  COFFER_ASSIGN(arrivals.insert_, Statement::Prepare(database, kInsertArrival));
  COFFER_ASSIGN(arrivals.remove_, Statement::Prepare(database, kRemoveArrival));
  COFFER_ASSIGN(arrivals.read_oldest_, Statement::Prepare(database, kReadOldest));
  COFFER_ASSIGN(arrivals.drop_, Statement::Prepare(database, kDropArrivals));
  return arrivals;
}

Status IndexArrivals::Load() {
  picture_->arrivals.clear();
  added_.clear();
  removed_.clear();
  last_id_ = last_id_before_ = 0;
  auto rows = read_.Query();
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return {};
    COFFER_ASSIGN(const Arrival arrival, ReadArrival(rows));
    picture_->arrivals.insert(arrival);
    last_id_ = last_id_before_ = arrival.id;
  }
}

Status IndexArrivals::Put(std::uint8_t place, const BlindToken& token, std::int64_t owner) {
  const Arrival arrival{place, token, owner, last_id_ + 1};
  auto& arrived = picture_->arrivals;
  const auto behind = arrived.lower_bound(arrival);
  if (behind != arrived.end() && !(arrival < *behind)) return {};
  COFFER_TRY(insert_.Execute(arrival.id, std::int64_t{place}, ByteView(token), owner));
  added_.push_back(arrival);
  arrived.insert(behind, arrival);
  last_id_ = arrival.id;
  return {};
}

// In the table only: the caller takes it out of the picture.
Status IndexArrivals::Delete(const Arrival& arrival) {
  COFFER_TRY(remove_.Execute(arrival.id));
  removed_.push_back(arrival);
  return {};
}

Status IndexArrivals::Remove(std::uint8_t place, const BlindToken& token, std::int64_t owner) {
  auto& arrived = picture_->arrivals;
  const auto found = arrived.find(Arrival{place, token, owner});
  if (found == arrived.end()) return {};
  COFFER_TRY(Delete(*found));
  arrived.erase(found);
  return {};
}

Status IndexArrivals::RemoveOwners(IndexPlace place, std::span<const std::int64_t> owners) {
  if (owners.empty()) return {};
  const std::set<std::int64_t> wanted(owners.begin(), owners.end());
  auto& arrived = picture_->arrivals;
  for (auto at = arrived.begin(); at != arrived.end();) {
    const bool of_place = at->place == PlaceOf(place, 0) || at->place == PlaceOf(place, 1);
    if (of_place && wanted.contains(at->owner)) {
      COFFER_TRY(Delete(*at));
      at = arrived.erase(at);
    } else {
      ++at;
    }
  }
  return {};
}

Result<std::int64_t> IndexArrivals::RemoveSome(std::uint8_t place, std::int64_t most) {
  std::int64_t removed = 0;
  auto& arrived = picture_->arrivals;
  auto at = arrived.lower_bound(
      Arrival{.place = place, .owner = std::numeric_limits<std::int64_t>::min()});
  for (; removed < most && at != arrived.end() && at->place == place; ++removed) {
    COFFER_TRY(Delete(*at));
    at = arrived.erase(at);
  }
  return removed;
}

std::vector<std::int64_t> IndexArrivals::Find(std::uint8_t place, const BlindToken& token,
                                              std::int64_t after, std::size_t limit) const {
  std::vector<std::int64_t> owners;
  const auto& arrived = picture_->arrivals;
  for (auto at = arrived.upper_bound(Arrival{place, token, after});
       at != arrived.end() && at->place == place && at->token == token && owners.size() < limit;
       ++at) {
    owners.push_back(at->owner);
  }
  return owners;
}

IndexArrivals::RunPart IndexArrivals::NextOfRun(std::int64_t last,
                                                const std::optional<Arrival>& after,
                                                std::size_t most) const {
  RunPart part;
  std::size_t looks = most * kLooksAtOnce;
  const auto& arrived = picture_->arrivals;
  for (auto at = after ? arrived.upper_bound(*after) : arrived.begin(); at != arrived.end(); ++at) {
    if (part.arrivals.size() == most || looks-- == 0) return part;
    part.after = *at;
    if (at->id <= last) part.arrivals.push_back(*at);
  }
  part.after.reset();
  return part;
}

Result<bool> IndexArrivals::DropMerged(std::int64_t last, std::int64_t most) {
  std::int64_t dropped = 0;  // up to this id
  {
    auto rows = read_oldest_.Query(last, most);
    for (;;) {
      COFFER_ASSIGN(const bool more, rows.Next());
      if (!more) break;
      COFFER_ASSIGN(const Arrival arrival, ReadArrival(rows));
      dropped = arrival.id;
      removed_.push_back(arrival);  // first: nothing is taken out that could not be put back
      if (picture_->arrivals.erase(arrival) == 0) removed_.pop_back();
    }
  }
  if (dropped == 0) return false;
  COFFER_TRY(drop_.Execute(dropped));
  return true;
}

void IndexArrivals::EndOperation(bool succeeded) {
  if (!succeeded) {
    auto& arrived = picture_->arrivals;
    for (const Arrival& arrival : added_) {
      const auto found = arrived.find(arrival);
      if (found != arrived.end() && found->id == arrival.id) arrived.erase(found);
    }
    for (const Arrival& arrival : removed_) {
      if (arrival.id <= last_id_before_) arrived.insert(arrival);
    }
  }
  last_id_before_ = last_id_;
  added_.clear();
  removed_.clear();
}

}  // namespace coffer::vault
