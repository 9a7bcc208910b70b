#include "audit/documents/statement_words.h"

#include "audit/documents/messages.h"
#include "audit/documents/page_time.h"
#include "audit/documents/stated_text.h"

namespace coffer::audit {

std::string StatementWords(std::string_view stated, PageLanguage language, const PageNames& names) {
  const auto known = RecogniseStatement(stated);
  if (!known) return std::string(stated);
  const StatedValues& values = known->values;
  const std::string_view key = KeyOf(known->statement);
  const std::string* const whole = Find(MessagesIn(language), key, "");
  const std::string& words = whole == nullptr ? SayCount(language, key, values.n) : *whole;
  const std::string_view title = names.OfClass(values.class_name);
  const std::string class_words =
      title.empty() ? values.class_name : std::string(title).append(" (") + values.class_name + ")";
  return Fill(words, {{"{n}", std::to_string(values.n)},
                      {"{class}", class_words},
                      {"{date}", values.date ? LongTimeText(*values.date, language) : ""}});
}

}  // namespace coffer::audit
