// A repository, read back.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "crypto/result.h"
#include "vault/backup/repository.h"

namespace coffer::vault {

struct RepositoryReport {
  std::string vault;
  BackupKind kind = BackupKind::kData;
  std::vector<std::string> generations;  // whole, with all of their increments
  std::uint64_t increments = 0;          // of those
  std::uint64_t bytes = 0;               // that were read
  std::vector<std::string> findings;     // a generation, what is wrong with it, and where
};

// Reads everything back: each generation's signature and those of its increments, each object's
// hash, each page of the newest. What is removed meanwhile is no finding. `trusted` empty: no
// signature is looked at; those of the newest are looked at by `newest_by`. `go_on`, where there is
// one, is asked before each object. Errors: those of Repository::ListGenerations, and its own.
Result<RepositoryReport> VerifyRepository(const Repository& repository,
                                          std::span<const audit::VerifierKey> trusted,
                                          std::span<const audit::VerifierKey> newest_by,
                                          const std::function<Status()>& go_on);
// All by the same keys. Errors: those of Repository::Open, too.
Result<RepositoryReport> VerifyRepository(const StorePlace& place,
                                          std::span<const audit::VerifierKey> trusted);

}  // namespace coffer::vault
