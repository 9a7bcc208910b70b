#include "vault/backup/restored_keyring.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <utility>

#include "audit/entries/succession.h"
#include "crypto/atomic_file.h"
#include "crypto/encoding.h"
#include "vault/engine/log_keys.h"
#include "vault/storage/data_directory.h"
#include "vault/storage/keys_database.h"
#include "vault/storage/vault_database.h"

namespace coffer::vault {
namespace {

bool HasLogKey(const crypto::Keyring& keyring, const crypto::PublicKey& key) {
  return std::ranges::any_of(keyring.log_keys(),
                             [&](const auto& held) { return held.key->public_key() == key; });
}

// By the keys that it has. Of keys.db is counted once which it needs.
Status OpenDatabases(const crypto::Keyring& keyring, const std::string& directory,
                     std::optional<ClientKekUse>& use) {
  const auto vault = OpenVaultDatabase(VaultDatabasePath(directory), keyring, {});
  auto keys = OpenKeysDatabase(KeysDatabasePath(directory), keyring, {});
  // What the disk refuses says nothing of the keyring.
  for (const Error* error :
       {vault ? nullptr : &vault.error(), keys ? nullptr : &std::as_const(keys).error()}) {
    if (error != nullptr && error->code != Code::kCorrupted) return std::unexpected(*error);
  }
  if (!vault) return std::unexpected(vault.error());
  if (!keys) return std::unexpected(std::move(keys).error());
  if (use) return {};
  COFFER_ASSIGN(auto store, KeyStore::OpenForReading(*keys));
  COFFER_ASSIGN(use, ClientKekUse::CountAll(store));
  return {};
}

}  // namespace

class RestoredKeyrings::RootKeys {
 public:
  RootKeys(RootKeysForRestore open, std::string work)
      : open_(std::move(open)), work_(std::move(work)) {}

  struct Opened {
    crypto::Keyring keyring;
    crypto::RootKeyProvider* root;
    bool by_later;
  };
  // The keyring.json at `path`, by the one or the other. Errors: those of the first.
  Result<Opened> Open(const std::string& path) {
    COFFER_ASSIGN(const auto header, crypto::Keyring::ReadHeader(path));
    auto opened = TryOpen(path, header, false);
    if (opened || !open_.later || opened.error().code != Code::kUnauthenticated) return opened;
    auto by_later = TryOpen(path, header, true);
    const bool other = !by_later && by_later.error().code == Code::kUnauthenticated;
    return other ? std::move(opened) : std::move(by_later);
  }

 private:
  Result<Opened> TryOpen(const std::string& path, const crypto::KeyringHeader& header,
                         bool by_later) {
    COFFER_ASSIGN(crypto::RootKeyProvider* const root, For(header, by_later));
    COFFER_ASSIGN(auto keyring, crypto::Keyring::Open(path, *root));
    return Opened{std::move(keyring), root, by_later};
  }
  Result<crypto::RootKeyProvider*> For(const crypto::KeyringHeader& header, bool later) {
    const std::string which = (later ? "later " : "") + header.root_kind + " " +
                              crypto::HexEncode(header.passphrase.salt) + " " +
                              std::to_string(header.passphrase.passes) + " " +
                              std::to_string(header.passphrase.memory_kib);
    const auto found = opened_.find(which);
    if (found != opened_.end()) return found->second.get();
    COFFER_ASSIGN(auto root, (later ? open_.later : open_.own)(work_));
    return opened_.emplace(which, std::move(root)).first->second.get();
  }

