#include "vault/rights/request_store.h"

#include <algorithm>
#include <charconv>

#include "vault/base/word_list.h"

namespace coffer::vault {
namespace {

#define COFFER_REQUEST_COLUMNS                                                                     \
  "qid, cid, kind, regime, regime_version, channel, representative, state, received, registered, " \
  "acknowledged, extended, decided, closed, seq, steps, next_due, due, last_day"

constexpr std::string_view kInsertRequest =
    "INSERT INTO requests (" COFFER_REQUEST_COLUMNS
    ", id, open) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr std::string_view kUpdateRequest =
    "UPDATE requests SET cid = ?, regime_version = ?, state = ?, acknowledged = ?, extended = ?, "
    "decided = ?, closed = ?, steps = ?, next_due = ?, due = ?, last_day = ?, open = ? "
    "WHERE id = ?";
constexpr std::string_view kFindRequest =
    "SELECT " COFFER_REQUEST_COLUMNS " FROM requests WHERE qid = ?";
constexpr std::string_view kListOpen =
    "SELECT " COFFER_REQUEST_COLUMNS
    " FROM requests WHERE open AND (next_due, id) > (coalesce((SELECT next_due FROM requests "
    "WHERE id = ?1), 0), ?1) AND next_due <= ?2 ORDER BY next_due, id LIMIT ?3";
constexpr std::string_view kListRequests =
    "SELECT " COFFER_REQUEST_COLUMNS " FROM requests WHERE id < ? ORDER BY id DESC LIMIT ?";
constexpr std::string_view kListRequestsOf =
    "SELECT " COFFER_REQUEST_COLUMNS
    " FROM requests WHERE cid = ? AND id < ? ORDER BY id DESC LIMIT ?";
constexpr std::string_view kListOpenOf =
    "SELECT " COFFER_REQUEST_COLUMNS
    " FROM requests WHERE cid = ? AND kind = ? AND open ORDER BY id";
constexpr std::string_view kListOpenUnder =
    "SELECT " COFFER_REQUEST_COLUMNS
    " FROM requests WHERE regime = ? AND id > ? AND open ORDER BY id LIMIT ?";
constexpr std::string_view kCountRequests =
    "SELECT count(*), count(*) FILTER (WHERE next_due = 9223372036854775807), "
    "count(*) FILTER (WHERE next_due <= ?), count(*) FILTER (WHERE next_due > ? AND next_due <= ?) "
    "FROM requests WHERE open";
constexpr std::string_view kInsertStep =
    "INSERT INTO request_steps (request, number, kind, at, by, seq, article, proofs, due, sealed) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr std::string_view kListSteps =
    "SELECT number, kind, at, by, seq, article, proofs, due, sealed FROM request_steps "
    "WHERE request = ? ORDER BY number";
constexpr std::string_view kWordsOf =
    "SELECT qid, number, sealed FROM requests JOIN request_steps ON request = requests.id "
    "WHERE cid = ? AND length(sealed) > 0 ORDER BY requests.id, number";
constexpr std::string_view kPutWords =
    "UPDATE request_steps SET sealed = ? WHERE request = ? AND number = ?";
constexpr std::string_view kDropWordsOf =
    "UPDATE request_steps SET sealed = x'' WHERE request IN (SELECT id FROM requests WHERE cid = "
    "?)";
constexpr std::string_view kLoadRegimes =
    "SELECT name, definition, max(version) FROM regimes GROUP BY name ORDER BY name";
constexpr std::string_view kInsertRegime =
    "INSERT INTO regimes (name, version, definition, created) VALUES (?, ?, ?, ?)";
constexpr std::string_view kFindRegime =
    "SELECT name, definition, version FROM regimes WHERE name = ? AND version = ?";
constexpr std::string_view kListClosed =
    "SELECT " COFFER_REQUEST_COLUMNS
    " FROM requests WHERE regime = ? AND closed < ? ORDER BY closed LIMIT ?";
constexpr std::string_view kDeleteRequest = "DELETE FROM requests WHERE id = ?";
constexpr std::string_view kDeleteSteps = "DELETE FROM request_steps WHERE request = ?";

#undef COFFER_REQUEST_COLUMNS

constexpr std::int64_t kNothingCounted = std::numeric_limits<std::int64_t>::max();

template <class IdType>
IdType RequestIdFrom(ByteView bytes) {
  IdType id;
  std::ranges::copy(bytes, id.value.begin());
  return id;
}

std::optional<std::int64_t> Milliseconds(const std::optional<Timestamp>& time) {
  if (!time) return std::nullopt;
  return time->ms;
}
std::optional<Timestamp> TimeIn(const Cursor& row, int column) {
  if (row.IsNull(column)) return std::nullopt;
  return Timestamp{row.Int(column)};
}
std::int64_t NextDueOf(const RequestRow& row) {
  return row.next_due ? row.next_due->ms : kNothingCounted;
}

std::string ProofsText(const std::vector<Proof>& proofs) {
  std::vector<std::string> words;
  for (const Proof& proof : proofs) {
    words.push_back(std::to_string(proof.seq));
    words.push_back(proof.action);
  }
  return JoinWords(words);
}

std::vector<Proof> ProofsFrom(std::string_view text) {
  std::vector<Proof> proofs;
  const auto words = SplitWords(text);
  for (std::size_t i = 0; i + 1 < words.size(); i += 2) {
    Proof& proof = proofs.emplace_back();
    std::from_chars(words[i].data(), words[i].data() + words[i].size(), proof.seq);
    proof.action = words[i + 1];
  }
  return proofs;
}

Result<RequestRow> ReadRequest(const Cursor& row) {
  RequestRow request;
  request.id = RequestIdFrom<RequestId>(row.Blob(0));
  if (!row.IsNull(1)) request.client = RequestIdFrom<ClientId>(row.Blob(1));
  const auto kind = RequestKindFromName(row.Text(2));
  const auto state = RequestStateFromName(row.Text(7));
  if (!kind || !state) {
    return Fail(Code::kCorrupted, "storage_corrupted", "a request of an unknown kind or state");
  }
  request.kind = *kind;
  request.regime = row.Text(3);
  request.regime_version = static_cast<std::uint64_t>(row.Int(4));
  request.channel = row.Text(5);
  request.by_representative = row.Int(6) != 0;
  request.state = *state;
  request.received = Timestamp{row.Int(8)};
  request.registered = Timestamp{row.Int(9)};
  request.acknowledged = TimeIn(row, 10);
  request.extended = TimeIn(row, 11);
  request.decided = TimeIn(row, 12);
  request.closed = TimeIn(row, 13);
  request.seq = static_cast<std::uint64_t>(row.Int(14));
  request.steps = static_cast<std::uint64_t>(row.Int(15));
  if (row.Int(16) != kNothingCounted) request.next_due = Timestamp{row.Int(16)};
  request.due = TimeIn(row, 17);
  request.last_day = static_cast<Day>(row.Int(18));
  return request;
}

}  // namespace

Result<RequestStore> RequestStore::Open(Database& database) {
  RequestStore store;
  COFFER_ASSIGN(store.insert_, Statement::Prepare(database, kInsertRequest));
  COFFER_ASSIGN(store.update_, Statement::Prepare(database, kUpdateRequest));
  COFFER_ASSIGN(store.find_, Statement::Prepare(database, kFindRequest));
  COFFER_ASSIGN(store.list_open_, Statement::Prepare(database, kListOpen));
  COFFER_ASSIGN(store.list_, Statement::Prepare(database, kListRequests));
  COFFER_ASSIGN(store.list_of_, Statement::Prepare(database, kListRequestsOf));
  COFFER_ASSIGN(store.open_of_, Statement::Prepare(database, kListOpenOf));
  COFFER_ASSIGN(store.open_under_, Statement::Prepare(database, kListOpenUnder));
  COFFER_ASSIGN(store.count_, Statement::Prepare(database, kCountRequests));
  COFFER_ASSIGN(store.insert_step_, Statement::Prepare(database, kInsertStep));
  COFFER_ASSIGN(store.steps_, Statement::Prepare(database, kListSteps));
  COFFER_ASSIGN(store.words_, Statement::Prepare(database, kWordsOf));
  COFFER_ASSIGN(store.put_words_, Statement::Prepare(database, kPutWords));
  COFFER_ASSIGN(store.drop_words_, Statement::Prepare(database, kDropWordsOf));
  COFFER_ASSIGN(store.regimes_, Statement::Prepare(database, kLoadRegimes));
  COFFER_ASSIGN(store.insert_regime_, Statement::Prepare(database, kInsertRegime));
  COFFER_ASSIGN(store.find_regime_, Statement::Prepare(database, kFindRegime));
  COFFER_ASSIGN(store.list_closed_, Statement::Prepare(database, kListClosed));
  COFFER_ASSIGN(store.delete_, Statement::Prepare(database, kDeleteRequest));
  COFFER_ASSIGN(store.delete_steps_, Statement::Prepare(database, kDeleteSteps));
  return store;
}

Status RequestStore::Insert(const RequestRow& row) {
  std::optional<ByteView> client;
  if (row.client) client = row.client->bytes();
  return insert_.Execute(
      row.id.bytes(), client, NameOf(row.kind), std::string_view(row.regime), row.regime_version,
      std::string_view(row.channel), row.by_representative ? 1 : 0, NameOf(row.state),
      row.received.ms, row.registered.ms, Milliseconds(row.acknowledged),
      Milliseconds(row.extended), Milliseconds(row.decided), Milliseconds(row.closed), row.seq,
      row.steps, NextDueOf(row), Milliseconds(row.due), row.last_day, row.id.Row(),
      IsOpen(row.state) ? 1 : 0);
}

Status RequestStore::Update(const RequestRow& row) {
  std::optional<ByteView> client;
  if (row.client) client = row.client->bytes();
  return update_.Execute(
      client, row.regime_version, NameOf(row.state), Milliseconds(row.acknowledged),
      Milliseconds(row.extended), Milliseconds(row.decided), Milliseconds(row.closed), row.steps,
      NextDueOf(row), Milliseconds(row.due), row.last_day, IsOpen(row.state) ? 1 : 0, row.id.Row());
}

Result<std::vector<RequestRow>> RequestStore::Collect(Cursor rows) {
  std::vector<RequestRow> collected;
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return collected;
    COFFER_ASSIGN(auto row, ReadRequest(rows));
    collected.push_back(std::move(row));
  }
}

