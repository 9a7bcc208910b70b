// The register of processing: what is configured in the vault, and what was said of the rest, as
// one JSON document; and what an order asks for that is not there. Pure over its arguments.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/result.h"
#include "vault/catalog/catalog_store.h"
#include "vault/catalog/consent_text.h"

namespace coffer::vault {

// Which authority asks, and so for what: GDPR Art. 30(1); 152-FZ Art. 22(3) and (3.1); PIPL
// Art. 55 and 56, with what Art. 17, 52 and 53 have said of who is responsible.
enum class ProcessingOrder : std::uint8_t { kGdpr, kRu152Fz, kPipl };
std::string_view Name(ProcessingOrder order);  // "gdpr", "ru-152fz", "pipl", as the regimes
std::optional<ProcessingOrder> ProcessingOrderFromName(std::string_view name);

// What the vault knows of itself. No times and no counts that move by themselves: the register
// differs where something was changed.
struct ProcessingSafeguards {
  std::string root_key;  // "key-file", "passphrase", "pkcs11"
  bool two_person = true;
  bool memory_locked = false;
  std::uint64_t backup_destinations = 0;
  std::string log_origin;
};

// Somebody outside who is registered in the vault, beside those that the document names.
struct RegisteredRecipient {
  std::string id, name, description, country;  // empty: not said
  bool is_transfer = false;                    // what it rests on is said
  bool operator==(const RegisteredRecipient&) const = default;
};

struct ProcessingFacts {
  const Catalog* catalog = nullptr;
  std::string document = "{}";  // ParseProcessingDocument
  std::vector<ConsentText> consent_texts;
  std::vector<RegisteredRecipient> recipients;
  ProcessingSafeguards safeguards;
};

// Something that the order asks for and that is not there.
struct MissingFact {
  std::string_view fact;     // "controller", "retention", …: docs/registers.md lists them
  std::string subject;       // of which purpose, class or transfer; empty: of none
  std::string_view article;  // that asks for it
  std::string_view route;    // where it is put
  std::string pointer;       // in that body
};

inline constexpr std::size_t kMaxRegisteredRecipients = 1000;
inline constexpr std::size_t kMaxRegisterBytes = 8 * 1024 * 1024;

// A JSON object. Errors: kUnprocessable "processing_too_large".
Result<std::string> RegisterOf(const ProcessingFacts& facts);
// In the order of docs/registers.md; empty: the register is complete.
std::vector<MissingFact> MissingIn(const ProcessingFacts& facts, ProcessingOrder order);

}  // namespace coffer::vault
