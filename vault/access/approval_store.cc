#include "vault/access/approval_store.h"

#include <algorithm>

#include "vault/access/approval.h"
#include "vault/base/big_endian.h"

namespace coffer::vault {
namespace {

constexpr std::string_view kFindApproval =
    "SELECT aid, action, target, content, hash, requester, created, expires, decider, decided, "
    "approved, executed, ended, ended_by, ended_why, target_version, asked_seq FROM approvals "
    "WHERE aid = ?";
constexpr std::string_view kListApprovals =
    "SELECT aid, action, target, content, hash, requester, created, expires, decider, decided, "
    "approved, executed, ended, ended_by, ended_why, target_version, asked_seq FROM approvals "
    "WHERE "
    "(decided IS NOT NULL OR ended IS NOT NULL) > ?1 OR "
    "((decided IS NOT NULL OR ended IS NOT NULL) = ?1 AND aid < ?2) "
    "ORDER BY decided IS NOT NULL OR ended IS NOT NULL, aid DESC LIMIT ?3";
constexpr std::string_view kListUnused =
    "SELECT aid, length(CAST(content AS BLOB)), expires, iif(approved = 0, decided, NULL), ended "
    "FROM approvals WHERE requester = ? AND executed IS NULL ORDER BY aid DESC";
constexpr std::string_view kDeleteApproval = "DELETE FROM approvals WHERE aid = ?";
constexpr std::string_view kPurgeExecuted = "DELETE FROM approvals WHERE executed < ?";
constexpr std::string_view kInsertApproval =
    "INSERT INTO approvals (aid, action, target, content, hash, requester, created, expires, "
    "approved, target_version, asked_seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?)";
constexpr std::string_view kUpdateApproval =
    "UPDATE approvals SET decider = ?, decided = ?, approved = ?, executed = ?, ended = ?, "
    "ended_by = ?, ended_why = ? WHERE aid = ?";
constexpr std::string_view kListOpenApprovalsOf =
    "SELECT aid, action, target, content, hash, requester, created, expires, decider, decided, "
    "approved, executed, ended, ended_by, ended_why, target_version, asked_seq FROM approvals "
    "WHERE "
    "executed IS NULL AND ended IS NULL AND expires > ? AND (decided IS NULL OR approved = 1) AND "
    "(requester = ? OR "
    "decider = ?) ORDER BY aid";
constexpr std::string_view kCountOpenApprovals =
    "SELECT count(*) FROM approvals WHERE executed IS NULL AND ended IS NULL AND "
    "expires > ? AND (decided IS NULL OR approved = 1)";

ApprovalRow ApprovalOf(const Cursor& rows) {
  ApprovalRow row;
  std::ranges::copy(rows.Blob(0), row.id.value.begin());
  row.action = rows.Text(1);
  row.target = rows.Text(2);
  row.content = rows.Text(3);
  std::ranges::copy(rows.Blob(4), row.hash.begin());
  std::ranges::copy(rows.Blob(5), row.requester.value.begin());
  row.created.ms = rows.Int(6);
  row.expires.ms = rows.Int(7);
  if (!rows.IsNull(8)) std::ranges::copy(rows.Blob(8), row.decider.emplace().value.begin());
  if (!rows.IsNull(9)) row.decided = Timestamp{rows.Int(9)};
  row.approved = rows.Int(10) != 0;
  if (!rows.IsNull(11)) row.executed = Timestamp{rows.Int(11)};
  if (!rows.IsNull(12)) row.ended = Timestamp{rows.Int(12)};
  if (!rows.IsNull(13)) std::ranges::copy(rows.Blob(13), row.ended_by.emplace().value.begin());
  if (!rows.IsNull(14)) row.why = static_cast<ApprovalEnd>(rows.Int(14));
  if (!rows.IsNull(15)) row.target_version = static_cast<std::uint64_t>(rows.Int(15));
  if (!rows.IsNull(16)) row.asked_seq = static_cast<std::uint64_t>(rows.Int(16));
  return row;
}

Result<std::vector<ApprovalRow>> ApprovalsOf(Cursor rows) {
  std::vector<ApprovalRow> approvals;
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return approvals;
    approvals.push_back(ApprovalOf(rows));
  }
}

}  // namespace

