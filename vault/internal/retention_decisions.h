// Which policy a record, or a client without records, is due by.
#pragma once

#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>

#include "audit/erasure_scope.h"
#include "vault/internal/retention_store.h"
#include "vault/retention_schedule.h"

namespace coffer::vault {

// What is due by one schedule at one time.
class RetentionDecisions {
 public:
  RetentionDecisions(std::shared_ptr<const ScheduleInForce> schedule, Timestamp as_of)
      : schedule_(std::move(schedule)), as_of_(as_of) {
    for (const RetentionPolicy& policy : schedule_->schedule.policies()) {
      cut_offs_[&policy] = schedule_->schedule.CutOff(policy, as_of);
    }
  }
  std::uint64_t version() const { return schedule_->version; }
  bool HasClientPolicies() const { return schedule_->schedule.HasClientPolicies(); }

  // Null: it is not due.
  const RetentionPolicy* PolicyIfDue(const RetentionSubject& subject,
                                     const RetentionClient& client) const {
    const auto& policy = schedule_->schedule.PolicyFor(subject.class_name, client.tags);
    const auto found = cut_offs_.find(&policy);
    if (found == cut_offs_.end() || !found->second) return nullptr;
    RetentionEvents events{subject.created, subject.updated, {}, subject.date_field};
    if (client.relationship_end) {
      events.relationship_end = schedule_->schedule.zone().DayOf(*client.relationship_end);
    }
    return RetentionSchedule::IsDue(policy, *found->second, events) ? &policy : nullptr;
  }
  // Of a client without records.
  const RetentionPolicy* PolicyIfDue(const RetentionClient& client) const {
    if (!HasClientPolicies()) return nullptr;
    RetentionSubject itself;
    itself.class_name = audit::kClientItself;
    return PolicyIfDue(itself, client);
  }
  bool HasEnded(const RetentionClient& client) const {
    return client.relationship_end && *client.relationship_end <= as_of_;
  }

 private:
  std::shared_ptr<const ScheduleInForce> schedule_;
  Timestamp as_of_;
  std::unordered_map<const RetentionPolicy*, std::optional<RetentionCutOff>> cut_offs_;
};

}  // namespace coffer::vault
