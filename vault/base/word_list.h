// Lists of words in one column, separated by single spaces.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace coffer::vault {

inline std::vector<std::string> SplitWords(std::string_view joined) {
  std::vector<std::string> words;
  while (!joined.empty()) {
    const auto space = joined.find(' ');
    words.emplace_back(joined.substr(0, space));
    if (space == joined.npos) break;
    joined.remove_prefix(space + 1);
  }
  return words;
}

inline std::string JoinWords(const std::vector<std::string>& words) {
  std::string joined;
  for (const auto& word : words) {
    if (!joined.empty()) joined += ' ';
    joined += word;
  }
  return joined;
}

}  // namespace coffer::vault