Result<ApprovalStore> ApprovalStore::Open(Database& database) {
  ApprovalStore store;
  COFFER_ASSIGN(store.find_, Statement::Prepare(database, kFindApproval));
  COFFER_ASSIGN(store.list_, Statement::Prepare(database, kListApprovals));
  COFFER_ASSIGN(store.list_open_of_, Statement::Prepare(database, kListOpenApprovalsOf));
  COFFER_ASSIGN(store.insert_, Statement::Prepare(database, kInsertApproval));
  COFFER_ASSIGN(store.update_, Statement::Prepare(database, kUpdateApproval));
  COFFER_ASSIGN(store.list_unused_, Statement::Prepare(database, kListUnused));
  COFFER_ASSIGN(store.delete_, Statement::Prepare(database, kDeleteApproval));
  COFFER_ASSIGN(store.purge_executed_, Statement::Prepare(database, kPurgeExecuted));
  COFFER_ASSIGN(store.count_open_, Statement::Prepare(database, kCountOpenApprovals));
  return store;
}

Result<std::optional<ApprovalRow>> ApprovalStore::Find(const ApprovalId& id) {
  auto rows = find_.Query(id.bytes());
  COFFER_ASSIGN(const bool found, rows.Next());
  if (!found) return std::nullopt;
  return ApprovalOf(rows);
}

Result<std::vector<ApprovalRow>> ApprovalStore::List(const Place& after, std::size_t limit,
                                                     std::size_t bytes) {
  Bytes before;  // of the id, whose first 63 bits these are
  AppendU64(before, static_cast<std::uint64_t>(after.row) << 1);
  std::vector<ApprovalRow> approvals;
  auto rows = list_.Query(after.closed ? 1 : 0, ByteView(before), static_cast<std::int64_t>(limit));
  for (std::size_t listed = 0; listed <= bytes;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) break;
    listed += approvals.emplace_back(ApprovalOf(rows)).content.size();
  }
  return approvals;
}

ApprovalStore::Place ApprovalStore::PlaceOf(const ApprovalRow& row) {
  return {row.decided || row.ended, row.id.Row()};
}

Result<std::vector<UnusedApproval>> ApprovalStore::ListUnused(const PrincipalId& requester) {
  std::vector<UnusedApproval> approvals;
  auto rows = list_unused_.Query(requester.bytes());
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return approvals;
    UnusedApproval row;
    std::ranges::copy(rows.Blob(0), row.id.value.begin());
    row.bytes = static_cast<std::size_t>(rows.Int(1));
    row.expires.ms = rows.Int(2);
    if (!rows.IsNull(3)) row.refused = Timestamp{rows.Int(3)};
    if (!rows.IsNull(4)) row.ended = Timestamp{rows.Int(4)};
    approvals.push_back(row);
  }
}

Status ApprovalStore::Delete(const ApprovalId& id) { return delete_.Execute(id.bytes()); }

Status ApprovalStore::PurgeExecuted(Timestamp before) { return purge_executed_.Execute(before.ms); }

Result<std::vector<ApprovalRow>> ApprovalStore::ListOpenOf(const PrincipalId& principal,
                                                           Timestamp now) {
  return ApprovalsOf(list_open_of_.Query(now.ms, principal.bytes(), principal.bytes()));
}

Status ApprovalStore::Insert(const ApprovalRow& row) {
  return insert_.Execute(row.id.bytes(), std::string_view(row.action), std::string_view(row.target),
                         std::string_view(row.content), ByteView(row.hash), row.requester.bytes(),
                         row.created.ms, row.expires.ms, row.target_version, row.asked_seq);
}

Status ApprovalStore::Update(const ApprovalRow& row) {
  std::optional<ByteView> decider, ended_by;
  if (row.decider) decider = row.decider->bytes();
  if (row.ended_by) ended_by = row.ended_by->bytes();
  std::optional<std::int64_t> decided, executed, ended, why;
  if (row.decided) decided = row.decided->ms;
  if (row.executed) executed = row.executed->ms;
  if (row.ended) ended = row.ended->ms;
  if (row.why) why = static_cast<std::int64_t>(*row.why);
  return update_.Execute(decider, decided, row.approved ? 1 : 0, executed, ended, ended_by, why,
                         row.id.bytes());
}

Result<std::uint64_t> ApprovalStore::CountOpen(Timestamp now) {
  auto rows = count_open_.Query(now.ms);
  COFFER_TRY(rows.Next());
  return static_cast<std::uint64_t>(rows.Int(0));
}

}  // namespace coffer::vault
