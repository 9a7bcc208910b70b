// What the retention schedule would do, and when.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vault/base/ids.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

struct RetentionPreviewRequest {
  std::optional<Timestamp> until;  // what will be due by then; absent: what is due now
  std::size_t months = 12;         // to forecast; at most 600
  bool with_ids = false;           // takes retention.run as well
};

// The records of one class that come under one policy: see RetentionForecast of retention_plan.h.
struct RetentionCount {
  std::string class_name;
  std::string policy, action;  // both empty: the class itself is to be kept
  std::uint64_t records = 0, kept = 0, not_begun = 0, unknown = 0, due = 0, later = 0;
  std::uint64_t held = 0;  // of those that are due: a run leaves them
  std::vector<std::uint64_t> by_month;
};

struct RetentionDueRecord {
  std::optional<RecordId> id;  // absent: the client itself
  ClientId client;
  std::string class_name, policy, action;
  bool held = false;
};

struct RetentionPreview {
  std::uint64_t schedule = 0;       // version
  Timestamp at;                     // due by then
  std::vector<std::string> months;  // "2026-01", …: those of by_month
  std::vector<RetentionCount> counts;
  std::uint64_t records = 0, due = 0, held = 0;
  std::vector<RetentionDueRecord> listed;  // due, at most 1000; where they were asked for
};

}  // namespace coffer::vault
