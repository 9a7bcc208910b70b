#include "vault/deletion/hold_store.h"

#include <algorithm>

#include "vault/base/word_list.h"

namespace coffer::vault {
namespace {

#define COFFER_HOLD_COLUMNS                                                                       \
  "hid, cid, class, tag, reason, case_number, review_due, placed, placed_by, lifted, lifted_by, " \
  "id, sealed "

constexpr std::string_view kLoadHolds =
    "SELECT " COFFER_HOLD_COLUMNS "FROM holds WHERE lifted IS NULL ORDER BY id";
constexpr std::string_view kFindHold = "SELECT " COFFER_HOLD_COLUMNS "FROM holds WHERE hid = ?";
constexpr std::string_view kListHolds =
    "SELECT " COFFER_HOLD_COLUMNS
    "FROM holds WHERE id < ? AND (? OR lifted IS NULL) ORDER BY id DESC LIMIT ?";
constexpr std::string_view kInsertHold =
    "INSERT INTO holds (hid, cid, class, tag, reason, case_number, review_due, placed, placed_by, "
    "sealed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr std::string_view kLiftHold = "UPDATE holds SET lifted = ?, lifted_by = ? WHERE hid = ?";
constexpr std::string_view kDeleteHoldsOf = "DELETE FROM holds WHERE cid = ?";
constexpr std::string_view kListHoldsOf = "SELECT " COFFER_HOLD_COLUMNS "FROM holds WHERE cid = ?";
constexpr std::string_view kListUnsealed =
    "SELECT " COFFER_HOLD_COLUMNS
    "FROM holds WHERE cid IS NOT NULL AND sealed IS NULL AND "
    "hid > ? ORDER BY hid LIMIT ?";
constexpr std::string_view kPutSealed =
    "UPDATE holds SET reason = '', case_number = '', sealed = ? WHERE hid = ?";

#undef COFFER_HOLD_COLUMNS

template <class IdType>
void CopyId(IdType& id, ByteView bytes) {
  std::ranges::copy(bytes, id.value.begin());
}

Hold HoldOf(const Cursor& rows) {
  Hold hold;
  CopyId(hold.id, rows.Blob(0));
  if (!rows.IsNull(1)) CopyId(hold.terms.client.emplace(), rows.Blob(1));
  hold.terms.class_name = rows.Text(2);
  hold.terms.tag = rows.Text(3);
  hold.terms.reason = rows.Text(4);
  hold.terms.case_number = rows.Text(5);
  hold.terms.review_due = Timestamp{rows.Int(6)};
  hold.placed = Timestamp{rows.Int(7)};
  CopyId(hold.placed_by, rows.Blob(8));
  if (!rows.IsNull(9)) hold.lifted = Timestamp{rows.Int(9)};
  if (!rows.IsNull(10)) CopyId(hold.lifted_by.emplace(), rows.Blob(10));
  const auto sealed = rows.Blob(12);
  hold.sealed_text.assign(sealed.begin(), sealed.end());
  return hold;
}

Result<std::vector<Hold>> CollectHolds(Cursor rows) {
  std::vector<Hold> holds;
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return holds;
    holds.push_back(HoldOf(rows));
  }
}

bool IsOfClass(const Hold& hold, std::string_view class_name) {
  return hold.terms.class_name.empty() || hold.terms.class_name == class_name;
}

// Calls `each` with every tag of the row until it says false.
template <class Each>
void ForEachTag(std::string_view tags, const Each& each) {
  while (!tags.empty()) {
    const auto space = tags.find(' ');
    if (!each(tags.substr(0, space)) || space == tags.npos) return;
    tags.remove_prefix(space + 1);
  }
}

void PutAmong(std::vector<Hold>& holds, Hold hold) {
  std::erase_if(holds, [&](const Hold& known) { return known.id == hold.id; });
  if (!hold.lifted) holds.push_back(std::move(hold));
}

}  // namespace

Result<HoldStore> HoldStore::Open(Database& database) {
  HoldStore store;
  COFFER_ASSIGN(store.load_, Statement::Prepare(database, kLoadHolds));
  COFFER_ASSIGN(store.find_, Statement::Prepare(database, kFindHold));
  COFFER_ASSIGN(store.list_, Statement::Prepare(database, kListHolds));
  COFFER_ASSIGN(store.insert_, Statement::Prepare(database, kInsertHold));
  COFFER_ASSIGN(store.lift_, Statement::Prepare(database, kLiftHold));
  COFFER_ASSIGN(store.delete_of_, Statement::Prepare(database, kDeleteHoldsOf));
  COFFER_ASSIGN(store.list_of_, Statement::Prepare(database, kListHoldsOf));
  COFFER_ASSIGN(store.unsealed_, Statement::Prepare(database, kListUnsealed));
  COFFER_ASSIGN(store.put_sealed_, Statement::Prepare(database, kPutSealed));
  return store;
}

Result<std::vector<Hold>> HoldStore::LoadLive() { return CollectHolds(load_.Query()); }

Result<std::vector<Hold>> HoldStore::ListOf(const ClientId& client) {
  return CollectHolds(list_of_.Query(client.bytes()));
}

