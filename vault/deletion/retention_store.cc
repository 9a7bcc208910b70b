#include "vault/deletion/retention_store.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

namespace coffer::vault {
namespace {

using nlohmann::json;

#define COFFER_RUN_COLUMNS                                                                       \
  "rid, schedule, state, demanded, asked_by, started, finished, first_seq, last_seq, position, " \
  "counts, reason, detail, counted, report_version "

constexpr std::string_view kInsertRun =
    "INSERT INTO retention_runs (rid, schedule, state, demanded, asked_by, started, finished, "
    "first_seq, last_seq, position, counts, reason, detail, counted, report_version) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr std::string_view kUpdateRun =
    "UPDATE retention_runs SET state = ?, finished = ?, last_seq = ?, position = ?, counts = ?, "
    "reason = ?, detail = ?, counted = ? WHERE rid = ?";
constexpr std::string_view kFindRun =
    "SELECT " COFFER_RUN_COLUMNS "FROM retention_runs WHERE rid = ?";
constexpr std::string_view kFindOpenRun =
    "SELECT " COFFER_RUN_COLUMNS "FROM retention_runs WHERE state < 2";
constexpr std::string_view kListRuns =
    "SELECT " COFFER_RUN_COLUMNS "FROM retention_runs ORDER BY id DESC LIMIT ?";
constexpr std::string_view kLastScheduled =
    "SELECT started FROM retention_runs WHERE demanded = 0 ORDER BY id DESC LIMIT 1";
constexpr std::string_view kFindRunReport = "SELECT report FROM retention_runs WHERE rid = ?";
constexpr std::string_view kPutRunReport = "UPDATE retention_runs SET report = ? WHERE rid = ?";
constexpr std::string_view kAddReview =
    "INSERT INTO retention_reviews (record, policy, found, run) VALUES (?, ?, ?, ?)";
constexpr std::string_view kKeepReview =
    "UPDATE retention_reviews SET run = ? WHERE record = ? AND policy = ? RETURNING 1";
constexpr std::string_view kPurgeReviewsBut = "DELETE FROM retention_reviews WHERE run <> ?";
constexpr std::string_view kPurgeReviews =
    "DELETE FROM retention_reviews WHERE NOT EXISTS "
    "(SELECT 1 FROM records WHERE records.id = retention_reviews.record)";
constexpr std::string_view kFindRestricted =
    "SELECT schedule FROM retention_restrictions WHERE client = ? AND class = ?";
constexpr std::string_view kPutRestricted =
    "INSERT INTO retention_restrictions (client, class, schedule) VALUES (?, ?, ?) "
    "ON CONFLICT (client, class) DO UPDATE SET schedule = excluded.schedule";
constexpr std::string_view kForgetRestricted =
    "DELETE FROM retention_restrictions WHERE client = ?";
#define COFFER_SUBJECT_COLUMNS                           \
  "client, class, id, created, updated, retention_day, " \
  "coalesce(retention_rule, class_version) "
constexpr std::string_view kScan = "SELECT " COFFER_SUBJECT_COLUMNS
                                   "FROM records "
                                   "INDEXED BY records_by_client WHERE client > ? ORDER BY client";
constexpr std::string_view kScanOf = "SELECT " COFFER_SUBJECT_COLUMNS
                                     "FROM records "
                                     "INDEXED BY records_by_client WHERE client = ?";
constexpr std::string_view kScanAfter =
    "SELECT " COFFER_SUBJECT_COLUMNS
    "FROM records "
    "INDEXED BY records_by_client WHERE (client, class, id) > (?, ?, ?) "
    "ORDER BY client, class, id";
constexpr std::string_view kScanEnded =
    "SELECT id, relationship_end, tags FROM clients INDEXED BY clients_ended "
    "WHERE relationship_end IS NOT NULL AND id > ? AND id <= ? ORDER BY id";
constexpr std::string_view kFindClient =
    "SELECT cid, tags, relationship_end FROM clients WHERE id = ?";
constexpr std::string_view kFindRecordId = "SELECT rid FROM records WHERE id = ?";

#undef COFFER_RUN_COLUMNS
#undef COFFER_SUBJECT_COLUMNS

std::string FormatCounts(const RunRow& row) {
  json counts = json::object();
  for (const auto& [name, count] : row.counts) {
    counts[name] = {count.due,    count.erased,  count.restricted, count.review, count.held,
                    count.failed, count.waiting, count.unreached,  count.unknown};
  }
  return counts.dump();
}

Status ParseCounts(std::string_view text, RunRow& row) {
  const json counts = json::parse(text, nullptr, false);
  if (!counts.is_object()) return Fail(Code::kCorrupted, "storage_corrupted", "a run's counts");
  for (const auto& [name, list] : counts.items()) {
    // Six of runs from before there were more.
    if (!list.is_array() || (list.size() != 6 && list.size() != 9) ||
        !std::ranges::all_of(list, [](const json& item) { return item.is_number_unsigned(); })) {
      return Fail(Code::kCorrupted, "storage_corrupted", "a run's counts");
    }
    const auto at = [&](std::size_t i) {
      return i < list.size() ? list[i].get<std::uint64_t>() : 0;
    };
    row.counts[name] = {name, at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7), at(8)};
  }
  return {};
}

Result<RunRow> RunOf(const Cursor& rows) {
  RunRow row;
  std::ranges::copy(rows.Blob(0), row.id.value.begin());
  row.schedule = static_cast<std::uint64_t>(rows.Int(1));
  row.state = static_cast<RunState>(rows.Int(2));
  row.trigger = rows.Int(3) != 0 ? audit::RunTrigger::kDemand : audit::RunTrigger::kScheduled;
  if (!rows.IsNull(4)) std::ranges::copy(rows.Blob(4), row.asked_by.emplace().value.begin());
  row.started.ms = rows.Int(5);
  if (!rows.IsNull(6)) row.finished = Timestamp{rows.Int(6)};
  row.first_seq = static_cast<std::uint64_t>(rows.Int(7));
  row.last_seq = static_cast<std::uint64_t>(rows.Int(8));
  row.position = rows.Int(9);
  COFFER_TRY(ParseCounts(rows.Text(10), row));
  row.reason = rows.Text(11);
  row.detail = rows.Text(12);
  row.counted = rows.Int(13) != 0;
  row.report_version = static_cast<int>(rows.Int(14));
  return row;
}

Result<std::optional<RunRow>> OneRun(Cursor rows) {
  COFFER_ASSIGN(const bool found, rows.Next());
  if (!found) return std::nullopt;
  return RunOf(rows);
}

std::optional<std::int64_t> MillisecondsIn(const std::optional<Timestamp>& time) {
  if (!time) return std::nullopt;
  return time->ms;
}

// What returns rows is done only when the last one was taken.
Result<bool> WasChanged(Cursor rows) {
  COFFER_ASSIGN(const bool changed, rows.Next());
  if (changed) COFFER_TRY(rows.Next());
  return changed;
}

RetentionSubject SubjectOf(const Cursor& rows) {
  RetentionSubject subject;
  subject.client = rows.Int(0);
  subject.class_name = rows.Text(1);
  subject.record = rows.Int(2);
  subject.created.ms = rows.Int(3);
  subject.updated.ms = rows.Int(4);
  if (!rows.IsNull(5)) {
    subject.date_field = static_cast<Day>(std::clamp<std::int64_t>(
        rows.Int(5), std::numeric_limits<Day>::min(), std::numeric_limits<Day>::max()));
  }
  subject.date_version = static_cast<std::uint64_t>(rows.Int(6));
  return subject;
}

}  // namespace

