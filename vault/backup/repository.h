// A place where backups lie, in a directory or an S3-compatible store:
//
//   coffer-backup              what it is: format, id, kind, and whose it is
//   objects/ab/cdef…           by the SHA-256 of their bytes: packs of pages, lists, small files
//   generations/bkp_…          signed manifests, the newest last by name
//   increments/bkp_….000001    signed notes of what changed since, by generation and number
//   unfinished                 there while a generation is written, and after one that failed
//
// Nothing is ever changed or written over. What a crash leaves are objects that no
// manifest names, and temporary files. Whoever can write here can take generations away and put
// nothing false in their place: a manifest is signed, and all else is named by its hash.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "audit/documents/backup_manifest.h"
#include "crypto/bytes.h"
#include "crypto/hash.h"
#include "crypto/result.h"
#include "vault/backup/backup_store.h"
#include "vault/backup/store_place.h"

namespace coffer::vault {

using audit::BackupKind;
using crypto::Bytes;
using crypto::ByteView;
using crypto::Hash;

// A reason and what it is about.
std::string InWords(const Error& error);

class Repository {
 public:
  static constexpr std::size_t kMaxObjectBytes = std::size_t{16} << 20;

  struct Owner {
    std::string vault;     // the log's origin, which several vaults may have
    std::string vault_id;  // of its keyring, in hexadecimal
    bool operator==(const Owner&) const = default;
  };

  // Makes it, or takes what is empty. Errors: kConflict "repository_exists",
  // "repository_not_empty"; kUnavailable "destination_unavailable"; those of OpenStore.
  static Result<Repository> Create(const StorePlace& place, BackupKind kind, const Owner& owner);
  static Result<Repository> Create(std::shared_ptr<BackupStore> store, BackupKind kind,
                                   const Owner& owner);
  // Errors: kNotFound "repository_missing"; kCorrupted "repository_malformed"; kUnavailable
  // "destination_unavailable"; those of OpenStore.
  static Result<Repository> Open(const StorePlace& place);
  static Result<Repository> Open(std::shared_ptr<BackupStore> store);

  const std::string& path() const { return store_->place(); }
  const std::string& id() const { return id_; }
  BackupKind kind() const { return kind_; }
  const Owner& owner() const { return owner_; }

  // Only one process at a time writes to a repository. Held until it goes out of scope; on a file
  // system without locks (flock), and in an S3-compatible store, nobody is kept out: there what was
  // written within a day is spared by RemoveObjects. Errors: kConflict "repository_in_use";
  // kUnavailable.
  using Claim = std::unique_ptr<BackupStore::Claim>;
  Result<Claim> Take() const;
  // What is written from here on may be left without a manifest, until it is said to be finished.
  // The first returns whether that was so before.
  Result<bool> BeginWriting() const;
  Result<BackupStore::Removal> EndWriting() const;

  // From now on what is there already is read before it is relied on: the repository was found
  // damaged. Otherwise its size is looked at.
  void ReadBack(bool reads_back) { reads_back_ = reads_back; }
  // Durable on return. Returns its name; bytes that are there already are not written again
  // (`written` says so); what has their name and is other bytes is replaced. Errors: kUnavailable
  // "destination_unavailable".
  Result<Hash> Put(ByteView bytes, bool& written) const;
  // Whether it is there, with so many bytes at least.
  Result<bool> Has(const Hash& name, std::uint64_t least = 0) const;
  // Errors: kNotFound "object_missing"; kCorrupted "object_wrong": its bytes are not those that it
  // is named by; kUnavailable.
  Result<Bytes> Get(const Hash& name) const;

  // Ids of generations by name, which is by the time of the vault's clock; what has no such name is
  // none.
  Result<std::vector<std::string>> ListGenerations() const;
  Result<std::string> GetManifest(const std::string& generation) const;
  Status PutManifest(const std::string& generation, const std::string& note) const;

  // Numbers of increments by generation, each in its order. Errors: kNotFound "increment_missing";
  // of writing one kConflict "increment_missing", that before it, and "increment_exists": somebody
  // else goes on from the same generation.
  using Increments = std::map<std::string, std::vector<std::uint64_t>>;
  Result<Increments> ListIncrements() const;
  Result<bool> HasIncrement(const std::string& generation, std::uint64_t n) const;
  Result<std::string> GetIncrement(const std::string& generation, std::uint64_t n) const;
  Status PutIncrement(const std::string& generation, std::uint64_t n,
                      const std::string& note) const;

  // What a destination retains (object lock) is told, and is no error. Errors: kUnavailable
  // "destination_unavailable".
  using Removal = BackupStore::Removal;
  Result<Removal> RemoveManifest(const std::string& generation) const;
  // The last first, up to one that is retained: what is left of a generation's, also in `numbers`,
  // follow each other.
  Result<Removal> RemoveIncrements(const std::string& generation,
                                   std::vector<std::uint64_t>& numbers) const;
  // With what crashes left half written. One that is retained keeps no other from going.
  Result<Removal> RemoveObjects(const std::function<bool(const Hash&)>& goes) const;

 private:
  Result<std::string> GetNote(const std::string& name, std::string_view missing,
                              std::string_view malformed) const;

  Result<bool> IsWhole(const Hash& name, std::uint64_t least, std::uint64_t most) const;

  bool reads_back_ = false;
  std::shared_ptr<BackupStore> store_;
  std::string id_;
  Owner owner_;
  BackupKind kind_ = BackupKind::kData;
};

}  // namespace coffer::vault