Result<std::optional<RequestRow>> RequestStore::Find(const RequestId& id) {
  COFFER_ASSIGN(auto rows, Collect(find_.Query(id.bytes())));
  if (rows.empty()) return std::nullopt;
  return std::move(rows.front());
}

Result<std::vector<RequestRow>> RequestStore::ListOpen(std::int64_t after, Timestamp until,
                                                       std::size_t limit) {
  return Collect(list_open_.Query(after, until.ms, limit));
}

Result<std::vector<RequestRow>> RequestStore::List(std::int64_t before,
                                                   const std::optional<ClientId>& client,
                                                   std::size_t limit) {
  if (client) return Collect(list_of_.Query(client->bytes(), before, limit));
  return Collect(list_.Query(before, limit));
}

Result<std::vector<RequestRow>> RequestStore::ListOpenOf(const ClientId& client, RequestKind kind) {
  return Collect(open_of_.Query(client.bytes(), NameOf(kind)));
}

Result<std::vector<RequestRow>> RequestStore::ListOpenUnder(std::string_view regime,
                                                            std::int64_t after, std::size_t limit) {
  return Collect(open_under_.Query(regime, after, limit));
}

Result<RequestCounts> RequestStore::Count(Timestamp now, Timestamp soon) {
  auto row = count_.Query(now.ms, now.ms, soon.ms);
  COFFER_ASSIGN(const bool there, row.Next());
  RequestCounts counts;
  if (!there) return counts;
  const auto number = [&](int column) { return static_cast<std::uint64_t>(row.Int(column)); };
  counts = {number(0), number(1), number(2), number(3)};
  return counts;
}

