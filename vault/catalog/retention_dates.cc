#include "vault/catalog/retention_dates.h"

#include <algorithm>

namespace coffer::vault {

bool ReadTheSameDay(const ClassSchema& one, const ClassSchema& other) {
  if (one.retention_date != other.retention_date) return false;
  if (one.retention_date.empty()) return true;
  return one.Find(one.retention_date)->type == other.Find(other.retention_date)->type;
}

bool MovesDueDates(const RetentionSchedule& schedule, const ClassSchema& before,
                   const ClassSchema& after) {
  return !ReadTheSameDay(before, after) &&
         std::ranges::any_of(schedule.policies(), [&](const RetentionPolicy& policy) {
           return policy.class_name == after.name && !policy.keeps() &&
                  policy.trigger == RetentionTrigger::kDateField;
         });
}

RetentionDates::RetentionDates(const Catalog& catalog) {
  for (const auto& [name, versions] : catalog.classes) {
    const ClassSchema& newest = *versions.back();
    Versions of_class;
    of_class.reads = !newest.retention_date.empty();
    for (const auto& version : versions) {
      of_class.current.push_back(ReadTheSameDay(*version, newest));
    }
    if (std::ranges::find(of_class.current, false) != of_class.current.end()) {
      differing_.emplace(name, std::move(of_class));
    }
  }
}

bool RetentionDates::IsCurrent(std::string_view class_name, std::uint64_t version) const {
  const auto found = differing_.find(class_name);
  if (found == differing_.end()) return true;
  const auto& current = found->second.current;
  return version >= 1 && version <= current.size() && current[version - 1];
}

bool RetentionDates::IsToBeRead(std::string_view class_name, std::uint64_t version) const {
  const auto found = differing_.find(class_name);
  return found != differing_.end() && found->second.reads && !IsCurrent(class_name, version);
}

bool RetentionDates::AnyToBeRead() const {
  return std::ranges::any_of(differing_,
                             [](const auto& of_class) { return of_class.second.reads; });
}

std::size_t RetentionDates::VersionsIn(const Catalog& catalog) {
  std::size_t count = 0;
  for (const auto& [name, versions] : catalog.classes) count += versions.size();
  return count;
}

}  // namespace coffer::vault
