#include "vault/catalog/grant.h"

#include <algorithm>
#include <functional>

namespace coffer::vault {
namespace {

// std::ranges::contains of C++23, which gcc 12 does not have yet.
template <class Range, class T>
bool Lists(const Range& range, const T& value) {
  return std::ranges::find(range, value) != std::ranges::end(range);
}

}  // namespace

bool Grant::Covers(Action action) const { return Lists(actions, action); }

bool Grant::CoversClass(std::string_view class_name) const {
  return classes.empty() || std::ranges::binary_search(classes, class_name, std::less<>());
}

bool Grant::CoversField(std::string_view name, Sensitivity of) const {
  return (fields.empty() || std::ranges::binary_search(fields, name, std::less<>())) &&
         (sensitivity.empty() || Lists(sensitivity, of));
}

bool Grant::CoversPurpose(std::string_view purpose) const {
  return purposes.empty() || std::ranges::binary_search(purposes, purpose, std::less<>());
}

bool Grant::CoversApproval(std::string_view action) const {
  return approves.empty() || std::ranges::binary_search(approves, action, std::less<>());
}

}  // namespace coffer::vault
