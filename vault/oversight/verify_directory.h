// Whether a vault, or a copy of it, is what its log says.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "audit/tlog/checkpoint.h"
#include "audit/verify/verify.h"
#include "crypto/result.h"
#include "crypto/root_key_provider.h"

namespace coffer::vault {

struct DeepReport {
  audit::VerifyReport log;
  std::uint64_t records_checked = 0, versions_checked = 0, clients_checked = 0;
};

// Offline: opens a (copied) data directory read-only, trusting only `log_key`, and checks the whole
// log against the anchor and `checkpoints`; with `deep` also each page of both databases, each
// client's key, and every live record and client against
// its latest entry. Errors: those of opening.
struct OfflineVerifyOptions {
  std::string directory;
  std::string anchor_path;
  std::optional<audit::VerifierKey> log_key;  // absent: the keyring's own, which proves less
  std::vector<std::string> checkpoints;
  bool deep = false;
};

Result<DeepReport> VerifyDirectory(const OfflineVerifyOptions& options,
                                   crypto::RootKeyProvider& root);

}  // namespace coffer::vault
