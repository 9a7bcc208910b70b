// Assignments and leases: their rows, and what decisions need of them in memory.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "audit/text/clock.h"
#include "vault/access/access_policy.h"
#include "vault/base/ids.h"
#include "vault/base/timestamp.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {

using audit::Timestamp;

struct AssignmentRow {
  ClientId client;
  PrincipalId principal;
  Timestamp starts;
  std::optional<Timestamp> ends;
  PrincipalId given_by;
};

struct LeaseRow {
  LeaseId id;
  ClientId client;
  PrincipalId principal;
  LeaseTerms terms;
  std::string ticket;
  Timestamp created;
  PrincipalId given_by;
};

// Emergency access: what was taken, and its review.
struct EmergencyRow {
  EmergencyId id;
  ClientId client;
  PrincipalId principal;
  LeaseTerms terms;  // purpose, expires; of every class and field
  std::string ticket;
  Timestamp created, due;
  std::optional<PrincipalId> reviewer;
  std::optional<Timestamp> reviewed;
  std::string finding;
};

class AccessStore {
 public:
  static Result<AccessStore> Open(Database& database);
  Result<std::vector<AssignmentRow>> LoadAssignments();
  Result<std::vector<LeaseRow>> LoadLeases(Timestamp after);  // that expire after it
  Status PutAssignment(const AssignmentRow& row);
  Status DeleteAssignment(const ClientId& client, const PrincipalId& principal);
  // Of one principal, of clients with rows after `after`; those that ended by `ended_by` are left
  // out.
  Result<std::vector<AssignmentRow>> ListAssignmentsOf(const PrincipalId& principal,
                                                       std::int64_t after,
                                                       std::optional<Timestamp> ended_by,
                                                       std::size_t limit);
  // Those that did not end by then.
  Result<std::uint64_t> CountAssignmentsOf(const PrincipalId& principal, Timestamp ended_by);
  Status InsertLease(const LeaseRow& row);
  Status EndLease(const LeaseId& id, Timestamp when);
  Status EndEmergency(const EmergencyId& id, Timestamp when);
  Status PurgeLeases(Timestamp ended_before);
  Status PurgeEmergencies(Timestamp reviewed_before);
  Result<std::uint64_t> CountUnreviewedOf(const PrincipalId& principal);
  Status DeleteAllOf(const ClientId& client);  // emergencies and their reviews stay

  Result<std::vector<EmergencyRow>> LoadEmergencies(Timestamp after);  // that expire after it
  Result<std::vector<EmergencyRow>> ListEmergencies();  // 1,000, those to review first
  Result<std::optional<EmergencyRow>> FindEmergency(const EmergencyId& id);
  Status InsertEmergency(const EmergencyRow& row);
  Status ReviewEmergency(const EmergencyRow& row);
  struct Unreviewed {
    std::uint64_t all = 0, overdue = 0;
  };
  Result<Unreviewed> CountUnreviewed(Timestamp now);

 private:
  Statement load_assignments_, load_leases_, put_assignment_, delete_assignment_, insert_lease_,
      end_lease_, end_emergency_, delete_assignments_of_, delete_leases_of_, load_emergencies_,
      list_emergencies_, find_emergency_, insert_emergency_, review_emergency_, count_unreviewed_,
      count_unreviewed_of_, purge_leases_, purge_emergencies_, list_assignments_of_,
      count_assignments_of_;
};

// Engine thread only. Two lookups by client answer what a decision asks.
class AccessRegister {
 public:
  void Clear();
  void Put(AssignmentRow row);
  void Remove(const ClientId& client, const PrincipalId& principal);
  void Put(LeaseRow row);  // or replaces it
  void Put(const EmergencyRow& row);
  void Forget(const ClientId& client);
  void ForgetEnded(Timestamp before);  // leases and emergencies that ended before it

  // To the principal, or to one of its teams.
  bool IsAssigned(const ClientId& client, const PrincipalId& principal,
                  const std::vector<PrincipalId>& teams, Timestamp now) const;
  // Of this principal on this client, expired ones and emergencies too.
  std::vector<const LeaseTerms*> LeasesOf(const ClientId& client,
                                          const PrincipalId& principal) const;
  // Of this principal on any client, those that go on. Looks at all there are.
  std::vector<LeaseRow> LiveLeasesOf(const PrincipalId& principal, Timestamp now) const;
  std::vector<EmergencyRow> LiveEmergenciesOf(const PrincipalId& principal, Timestamp now) const;
  const std::vector<AssignmentRow>* AssignmentsOf(const ClientId& client) const;  // null: none
  const std::vector<LeaseRow>* LeasesOf(const ClientId& client) const;            // null: none
  const std::vector<EmergencyRow>* EmergenciesOf(const ClientId& client) const;   // null: none

 private:
  std::unordered_map<ClientId, std::vector<AssignmentRow>, IdHash> assignments_;
  std::unordered_map<ClientId, std::vector<LeaseRow>, IdHash> leases_;
  std::unordered_map<ClientId, std::vector<EmergencyRow>, IdHash> emergencies_;
};

}  // namespace coffer::vault
