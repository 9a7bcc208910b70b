#include "vault/oversight/breach_store.h"

#include <algorithm>

namespace coffer::vault {
namespace {

constexpr std::string_view kInsertBreach = "INSERT INTO breaches (bid) VALUES (?) RETURNING id";
constexpr std::string_view kFindBreach = "SELECT id, bid FROM breaches WHERE bid = ?";
constexpr std::string_view kListBreaches =
    "SELECT id, bid FROM breaches WHERE id < ? ORDER BY id DESC LIMIT ?";
constexpr std::string_view kAppendBreachEvent =
    "INSERT INTO breach_events (breach, number, step, at, said_by, seq, document) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)";
constexpr std::string_view kBreachHistory =
    "SELECT number, step, at, said_by, seq, document FROM breach_events WHERE breach = ? "
    "ORDER BY number";

}  // namespace

Result<BreachStore> BreachStore::Open(Database& database) {
  BreachStore store;
  COFFER_ASSIGN(store.insert_, Statement::Prepare(database, kInsertBreach));
  COFFER_ASSIGN(store.append_, Statement::Prepare(database, kAppendBreachEvent));
  COFFER_ASSIGN(store.find_, Statement::Prepare(database, kFindBreach));
  COFFER_ASSIGN(store.list_, Statement::Prepare(database, kListBreaches));
  COFFER_ASSIGN(store.history_, Statement::Prepare(database, kBreachHistory));
  return store;
}

Result<std::int64_t> BreachStore::Insert(const BreachId& id) {
  auto row = insert_.Query(id.bytes());
  COFFER_ASSIGN(const bool made, row.Next());
  if (!made) return Fail(Code::kInternal, "internal_error", "a breach got no row");
  const std::int64_t number = row.Int(0);
  COFFER_TRY(row.Next());  // to its end
  return number;
}

Status BreachStore::Append(std::int64_t row, const BreachEvent& event) {
  return append_.Execute(row, event.number, Name(event.step), event.at.ms, event.by.bytes(),
                         event.seq, std::string_view(event.document));
}

Result<std::vector<Breach>> BreachStore::Collect(Cursor rows) {
  std::vector<Breach> breaches;
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) break;
    Breach& breach = breaches.emplace_back();
    breach.row = rows.Int(0);
    std::ranges::copy(rows.Blob(1), breach.id.value.begin());
  }
  for (Breach& breach : breaches) {
    auto events = history_.Query(breach.row);
    for (;;) {
      COFFER_ASSIGN(const bool more, events.Next());
      if (!more) break;
      const auto step = BreachStepFromName(events.Text(1));
      if (!step) return Fail(Code::kCorrupted, "storage_corrupted", "a step of a breach");
      BreachEvent& event = breach.history.emplace_back();
      event.number = static_cast<std::uint64_t>(events.Int(0));
      event.step = *step;
      event.at = Timestamp{events.Int(2)};
      std::ranges::copy(events.Blob(3), event.by.value.begin());
      event.seq = static_cast<std::uint64_t>(events.Int(4));
      event.document = events.Text(5);
    }
    // It is opened by what is said first.
    if (breach.history.empty()) {
      return Fail(Code::kCorrupted, "storage_corrupted", "a breach without a history");
    }
  }
  return breaches;
}

Result<std::optional<Breach>> BreachStore::Find(const BreachId& id) {
  COFFER_ASSIGN(auto found, Collect(find_.Query(id.bytes())));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

Result<std::vector<Breach>> BreachStore::List(std::int64_t before, std::size_t limit) {
  return Collect(list_.Query(before, static_cast<std::int64_t>(limit)));
}

}  // namespace coffer::vault
