// A place where backups lie, as a directory has it:
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
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "audit/documents/backup_manifest.h"
#include "crypto/bytes.h"
#include "crypto/hash.h"
#include "crypto/result.h"

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

  // Makes `path`, or takes it where it is empty. Errors: kConflict "repository_exists",
  // "repository_not_empty"; kUnavailable "destination_unavailable".
  static Result<Repository> Create(const std::string& path, BackupKind kind, const Owner& owner);
  // Errors: kNotFound "repository_missing"; kCorrupted "repository_malformed"; kUnavailable
  // "destination_unavailable".
  static Result<Repository> Open(const std::string& path);

  const std::string& path() const { return path_; }
  const std::string& id() const { return id_; }
  BackupKind kind() const { return kind_; }
  const Owner& owner() const { return owner_; }

  // Only one process at a time writes to a repository. Held until it goes out of scope; on a file
  // system without locks (flock) nobody is kept out. Errors: kConflict "repository_in_use";
  // kUnavailable.
  class Claim {
   public:
    Claim(Claim&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;
    Claim& operator=(Claim&&) = delete;
    ~Claim();

   private:
    friend class Repository;
    explicit Claim(int fd) : fd_(fd) {}
    int fd_;
  };
  Result<Claim> Take() const;
  // What is written from here on may be left without a manifest, until it is said to be finished.
  // The first returns whether that was so before.
  Result<bool> BeginWriting() const;
  Status EndWriting() const;

  // Durable on return. Returns its name; bytes that are there already are not written again
  // (`written` says so). Errors: kUnavailable "destination_unavailable".
  Result<Hash> Put(ByteView bytes, bool& written) const;
  bool Has(const Hash& name) const;  // without a look at its bytes
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
  Result<std::string> GetIncrement(const std::string& generation, std::uint64_t n) const;
  Status PutIncrement(const std::string& generation, std::uint64_t n,
                      const std::string& note) const;

  // Errors: kUnavailable "destination_unavailable"; also of a destination that refuses it.
  Status RemoveManifest(const std::string& generation) const;
  // The last first: what is left of a generation's follow each other.
  Status RemoveIncrements(const std::string& generation,
                          std::span<const std::uint64_t> numbers) const;
  // With what crashes left half written.
  Status RemoveObjects(const std::function<bool(const Hash&)>& goes) const;

 private:
  static Result<std::string> GetNote(const std::string& path, std::string_view missing,
                                     std::string_view malformed);
  std::string ObjectPath(const Hash& name) const;
  std::string GenerationPath(const std::string& generation) const;
  std::string IncrementPath(const std::string& generation, std::uint64_t n) const;

  std::string path_, id_;
  Owner owner_;
  BackupKind kind_ = BackupKind::kData;
};

}  // namespace coffer::vault
