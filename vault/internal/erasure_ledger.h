// The ledger of erasures (audit/erasure_ledger.h) of this vault: what a later restore replays.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "audit/ledger_file.h"
#include "crypto/keyring.h"
#include "vault/internal/erasure_store.h"
#include "vault/internal/registry_store.h"

namespace coffer::vault {

// As ledger and act say it.
audit::ErasureScope LedgerScopeOf(const ErasureRow& row);

class ErasureLedger {
 public:
  // Verifies all of it, by the log's keys of now and of earlier, which `settings` keeps. Errors:
  // those of LedgerFile; kCorrupted "ledger_foreign" when it is another vault's.
  static Result<std::unique_ptr<ErasureLedger>> Open(const std::string& path,
                                                     const crypto::Keyring& keyring,
                                                     SettingStore& settings);

  // Sets each row's ledger_seq. What it has already is not written again.
  Status Append(std::span<ErasureRow> rows);

  // What it has, with what was appended since: for opening the vault, and dropped then.
  const std::unordered_map<ErasureId, ErasureRow, IdHash>& found() const { return found_; }
  void DropFound() {
    opening_ = false;
    found_.clear();
  }
  std::uint64_t cut_bytes() const { return file_->cut_bytes(); }

 private:
  explicit ErasureLedger(const crypto::Keyring& keyring) : keyring_(keyring) {}
  Status Take(const audit::LedgerLine& line);

  const crypto::Keyring& keyring_;
  std::string vault_;
  std::optional<audit::LedgerFile> file_;
  std::unordered_map<ErasureId, ErasureRow, IdHash> found_;
  bool opening_ = true;
};

}  // namespace coffer::vault