Result<std::vector<Hold>> HoldStore::ListUnsealed(const HoldId& after, std::size_t limit) {
  return CollectHolds(unsealed_.Query(after.bytes(), static_cast<std::int64_t>(limit)));
}

Status HoldStore::PutSealed(const HoldId& id, ByteView sealed) {
  return put_sealed_.Execute(sealed, id.bytes());
}

Result<std::optional<Hold>> HoldStore::Find(const HoldId& id) {
  auto rows = find_.Query(id.bytes());
  COFFER_ASSIGN(const bool found, rows.Next());
  if (!found) return std::nullopt;
  return HoldOf(rows);
}

Result<std::vector<std::pair<std::int64_t, Hold>>> HoldStore::List(std::int64_t before, bool lifted,
                                                                   std::size_t limit) {
  std::vector<std::pair<std::int64_t, Hold>> holds;
  auto rows = list_.Query(before, lifted ? 1 : 0, static_cast<std::int64_t>(limit));
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return holds;
    holds.emplace_back(rows.Int(11), HoldOf(rows));
  }
}

Status HoldStore::Insert(const Hold& hold) {
  std::optional<ByteView> client;
  if (hold.terms.client) client = hold.terms.client->bytes();
  const HoldRequest& terms = hold.terms;
  std::optional<ByteView> sealed;
  if (!hold.sealed_text.empty()) sealed = hold.sealed_text;
  return insert_.Execute(hold.id.bytes(), client, std::string_view(terms.class_name),
                         std::string_view(terms.tag),
                         sealed ? std::string_view() : std::string_view(terms.reason),
                         sealed ? std::string_view() : std::string_view(terms.case_number),
                         terms.review_due.ms, hold.placed.ms, hold.placed_by.bytes(), sealed);
}

Status HoldStore::Lift(const Hold& hold) {
  return lift_.Execute(hold.lifted->ms, hold.lifted_by->bytes(), hold.id.bytes());
}

Status HoldStore::DeleteOf(const ClientId& client) { return delete_of_.Execute(client.bytes()); }

void HoldRegister::Clear() {
  by_client_.clear();
  by_tag_.clear();
}

void HoldRegister::Put(Hold hold) {
  if (hold.terms.client) {
    const auto found = by_client_.try_emplace(*hold.terms.client).first;
    PutAmong(found->second, std::move(hold));
    if (found->second.empty()) by_client_.erase(found);
  } else {
    const auto found = by_tag_.try_emplace(hold.terms.tag).first;
    PutAmong(found->second, std::move(hold));
    if (found->second.empty()) by_tag_.erase(found);
  }
}

std::size_t HoldRegister::Count() const {
  std::size_t count = 0;
  for (const auto& [client, holds] : by_client_) count += holds.size();
  for (const auto& [tag, holds] : by_tag_) count += holds.size();
  return count;
}

std::size_t HoldRegister::CountOverdue(Timestamp now) const {
  std::ptrdiff_t count = 0;
  const auto is_overdue = [&](const Hold& hold) { return hold.terms.review_due < now; };
  for (const auto& [client, holds] : by_client_) count += std::ranges::count_if(holds, is_overdue);
  for (const auto& [tag, holds] : by_tag_) count += std::ranges::count_if(holds, is_overdue);
  return static_cast<std::size_t>(count);
}

bool HoldRegister::Covers(const ClientId& client, std::string_view tags,
                          std::string_view class_name) const {
  if (const auto found = by_client_.find(client); found != by_client_.end()) {
    if (class_name.empty() || std::ranges::any_of(found->second, [&](const Hold& hold) {
          return IsOfClass(hold, class_name);
        })) {
      return true;
    }
  }
  if (by_tag_.empty()) return false;
  bool tagged = false;
  ForEachTag(tags, [&](std::string_view tag) {
    tagged = HasTag(tag);
    return !tagged;
  });
  return tagged;
}

std::vector<const Hold*> HoldRegister::Covering(
    const ClientRow& client, const std::set<std::string, std::less<>>& classes) const {
  std::vector<const Hold*> covering;
  if (const auto found = by_client_.find(client.id); found != by_client_.end()) {
    for (const Hold& hold : found->second) {
      const bool covers = classes.empty() || hold.terms.class_name.empty() ||
                          classes.contains(hold.terms.class_name);
      if (covers) covering.push_back(&hold);
    }
  }
  ForEachTag(client.tags, [&](std::string_view tag) {
    std::ranges::copy(WithTag(tag), std::back_inserter(covering));
    return true;
  });
  std::ranges::sort(covering, {}, [](const Hold* hold) { return hold->id; });
  return covering;
}

std::vector<const Hold*> HoldRegister::WithTag(std::string_view tag) const {
  std::vector<const Hold*> holds;
  if (const auto found = by_tag_.find(tag); found != by_tag_.end()) {
    for (const Hold& hold : found->second) holds.push_back(&hold);
  }
  return holds;
}

bool RetentionIsHeld(const HoldRegister& holds, const RestrictionRegister& restrictions,
                     const ClientId& client, std::string_view tags, std::string_view class_name) {
  return holds.Covers(client, tags, class_name) || restrictions.HasPeoples(client, class_name);
}

}  // namespace coffer::vault
