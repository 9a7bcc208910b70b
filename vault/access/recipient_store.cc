#include "vault/access/recipient_store.h"

#include <algorithm>

namespace coffer::vault {
namespace {

constexpr std::string_view kInsertRecipient =
    "INSERT INTO recipients (rid) VALUES (?) RETURNING id";
constexpr std::string_view kAppendRecipientEvent =
    "INSERT INTO recipient_events (recipient, number, step, at, said_by, seq, document) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)";
constexpr std::string_view kFindRecipient = "SELECT id, rid FROM recipients WHERE rid = ?";
constexpr std::string_view kFindRecipientRow = "SELECT id, rid FROM recipients WHERE id = ?";
constexpr std::string_view kListRecipients =
    "SELECT id, rid FROM recipients WHERE id < ? ORDER BY id DESC LIMIT ?";
constexpr std::string_view kListByEnd =
    "SELECT id, rid FROM recipients AS r WHERE id < ? AND ? = EXISTS (SELECT 1 FROM "
    "recipient_events AS e WHERE e.recipient = r.id AND e.step = 'ended') "
    "ORDER BY id DESC LIMIT ?";
constexpr std::string_view kRecipientHistory =
    "SELECT number, step, at, said_by, seq, document FROM recipient_events WHERE recipient = ? "
    "ORDER BY number";
constexpr std::string_view kCountingEvents =
    "SELECT number, step, at, said_by, seq, document FROM recipient_events WHERE recipient = ?1 "
    "AND number IN (0, "
    "(SELECT max(number) FROM recipient_events WHERE recipient = ?1 AND step = 'changed'), "
    "(SELECT max(number) FROM recipient_events WHERE recipient = ?1 AND step = 'ended')) "
    "ORDER BY number";
constexpr std::string_view kVersions =
    "SELECT count(*) FROM recipient_events WHERE recipient = ? AND step IN ('created', 'changed')";
constexpr std::string_view kBoundPrincipals =
    "SELECT principal FROM recipient_principals WHERE recipient = ? AND until IS NULL "
    "ORDER BY since";
constexpr std::string_view kCountRecipients = "SELECT count(*) FROM recipients";
constexpr std::string_view kBind =
    "INSERT INTO recipient_principals (principal, since, recipient) VALUES (?, ?, ?)";
constexpr std::string_view kUnbind =
    "UPDATE recipient_principals SET until = ? WHERE principal = ? AND until IS NULL";
constexpr std::string_view kBoundTo =
    "SELECT recipient FROM recipient_principals WHERE principal = ? AND until IS NULL";
constexpr std::string_view kAnyBinding = "SELECT EXISTS (SELECT 1 FROM recipient_principals)";
constexpr std::string_view kBindings =
    "SELECT principal, since, until, recipient FROM recipient_principals "
    "WHERE recipient = ?1 OR ?1 = 0 ORDER BY recipient, principal, since";

template <class IdType>
void CopyRecipientId(IdType& id, ByteView bytes) {
  std::ranges::copy(bytes, id.value.begin());
}

Result<std::vector<Recipient>> CollectRecipients(Cursor rows) {
  std::vector<Recipient> recipients;
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return recipients;
    Recipient& recipient = recipients.emplace_back();
    recipient.row = rows.Int(0);
    CopyRecipientId(recipient.id, rows.Blob(1));
  }
}

// At least one.
Result<std::vector<RecipientEvent>> CollectEvents(Cursor rows) {
  std::vector<RecipientEvent> events;
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) break;
    const auto step = RecipientStepFromName(rows.Text(1));
    if (!step) return Fail(Code::kCorrupted, "storage_corrupted", "a step of a recipient");
    RecipientEvent& event = events.emplace_back();
    event.number = static_cast<std::uint64_t>(rows.Int(0));
    event.step = *step;
    event.at = Timestamp{rows.Int(2)};
    CopyRecipientId(event.by, rows.Blob(3));
    event.seq = static_cast<std::uint64_t>(rows.Int(4));
    event.document = rows.Text(5);
  }
  if (events.empty()) {
    return Fail(Code::kCorrupted, "storage_corrupted", "a recipient without a history");
  }
  return events;
}

}  // namespace

Result<RecipientStore> RecipientStore::Open(Database& database) {
  RecipientStore store;
  COFFER_ASSIGN(store.insert_, Statement::Prepare(database, kInsertRecipient));
  COFFER_ASSIGN(store.append_, Statement::Prepare(database, kAppendRecipientEvent));
  COFFER_ASSIGN(store.find_, Statement::Prepare(database, kFindRecipient));
  COFFER_ASSIGN(store.find_row_, Statement::Prepare(database, kFindRecipientRow));
  COFFER_ASSIGN(store.list_, Statement::Prepare(database, kListRecipients));
  COFFER_ASSIGN(store.list_by_end_, Statement::Prepare(database, kListByEnd));
  COFFER_ASSIGN(store.counting_, Statement::Prepare(database, kCountingEvents));
  COFFER_ASSIGN(store.versions_, Statement::Prepare(database, kVersions));
  COFFER_ASSIGN(store.bound_, Statement::Prepare(database, kBoundPrincipals));
  COFFER_ASSIGN(store.history_, Statement::Prepare(database, kRecipientHistory));
  COFFER_ASSIGN(store.count_, Statement::Prepare(database, kCountRecipients));
  COFFER_ASSIGN(store.bind_, Statement::Prepare(database, kBind));
  COFFER_ASSIGN(store.unbind_, Statement::Prepare(database, kUnbind));
  COFFER_ASSIGN(store.bound_to_, Statement::Prepare(database, kBoundTo));
  COFFER_ASSIGN(store.any_binding_, Statement::Prepare(database, kAnyBinding));
  COFFER_ASSIGN(store.bindings_, Statement::Prepare(database, kBindings));
  return store;
}

