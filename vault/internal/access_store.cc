#include "vault/internal/access_store.h"

#include <algorithm>
#include <limits>

namespace coffer::vault {
namespace {

constexpr std::string_view kLoadAssignments =
    "SELECT cid, principal, starts, ends, given_by FROM assignments";
constexpr std::string_view kLoadLeases =
    "SELECT lid, cid, principal, class, fields, purpose, ticket, created, expires, given_by "
    "FROM leases WHERE expires > ? ORDER BY lid";
constexpr std::string_view kPutAssignment =
    "INSERT INTO assignments (client, principal, cid, starts, ends, given_by) "
    "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (client, principal) DO UPDATE SET "
    "starts = excluded.starts, ends = excluded.ends, given_by = excluded.given_by";
constexpr std::string_view kDeleteAssignment =
    "DELETE FROM assignments WHERE client = ? AND principal = ?";
constexpr std::string_view kInsertLease =
    "INSERT INTO leases (lid, client, cid, principal, class, fields, purpose, ticket, created, "
    "expires, given_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr std::string_view kEndLease = "UPDATE leases SET expires = ? WHERE lid = ?";
constexpr std::string_view kDeleteAssignmentsOf = "DELETE FROM assignments WHERE client = ?";
constexpr std::string_view kDeleteLeasesOf = "DELETE FROM leases WHERE client = ?";

constexpr std::int64_t kNoEnd = std::numeric_limits<std::int64_t>::max();

template <class IdType>
void Read(IdType& id, ByteView bytes) {
  std::ranges::copy(bytes, id.value.begin());
}

std::vector<std::string> SplitWords(std::string_view joined) {
  std::vector<std::string> words;
  while (!joined.empty()) {
    const auto space = joined.find(' ');
    words.emplace_back(joined.substr(0, space));
    if (space == joined.npos) break;
    joined.remove_prefix(space + 1);
  }
  return words;
}

std::string JoinWords(const std::vector<std::string>& words) {
  std::string joined;
  for (const auto& word : words) {
    if (!joined.empty()) joined += ' ';
    joined += word;
  }
  return joined;
}

}  // namespace

Result<AccessStore> AccessStore::Open(Database& database) {
  AccessStore store;
  COFFER_ASSIGN(store.load_assignments_, Statement::Prepare(database, kLoadAssignments));
  COFFER_ASSIGN(store.load_leases_, Statement::Prepare(database, kLoadLeases));
  COFFER_ASSIGN(store.put_assignment_, Statement::Prepare(database, kPutAssignment));
  COFFER_ASSIGN(store.delete_assignment_, Statement::Prepare(database, kDeleteAssignment));
  COFFER_ASSIGN(store.insert_lease_, Statement::Prepare(database, kInsertLease));
  COFFER_ASSIGN(store.end_lease_, Statement::Prepare(database, kEndLease));
  COFFER_ASSIGN(store.delete_assignments_of_, Statement::Prepare(database, kDeleteAssignmentsOf));
  COFFER_ASSIGN(store.delete_leases_of_, Statement::Prepare(database, kDeleteLeasesOf));
  return store;
}

Result<std::vector<AssignmentRow>> AccessStore::LoadAssignments() {
  std::vector<AssignmentRow> assignments;
  auto rows = load_assignments_.Query();
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return assignments;
    AssignmentRow row;
    Read(row.client, rows.Blob(0));
    Read(row.principal, rows.Blob(1));
    row.starts = Timestamp{rows.Int(2)};
    if (rows.Int(3) != kNoEnd) row.ends = Timestamp{rows.Int(3)};
    Read(row.given_by, rows.Blob(4));
    assignments.push_back(row);
  }
}

