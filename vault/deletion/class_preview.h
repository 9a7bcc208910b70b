// What another version of a class would do to due dates.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vault/base/timestamp.h"

namespace coffer::vault {

// What becomes of due dates when a class counts from another field: of the records of one class
// that come under one policy by the date of a field. Each is in exactly one of what follows
// `records`, up to `unreadable`.
struct DueDateChange {
  std::string policy, action;
  std::uint64_t records = 0;
  std::uint64_t unchanged = 0, sooner = 0, later = 0;
  std::uint64_t begins = 0;                     // had no due date, and will have one
  std::uint64_t ends = 0;                       // had one, and will have none
  std::uint64_t unreadable = 0;                 // cannot be opened: will have none
  std::uint64_t due_before = 0, due_after = 0;  // by the time of the preview
};

struct ClassPreview {
  std::string class_name;
  std::uint64_t version = 0;   // the newest one of the class; 0: there is none
  std::uint64_t schedule = 0;  // version; 0: there is none
  Timestamp at;
  bool moves_due_dates = false;  // then two people decide
  std::vector<DueDateChange> changes;
};

}  // namespace coffer::vault
