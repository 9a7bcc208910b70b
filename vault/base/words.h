// Words for people: reasons, names, labels and whatever else is typed by one and read by others.
// The one rule of what they may hold is audit::IsPlainText; what was stored under an older rule is
// read as it is.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "audit/text/plain_text.h"
#include "crypto/result.h"

namespace coffer::vault {

using audit::TextForm;

// 1 to `most` bytes of plain text that is seen.
bool IsWords(std::string_view text, std::size_t most, TextForm form = TextForm::kOneLine);

// "must be one line of 1 to 200 bytes, not blank, without control characters"
std::string WordsRule(std::size_t most, TextForm form = TextForm::kOneLine);

// Every text of a JSON document that is no plain line, members' names too; but `lines`, a member of
// the whole, may have several. `at`: the document's own pointer. What is no JSON has no texts.
std::vector<Issue> FaultsOfTexts(std::string_view json, const std::string& at = {},
                                 std::string_view lines = {});

}  // namespace coffer::vault