Result<std::vector<LeaseRow>> AccessStore::LoadLeases(Timestamp after) {
  std::vector<LeaseRow> leases;
  auto rows = load_leases_.Query(after.ms);
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return leases;
    LeaseRow row;
    Read(row.id, rows.Blob(0));
    Read(row.client, rows.Blob(1));
    Read(row.principal, rows.Blob(2));
    row.terms.id = row.id.Text();
    row.terms.class_name = rows.Text(3);
    row.terms.fields = SplitWords(rows.Text(4));
    row.terms.purpose = rows.Text(5);
    row.ticket = rows.Text(6);
    row.created = Timestamp{rows.Int(7)};
    row.terms.expires = Timestamp{rows.Int(8)};
    Read(row.given_by, rows.Blob(9));
    leases.push_back(std::move(row));
  }
}

Status AccessStore::PutAssignment(const AssignmentRow& row) {
  const std::int64_t ends = row.ends ? row.ends->ms : kNoEnd;
  return put_assignment_.Execute(row.client.Row(), row.principal.bytes(), row.client.bytes(),
                                 row.starts.ms, ends, row.given_by.bytes());
}

Status AccessStore::DeleteAssignment(const ClientId& client, const PrincipalId& principal) {
  return delete_assignment_.Execute(client.Row(), principal.bytes());
}

Status AccessStore::InsertLease(const LeaseRow& row) {
  const std::string fields = JoinWords(row.terms.fields);
  return insert_lease_.Execute(row.id.bytes(), row.client.Row(), row.client.bytes(),
                               row.principal.bytes(), std::string_view(row.terms.class_name),
                               std::string_view(fields), std::string_view(row.terms.purpose),
                               std::string_view(row.ticket), row.created.ms, row.terms.expires.ms,
                               row.given_by.bytes());
}

Status AccessStore::EndLease(const LeaseId& id, Timestamp when) {
  return end_lease_.Execute(when.ms, id.bytes());
}

Status AccessStore::DeleteAllOf(const ClientId& client) {
  COFFER_TRY(delete_assignments_of_.Execute(client.Row()));
  return delete_leases_of_.Execute(client.Row());
}

void AccessRegister::Clear() {
  assignments_.clear();
  leases_.clear();
}

void AccessRegister::Put(AssignmentRow row) {
  auto& rows = assignments_[row.client];
  const auto found = std::ranges::find(rows, row.principal, &AssignmentRow::principal);
  if (found == rows.end()) {
    rows.push_back(std::move(row));
  } else {
    *found = std::move(row);
  }
}

void AccessRegister::Remove(const ClientId& client, const PrincipalId& principal) {
  const auto found = assignments_.find(client);
  if (found == assignments_.end()) return;
  std::erase_if(found->second, [&](const auto& row) { return row.principal == principal; });
  if (found->second.empty()) assignments_.erase(found);
}

void AccessRegister::Put(LeaseRow row) {
  auto& rows = leases_[row.client];
  const auto found = std::ranges::find(rows, row.id, &LeaseRow::id);
  if (found == rows.end()) {
    rows.push_back(std::move(row));
  } else {
    *found = std::move(row);
  }
}

void AccessRegister::Forget(const ClientId& client) {
  assignments_.erase(client);
  leases_.erase(client);
}

bool AccessRegister::IsAssigned(const ClientId& client, const PrincipalId& principal,
                                Timestamp now) const {
  const auto* const rows = AssignmentsOf(client);
  return rows != nullptr && std::ranges::any_of(*rows, [&](const AssignmentRow& row) {
           return row.principal == principal && row.starts <= now && (!row.ends || now < *row.ends);
         });
}

std::vector<const LeaseTerms*> AccessRegister::LeasesOf(const ClientId& client,
                                                        const PrincipalId& principal) const {
  std::vector<const LeaseTerms*> terms;
  if (const auto* const rows = LeasesOf(client)) {
    for (const LeaseRow& row : *rows) {
      if (row.principal == principal) terms.push_back(&row.terms);
    }
  }
  return terms;
}

const std::vector<AssignmentRow>* AccessRegister::AssignmentsOf(const ClientId& client) const {
  const auto found = assignments_.find(client);
  return found == assignments_.end() ? nullptr : &found->second;
}

const std::vector<LeaseRow>* AccessRegister::LeasesOf(const ClientId& client) const {
  const auto found = leases_.find(client);
  return found == leases_.end() ? nullptr : &found->second;
}

}  // namespace coffer::vault
