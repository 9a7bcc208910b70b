// What a retention schedule will do and when: counts for a preview, from a stream of records.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "audit/text/clock.h"
#include "vault/base/timestamp.h"
#include "vault/catalog/retention_schedule.h"

namespace coffer::vault {

// A record as a scan reads it.
struct PlannedRecord {
  std::string_view id;  // of the record, for the list
  std::string_view class_name;
  std::string_view client_tags;  // separated by single spaces
  RetentionEvents events;
};

// The records of one class that come under one policy. Each is counted once in `records`, and once
// in one of what follows.
struct RetentionForecast {
  std::string class_name;
  const RetentionPolicy* policy = nullptr;  // of the schedule
  std::uint64_t records = 0;
  std::uint64_t kept = 0;       // RetentionDue::State::kKept
  std::uint64_t not_begun = 0;  // kNotBegun
  std::uint64_t unknown = 0;    // kUnknown
  std::uint64_t due = 0;        // already
  std::uint64_t held = 0;       // of those: for who adds records to say
  // In the rest of this month, in the next one, …: as many as the plan's months.
  std::vector<std::uint64_t> by_month;
  std::uint64_t later = 0;
};

// Holds counts and at most the listed ids, however many records it is given.
class RetentionPlan {
 public:
  static constexpr std::size_t kMaxMonths = 600;

  // `months`: how many, from that of `now` in the schedule's time zone on; at most kMaxMonths
  // count. `max_listed`: of how many records that are due already the ids are kept. The schedule
  // must outlive the plan.
  RetentionPlan(const RetentionSchedule& schedule, audit::Timestamp now, std::size_t months,
                std::size_t max_listed);

  // Where the record is due already, the forecast that counts it; else null.
  RetentionForecast* Add(const PlannedRecord& record);

  // "2026-01", …: those of by_month.
  const std::vector<std::string>& months() const { return months_; }
  // By class, then by the policy's name.
  std::vector<RetentionForecast> Forecasts() const;

  struct Listed {
    std::string id;
    const RetentionPolicy* policy = nullptr;
  };
  const std::vector<Listed>& listed() const { return listed_; }  // the first ones that were added
  std::uint64_t due() const { return due_; }                     // all that are due already

 private:
  RetentionForecast& ForecastOf(const RetentionPolicy& policy, std::string_view class_name);

  const RetentionSchedule& schedule_;
  audit::Timestamp now_;
  std::vector<std::string> months_;
  std::vector<audit::Timestamp> ends_;  // of each month
  std::size_t max_listed_;
  std::vector<Listed> listed_;
  std::uint64_t due_ = 0;
  std::unordered_map<const RetentionPolicy*, RetentionForecast> by_policy_;
  // Of classes that the schedule does not know, which share a policy.
  std::map<std::string, RetentionForecast, std::less<>> unknown_;
};

}  // namespace coffer::vault