Result<RetentionStore> RetentionStore::Open(Database& database) {
  RetentionStore store;
  COFFER_ASSIGN(store.insert_, Statement::Prepare(database, kInsertRun));
  COFFER_ASSIGN(store.update_, Statement::Prepare(database, kUpdateRun));
  COFFER_ASSIGN(store.find_, Statement::Prepare(database, kFindRun));
  COFFER_ASSIGN(store.find_open_, Statement::Prepare(database, kFindOpenRun));
  COFFER_ASSIGN(store.list_, Statement::Prepare(database, kListRuns));
  COFFER_ASSIGN(store.last_scheduled_, Statement::Prepare(database, kLastScheduled));
  COFFER_ASSIGN(store.find_report_, Statement::Prepare(database, kFindRunReport));
  COFFER_ASSIGN(store.put_report_, Statement::Prepare(database, kPutRunReport));
  COFFER_ASSIGN(store.add_review_, Statement::Prepare(database, kAddReview));
  COFFER_ASSIGN(store.keep_review_, Statement::Prepare(database, kKeepReview));
  COFFER_ASSIGN(store.purge_reviews_but_, Statement::Prepare(database, kPurgeReviewsBut));
  COFFER_ASSIGN(store.purge_reviews_, Statement::Prepare(database, kPurgeReviews));
  COFFER_ASSIGN(store.find_restricted_, Statement::Prepare(database, kFindRestricted));
  COFFER_ASSIGN(store.put_restricted_, Statement::Prepare(database, kPutRestricted));
  COFFER_ASSIGN(store.forget_restricted_, Statement::Prepare(database, kForgetRestricted));
  COFFER_ASSIGN(store.scan_, Statement::Prepare(database, kScan));
  COFFER_ASSIGN(store.scan_of_, Statement::Prepare(database, kScanOf));
  COFFER_ASSIGN(store.scan_after_, Statement::Prepare(database, kScanAfter));
  COFFER_ASSIGN(store.scan_ended_, Statement::Prepare(database, kScanEnded));
  COFFER_ASSIGN(store.find_client_, Statement::Prepare(database, kFindClient));
  COFFER_ASSIGN(store.find_record_, Statement::Prepare(database, kFindRecordId));
  return store;
}

