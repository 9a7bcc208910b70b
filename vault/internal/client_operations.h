// What the operations on clients, and the export, share.
#pragma once

#include <string>
#include <vector>

#include "vault/internal/core.h"

namespace coffer::vault {

// A client row that was logged as disclosed, with the pinned key that opens it after the commit.
struct SealedClient {
  ClientRow row;
  KeyCache::Pin key;
};

ClientInfo InfoOf(const ClientRow& row, std::string external_ref);
// Errors: kCorrupted when the profile is not what was sealed.
Result<ClientInfo> OpenClient(const Vault::Core& core, const SealedClient& client);

// What an entry about a client names when its profile was read or written.
std::vector<std::string> ProfileFields();

}  // namespace coffer::vault
