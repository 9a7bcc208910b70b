// Consents: their rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "vault/access/consent.h"
#include "vault/access/consent_register.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {

// The words are here sealed under the client's key, and the consents are without them.
class ConsentStore {
 public:
  static Result<ConsentStore> Open(Database& database);
  Status Insert(const Consent& consent, ByteView sealed_details);
  Status Withdraw(const Consent& consent);  // as its `withdrawal` says
  Status DeleteOf(const ClientId& client);

  // The oldest first.
  Result<std::vector<std::pair<Consent, Bytes>>> ListOf(const ClientId& client);
  Result<std::uint64_t> CountOf(const ClientId& client);
  Status Reseal(const ClientId& client, const ConsentId& id, ByteView sealed_details);

  // Until when the client's consents to this stand that were not withdrawn; nothing where none is.
  Result<std::optional<Timestamp>> StandsUntil(const ClientId& client, std::string_view purpose);
  // The same of all clients.
  Result<StandingConsents> LoadStanding(std::string_view purpose);

  // Clients after the row `after` who gave one for this purpose, or to this text, that was not
  // withdrawn, with until when it stands; in the order of rows, at most `limit`.
  enum class By : std::uint8_t { kPurpose, kText };
  Result<std::vector<std::pair<std::int64_t, Timestamp>>> ListStanding(By by, std::string_view name,
                                                                       std::int64_t after,
                                                                       std::size_t limit);

 private:
  Statement insert_, withdraw_, delete_of_, list_of_, count_of_, reseal_, stands_until_,
      load_standing_, standing_for_, standing_to_;
};

}  // namespace coffer::vault
