#include "audit/documents/page_time.h"

#include <string_view>

#include "audit/documents/messages.h"

namespace coffer::audit {
namespace {

// What FormatTimestamp pads.
std::string_view WithoutZero(std::string_view digits) {
  return digits.starts_with('0') ? digits.substr(1) : digits;
}

std::string TimeText(Timestamp ts, PageLanguage language, std::string_view form) {
  const std::string text = FormatTimestamp(ts);
  const std::string_view iso = text;
  const std::string_view month = iso.substr(5, 2), day = iso.substr(8, 2);
  const Messages& messages = MessagesIn(language);
  return Fill(Say(messages, form),
              {{"{year}", iso.substr(0, 4)},
               {"{mm}", month},
               {"{month}", Say(messages, std::string("date.month.").append(WithoutZero(month)))},
               {"{dd}", day},
               {"{day}", WithoutZero(day)},
               {"{time}", iso.substr(11, 8)},
               {"{ms}", iso.substr(20, 3)}});
}

}  // namespace

std::string LongTimeText(Timestamp ts, PageLanguage language) {
  return TimeText(ts, language, "date.long");
}

std::string ShortTimeText(Timestamp ts, PageLanguage language) {
  return TimeText(ts, language, "date.short");
}

}  // namespace coffer::audit
