// What the vault knows about its own handling of one client, on one page: no value of any record,
// and no word that was written about it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/result.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/base/ids.h"
#include "vault/base/timestamp.h"
#include "vault/oversight/log_reader.h"

namespace coffer::vault {

// In the order in which they are told. What is listed of each:
// clang-format off
//                what            state                          at        until      entry
//   consents     purpose         stands, expired, withdrawn     given     expires    of it or its end
//   requests     kind            as in the register             received  due        that registered it
//   restrictions "all", a class  all, purposes                  since
//   holds        "all", a class  review_due, review_overdue     placed    review
//   assignments  -               open, to_come, ended           starts    ends
//   leases       purpose         open, ended                    given     expires
//   emergencies  purpose         open, ended                    opened    expires
//   disclosures  source          -                              given                of the client's line
//   to_tell      act             open, told, not_told           act       told       of the act
//   erasures     scope           complete, unfinished           erased               of it
//   retention    class           due, later, kept, not_begun,             earliest
//                                unknown, held
// clang-format on
enum class OverviewPart : std::uint8_t {
  kConsents,
  kRequests,
  kRestrictions,
  kHolds,
  kAssignments,
  kLeases,
  kEmergencies,
  kDisclosures,
  kToTell,
  kErasures,
  kRetention,
};
inline constexpr std::size_t kOverviewParts = 11;
std::string_view Name(OverviewPart part);  // "to_tell"
// The route that lists all of it, with "{client}"; of retention none: the part is whole.
std::string_view RouteOf(OverviewPart part);

// Empty and absent members say nothing here.
struct OverviewItem {
  std::string id, what, state;
  std::optional<Timestamp> at, until;
  std::optional<std::uint64_t> entry;    // of the log
  std::optional<PrincipalId> principal;  // whose it is, or who did it
  std::optional<std::uint64_t> count;    // of retention: records
  std::string detail;                    // a recipient, a text, a policy and what it does, a class
};

struct OverviewList {
  bool withheld = false;            // the role may not see it
  bool more = false;                // than kMostOverviewItems
  std::vector<OverviewItem> items;  // the newest first
};
inline constexpr std::size_t kMostOverviewItems = 20;

struct OverviewClass {
  std::string name;
  std::uint64_t records = 0;
};

// What entries of the last 30 days showed of it, of the newest kMostAccessesLookedAt.
struct AccessSummary {
  bool withheld = false;
  bool known = true;  // false: the log's index cannot be asked now
  bool more = false;  // not all entries of the time were looked at
  std::uint64_t reads = 0, principals = 0;
  std::optional<OverviewItem> last;  // what: the action
};
inline constexpr std::size_t kMostAccessesLookedAt = 2000;
inline constexpr std::int64_t kAccessDays = 30;

struct ClientOverview {
  ClientId client;
  bool erased = false;  // nothing is kept of it but what is told here
  std::optional<Timestamp> created, updated, relationship_end;
  std::uint64_t version = 0;
  std::vector<OverviewClass> classes;  // that the role would show for some purpose
  std::uint64_t records = 0, hidden = 0, old_versions = 0;  // hidden: of the other classes
  bool more_versions = false;  // there are more old ones than are counted
  std::array<OverviewList, kOverviewParts> parts;
  AccessSummary accesses;

  OverviewList& operator[](OverviewPart part) { return parts[static_cast<std::size_t>(part)]; }
};

class ClientOverviews {
 public:
  ClientOverviews(const Operations& operations, LogReaders& readers)
      : operations_(operations), readers_(readers) {}

  // Of one that is there, or was erased. One operation of the engine, the rest beside it.
  Result<ClientOverview> GetOverview(const Caller& caller, const ClientId& client);

 private:
  Status Count(const Call& call, ClientOverview& overview, bool with_retention);
  Status HideClasses(const Call& call, ClientOverview& overview);
  Status Summarise(ClientOverview& overview);

  const Operations& operations_;
  LogReaders& readers_;
};

}  // namespace coffer::vault
