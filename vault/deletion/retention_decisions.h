// Which policy a record, or a client without records, is due by.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>

#include "audit/documents/erasure_scope.h"
#include "vault/base/timestamp.h"
#include "vault/catalog/retention_dates.h"
#include "vault/catalog/retention_schedule.h"
#include "vault/deletion/retention_store.h"

namespace coffer::vault {

// So long what one person alone made due waits.
inline constexpr std::int64_t kChangedWaitsMs = 7 * 24 * std::int64_t{3600} * 1000;

// What is due by one schedule at one time.
class RetentionDecisions {
 public:
  RetentionDecisions(std::shared_ptr<const ScheduleInForce> schedule, const Catalog& catalog,
                     Timestamp as_of)
      : schedule_(std::move(schedule)), as_of_(as_of) {
    Follow(catalog);
    for (const RetentionPolicy& policy : schedule_->schedule.policies()) {
      cut_offs_[&policy] = schedule_->schedule.CutOff(policy, as_of);
    }
  }
  std::uint64_t version() const { return schedule_->version; }
  bool HasClientPolicies() const { return schedule_->schedule.HasClientPolicies(); }
  // Classes may have come to count from other fields since.
  void Follow(const Catalog& catalog) {
    const std::size_t versions = RetentionDates::VersionsIn(catalog);
    if (versions == class_versions_) return;
    class_versions_ = versions;
    dates_ = RetentionDates(catalog);
  }

  // Null: it is not due.
  const RetentionPolicy* PolicyIfDue(const RetentionSubject& subject,
                                     const RetentionClient& client) const {
    const auto& policy = schedule_->schedule.PolicyFor(subject.class_name, client.tags);
    const auto found = cut_offs_.find(&policy);
    if (found == cut_offs_.end() || !found->second) return nullptr;
    const bool due = RetentionSchedule::IsDue(policy, *found->second, EventsOf(subject, client));
    return due ? &policy : nullptr;
  }
  // Of a client without records.
  const RetentionPolicy* PolicyIfDue(const RetentionClient& client) const {
    if (!HasClientPolicies()) return nullptr;
    RetentionSubject itself;
    itself.class_name = audit::kClientItself;
    return PolicyIfDue(itself, client);
  }
  // Whether any period may end where nobody knows when: the calendar has no such year.
  bool CountsWorkingDays() const {
    return std::ranges::any_of(schedule_->schedule.policies(), [](const RetentionPolicy& policy) {
      return !policy.keeps() && policy.period.working_days != 0;
    });
  }
  bool IsUnknown(const RetentionSubject& subject, const RetentionClient& client) const {
    const auto& policy = schedule_->schedule.PolicyFor(subject.class_name, client.tags);
    if (policy.keeps() || policy.period.working_days == 0) return false;
    return schedule_->schedule.DueAt(policy, EventsOf(subject, client)).state ==
           RetentionDue::State::kUnknown;
  }
  // By which rule it goes, and when, whatever the time is now.
  std::pair<const RetentionPolicy*, RetentionDue> DueOf(const RetentionSubject& subject,
                                                        const RetentionClient& client) const {
    const auto& policy = schedule_->schedule.PolicyFor(subject.class_name, client.tags);
    return {&policy, schedule_->schedule.DueAt(policy, EventsOf(subject, client))};
  }
  // One person alone may write another date into a record, which may be long ago.
  static bool WaitsForItself(const RetentionSubject& subject, const RetentionPolicy& policy,
                             Timestamp now) {
    return policy.trigger == RetentionTrigger::kDateField && subject.updated > subject.created &&
           now.ms - subject.updated.ms < kChangedWaitsMs;
  }
  bool HasEnded(const RetentionClient& client) const {
    return client.relationship_end && *client.relationship_end <= as_of_;
  }

 private:
  RetentionEvents EventsOf(const RetentionSubject& subject, const RetentionClient& client) const {
    RetentionEvents events{subject.created, subject.updated, {}, {}};
    if (dates_.IsCurrent(subject.class_name, subject.date_version)) {
      events.date_field = subject.date_field;
    }
    if (client.relationship_end) {
      events.relationship_end = schedule_->schedule.zone().DayOf(*client.relationship_end);
    }
    return events;
  }

  std::shared_ptr<const ScheduleInForce> schedule_;
  Timestamp as_of_;
  RetentionDates dates_;
  std::size_t class_versions_ = static_cast<std::size_t>(-1);
  std::unordered_map<const RetentionPolicy*, std::optional<RetentionCutOff>> cut_offs_;
};

}  // namespace coffer::vault
