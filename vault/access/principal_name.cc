#include "vault/access/principal_name.h"

#include <algorithm>
#include <iterator>

namespace coffer::vault {
namespace {

constexpr std::size_t kDigitsOfId = 26;
constexpr std::string_view kActorsOfTheLog[] = {"vault", "genesis"};

bool IsIdDigit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

}  // namespace

std::string LoginForm(std::string_view text) {
  std::string small(text);
  for (char& c : small) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return small;
}

bool LooksLikeId(std::string_view name) {
  if (std::ranges::find(kActorsOfTheLog, LoginForm(name)) != std::end(kActorsOfTheLog)) return true;
  for (auto at = name.find('_'); at != name.npos; at = name.find('_', at + 1)) {
    const std::string_view digits = name.substr(at + 1, kDigitsOfId);
    if (digits.size() == kDigitsOfId && std::ranges::all_of(digits, IsIdDigit)) return true;
  }
  return false;
}

}  // namespace coffer::vault