Status RetentionStore::Insert(const RunRow& row) {
  std::optional<ByteView> asked_by;
  if (row.asked_by) asked_by = row.asked_by->bytes();
  const std::string counts = FormatCounts(row);
  return insert_.Execute(row.id.bytes(), row.schedule, static_cast<int>(row.state),
                         row.trigger == audit::RunTrigger::kDemand ? 1 : 0, asked_by,
                         row.started.ms, MillisecondsIn(row.finished), row.first_seq, row.last_seq,
                         row.position, std::string_view(counts), std::string_view(row.reason),
                         std::string_view(row.detail), row.counted ? 1 : 0, row.report_version);
}

Status RetentionStore::Update(const RunRow& row) {
  const std::string counts = FormatCounts(row);
  return update_.Execute(static_cast<int>(row.state), MillisecondsIn(row.finished), row.last_seq,
                         row.position, std::string_view(counts), std::string_view(row.reason),
                         std::string_view(row.detail), row.counted ? 1 : 0, row.id.bytes());
}

Result<std::optional<RunRow>> RetentionStore::Find(const RunId& id) {
  return OneRun(find_.Query(id.bytes()));
}

Result<std::optional<RunRow>> RetentionStore::FindOpen() { return OneRun(find_open_.Query()); }

Result<std::vector<RunRow>> RetentionStore::List(std::size_t limit) {
  std::vector<RunRow> runs;
  auto rows = list_.Query(static_cast<std::int64_t>(limit));
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return runs;
    COFFER_ASSIGN(auto run, RunOf(rows));
    runs.push_back(std::move(run));
  }
}

Result<std::optional<Timestamp>> RetentionStore::FindLastScheduled() {
  auto rows = last_scheduled_.Query();
  COFFER_ASSIGN(const bool found, rows.Next());
  if (!found) return std::nullopt;
  return Timestamp{rows.Int(0)};
}

