// UTF-8 read strictly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace coffer::crypto::internal {

// Shortest forms only, no surrogates, nothing above U+10FFFF.
bool IsUtf8(std::string_view text);
// White space (the Unicode property), or a control, format or line separator character, anywhere in
// `text`. Precondition: IsUtf8(text).
bool HasSpaceOrControl(std::string_view text);

// How a message names one character: "';'", or "U+200B (ZERO WIDTH SPACE)".
std::string NameOfCharacter(std::int32_t code_point);

// Bytes that this process has put into Unicode's forms, which takes the square of a run of
// combining marks: counted where it begins, so that a test can say what never got there.
void CountNormalised(std::size_t bytes);
std::uint64_t NormalisedBytes();

}  // namespace coffer::crypto::internal
