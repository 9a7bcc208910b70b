// What a verification reads.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "audit/verify/verify.h"
#include "crypto/keyring.h"
#include "vault/base/ids.h"
#include "vault/oversight/log_index.h"
#include "vault/oversight/verify_directory.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {

struct FoundKey {
  std::optional<Bytes> wrapped;
  bool erased = false;           // since the snapshot was taken: there should be no key
  std::uint64_t generation = 0;  // another than in the snapshot: erased in part since
  bool has_older = false;        // the one before is there too, or was destroyed by an erasure
};

// What a verification reads. `keys` and `find_keys` are for a deep one; `keys` is looked at page by
// page only, in no transaction, and one answer of `find_keys` is asked for each client.
struct VerificationSource {
  Database& vault;
  Database* keys;
  const crypto::Keyring& keyring;
  LogIndexReader* index = nullptr;  // compared with the log, where there is one
  std::function<Result<std::vector<FoundKey>>(std::span<const ClientId>)> find_keys;
};
Result<DeepReport> VerifyAll(const VerificationSource& source, audit::VerifyOptions options,
                             bool deep);

}  // namespace coffer::vault
