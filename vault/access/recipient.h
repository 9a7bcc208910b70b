// To whom data goes (GDPR 4(9), 13(1)(e), 30(1)(d)): organisations, so nothing of it is sealed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/result.h"
#include "vault/base/ids.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

struct RecipientTag {
  static constexpr std::string_view kPrefix = "rcp_";
};
using RecipientId = Id<RecipientTag>;

enum class RecipientCategory : std::uint8_t {
  kProcessor,
  kController,
  kAuthority,
  kPerson,  // whose data it is: nobody has to tell it to them as a recipient
};
std::string_view Name(RecipientCategory category);
std::optional<RecipientCategory> RecipientCategoryFromName(std::string_view name);
inline constexpr std::string_view kRecipientCategories =
    "must be one of processor, controller, authority, person";

struct RecipientFacts {
  std::string name;
  std::string category;
  std::string contact;       // how it is told
  std::string country;       // ISO 3166-1 alpha-2
  std::string safeguard;     // of a transfer (GDPR 45, 46, 49; PIPL 38); empty: it needs none
  std::string contract;      // a reference
  std::string since, until;  // days, as agreed

  bool operator==(const RecipientFacts&) const = default;
};
// With pointers.
std::vector<Issue> FaultsOf(const RecipientFacts& facts);

enum class RecipientStep : std::uint8_t { kCreated, kChanged, kBound, kUnbound, kEnded };
std::string_view Name(RecipientStep step);
std::optional<RecipientStep> RecipientStepFromName(std::string_view name);

// One thing that was said, as it is stored.
struct RecipientEvent {
  std::uint64_t number = 0;  // from 0
  RecipientStep step = RecipientStep::kCreated;
  Timestamp at;
  PrincipalId by;
  std::uint64_t seq = 0;  // of its entry in the log
  std::string document;   // JSON: the facts, or the principal
};

struct Recipient {
  RecipientId id;
  std::int64_t row = 0;
  std::vector<RecipientEvent> history;  // where it is read alone; empty in lists
  Timestamp created;
  PrincipalId created_by;
  RecipientFacts facts;                 // that count now
  std::uint64_t version = 0;            // of them, from 1
  std::vector<PrincipalId> principals;  // that are bound to it now
  std::optional<Timestamp> ended;

  // Told of what becomes of data that it was given.
  bool IsTold() const { return facts.category != Name(RecipientCategory::kPerson); }
};

std::string DocumentOf(const RecipientFacts& facts);
std::string DocumentOf(const PrincipalId& principal);
// What counts now of the history, which is not empty. Errors: kCorrupted "storage_corrupted".
Status Conclude(Recipient& recipient);

}  // namespace coffer::vault
