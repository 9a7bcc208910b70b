// Consent texts, as they are stored. None of it is in memory: they are read when somebody consents.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "vault/catalog/consent_text.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {

// What a consent needs of the text that was shown.
struct ShownText {
  crypto::Hash sha256{};
  std::optional<std::uint64_t> minimum_age;
  Timestamp shown_since;
};

class ConsentTextStore {
 public:
  static Result<ConsentTextStore> Open(Database& database);
  Status Insert(const ConsentText& text);
  // The newest of the name, or this version, with all of its wordings.
  Result<std::optional<ConsentText>> Find(std::string_view name,
                                          std::optional<std::uint64_t> version);
  // Every version of every text, by name, the oldest first; of their wordings only the hashes.
  Result<std::vector<ConsentText>> List();
  Result<std::uint64_t> Count();  // of versions
  Result<std::optional<ShownText>> FindShown(std::string_view name, std::uint64_t version,
                                             std::string_view language);

 private:
  Statement insert_, insert_wording_, newest_, find_, wordings_, list_, count_, shown_;
};

}  // namespace coffer::vault
