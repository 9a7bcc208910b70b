// What one version of a document has that another has not, for people who are to agree to it: of
// roles, classes and retention schedules.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace coffer::vault {

enum class ChangeKind : std::uint8_t { kAdded, kRemoved, kChanged };
std::string_view Name(ChangeKind kind);

struct DocumentChange {
  ChangeKind kind = ChangeKind::kChanged;
  std::string words;          // "field email, index: from no to yes"
  std::string before, after;  // JSON; empty: it is not there
};

struct DocumentDifference {
  static constexpr std::size_t kMost = 1000;
  std::vector<DocumentChange> changes;  // at most kMost
  bool more = false;
};

// Of two JSON documents; an empty text is a document with nothing in it. Items of lists are told
// apart by their "name", grants of a role by what they say, and other items by being there: only
// where the same ones stand in another order the list as a whole has changed. Empty exactly when
// the documents say the same, but for the order of grants, which says nothing.
DocumentDifference DifferenceOf(std::string_view before, std::string_view after);

}  // namespace coffer::vault
