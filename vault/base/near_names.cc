#include "vault/base/near_names.h"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

namespace coffer::vault {
namespace {

constexpr std::size_t kMostNear = 5;
constexpr std::size_t kMostNamed = 60;
constexpr std::size_t kMostEdits = 2;

// Levenshtein's distance, in a row of memory.
std::size_t Edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

bool IsNear(std::string_view value, std::string_view name, std::size_t edits) {
  if (edits <= std::min(kMostEdits, value.size() / 2)) return true;
  return value.size() >= 3 && name.size() >= 3 &&
         (name.find(value) != name.npos || value.find(name) != value.npos);
}

std::string Joined(const std::vector<std::string>& names, std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), most); ++i) {
    text += (i == 0 ? "" : ", ") + names[i];
  }
  if (names.size() > most) text += " and " + std::to_string(names.size() - most) + " more";
  return text;
}

}  // namespace

std::string Suggest(std::string_view value, std::vector<std::string> known) {
  std::ranges::sort(known);
  known.erase(std::ranges::unique(known).begin(), known.end());
  std::vector<std::pair<std::size_t, std::string>> near;
  for (const std::string& name : known) {
    const std::size_t difference =
        std::max(name.size(), value.size()) - std::min(name.size(), value.size());
    const std::size_t edits = difference > kMostEdits ? difference : Edits(value, name);
    if (IsNear(value, name, edits)) near.emplace_back(edits, name);
  }
  if (near.empty()) return known.empty() ? "" : "known: " + Joined(known, kMostNamed);
  std::ranges::sort(near);
  std::vector<std::string> nearest;
  for (auto& [edits, name] : near) nearest.push_back(std::move(name));
  nearest.resize(std::min(nearest.size(), kMostNear));
  return "near: " + Joined(nearest, kMostNear);
}

}  // namespace coffer::vault