Status RequestStore::InsertStep(const RequestId& id, const RequestStep& step) {
  std::optional<ByteView> by;
  if (step.by) by = step.by->bytes();
  const std::string proofs = ProofsText(step.proofs);
  return insert_step_.Execute(id.Row(), step.number, NameOf(step.kind), step.at.ms, by, step.seq,
                              std::string_view(step.article), std::string_view(proofs),
                              Milliseconds(step.due), ByteView(step.sealed));
}

Result<std::vector<RequestStep>> RequestStore::ListSteps(const RequestId& id) {
  std::vector<RequestStep> steps;
  auto rows = steps_.Query(id.Row());
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return steps;
    RequestStep& step = steps.emplace_back();
    step.number = static_cast<std::uint64_t>(rows.Int(0));
    const auto kind = StepKindFromName(rows.Text(1));
    if (!kind) return Fail(Code::kCorrupted, "storage_corrupted", "an unknown step of a request");
    step.kind = *kind;
    step.at = Timestamp{rows.Int(2)};
    if (!rows.IsNull(3)) step.by = RequestIdFrom<PrincipalId>(rows.Blob(3));
    step.seq = static_cast<std::uint64_t>(rows.Int(4));
    step.article = rows.Text(5);
    step.proofs = ProofsFrom(rows.Text(6));
    step.due = TimeIn(rows, 7);
    const ByteView sealed = rows.Blob(8);
    step.sealed.assign(sealed.begin(), sealed.end());
  }
}

