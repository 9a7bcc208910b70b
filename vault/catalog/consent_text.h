// The texts that people are asked to consent to: who was shown what is told by a name, a version, a
// language and a hash.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/bytes.h"
#include "crypto/result.h"
#include "vault/base/ids.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

struct ConsentWording {
  std::string language;   // "de", "zh-Hans": a language tag (BCP 47)
  std::string text;       // to the byte as it is shown; empty where it was not asked for
  crypto::Hash sha256{};  // of these bytes
};

// As it is to be stored.
struct ConsentTextRequest {
  std::vector<ConsentWording> wordings;  // without their hashes
  // In years: whoever consents says whether the client is as old.
  std::optional<std::uint64_t> minimum_age = {};
  // Where people were shown it before the vault had it; absent: from now on.
  std::optional<Timestamp> shown_since = {};
};

struct ConsentText {
  std::string name;  // [a-z][a-z0-9-]{0,63}
  std::uint64_t version = 0;
  std::vector<ConsentWording> wordings;  // in the order of their languages
  std::optional<std::uint64_t> minimum_age;
  Timestamp shown_since, created;
  PrincipalId put_by;
};

bool IsConsentTextName(std::string_view name);
bool IsLanguageTag(std::string_view tag);

std::vector<Issue> FaultsOf(std::string_view name, const ConsentTextRequest& request);
// What the log commits to of it: JSON with sorted members, and hashes in place of the wordings.
std::string StatementOf(const ConsentText& text);

}  // namespace coffer::vault
