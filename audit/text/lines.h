// Texts made of lines.
#pragma once

#include <optional>
#include <string_view>

namespace coffer::audit {

// The line at the front, without its newline; `text` moves past it. Nothing when no newline is
// left.
inline std::optional<std::string_view> TakeLine(std::string_view& text) {
  const auto end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

}  // namespace coffer::audit
