// What opening a vault reads before there is an engine; a check of the same reads it too.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "audit/tlog/checkpoint.h"
#include "crypto/certificate_authority.h"
#include "crypto/keyring.h"
#include "crypto/result.h"
#include "vault/engine/setting_store.h"

namespace coffer::vault {

// Damage that stops the start names the file and where to read on, whoever found it.
template <class R>
R Reading(const std::string& file, R result) {
  if (result || result.error().code != Code::kCorrupted) return result;
  Error error = std::move(result).error();
  // The databases' own errors begin with their file, which may be the other one.
  if (error.detail.find(file) == std::string::npos && !error.detail.starts_with('/')) {
    error.detail = file + ": " + error.detail;
  }
  if (error.detail.find("operator's guide") == std::string::npos) {
    error.detail += "; see 'Recovery' in the operator's guide";
  }
  return std::unexpected(std::move(error));
}

// Errors: kNotFound "vault_missing".
Status CheckThere(const std::string& directory);

// Errors: kCorrupted "anchor_missing", "anchor_malformed"; those of reading a file.
Result<audit::Anchor> ReadAnchor(const std::string& path);

// The authority of client certificates; nothing in a vault from before it had one.
Result<std::optional<crypto::CertificateAuthority>> ReadAuthority(SettingStore& settings,
                                                                  const crypto::Keyring& keyring);
// Made at the first opening: `made` says whether it was. Its key is sealed inside the database.
Result<crypto::CertificateAuthority> OpenAuthority(SettingStore& settings,
                                                   const crypto::Keyring& keyring,
                                                   audit::Timestamp now, bool& made);

}  // namespace coffer::vault
