// Where something of a client could be.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "crypto/result.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/base/ids.h"
#include "vault/clients/index_builder.h"
#include "vault/oversight/access_log.h"
#include "vault/oversight/trace.h"

namespace coffer::vault {

class Traces {
 public:
  Traces(const Operations& operations, const AccessLog& log, const IndexBuilder& index_builder,
         std::optional<std::uint32_t> backup_horizon_days)
      : operations_(operations),
        log_(log),
        index_builder_(index_builder),
        backup_horizon_days_(backup_horizon_days) {}

  // Every place that could hold something of the client, which may be erased or unknown.
  Result<std::vector<Trace>> FindTraces(const Caller& caller, const ClientId& client);

 private:
  const Operations& operations_;
  const AccessLog& log_;
  const IndexBuilder& index_builder_;
  const std::optional<std::uint32_t> backup_horizon_days_;
};

}  // namespace coffer::vault
