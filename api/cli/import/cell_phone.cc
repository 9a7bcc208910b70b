#include "api/cli/import/cell_phone.h"

#include "api/cli/import/cell_text.h"
#include "api/cli/text/blanks.h"
#include "crypto/phone_number.h"

namespace coffer::cli {
namespace {

using Kind = crypto::PhoneFault::Kind;

bool IsOrdinary(std::string_view text) {
  return text.find_first_not_of("+0123456789 -.()/") == text.npos;
}

// What people do not see, or see as something else, does not belong to the number.
std::string AsTyped(std::string_view cell) {
  static constexpr std::string_view kScheme = "tel:";
  std::string text = PlainSigns(cell);
  if (text.size() > kScheme.size() && text[kScheme.size() - 1] == ':' &&
      EqualWithoutCase(std::string_view(text).substr(0, kScheme.size()), kScheme)) {
    text.erase(0, kScheme.size());
  }
  return std::string(TrimBlanks(text));
}

}  // namespace

PhoneReading ReadPhone(std::string_view cell, const std::string& region) {
  const std::string text = AsTyped(cell);
  if (text.empty()) return {};
  // Most numbers, when nobody asked for another form of them: the vault's own rule judges them.
  if (region.empty() && IsOrdinary(text) && !text.ends_with(".0")) return {text, {}};
  const auto number = crypto::ToE164(cell, region);
  if (number) return {region.empty() ? text : number->Text(), {}};
  if (region.empty() && number.error().kind == Kind::kNational) return {text, {}};
  return {{}, number.error().message};
}

}  // namespace coffer::cli
