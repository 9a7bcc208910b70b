#include "audit/text/formula_guard.h"

#include <algorithm>

#include "audit/text/plain_text.h"
#include "audit/text/utf8.h"

namespace coffer::audit {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// A sign, digits, and at most one point or comma between them.
bool IsPlainNumber(std::string_view text) {
  text.remove_prefix(1);
  if (text.empty() || !IsDigit(text.front()) || !IsDigit(text.back())) return false;
  return std::ranges::all_of(text, [](char c) { return IsDigit(c) || c == '.' || c == ','; }) &&
         std::ranges::count_if(text, [](char c) { return !IsDigit(c); }) <= 1;
}

// Two numbers stand side by side with no sign between them, so that nothing can be computed: +7
// (495) 555-01-20. Or there is no sign but the first.
bool IsTelephone(std::string_view text) {
  if (text.size() < 2 || text.front() != '+' || !IsDigit(text[1])) return false;
  std::size_t digits = 0, signs = 0;
  bool beside = false, operand = false, gap = false;
  for (const char c : text.substr(1)) {
    if (IsDigit(c)) {
      beside = beside || (operand && gap);
      ++digits;
      operand = true;
      gap = false;
    } else if (c == '(') {
      beside = beside || operand;
      operand = false;
    } else if (c == ')' || c == ' ' || c == '.') {
      gap = true;
    } else if (c == '-' || c == '/') {
      ++signs;
      operand = gap = false;
    } else {
      return false;
    }
  }
  return digits >= 7 && digits <= 15 && (beside || signs == 0);
}

bool HasBlankEnd(std::string_view text) {
  const Utf8Sequence first = NextUtf8(text);
  std::size_t at = text.size() - 1;
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) --at;
  return IsBlank(text.substr(0, first.length)) || IsBlank(text.substr(at));
}

}  // namespace

bool StartsFormula(std::string_view text) {
  const auto start = text.find_first_not_of(' ');
  if (start == std::string_view::npos) return false;
  text.remove_prefix(start);
  if ((text.front() == '+' || text.front() == '-') && (IsPlainNumber(text) || IsTelephone(text))) {
    return false;
  }
  return std::ranges::any_of(
      std::initializer_list<std::string_view>{"=", "+", "-", "@", "\t", "\r", "\n", "|", "\uFF1D",
                                              "\uFF0B", "\uFF0D", "\uFF20"},
      [&](std::string_view sign) { return text.starts_with(sign); });
}

bool NeedsGuard(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of('\''), text.size()));
  return text.empty() || StartsFormula(text) || HasBlankEnd(text);
}

bool IsGuarded(std::string_view cell) {
  return cell.starts_with('\'') && NeedsGuard(cell.substr(1));
}

}  // namespace coffer::audit