Result<std::vector<RequestStore::Words>> RequestStore::WordsOf(const ClientId& client) {
  std::vector<Words> words;
  auto rows = words_.Query(client.bytes());
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return words;
    const ByteView sealed = rows.Blob(2);
    words.push_back({RequestIdFrom<RequestId>(rows.Blob(0)),
                     static_cast<std::uint64_t>(rows.Int(1)), Bytes(sealed.begin(), sealed.end())});
  }
}

Status RequestStore::PutWords(const RequestId& id, std::uint64_t number, ByteView sealed) {
  return put_words_.Execute(sealed, id.Row(), number);
}

Status RequestStore::DropWordsOf(const ClientId& client) {
  return drop_words_.Execute(client.bytes());
}

Result<std::vector<StoredRegime>> RequestStore::LoadRegimes() {
  std::vector<StoredRegime> regimes;
  auto rows = regimes_.Query();
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return regimes;
    regimes.push_back({std::string(rows.Text(0)), std::string(rows.Text(1)),
                       static_cast<std::uint64_t>(rows.Int(2))});
  }
}

Status RequestStore::InsertRegime(const Regime& regime, Timestamp now) {
  return insert_regime_.Execute(std::string_view(regime.name), regime.version,
                                std::string_view(regime.definition), now.ms);
}

Result<std::optional<StoredRegime>> RequestStore::FindRegime(std::string_view name,
                                                             std::uint64_t version) {
  auto row = find_regime_.Query(name, version);
  COFFER_ASSIGN(const bool there, row.Next());
  if (!there) return std::nullopt;
  return StoredRegime{std::string(row.Text(0)), std::string(row.Text(1)),
                      static_cast<std::uint64_t>(row.Int(2))};
}

Result<std::vector<RequestRow>> RequestStore::ListClosed(std::string_view regime, Timestamp closed,
                                                         std::size_t limit) {
  return Collect(list_closed_.Query(regime, closed.ms, limit));
}

Status RequestStore::Delete(const RequestId& id) {
  COFFER_TRY(delete_steps_.Execute(id.Row()));
  return delete_.Execute(id.Row());
}

}  // namespace coffer::vault
