// The retention schedule: what becomes of records when their time is over, for which reason.
//
//   {"time_zone": "Europe/Berlin", "calendar": {…},
//    "jurisdiction_order": ["de", "fr"], "tag_order": ["minor", "vip"],
//    "policies": [
//      {"name": "contact-3y", "class": "contact", "trigger": "relationship_end", "period": "P3Y",
//       "action": "erase", "basis": "…"},
//      {"name": "contact-3y-fr", "class": "contact", "jurisdiction": "fr", …},
//      {"name": "agreements", "class": "agreement", "keep": "…"}],
//    "clients_without_records": [{"name": "client-1y", "period": "P1Y", "basis": "…"}]}
//
// docs/retention.md has the grammar and how periods are counted. Unknown members are refused.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audit/documents/erasure_scope.h"
#include "audit/text/clock.h"
#include "crypto/result.h"
#include "vault/base/calendar.h"
#include "vault/base/timestamp.h"
#include "vault/base/zone_days.h"
#include "vault/catalog/class_schema.h"

namespace coffer::vault {

// What begins the period of a record.
enum class RetentionTrigger {
  kCreation,         // the record was made
  kLastActivity,     // the record was changed last
  kRelationshipEnd,  // the relationship with the client ended
  kDateField,        // the day in the field that the class calls its "retention_date"
};
enum class RetentionAction { kErase, kRestrict, kReview };

std::string_view NameOf(RetentionTrigger trigger);  // "last_activity", as in the document
std::string_view NameOf(RetentionAction action);

struct RetentionPolicy {
  std::string name;        // [a-z0-9-]{1,64}; empty: of no document, the class itself is to be kept
  std::string class_name;  // or audit::kClientItself: of clients without records
  // Of clients with the tag "jurisdiction:de"; empty: of all.
  std::string jurisdiction;
  std::string tag;   // of clients with this tag; empty: of all
  std::string keep;  // why; when not empty nothing is ever due, and the rest says nothing
  RetentionTrigger trigger = RetentionTrigger::kCreation;
  Period period;
  RetentionAction action = RetentionAction::kReview;
  std::string basis;  // the legal basis in words

  bool keeps() const { return !keep.empty(); }
};

// What is known of a record. An event that is a time happened on the day that the schedule's time
// zone had then.
struct RetentionEvents {
  audit::Timestamp created;
  audit::Timestamp updated;
  std::optional<Day> relationship_end;
  std::optional<Day> date_field;  // RetentionDay of its document
};

struct RetentionDue {
  enum class State {
    kAt,
    kKept,      // the policy keeps
    kNotBegun,  // what begins the period has not happened, or nobody said when
    kUnknown,   // the period goes past the calendar's last year, or nobody knows the time zone
  };
  State state = State::kNotBegun;
  audit::Timestamp at;  // kAt
};

// Which events are long enough ago at one time, so that a scan only compares numbers.
struct RetentionCutOff {
  Day day = 0;              // events up to this day, with it
  audit::Timestamp before;  // events before this time, without it: the same days
};

// Immutable, cheap enough to hold and dear to copy: share it.
class RetentionSchedule {
 public:
  const std::string& definition() const { return definition_; }  // canonical JSON of what was given
  const std::string& time_zone() const { return time_zone_; }
  const ZoneDays& zone() const { return zone_; }
  // False: the machine has no such zone any more (ReadStoredSchedule). Nothing is due then, and
  // zone() is UTC.
  bool zone_is_known() const { return zone_is_known_; }
  std::span<const RetentionPolicy> policies() const;  // in the document's order
  const RetentionPolicy* Find(std::string_view name) const;
  // Whether any of them is for clients without records: PolicyFor(audit::kClientItself, tags).
  bool HasClientPolicies() const { return choices_.contains(audit::kClientItself); }

  // The one policy for records of the class of a client with these tags: of those that match, the
  // most specific. With jurisdiction and tag goes before with tag, that before with jurisdiction,
  // that before with neither; among equals the first in jurisdiction_order, then in tag_order.
  // Documents in which this leaves two are refused. Of a class that the document does not name, and
  // of clients that none of it is for: one that keeps, without a name. It lives as long as the
  // schedule.
  const RetentionPolicy& PolicyFor(std::string_view class_name,
                                   std::span<const std::string> client_tags) const;
  // `client_tags`: separated by single spaces, as they are stored.
  const RetentionPolicy& PolicyFor(std::string_view class_name, std::string_view client_tags) const;

  // A record is due from the start of the day after the last day of the period (LastDayOf) that the
  // day of the event begins, in the schedule's time zone.
  RetentionDue DueAt(const RetentionPolicy& policy, const RetentionEvents& events) const;

  // An event is due at `now` exactly when DueAt of it is kAt and not after `now`. nullopt: none is.
  std::optional<RetentionCutOff> CutOff(const RetentionPolicy& policy, audit::Timestamp now) const;
  static bool IsDue(const RetentionPolicy& policy, const RetentionCutOff& cut_off,
                    const RetentionEvents& events);

  // False: the policy counts working days, and `now` lies past the calendar's last year. What
  // CutOff says is due is; of what it does not, it cannot be told. The calendar is to be continued.
  bool CalendarReaches(const RetentionPolicy& policy, audit::Timestamp now) const;

  // What stands against making `schema` the newest version of its class while this schedule is in
  // force: issues with pointers into the class's definition. Empty: nothing.
  std::vector<Issue> IssuesOfClass(const ClassSchema& schema) const;

 private:
  friend class ScheduleReader;
  RetentionSchedule() = default;

  struct Choice {
    int jurisdiction = -1;  // number of the tag that the client must have; -1: none
    int tag = -1;
    std::size_t policy = 0;
  };
  template <class ForEachTag>
  const RetentionPolicy& Choose(std::string_view class_name, ForEachTag&& for_each_tag) const;

  std::string definition_;
  std::string time_zone_;
  ZoneDays zone_;
  bool zone_is_known_ = true;
  std::optional<WorkCalendar> calendar_;
  std::vector<RetentionPolicy> policies_;  // the document's; one for each class that keeps itself;
                                           // one for classes that are not known
  std::size_t named_ = 0;                  // how many are the document's
  // Of each class the most specific first; the last one matches every client.
  std::map<std::string, std::vector<Choice>, std::less<>> choices_;
  std::map<std::string, int, std::less<>> tags_;  // those that policies ask for, numbered
};

inline constexpr std::size_t kMaxPolicies = 1000;
inline constexpr std::size_t kMaxClientPolicies = 100;
inline constexpr std::size_t kMaxScheduleBytes = 1024 * 1024;

// `classes`: the newest version of each. Errors: those of ParseStrictJson; kTooLarge
// "document_too_large"; kUnavailable "time_zones_unavailable"; kUnprocessable "retention_invalid"
// with issues, among them that a class has no policy for all of its clients and does not keep
// itself, and that two policies could both be the one for some client.
Result<RetentionSchedule> ParseSchedule(
    std::string_view json, std::span<const std::shared_ptr<const ClassSchema>> classes);

// One that was in force once, whatever became since of the machine's time zones and of the classes:
// records of a class that neither has a policy nor keeps itself any more are kept.
Result<RetentionSchedule> ReadStoredSchedule(
    std::string_view json, std::span<const std::shared_ptr<const ClassSchema>> classes);

}  // namespace coffer::vault
