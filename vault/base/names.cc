#include "vault/base/names.h"

#include <algorithm>

namespace coffer::vault {
namespace {

bool IsLetterOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

}  // namespace

bool IsName(std::string_view text, char joiner) {
  if (text.empty() || text.size() > 64 || text[0] < 'a' || text[0] > 'z') return false;
  return std::ranges::all_of(text, [joiner](char c) { return IsLetterOrDigit(c) || c == joiner; });
}

bool IsTag(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
    return IsLetterOrDigit(c) || c == '-' || c == '_' || c == ':' || c == '.';
  });
}

bool IsLogin(std::string_view text) {
  return !text.empty() && text.size() <= 64 && IsLetterOrDigit(text[0]) &&
         std::ranges::all_of(text, [](char c) {
           return IsLetterOrDigit(c) || std::string_view("._-@").find(c) != std::string_view::npos;
         });
}

bool IsTicket(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
    return IsLetterOrDigit(c) || (c >= 'A' && c <= 'Z') ||
           std::string_view("-_.:/#").find(c) != std::string_view::npos;
  });
}

}  // namespace coffer::vault
