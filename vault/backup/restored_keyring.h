// Which keyring.json a restored directory gets: of the generations in a repository, one that opens
// what is restored, data and keys, which may be of two moments.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "audit/tlog/checkpoint.h"
#include "crypto/keyring.h"
#include "crypto/result.h"
#include "crypto/root_key_provider.h"
#include "vault/backup/moment.h"
#include "vault/backup/repository.h"
#include "vault/engine/client_kek_use.h"

namespace coffer::vault {

// The root key that the keyring.json in this directory calls for.
using OpenRootKeyFor =
    std::function<Result<std::unique_ptr<crypto::RootKeyProvider>>(const std::string& directory)>;

// Root keys of a vault that exchanged its root key: what keyrings of before open by, and what those
// of after do. `later` may be empty.
struct RootKeysForRestore {
  OpenRootKeyFor own, later;
};

// A keyring.json that a root key opens.
struct OpenedKeyring {
  std::string generation;  // whose it is
  std::string joined;      // generation whose keys it has too, beside its own; mostly empty
  Bytes content;
  crypto::Keyring keyring;
  crypto::RootKeyProvider* root;  // what opens it
  bool by_later = false;          // which is the later one
};

class RestoredKeyrings {
 public:
  // Those of the generations, which are the one that is restored and each later one, one of each:
  // where the log's key was exchanged, what is later is signed by another; where the root key was,
  // one of them opens, or all by two root keys: those of before are wrapped by the later one then,
  // so that they can be put together, and nothing of after by one that was exchanged. `work`: a
  // directory of nobody else's. Errors: those of Repository and Keyring::Open, of the first.
  static Result<RestoredKeyrings> Find(const Repository& repository,
                                       std::span<const std::string> generations,
                                       const RootKeysForRestore& open_roots,
                                       const std::string& work);

  std::vector<audit::VerifierKey> LogKeys() const;
  // What is written behind the moment that is restored may be of a successor of its log already.
  std::string NewestLogName(const Moment& newest) const;
  // Verifier keys of the log that `chosen` lacks, with blanks between them.
  std::string LaterLogKeys(const crypto::Keyring& chosen) const;

  // The first that opens both databases in the directory, has each client-KEK which keys.db needs
  // and a key that signed the anchor: what was restored starts with no other. Where the log's key
  // was being exchanged, a later one that has both. Where keys of several kinds were exchanged in
  // between, so that none has all: one of then with the keys of a later one beside its own, as an
  // exchange has them, if the same root key sealed both. Nothing: there is none, and `why` says of
  // the generation's own what is wrong.
  Result<const OpenedKeyring*> Choose(const std::string& directory, std::string& why);

 private:
  // By what a keyring.json says: passphrases are asked for once, where their parameters are the
  // same.
  class RootKeys;
  struct Wanted;  // what was restored, and what it needs

  RestoredKeyrings() = default;
  Status WrapAllByLater();
  static Result<bool> Fits(const crypto::Keyring& keyring, Wanted& wanted);
  Result<const OpenedKeyring*> Join(Wanted& wanted);
  Result<std::optional<OpenedKeyring>> TryJoin(const OpenedKeyring& base,
                                               const OpenedKeyring& later,
                                               const crypto::Keyring::JoinedVersions& versions,
                                               Wanted& wanted) const;

  std::string work_;
  std::shared_ptr<RootKeys> roots_;
  std::deque<OpenedKeyring> keyrings_;
};

}  // namespace coffer::vault
