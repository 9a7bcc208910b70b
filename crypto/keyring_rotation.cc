#include <array>
#include <iterator>
#include <limits>
#include <map>
#include <span>
#include <string_view>

#include "crypto/aead.h"
#include "crypto/atomic_file.h"
#include "crypto/internal/keyring_format.h"
#include "crypto/internal/sealed_keyring.h"
#include "crypto/keyring.h"

namespace coffer::crypto {
namespace {

using internal::kClientKek;
using internal::KeyringDocument;
using internal::kLogSigning;

Result<KeyringDocument> ReadSealed(const std::string& path, RootKeyProvider& root) {
  COFFER_ASSIGN(KeyringDocument document, internal::ReadKeyring(path));
  COFFER_TRY(internal::CheckSealed(path, document, root));
  return document;
}

// One version up from the newest.
Result<std::uint32_t> NextVersion(const std::string& path, const KeyringDocument& document,
                                  std::string_view name, std::string_view exhausted) {
  const std::uint32_t newest = document.keys.find(name)->second.rbegin()->first;
  if (newest == std::numeric_limits<std::uint32_t>::max()) {
    return Fail(Code::kExhausted, exhausted, path + " has no further version");
  }
  return newest + 1;
}

std::span<const std::string_view> NamesOf(KeysInUse which) {
  static constexpr std::array<std::string_view, 1> kOfClients = {kClientKek};
  static constexpr std::array<std::string_view, 2> kOfDatabases = {internal::kVaultDb,
                                                                   internal::kKeysDb};
  if (which == KeysInUse::kClients) return kOfClients;
  return kOfDatabases;
}

// Whether `root` unwraps anything of it, whichever kind of root key it says that it has.
Result<bool> OpensAny(const KeyringDocument& document, RootKeyProvider& root) {
  for (const auto& [name, versions] : document.keys) {
    for (const auto& [version, wrapped] : versions) {
      const auto key = internal::UnwrapKey(document, name, version, root);
      if (key) return true;
      if (key.error().code != Code::kCorrupted) return std::unexpected(key.error());
    }
  }
  return false;
}

// Each key of `document`, wrapped by `next` too, which has to give it back.
Status WrapAgain(const KeyringDocument& document, RootKeyProvider& root, KeyringDocument& changed,
                 RootKeyProvider& next) {
  for (const auto& [name, versions] : document.keys) {
    for (const auto& [version, wrapped] : versions) {
      COFFER_ASSIGN(const SecretBytes key, internal::UnwrapKey(document, name, version, root));
      COFFER_TRY(internal::WrapKey(changed, name, version, key, next));
      const auto again = internal::UnwrapKey(changed, name, version, next);
      if (!again && again.error().code != Code::kCorrupted) {
        return std::unexpected(again.error());
      }
      if (!again || *again != key) {
        return Fail(Code::kInternal, "root_key_unusable",
                    "the new root key does not give back what it wrapped");
      }
    }
  }
  return internal::SealKeyring(changed, next);
}

}  // namespace

// The vault will have nothing but the new text: a root key that wraps what it cannot unwrap, or a
// text that does not read back, must show while the old one is still there.
Status Keyring::Rewrite(const std::string& path, KeyringDocument document, RootKeyProvider& root) {
  COFFER_TRY(internal::SealKeyring(document, root));
  const std::string text = internal::RenderKeyring(document);
  COFFER_ASSIGN(const KeyringDocument reread, internal::ParseKeyring(text));
  COFFER_TRY(OpenDocument(path, reread, root));
  return ReplaceSecretFile(path, AsBytes(text), 0600);
}

Status Keyring::AddLogKey(const std::string& path, RootKeyProvider& root) {
  COFFER_ASSIGN(KeyringDocument document, ReadSealed(path, root));
  const auto& versions = document.keys[std::string(kLogSigning)];
  if (versions.size() > 1) {
    return Fail(Code::kConflict, "rotation_in_progress",
                path + " holds two signing keys of the log: " +
                    (document.header.oldest_log_key_retiring
                         ? "the older one is being retired, which 'coffer key finish log' or the "
                           "next start brings to its end"
                         : "an exchange is under way, which 'coffer key finish log' ends"));
  }
  COFFER_ASSIGN(const std::uint32_t version,
                NextVersion(path, document, kLogSigning, "log_key_versions_exhausted"));
  const SigningKey key = SigningKey::Generate();
  COFFER_TRY(internal::WrapKey(document, kLogSigning, version, key.ExportSeed(), root));
  document.header.log_public_keys.push_back(key.public_key());
  document.header.log_public_key = key.public_key();
  return Rewrite(path, std::move(document), root);
}

Status Keyring::RetireLogKey(const std::string& path, RootKeyProvider& root) {
  COFFER_ASSIGN(KeyringDocument document, ReadSealed(path, root));
  if (document.header.log_public_keys.size() < 2) {
    return Fail(Code::kConflict, "nothing_to_retire",
                path + " holds one signing key of the log: add another one first");
  }
  if (document.header.oldest_log_key_retiring) return {};
  document.header.oldest_log_key_retiring = true;
  return Rewrite(path, std::move(document), root);
}

Status Keyring::DropRetiredLogKey(const std::string& path, RootKeyProvider& root) {
  COFFER_ASSIGN(KeyringDocument document, ReadSealed(path, root));
  // What a crash of an earlier rewrite left behind holds the key as well.
  COFFER_TRY(RemoveTemporariesOf(path));
  if (!document.header.oldest_log_key_retiring) return {};
  auto& versions = document.keys[std::string(kLogSigning)];
  versions.erase(versions.begin());
  document.header.log_public_keys.erase(document.header.log_public_keys.begin());
  document.header.oldest_log_key_retiring = false;
  return Rewrite(path, std::move(document), root);
}

Status Keyring::RenameLog(const std::string& path, RootKeyProvider& root,
                          std::string_view log_origin) {
  COFFER_TRY(CheckLogOrigin(log_origin));
  COFFER_ASSIGN(KeyringDocument document, ReadSealed(path, root));
  if (document.header.log_origin == log_origin) return {};
  document.header.log_origin = log_origin;
  return Rewrite(path, std::move(document), root);
}

Result<std::uint32_t> Keyring::AddNext(const std::string& path, RootKeyProvider& root,
                                       KeysInUse which) {
  COFFER_ASSIGN(KeyringDocument document, ReadSealed(path, root));
  std::uint32_t next = 0;
  for (const std::string_view name : NamesOf(which)) {
    if (document.keys[std::string(name)].size() > 1) {
      return Fail(Code::kConflict, "rotation_in_progress",
                  path + " holds two versions of " + std::string(name) +
                      ": finish the exchange that is under way first");
    }
    COFFER_ASSIGN(next, NextVersion(path, document, name, "key_versions_exhausted"));
    const SecretBytes key = SecretBytes::Random(kAeadKeyBytes);
    COFFER_TRY(internal::WrapKey(document, name, next, key, root));
  }
  COFFER_TRY(Rewrite(path, std::move(document), root));
  return next;
}

Status Keyring::DropOlder(const std::string& path, RootKeyProvider& root, KeysInUse which) {
  COFFER_ASSIGN(KeyringDocument document, ReadSealed(path, root));
  // What a crash of an earlier rewrite left behind holds the keys as well.
  COFFER_TRY(RemoveTemporariesOf(path));
  bool dropped = false;
  for (const std::string_view name : NamesOf(which)) {
    auto& versions = document.keys[std::string(name)];
    if (versions.size() < 2) continue;
    versions.erase(versions.begin(), std::prev(versions.end()));
    dropped = true;
  }
  return dropped ? Rewrite(path, std::move(document), root) : Status();
}

Status Keyring::Join(const std::string& path, RootKeyProvider& root, ByteView other,
                     const JoinedVersions& databases) {
  COFFER_ASSIGN(KeyringDocument document, ReadSealed(path, root));
  COFFER_ASSIGN(const KeyringDocument joined, internal::ParseKeyring(AsText(other)));
  COFFER_TRY(internal::CheckSealed("the other keyring", joined, root));
  if (document.header.vault_id != joined.header.vault_id) {
    return Fail(Code::kConflict, "keyrings_do_not_join", "they are of two vaults");
  }
  const auto& keks = joined.keys.find(kClientKek)->second;
  document.keys[std::string(kClientKek)].insert(keks.begin(), keks.end());
  for (const std::string_view name : NamesOf(KeysInUse::kDatabases)) {
    auto& into = document.keys[std::string(name)];
    const auto& from = joined.keys.find(name)->second;
    const auto own = into.find(databases.own);
    const auto others = from.find(databases.others);
    if (own == into.end() || others == from.end()) {
      return Fail(Code::kConflict, "keyrings_do_not_join",
                  "one of them has no such version of " + std::string(name));
    }
    std::map<std::uint32_t, Bytes> both = {*own};
    both.insert(*others);
    into = std::move(both);
  }
  return Rewrite(path, std::move(document), root);
}

Status Keyring::ExchangeRootKey(const std::string& path, RootKeyProvider& root,
                                RootKeyProvider& next, const Argon2idParameters& passphrase) {
  COFFER_ASSIGN(const KeyringDocument document, ReadSealed(path, root));
  KeyringDocument changed{.header = document.header, .keys = {}, .seal = {}};
  internal::RecordRootKey(changed.header, next, passphrase);
  COFFER_TRY(WrapAgain(document, root, changed, next));
  const std::string text = internal::RenderKeyring(changed);
  COFFER_ASSIGN(const KeyringDocument reread, internal::ParseKeyring(text));
  COFFER_TRY(OpenDocument(path, reread, next));
  COFFER_ASSIGN(const bool still_opens, OpensAny(reread, root));
  if (still_opens) {
    return Fail(Code::kInvalidArgument, "root_key_unchanged",
                "the new root key is the one that " + path + " has already");
  }
  COFFER_TRY(ReplaceSecretFile(path, AsBytes(text), 0600));
  // What crashes of earlier rewrites left is wrapped by the root key of then.
  return RemoveTemporariesOf(path);
}

}  // namespace coffer::crypto
