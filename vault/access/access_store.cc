#include "vault/access/access_store.h"

#include <algorithm>
#include <limits>

#include "vault/access/conditions.h"
#include "vault/base/word_list.h"

namespace coffer::vault {
namespace {

constexpr std::string_view kLoadAssignments =
    "SELECT cid, principal, starts, ends, given_by FROM assignments";
constexpr std::string_view kLoadLeases =
    "SELECT lid, cid, principal, class, fields, purpose, ticket, created, expires, given_by, "
    "conditions FROM leases WHERE expires > ? ORDER BY lid";
constexpr std::string_view kPutAssignment =
    "INSERT INTO assignments (client, principal, cid, starts, ends, given_by) "
    "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (client, principal) DO UPDATE SET "
    "starts = excluded.starts, ends = excluded.ends, given_by = excluded.given_by";
constexpr std::string_view kDeleteAssignment =
    "DELETE FROM assignments WHERE client = ? AND principal = ?";
constexpr std::string_view kListAssignmentsOf =
    "SELECT cid, principal, starts, ends, given_by FROM assignments WHERE principal = ? AND "
    "client > ? AND ends > ? ORDER BY client LIMIT ?";
constexpr std::string_view kCountAssignmentsOf =
    "SELECT count(*) FROM assignments WHERE principal = ? AND ends > ?";
constexpr std::string_view kInsertLease =
    "INSERT INTO leases (lid, client, cid, principal, class, fields, purpose, ticket, created, "
    "expires, given_by, conditions) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr std::string_view kEndLease = "UPDATE leases SET expires = ? WHERE lid = ?";
constexpr std::string_view kEndEmergency = "UPDATE emergencies SET expires = ? WHERE eid = ?";
constexpr std::string_view kDeleteAssignmentsOf = "DELETE FROM assignments WHERE client = ?";
constexpr std::string_view kDeleteLeasesOf = "DELETE FROM leases WHERE client = ?";
constexpr std::string_view kLoadEmergencies =
    "SELECT eid, cid, pid, purpose, ticket, created, expires, due, reviewer, reviewed, finding "
    "FROM emergencies WHERE expires > ?";
constexpr std::string_view kListEmergencies =
    "SELECT eid, cid, pid, purpose, ticket, created, expires, due, reviewer, reviewed, finding "
    "FROM emergencies ORDER BY reviewed IS NOT NULL, eid DESC LIMIT 1000";
constexpr std::string_view kFindEmergency =
    "SELECT eid, cid, pid, purpose, ticket, created, expires, due, reviewer, reviewed, finding "
    "FROM emergencies WHERE eid = ?";
constexpr std::string_view kInsertEmergency =
    "INSERT INTO emergencies (eid, client, cid, pid, purpose, ticket, created, expires, due, "
    "finding) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '')";
constexpr std::string_view kReviewEmergency =
    "UPDATE emergencies SET reviewer = ?, reviewed = ?, finding = ?, expires = ? WHERE eid = ?";
constexpr std::string_view kCountUnreviewed =
    "SELECT count(*), count(*) FILTER (WHERE due < ?) FROM emergencies WHERE reviewed IS NULL";
constexpr std::string_view kCountUnreviewedOf =
    "SELECT count(*) FROM emergencies WHERE reviewed IS NULL AND pid = ?";
constexpr std::string_view kPurgeLeases = "DELETE FROM leases WHERE expires < ?";
constexpr std::string_view kPurgeEmergencies = "DELETE FROM emergencies WHERE reviewed < ?";

constexpr std::int64_t kNoEnd = std::numeric_limits<std::int64_t>::max();

template <class IdType>
void Read(IdType& id, ByteView bytes) {
  std::ranges::copy(bytes, id.value.begin());
}

EmergencyRow EmergencyOf(const Cursor& rows) {
  EmergencyRow row;
  Read(row.id, rows.Blob(0));
  Read(row.client, rows.Blob(1));
  Read(row.principal, rows.Blob(2));
  row.terms.id = row.id.Text();
  row.terms.purpose = rows.Text(3);
  row.terms.expires = Timestamp{rows.Int(6)};
  row.terms.emergency = true;
  row.ticket = rows.Text(4);
  row.created = Timestamp{rows.Int(5)};
  row.due = Timestamp{rows.Int(7)};
  if (!rows.IsNull(8)) Read(row.reviewer.emplace(), rows.Blob(8));
  if (!rows.IsNull(9)) row.reviewed = Timestamp{rows.Int(9)};
  row.finding = rows.Text(10);
  return row;
}

// Ordered by their ids, so that the entries about them come in one order.
template <class Row, class ByClient>
std::vector<Row> LiveOf(const ByClient& by_client, const PrincipalId& principal, Timestamp now) {
  std::vector<Row> live;
  for (const auto& [client, rows] : by_client) {
    for (const Row& row : rows) {
      if (row.principal == principal && now < row.terms.expires) live.push_back(row);
    }
  }
  std::ranges::sort(live, {}, &Row::id);
  return live;
}

Result<std::vector<AssignmentRow>> AssignmentsOf(Cursor rows) {
  std::vector<AssignmentRow> assignments;
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

Result<std::vector<EmergencyRow>> EmergenciesOf(Cursor rows) {
  std::vector<EmergencyRow> emergencies;
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return emergencies;
    emergencies.push_back(EmergencyOf(rows));
  }
}

}  // namespace

Result<AccessStore> AccessStore::Open(Database& database) {
  AccessStore store;
  COFFER_ASSIGN(store.load_assignments_, Statement::Prepare(database, kLoadAssignments));
  COFFER_ASSIGN(store.load_leases_, Statement::Prepare(database, kLoadLeases));
  COFFER_ASSIGN(store.put_assignment_, Statement::Prepare(database, kPutAssignment));
  COFFER_ASSIGN(store.delete_assignment_, Statement::Prepare(database, kDeleteAssignment));
  COFFER_ASSIGN(store.list_assignments_of_, Statement::Prepare(database, kListAssignmentsOf));
  COFFER_ASSIGN(store.count_assignments_of_, Statement::Prepare(database, kCountAssignmentsOf));
  COFFER_ASSIGN(store.insert_lease_, Statement::Prepare(database, kInsertLease));
  COFFER_ASSIGN(store.end_lease_, Statement::Prepare(database, kEndLease));
  COFFER_ASSIGN(store.end_emergency_, Statement::Prepare(database, kEndEmergency));
  COFFER_ASSIGN(store.delete_assignments_of_, Statement::Prepare(database, kDeleteAssignmentsOf));
  COFFER_ASSIGN(store.delete_leases_of_, Statement::Prepare(database, kDeleteLeasesOf));
  COFFER_ASSIGN(store.load_emergencies_, Statement::Prepare(database, kLoadEmergencies));
  COFFER_ASSIGN(store.list_emergencies_, Statement::Prepare(database, kListEmergencies));
  COFFER_ASSIGN(store.find_emergency_, Statement::Prepare(database, kFindEmergency));
  COFFER_ASSIGN(store.insert_emergency_, Statement::Prepare(database, kInsertEmergency));
  COFFER_ASSIGN(store.review_emergency_, Statement::Prepare(database, kReviewEmergency));
  COFFER_ASSIGN(store.count_unreviewed_of_, Statement::Prepare(database, kCountUnreviewedOf));
  COFFER_ASSIGN(store.purge_leases_, Statement::Prepare(database, kPurgeLeases));
  COFFER_ASSIGN(store.purge_emergencies_, Statement::Prepare(database, kPurgeEmergencies));
  COFFER_ASSIGN(store.count_unreviewed_, Statement::Prepare(database, kCountUnreviewed));
  return store;
}

Result<std::vector<AssignmentRow>> AccessStore::LoadAssignments() {
  return AssignmentsOf(load_assignments_.Query());
}

Result<std::vector<AssignmentRow>> AccessStore::ListAssignmentsOf(const PrincipalId& principal,
                                                                  std::int64_t after,
                                                                  std::optional<Timestamp> ended_by,
                                                                  std::size_t limit) {
  const std::int64_t ended = ended_by ? ended_by->ms : std::numeric_limits<std::int64_t>::min();
  return AssignmentsOf(list_assignments_of_.Query(principal.bytes(), after, ended,
                                                  static_cast<std::int64_t>(limit)));
}

Result<std::uint64_t> AccessStore::CountAssignmentsOf(const PrincipalId& principal,
                                                      Timestamp ended_by) {
  auto rows = count_assignments_of_.Query(principal.bytes(), ended_by.ms);
  COFFER_TRY(rows.Next());
  return static_cast<std::uint64_t>(rows.Int(0));
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
    if (!rows.IsNull(10)) row.terms.own = ReadOwnConditions(rows.Text(10));
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
  std::optional<std::string_view> conditions;
  if (row.terms.own) conditions = row.terms.own->definition;
  return insert_lease_.Execute(row.id.bytes(), row.client.Row(), row.client.bytes(),
                               row.principal.bytes(), std::string_view(row.terms.class_name),
                               std::string_view(fields), std::string_view(row.terms.purpose),
                               std::string_view(row.ticket), row.created.ms, row.terms.expires.ms,
                               row.given_by.bytes(), conditions);
}

Status AccessStore::EndLease(const LeaseId& id, Timestamp when) {
  return end_lease_.Execute(when.ms, id.bytes());
}

Status AccessStore::EndEmergency(const EmergencyId& id, Timestamp when) {
  return end_emergency_.Execute(when.ms, id.bytes());
}

Status AccessStore::DeleteAllOf(const ClientId& client) {
  COFFER_TRY(delete_assignments_of_.Execute(client.Row()));
  return delete_leases_of_.Execute(client.Row());
}

Result<std::vector<EmergencyRow>> AccessStore::LoadEmergencies(Timestamp after) {
  return EmergenciesOf(load_emergencies_.Query(after.ms));
}

Result<std::vector<EmergencyRow>> AccessStore::ListEmergencies() {
  return EmergenciesOf(list_emergencies_.Query());
}

Result<std::optional<EmergencyRow>> AccessStore::FindEmergency(const EmergencyId& id) {
  auto rows = find_emergency_.Query(id.bytes());
  COFFER_ASSIGN(const bool found, rows.Next());
  if (!found) return std::nullopt;
  return EmergencyOf(rows);
}

Status AccessStore::InsertEmergency(const EmergencyRow& row) {
  return insert_emergency_.Execute(row.id.bytes(), row.client.Row(), row.client.bytes(),
                                   row.principal.bytes(), std::string_view(row.terms.purpose),
                                   std::string_view(row.ticket), row.created.ms,
                                   row.terms.expires.ms, row.due.ms);
}

// Precondition: it is reviewed.
Status AccessStore::ReviewEmergency(const EmergencyRow& row) {
  return review_emergency_.Execute(row.reviewer->bytes(), row.reviewed->ms,
                                   std::string_view(row.finding), row.terms.expires.ms,
                                   row.id.bytes());
}

Result<AccessStore::Unreviewed> AccessStore::CountUnreviewed(Timestamp now) {
  auto rows = count_unreviewed_.Query(now.ms);
  COFFER_TRY(rows.Next());
  return Unreviewed{static_cast<std::uint64_t>(rows.Int(0)),
                    static_cast<std::uint64_t>(rows.Int(1))};
}

Status AccessStore::PurgeLeases(Timestamp ended_before) {
  return purge_leases_.Execute(ended_before.ms);
}

Status AccessStore::PurgeEmergencies(Timestamp reviewed_before) {
  return purge_emergencies_.Execute(reviewed_before.ms);
}

Result<std::uint64_t> AccessStore::CountUnreviewedOf(const PrincipalId& principal) {
  auto rows = count_unreviewed_of_.Query(principal.bytes());
  COFFER_TRY(rows.Next());
  return static_cast<std::uint64_t>(rows.Int(0));
}

void AccessRegister::Clear() {
  assignments_.clear();
  leases_.clear();
  emergencies_.clear();
}

void AccessRegister::Put(const EmergencyRow& row) {
  auto& rows = emergencies_[row.client];
  const auto found = std::ranges::find(rows, row.id, &EmergencyRow::id);
  if (found == rows.end()) {
    rows.push_back(row);
  } else {
    *found = row;
  }
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

void AccessRegister::ForgetEnded(Timestamp before) {
  const auto forget = [before](auto& by_client) {
    for (auto& [client, rows] : by_client) {
      std::erase_if(rows, [before](const auto& row) { return row.terms.expires < before; });
    }
    std::erase_if(by_client, [](const auto& item) { return item.second.empty(); });
  };
  forget(leases_);
  forget(emergencies_);
}

void AccessRegister::Forget(const ClientId& client) {
  assignments_.erase(client);
  leases_.erase(client);
  emergencies_.erase(client);
}

bool AccessRegister::IsAssigned(const ClientId& client, const PrincipalId& principal,
                                const std::vector<PrincipalId>& teams, Timestamp now) const {
  const auto* const rows = AssignmentsOf(client);
  return rows != nullptr && std::ranges::any_of(*rows, [&](const AssignmentRow& row) {
           return row.starts <= now && (!row.ends || now < *row.ends) &&
                  (row.principal == principal ||
                   std::ranges::find(teams, row.principal) != teams.end());
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
  if (const auto found = emergencies_.find(client); found != emergencies_.end()) {
    for (const EmergencyRow& row : found->second) {
      if (row.principal == principal) terms.push_back(&row.terms);
    }
  }
  return terms;
}

std::vector<LeaseRow> AccessRegister::LiveLeasesOf(const PrincipalId& principal,
                                                   Timestamp now) const {
  return LiveOf<LeaseRow>(leases_, principal, now);
}

std::vector<EmergencyRow> AccessRegister::LiveEmergenciesOf(const PrincipalId& principal,
                                                            Timestamp now) const {
  return LiveOf<EmergencyRow>(emergencies_, principal, now);
}

const std::vector<AssignmentRow>* AccessRegister::AssignmentsOf(const ClientId& client) const {
  const auto found = assignments_.find(client);
  return found == assignments_.end() ? nullptr : &found->second;
}

const std::vector<LeaseRow>* AccessRegister::LeasesOf(const ClientId& client) const {
  const auto found = leases_.find(client);
  return found == leases_.end() ? nullptr : &found->second;
}

const std::vector<EmergencyRow>* AccessRegister::EmergenciesOf(const ClientId& client) const {
  const auto found = emergencies_.find(client);
  return found == emergencies_.end() ? nullptr : &found->second;
}

}  // namespace coffer::vault
