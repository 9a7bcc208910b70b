// JSON as RFC 8259 allows it and no looser: one value, UTF-8, no duplicate keys, bounded depth.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "crypto/result.h"

namespace coffer::vault {

inline constexpr int kMaxJsonDepth = 32;

// Errors, all kInvalidArgument: "json_invalid", "json_duplicate_key", "json_too_deep",
// "json_not_utf8". Nothing of the input is repeated in them.
Result<nlohmann::json> ParseStrictJson(std::string_view text);

// Valid UTF-8 without surrogates, overlong forms or U+0000.
bool IsCleanUtf8(std::string_view text);

// `"text"` with quotes, escaped for JSON. Precondition: valid UTF-8.
void AppendJsonString(std::string& out, std::string_view text);

// "/a~1b": one more step of an RFC 6901 pointer.
std::string PointerTo(std::string_view parent, std::string_view member);

}  // namespace coffer::vault
