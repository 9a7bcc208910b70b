#include "vault/clients/index_arrivals.h"

#include <algorithm>
#include <limits>

namespace coffer::vault {
namespace {

constexpr std::string_view kReadArrivals =
    "SELECT id, place, token, owner FROM index_arrivals ORDER BY id";
constexpr std::string_view kInsertArrival =
    "INSERT INTO index_arrivals (id, place, token, owner) VALUES (?, ?, ?, ?)";
constexpr std::string_view kRemoveArrival = "DELETE FROM index_arrivals WHERE id = ?";
constexpr std::string_view kDropArrivals =
    "DELETE FROM index_arrivals WHERE id IN (SELECT id FROM index_arrivals WHERE id <= ? ORDER BY "
    "id LIMIT ?) RETURNING id, place, token, owner";

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

Result<IndexArrivals> IndexArrivals::Open(Database& database) {
  IndexArrivals arrivals;
  COFFER_ASSIGN(arrivals.read_, Statement::Prepare(database, kReadArrivals));
  COFFER_ASSIGN(arrivals.insert_, Statement::Prepare(database, kInsertArrival));
  COFFER_ASSIGN(arrivals.remove_, Statement::Prepare(database, kRemoveArrival));
  COFFER_ASSIGN(arrivals.drop_, Statement::Prepare(database, kDropArrivals));
  return arrivals;
}

Status IndexArrivals::Load() {
  arrived_.clear();
  added_.clear();
  removed_.clear();
  last_id_ = last_id_before_ = 0;
  auto rows = read_.Query();
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return {};
    COFFER_ASSIGN(const Arrival arrival, ReadArrival(rows));
    arrived_.insert(arrival);
    last_id_ = last_id_before_ = arrival.id;
  }
}

Status IndexArrivals::Put(std::uint8_t place, const BlindToken& token, std::int64_t owner) {
  const Arrival arrival{place, token, owner, last_id_ + 1};
  const auto behind = arrived_.lower_bound(arrival);
  if (behind != arrived_.end() && !(arrival < *behind)) return {};
  COFFER_TRY(insert_.Execute(arrival.id, std::int64_t{place}, ByteView(token), owner));
  added_.push_back(arrival);
  arrived_.emplace_hint(behind, arrival);
  last_id_ = arrival.id;
  return {};
}

Status IndexArrivals::Delete(Arrived::const_iterator arrival) {
  COFFER_TRY(remove_.Execute(arrival->id));
  Forget(arrival);
  return {};
}

void IndexArrivals::Forget(Arrived::const_iterator arrival) {
  // Nothing is taken out for which there is no room beside.
  if (removed_.size() == removed_.capacity()) removed_.reserve(removed_.size() * 2 + 16);
  removed_.push_back(arrived_.extract(arrival));
}

Status IndexArrivals::Remove(std::uint8_t place, const BlindToken& token, std::int64_t owner) {
  const auto found = arrived_.find(Arrival{place, token, owner});
  return found == arrived_.end() ? Status{} : Delete(found);
}

Status IndexArrivals::RemoveOwners(IndexPlace place, std::span<const std::int64_t> owners) {
  if (owners.empty()) return {};
  const std::set<std::int64_t> wanted(owners.begin(), owners.end());
  for (auto at = arrived_.begin(); at != arrived_.end();) {
    const auto here = at++;
    const bool of_place = here->place == PlaceOf(place, 0) || here->place == PlaceOf(place, 1);
    if (of_place && wanted.contains(here->owner)) COFFER_TRY(Delete(here));
  }
  return {};
}

Result<std::int64_t> IndexArrivals::RemoveSome(std::uint8_t place, std::int64_t most) {
  std::int64_t removed = 0;
  auto at = arrived_.lower_bound(
      Arrival{.place = place, .owner = std::numeric_limits<std::int64_t>::min()});
  while (removed < most && at != arrived_.end() && at->place == place) {
    const auto here = at++;
    COFFER_TRY(Delete(here));
    ++removed;
  }
  return removed;
}

std::vector<std::int64_t> IndexArrivals::Find(std::uint8_t place, const BlindToken& token,
                                              std::int64_t after, std::size_t limit) const {
  std::vector<std::int64_t> owners;
  for (auto at = arrived_.upper_bound(Arrival{place, token, after});
       at != arrived_.end() && at->place == place && at->token == token && owners.size() < limit;
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
  for (auto at = after ? arrived_.upper_bound(*after) : arrived_.begin(); at != arrived_.end();
       ++at) {
    if (part.arrivals.size() == most || looks-- == 0) return part;
    part.after = *at;
    if (at->id <= last) part.arrivals.push_back(*at);
  }
  part.after.reset();
  return part;
}

Result<bool> IndexArrivals::DropMerged(std::int64_t last, std::int64_t most) {
  bool dropped = false;
  auto rows = drop_.Query(last, most);
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return dropped;
    COFFER_ASSIGN(const Arrival arrival, ReadArrival(rows));
    dropped = true;
    const auto found = arrived_.find(arrival);
    if (found != arrived_.end()) Forget(found);
  }
}

void IndexArrivals::EndOperation(bool succeeded) {
  if (!succeeded) {
    for (const Arrival& arrival : added_) {
      const auto found = arrived_.find(arrival);
      if (found != arrived_.end() && found->id == arrival.id) arrived_.erase(found);
    }
    for (auto& node : removed_) {
      if (node.value().id <= last_id_before_) arrived_.insert(std::move(node));
    }
  }
  last_id_before_ = last_id_;
  added_.clear();
  removed_.clear();
}

}  // namespace coffer::vault
