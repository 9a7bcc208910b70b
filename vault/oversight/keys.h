// Which keys the vault has, for people who exchange them.
#pragma once

#include <mutex>
#include <string>
#include <utility>

#include "crypto/result.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/clients/client_key_exchange.h"
#include "vault/clients/index_builder.h"
#include "vault/oversight/key_overview.h"

namespace coffer::vault {

class Keys {
 public:
  Keys(const Operations& operations, const ClientKeyExchange& exchange,
       const IndexBuilder& index_builder, std::string directory)
      : operations_(operations),
        exchange_(exchange),
        index_builder_(index_builder),
        directory_(std::move(directory)) {}

  // Counts the keys of all clients, in small engine operations: one caller at a time. Errors:
  // those of reading keyring.json and keys.db.key.
  Result<KeyOverview> ReadKeys(const Caller& caller);

 private:
  const Operations& operations_;
  const ClientKeyExchange& exchange_;
  const IndexBuilder& index_builder_;
  const std::string directory_;
  std::mutex counting_;
};

}  // namespace coffer::vault
