// JSON strings as RFC 8785 section 3.2.2.2 spells them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace coffer::audit {

// Appends `text` in quotes. The escaped form is cut at a character boundary to at most `limit`
// bytes (quotes not counted): the bound is on what is written, so that a text of control
// characters, six bytes each, cannot make an entry outgrow its limit. Invalid UTF-8 becomes U+FFFD.
void AppendJsonString(std::string_view text, std::size_t limit, std::string& out);

// Reads the string that `text` starts with, its opening quote already taken; returns how many bytes
// it takes with the closing quote. Reads only escapes that AppendJsonString writes and leaves the
// rest of the canonical spelling to the caller's comparison of bytes.
std::optional<std::size_t> ReadJsonString(std::string_view text, std::string& out);

}  // namespace coffer::audit