Result<std::int64_t> RecipientStore::Insert(const RecipientId& id) {
  auto row = insert_.Query(id.bytes());
  COFFER_TRY(row.Next());
  const std::int64_t number = row.Int(0);
  COFFER_TRY(row.Next());  // to its end
  return number;
}

Status RecipientStore::Append(std::int64_t row, const RecipientEvent& event) {
  return append_.Execute(row, event.number, Name(event.step), event.at.ms, event.by.bytes(),
                         event.seq, std::string_view(event.document));
}

Status RecipientStore::ReadHistory(Recipient& recipient) {
  COFFER_ASSIGN(recipient.history, CollectEvents(history_.Query(recipient.row)));
  return Conclude(recipient);
}

// The first event, the last one with facts, the end; how many had facts, and what is bound.
Status RecipientStore::ReadWhatCounts(Recipient& recipient) {
  COFFER_ASSIGN(recipient.history, CollectEvents(counting_.Query(recipient.row)));
  COFFER_TRY(Conclude(recipient));
  recipient.history.clear();
  {
    auto versions = versions_.Query(recipient.row);
    COFFER_TRY(versions.Next());
    recipient.version = static_cast<std::uint64_t>(versions.Int(0));
  }
  auto bound = bound_.Query(recipient.row);
  for (;;) {
    COFFER_ASSIGN(const bool more, bound.Next());
    if (!more) return {};
    CopyRecipientId(recipient.principals.emplace_back(), bound.Blob(0));
  }
}

Result<std::optional<Recipient>> RecipientStore::Find(const RecipientId& id) {
  COFFER_ASSIGN(auto found, CollectRecipients(find_.Query(id.bytes())));
  if (found.empty()) return std::nullopt;
  COFFER_TRY(ReadHistory(found.front()));
  return std::move(found.front());
}

Result<std::optional<Recipient>> RecipientStore::FindRow(std::int64_t row) {
  COFFER_ASSIGN(auto found, CollectRecipients(find_row_.Query(row)));
  if (found.empty()) return std::nullopt;
  COFFER_TRY(ReadWhatCounts(found.front()));
  return std::move(found.front());
}

Result<std::vector<Recipient>> RecipientStore::List(std::int64_t before, std::optional<bool> ended,
                                                    std::size_t limit) {
  const auto most = static_cast<std::int64_t>(limit);
  COFFER_ASSIGN(auto found, CollectRecipients(ended ? list_by_end_.Query(before, *ended, most)
                                                    : list_.Query(before, most)));
  for (Recipient& recipient : found) COFFER_TRY(ReadWhatCounts(recipient));
  return found;
}

Result<std::uint64_t> RecipientStore::Count() {
  auto rows = count_.Query();
  COFFER_TRY(rows.Next());
  return static_cast<std::uint64_t>(rows.Int(0));
}

Status RecipientStore::Bind(const RecipientBinding& binding) {
  return bind_.Execute(binding.principal.bytes(), binding.since, binding.recipient);
}

Status RecipientStore::Unbind(const PrincipalId& principal, std::uint64_t until) {
  return unbind_.Execute(until, principal.bytes());
}

Result<std::optional<std::int64_t>> RecipientStore::BoundTo(const PrincipalId& principal) {
  auto rows = bound_to_.Query(principal.bytes());
  COFFER_ASSIGN(const bool found, rows.Next());
  if (!found) return std::nullopt;
  return rows.Int(0);
}

Result<bool> RecipientStore::AnyBinding() {
  auto rows = any_binding_.Query();
  COFFER_TRY(rows.Next());
  return rows.Int(0) != 0;
}

Result<std::vector<RecipientBinding>> RecipientStore::ListBindings(std::int64_t recipient) {
  std::vector<RecipientBinding> bindings;
  auto rows = bindings_.Query(recipient);
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return bindings;
    RecipientBinding& binding = bindings.emplace_back();
    CopyRecipientId(binding.principal, rows.Blob(0));
    binding.since = static_cast<std::uint64_t>(rows.Int(1));
    if (!rows.IsNull(2)) binding.until = static_cast<std::uint64_t>(rows.Int(2));
    binding.recipient = rows.Int(3);
  }
}

}  // namespace coffer::vault
