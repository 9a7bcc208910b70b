#include "vault/rights/notice_store.h"

#include <algorithm>

#include "vault/rights/notice_document.h"

namespace coffer::vault {
namespace {

constexpr std::string_view kInsertNotice =
    "INSERT INTO notices (nid, effective, told, steps) VALUES (?, ?, 0, 0) RETURNING id";
constexpr std::string_view kCloseNotice = "UPDATE notices SET closed = ? WHERE id = ?";
constexpr std::string_view kFindNotice =
    "SELECT id, nid, closed, told, steps FROM notices WHERE nid = ?";
constexpr std::string_view kListNotices =
    "SELECT id, nid, closed, told, steps FROM notices WHERE id < ? ORDER BY id DESC LIMIT ?";
constexpr std::string_view kAppendNoticeStep =
    "INSERT INTO notice_steps (notice, number, step, at, said_by, seq, document) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)";
constexpr std::string_view kCountedStep =
    "UPDATE notices SET steps = steps + 1, told = told + ? WHERE id = ?";
constexpr std::string_view kStepsOfNotice =
    "SELECT number, step, at, said_by, seq, document FROM notice_steps WHERE notice = ? "
    "ORDER BY number LIMIT ?";
constexpr std::string_view kCountNotices =
    "SELECT count(*), coalesce(sum(effective <= ?), 0) FROM notices WHERE closed IS NULL";
constexpr std::string_view kTell =
    "INSERT INTO notice_tellings (notice, client, step) VALUES (?, ?, ?) "
    "ON CONFLICT DO NOTHING RETURNING client";
constexpr std::string_view kListTold =
    "SELECT client FROM notice_tellings WHERE notice = ? AND client > ? AND client <= ? "
    "ORDER BY client LIMIT ?";
constexpr std::string_view kCountTellings = "SELECT count(*) FROM notice_tellings WHERE client = ?";
constexpr std::string_view kDropTellings = "DELETE FROM notice_tellings WHERE client = ?";

}  // namespace

Result<NoticeStore> NoticeStore::Open(Database& database) {
  NoticeStore store;
  COFFER_ASSIGN(store.insert_, Statement::Prepare(database, kInsertNotice));
  COFFER_ASSIGN(store.append_, Statement::Prepare(database, kAppendNoticeStep));
  COFFER_ASSIGN(store.counted_, Statement::Prepare(database, kCountedStep));
  COFFER_ASSIGN(store.close_, Statement::Prepare(database, kCloseNotice));
  COFFER_ASSIGN(store.find_, Statement::Prepare(database, kFindNotice));
  COFFER_ASSIGN(store.list_, Statement::Prepare(database, kListNotices));
  COFFER_ASSIGN(store.steps_, Statement::Prepare(database, kStepsOfNotice));
  COFFER_ASSIGN(store.count_, Statement::Prepare(database, kCountNotices));
  COFFER_ASSIGN(store.tell_, Statement::Prepare(database, kTell));
  COFFER_ASSIGN(store.told_, Statement::Prepare(database, kListTold));
  COFFER_ASSIGN(store.count_of_, Statement::Prepare(database, kCountTellings));
  COFFER_ASSIGN(store.drop_, Statement::Prepare(database, kDropTellings));
  return store;
}

Result<std::int64_t> NoticeStore::Insert(const Notice& notice) {
  auto row = insert_.Query(notice.id.bytes(), notice.form.effective.ms);
  COFFER_ASSIGN(const bool made, row.Next());
  if (!made) return Fail(Code::kInternal, "internal_error", "a notice got no row");
  const std::int64_t number = row.Int(0);
  COFFER_TRY(row.Next());  // to its end
  return number;
}

Status NoticeStore::Append(std::int64_t row, const NoticeStep& step) {
  COFFER_TRY(append_.Execute(row, step.number, Name(step.kind), step.at.ms, step.by.bytes(),
                             step.seq, std::string_view(step.document)));
  return counted_.Execute(ToldIn(step), row);
}

Status NoticeStore::Close(std::int64_t row, Timestamp closed) {
  return close_.Execute(closed.ms, row);
}

Result<std::vector<Notice>> NoticeStore::Collect(Cursor rows, bool with_steps) {
  std::vector<Notice> notices;
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) break;
    Notice& notice = notices.emplace_back();
    notice.row = rows.Int(0);
    std::ranges::copy(rows.Blob(1), notice.id.value.begin());
    if (!rows.IsNull(2)) notice.closed = Timestamp{rows.Int(2)};
    notice.told = static_cast<std::uint64_t>(rows.Int(3));
    notice.next_step = static_cast<std::uint64_t>(rows.Int(4));
  }
  for (Notice& notice : notices) {
    auto steps = steps_.Query(notice.row, with_steps ? std::int64_t{-1} : std::int64_t{1});
    for (;;) {
      COFFER_ASSIGN(const bool more, steps.Next());
      if (!more) break;
      const auto kind = NoticeStepFromName(steps.Text(1));
      if (!kind) return Fail(Code::kCorrupted, "storage_corrupted", "a step of a notice");
      NoticeStep& step = notice.steps.emplace_back();
      step.number = static_cast<std::uint64_t>(steps.Int(0));
      step.kind = *kind;
      step.at = Timestamp{steps.Int(2)};
      std::ranges::copy(steps.Blob(3), step.by.value.begin());
      step.seq = static_cast<std::uint64_t>(steps.Int(4));
      step.document = steps.Text(5);
    }
    // It begins with what is said first.
    if (notice.steps.empty()) {
      return Fail(Code::kCorrupted, "storage_corrupted", "a notice without steps");
    }
    const NoticeStep& first = notice.steps.front();
    COFFER_ASSIGN(notice.form, NoticeFormIn(first.document));
    notice.created = first.at;
    notice.created_by = first.by;
    if (!with_steps) notice.steps.clear();
  }
  return notices;
}

