// Text as it is compared.
#pragma once

#include <string>
#include <string_view>

namespace coffer::crypto::internal {

// White space at both ends goes; each run of it inside becomes `between`.
std::u16string JoinWords(std::u16string_view text, std::u16string_view between);

// NFKC_Casefold (UAX 44), then white space trimmed, and each run of it one space.
// Precondition: IsUtf8(text).
std::string FoldedText(std::string_view text);

// Of names: also without accents, apostrophes and the like (search_form.h). Where nothing is left,
// the folded text. Precondition: IsUtf8(text).
std::string LooseText(std::string_view text);

}  // namespace coffer::crypto::internal