  const RootKeysForRestore open_;
  const std::string work_;
  std::map<std::string, std::unique_ptr<crypto::RootKeyProvider>> opened_;
};

struct RestoredKeyrings::Wanted {
  std::string directory;
  audit::Anchor anchor;
  std::optional<ClientKekUse> use;
  std::string& why;
  bool opened = false;  // both databases, by any
};

Result<RestoredKeyrings> RestoredKeyrings::Find(const Repository& repository,
                                                std::span<const std::string> generations,
                                                const RootKeysForRestore& open_roots,
                                                const std::string& work) {
  RestoredKeyrings found;
  found.work_ = work;
  found.roots_ = std::make_shared<RootKeys>(open_roots, work);
  std::set<Hash> seen;
  const std::string path = KeyringPath(work);
  std::optional<Error> first;
  for (const auto& generation : generations) {
    const auto read = [&]() -> Status {
      COFFER_ASSIGN(const auto claimed, VerifiedManifest(repository, generation, {}));
      COFFER_ASSIGN(const auto file, FileOf(claimed, "keyring.json"));
      if (file.paged) {
        return Fail(Code::kCorrupted, "manifest_malformed",
                    generation + " has a keyring.json that is none");
      }
      if (!seen.insert(file.object).second) return {};
      COFFER_ASSIGN(Bytes content, repository.Get(file.object));
      COFFER_TRY(crypto::WriteFileAtomically(path, content));
      COFFER_ASSIGN(auto opened, found.roots_->Open(path));
      found.keyrings_.push_back({generation,
                                 {},
                                 std::move(content),
                                 std::move(opened.keyring),
                                 opened.root,
                                 opened.by_later});
      return {};
    };
    auto done = read();
    if (done) continue;
    const bool other_root = done.error().code == Code::kUnauthenticated;
    // That of the generation itself must be there, and may be of a root key from before; another's
    // may be anybody's.
    if (!first && generation == generations.front()) {
      if (!other_root) return std::unexpected(std::move(done).error());
      first = std::move(done).error();
    }
  }
  COFFER_TRY(crypto::RemoveFile(path));
  if (found.keyrings_.empty() && first) {
    first->detail +=
        "; where the root key was exchanged, a generation from before opens by the one of then";
    return std::unexpected(*std::move(first));
  }
  COFFER_TRY(found.WrapAllByLater());
  return found;
}

Status RestoredKeyrings::WrapAllByLater() {
  const auto later = std::ranges::find(keyrings_, true, &OpenedKeyring::by_later);
  if (later == keyrings_.end()) return {};
  crypto::RootKeyProvider* const root = later->root;
  const auto parameters = later->keyring.header().passphrase;
  const std::string path = KeyringPath(work_);
  std::deque<OpenedKeyring> all;
  for (OpenedKeyring& one : keyrings_) {
    if (one.by_later) {
      all.push_back(std::move(one));
      continue;
    }
    COFFER_TRY(crypto::WriteFileAtomically(path, one.content));
    COFFER_TRY(crypto::Keyring::ExchangeRootKey(path, *one.root, *root, parameters));
    COFFER_ASSIGN(Bytes content, crypto::ReadFile(path, Repository::kMaxObjectBytes));
    COFFER_ASSIGN(auto keyring, crypto::Keyring::Open(path, *root));
    all.push_back({one.generation, {}, std::move(content), std::move(keyring), root, true});
  }
  keyrings_ = std::move(all);
  return crypto::RemoveFile(path);
}

std::vector<audit::VerifierKey> RestoredKeyrings::LogKeys() const {
  std::vector<audit::VerifierKey> keys;
  for (const OpenedKeyring& one : keyrings_) {
    for (auto& key : VerifierKeysOf(one.keyring)) keys.push_back(std::move(key));
  }
  return keys;
}

std::string RestoredKeyrings::NewestLogName(const Moment& newest) const {
  std::string name = newest.manifest.vault;
  for (const OpenedKeyring& one : keyrings_) {
    if (audit::IsOrSucceeds(one.keyring.log_origin(), name)) name = one.keyring.log_origin();
  }
  return name;
}

std::string RestoredKeyrings::LaterLogKeys(const crypto::Keyring& chosen) const {
  std::set<std::string> later;
  for (const OpenedKeyring& one : keyrings_) {
    for (const auto& held : one.keyring.log_keys()) {
      const auto key = held.key->public_key();
      if (!HasLogKey(chosen, key)) {
        later.insert(audit::FormatVerifierKey({one.keyring.log_origin(), key}));
      }
    }
  }
  std::string joined;
  for (const std::string& key : later) joined += (joined.empty() ? "" : " ") + key;
  return joined;
}

Result<bool> RestoredKeyrings::Fits(const crypto::Keyring& keyring, Wanted& wanted) {
  const auto opened = OpenDatabases(keyring, wanted.directory, wanted.use);
  if (!opened && opened.error().code != Code::kCorrupted) return std::unexpected(opened.error());
  if (!opened && wanted.why.empty()) wanted.why = opened.error().detail;
  wanted.opened = wanted.opened || opened;
  if (!opened || !VerifyByAnyKey(wanted.anchor.note, keyring)) return false;
  const auto held = keyring.client_keks().versions();
  return std::ranges::all_of(wanted.use->keys(), [&](const auto& under) {
    return under.first == 0 || std::ranges::find(held, under.first) != held.end();
  });
}

Result<const OpenedKeyring*> RestoredKeyrings::Choose(const std::string& directory,
                                                      std::string& why) {
  COFFER_ASSIGN(const Bytes bytes,
                crypto::ReadFile(AnchorPath(directory, {}), audit::kMaxAnchorBytes));
  COFFER_ASSIGN(auto anchor, audit::ParseAnchor(crypto::AsText(bytes)));
  Wanted wanted{directory, std::move(anchor), std::nullopt, why};
  const OpenedKeyring* chosen = nullptr;
  for (const OpenedKeyring& one : keyrings_) {
    COFFER_ASSIGN(const bool fits, Fits(one.keyring, wanted));
    if (!fits) continue;
    const bool more =
        chosen == nullptr || std::ranges::any_of(one.keyring.log_keys(), [&](const auto& key) {
          return !HasLogKey(chosen->keyring, key.key->public_key());
        });
    if (more) chosen = &one;
  }
  return chosen != nullptr ? Result<const OpenedKeyring*>(chosen) : Join(wanted);
}

Result<const OpenedKeyring*> RestoredKeyrings::Join(Wanted& wanted) {
  // Which version of the databases' keys each of the two is needed for nobody says: that is tried.
  for (const OpenedKeyring& base : keyrings_) {
    if (!VerifyByAnyKey(wanted.anchor.note, base.keyring)) continue;
    for (const OpenedKeyring& later : keyrings_) {
      if (&later == &base) continue;
      for (const std::uint32_t own : base.keyring.vault_db_keys().versions()) {
        for (const std::uint32_t others : later.keyring.vault_db_keys().versions()) {
          COFFER_ASSIGN(auto joined, TryJoin(base, later, {own, others}, wanted));
          if (!joined) continue;
          keyrings_.push_back(*std::move(joined));
          return &keyrings_.back();
        }
      }
    }
  }
  if (wanted.opened) wanted.why.clear();
  return nullptr;
}

Result<std::optional<OpenedKeyring>> RestoredKeyrings::TryJoin(
    const OpenedKeyring& base, const OpenedKeyring& later,
    const crypto::Keyring::JoinedVersions& versions, Wanted& wanted) const {
  const std::string path = KeyringPath(work_);
  COFFER_TRY(crypto::WriteFileAtomically(path, base.content));
  const Status joined = crypto::Keyring::Join(path, *base.root, later.content, versions);
  if (!joined && joined.error().code == Code::kUnavailable) {
    return std::unexpected(joined.error());
  }
  std::optional<OpenedKeyring> result;
  if (joined) {
    COFFER_ASSIGN(auto keyring, crypto::Keyring::Open(path, *base.root));
    COFFER_ASSIGN(const bool fits, Fits(keyring, wanted));
    if (fits) {
      COFFER_ASSIGN(Bytes content, crypto::ReadFile(path, Repository::kMaxObjectBytes));
      result.emplace(OpenedKeyring{base.generation, later.generation, std::move(content),
                                   std::move(keyring), base.root, base.by_later});
    }
  }
  COFFER_TRY(crypto::RemoveFile(path));
  return result;
}

}  // namespace coffer::vault