Result<std::optional<std::string>> RetentionStore::FindReport(const RunId& id) {
  auto rows = find_report_.Query(id.bytes());
  COFFER_ASSIGN(const bool found, rows.Next());
  if (!found || rows.IsNull(0)) return std::nullopt;
  return std::string(rows.Text(0));
}

Status RetentionStore::PutReport(const RunId& id, std::string_view report) {
  return put_report_.Execute(report, id.bytes());
}

Result<bool> RetentionStore::KeepReview(std::int64_t record, std::string_view policy,
                                        std::uint64_t run) {
  return WasChanged(keep_review_.Query(run, record, policy));
}

Result<bool> RetentionStore::AddReview(std::int64_t record, std::string_view policy, Timestamp now,
                                       std::uint64_t run) {
  COFFER_ASSIGN(const bool known, KeepReview(record, policy, run));
  if (!known) COFFER_TRY(add_review_.Execute(record, policy, now.ms, run));
  return !known;
}

Status RetentionStore::PurgeReviews() { return purge_reviews_.Execute(); }

Status RetentionStore::PurgeReviewsBut(std::uint64_t run) {
  return purge_reviews_but_.Execute(run);
}

Status RetentionStore::Scan(std::int64_t after,
                            FunctionRef<Result<bool>(const RetentionSubject&)> each) {
  auto rows = scan_.Query(after);
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return {};
    COFFER_ASSIGN(const bool go_on, each(SubjectOf(rows)));
    if (!go_on) return {};
  }
}

Status RetentionStore::ScanOf(std::int64_t client,
                              FunctionRef<Status(const RetentionSubject&)> each) {
  auto rows = scan_of_.Query(client);
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return {};
    COFFER_TRY(each(SubjectOf(rows)));
  }
}

Status RetentionStore::ScanAfter(const Place& after,
                                 FunctionRef<Result<bool>(const RetentionSubject&)> each) {
  auto rows = scan_after_.Query(after.client, std::string_view(after.class_name), after.record);
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return {};
    COFFER_ASSIGN(const bool go_on, each(SubjectOf(rows)));
    if (!go_on) return {};
  }
}

Status RetentionStore::ScanEnded(std::int64_t after, std::int64_t last,
                                 FunctionRef<Result<bool>(const EndedClient&)> each) {
  auto rows = scan_ended_.Query(after, last);
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return {};
    COFFER_ASSIGN(const bool go_on, each({rows.Int(0), Timestamp{rows.Int(1)}, rows.Text(2)}));
    if (!go_on) return {};
  }
}

Result<std::optional<std::uint64_t>> RetentionStore::FindRestricted(std::int64_t client,
                                                                    std::string_view class_name) {
  auto rows = find_restricted_.Query(client, class_name);
  COFFER_ASSIGN(const bool found, rows.Next());
  if (!found) return std::nullopt;
  return static_cast<std::uint64_t>(rows.Int(0));
}

Status RetentionStore::PutRestricted(std::int64_t client, std::string_view class_name,
                                     std::uint64_t schedule) {
  return put_restricted_.Execute(client, class_name, schedule);
}

Status RetentionStore::ForgetRestricted(std::int64_t client) {
  return forget_restricted_.Execute(client);
}

Result<std::optional<RetentionClient>> RetentionStore::FindClient(std::int64_t client) {
  auto rows = find_client_.Query(client);
  COFFER_ASSIGN(const bool found, rows.Next());
  if (!found) return std::nullopt;
  RetentionClient result;
  std::ranges::copy(rows.Blob(0), result.id.value.begin());
  result.tags = rows.Text(1);
  if (!rows.IsNull(2)) result.relationship_end = Timestamp{rows.Int(2)};
  return result;
}

Result<std::optional<RecordId>> RetentionStore::FindRecordId(std::int64_t record) {
  auto rows = find_record_.Query(record);
  COFFER_ASSIGN(const bool found, rows.Next());
  if (!found) return std::nullopt;
  RecordId id;
  std::ranges::copy(rows.Blob(0), id.value.begin());
  return id;
}

}  // namespace coffer::vault