Result<std::optional<Notice>> NoticeStore::Find(const NoticeId& id, bool steps) {
  COFFER_ASSIGN(auto found, Collect(find_.Query(id.bytes()), steps));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

Result<std::vector<Notice>> NoticeStore::List(std::int64_t before, std::size_t limit) {
  return Collect(list_.Query(before, static_cast<std::int64_t>(limit)), false);
}

Result<NoticeCounts> NoticeStore::Count(Timestamp due) {
  auto rows = count_.Query(due.ms);
  COFFER_TRY(rows.Next());
  const NoticeCounts counts{static_cast<std::uint64_t>(rows.Int(0)),
                            static_cast<std::uint64_t>(rows.Int(1))};
  COFFER_TRY(rows.Next());  // to its end
  return counts;
}

Result<bool> NoticeStore::Tell(std::int64_t row, std::int64_t client, std::uint64_t step) {
  auto rows = tell_.Query(row, client, step);
  COFFER_ASSIGN(const bool told, rows.Next());
  if (told) COFFER_TRY(rows.Next());  // to its end
  return told;
}

Result<std::vector<std::int64_t>> NoticeStore::ListTold(std::int64_t row, std::int64_t after,
                                                        std::int64_t until, std::size_t limit) {
  std::vector<std::int64_t> clients;
  auto rows = told_.Query(row, after, until, static_cast<std::int64_t>(limit));
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return clients;
    clients.push_back(rows.Int(0));
  }
}

Result<std::uint64_t> NoticeStore::CountTellingsOf(const ClientId& client) {
  auto rows = count_of_.Query(client.Row());
  COFFER_TRY(rows.Next());
  const auto count = static_cast<std::uint64_t>(rows.Int(0));
  COFFER_TRY(rows.Next());  // to its end
  return count;
}

Status NoticeStore::DropTellingsOf(const ClientId& client) { return drop_.Execute(client.Row()); }

}  // namespace coffer::vault
