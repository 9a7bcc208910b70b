// Clients.
#pragma once

#include <cstdint>
#include <string_view>

#include "crypto/result.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/base/ids.h"
#include "vault/base/page.h"
#include "vault/clients/client.h"
#include "vault/clients/deletion_guard.h"
#include "vault/clients/idempotency.h"

namespace coffer::vault {

class Clients {
 public:
  Clients(const Operations& operations, const DeletionGuard& guard)
      : operations_(operations), guard_(guard) {}

  Result<ClientInfo> CreateClient(const Caller& caller, const ClientChange& client,
                                  const Idempotency& idempotency);
  Result<ClientInfo> GetClient(const Caller& caller, const ClientId& id);
  // `if_version`: the version the caller saw. Errors: kPreconditionFailed "version_mismatch",
  // kConflict "external_ref_taken".
  Result<ClientInfo> UpdateClient(const Caller& caller, const ClientId& id,
                                  std::uint64_t if_version, const ClientChange& change);
  Result<Page<ClientInfo>> ListClients(const Caller& caller, std::string_view tag,
                                       std::string_view class_name, const PageRequest& page);

 private:
  const Operations& operations_;
  const DeletionGuard& guard_;
};

}  // namespace coffer::vault
