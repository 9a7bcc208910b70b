// Identifiers as docs/formats.md has them. What may hold only these cannot hold a person's data.
#pragma once

#include <algorithm>
#include <string_view>

#include "crypto/encoding.h"

namespace coffer::audit {

inline constexpr std::string_view kActPrefix = "act_";
inline constexpr std::string_view kErasurePrefix = "era_";
inline constexpr std::string_view kRunPrefix = "run_";
inline constexpr std::string_view kClientPrefix = "cli_";
inline constexpr std::string_view kRecordPrefix = "rec_";
inline constexpr std::string_view kNoPrefix = "";  // vaults

// The prefix and 26 characters.
inline bool IsId(std::string_view text, std::string_view prefix) {
  return text.starts_with(prefix) && crypto::Base32Decode(text.substr(prefix.size()));
}

// [a-z][a-z0-9-]{0,63}
inline bool IsClassName(std::string_view text) {
  constexpr std::size_t kMaxClassName = 64;
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return !text.empty() && text.size() <= kMaxClassName && is_letter(text.front()) &&
         std::ranges::all_of(
             text, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-'; });
}

}  // namespace coffer::audit
