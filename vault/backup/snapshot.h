// One moment of a vault, between two commits: everything that a backup needs of it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "crypto/bytes.h"
#include "crypto/result.h"
#include "vault/access/operations.h"
#include "vault/storage/page_image.h"

namespace coffer::vault {

struct VaultFiles {
  std::string directory, anchor, ledger;  // paths
};

struct VaultSnapshot {
  PageImage vault;
  // While it is there keys.db cannot be emptied of destroyed keys, and erasures wait: let it go
  // soon.
  std::optional<PageImage> keys;
  Bytes keys_key;  // keys.db.key
  Bytes keyring, anchor;
  std::uint64_t ledger_bytes = 0;  // of the ledger of erasures, which only grows
  std::uint64_t log_size = 0;
  // Signs what is made of it: one whose public half that keyring.json has.
  std::shared_ptr<const crypto::SigningKey> signer;
};

// As one engine operation. `changed` since the snapshot before this one, also after an error.
// Errors: those of
// opening the databases, of PageImage::Take and of reading the files.
Result<VaultSnapshot> TakeSnapshot(const Operations& operations, const VaultFiles& files,
                                   ChangedPages& changed);

}  // namespace coffer::vault
