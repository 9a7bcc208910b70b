#include "api/cli/text/typed_words.h"

#include <algorithm>

namespace coffer::cli {
namespace {

bool IsBetween(char c) { return c == ' ' || c == '\t' || c == '_' || c == '-'; }

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

std::string_view Trimmed(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  return text;
}

}  // namespace

std::string PurposeCodeOf(std::string_view typed) {
  std::string code;
  bool between = false;
  for (const char c : Trimmed(typed)) {
    // Several hyphens that a code has stay several.
    if (IsBetween(c) && c != '-') {
      between = true;
      continue;
    }
    if (between && c != '-' && !code.empty() && code.back() != '-') code += '-';
    between = false;
    code += Lower(c);
  }
  return code;
}

std::string IdOf(std::string_view typed) {
  std::string id(Trimmed(typed));
  std::ranges::transform(id, id.begin(), Lower);
  return id;
}

}  // namespace coffer::cli
