// Consents: their rows.
#pragma once

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

 private:
  Statement insert_, withdraw_, delete_of_, list_of_, count_of_, reseal_, stands_until_,
      load_standing_;
};

}  // namespace coffer::vault
