// That the search index is to be made anew under another key now, rather than some time after the
// next deletion: a file beside the vault, from whoever has its root key to the server that runs, or
// that starts next. What it says is bound to the vault, and to the newest key that the index had
// then; when the live one is newer, nothing is to be done any more.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/keyring.h"
#include "crypto/result.h"

namespace coffer::vault {

inline constexpr std::string_view kSearchIndexName = "search-index";  // as of HandedOverKeyPath

Status WriteIndexExchangeRequest(const std::string& path, const crypto::Keyring& keyring,
                                 std::uint64_t generation);
// The generation. Errors: those of ReadFile; kCorrupted.
Result<std::uint64_t> ReadIndexExchangeRequest(const std::string& path,
                                               const crypto::Keyring& keyring);

}  // namespace coffer::vault
