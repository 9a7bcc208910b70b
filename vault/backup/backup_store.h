// Where a repository lies: content by name, as a directory or an S3-compatible store has it. What a
// name means is the repository's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "crypto/bytes.h"
#include "crypto/result.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

// Of one thread at a time. Errors, of all: kUnavailable "destination_unavailable".
class BackupStore {
 public:
  struct Entry {
    std::string name;     // from the repository's root on
    bool folder = false;  // something else than content
    // So new that somebody else may be about to need it, where nobody can be kept out.
    bool young = false;
  };
  struct Removal {
    bool refused = false;  // it is still there, and is retained
    bool kept = false;     // the name is gone, and an earlier version of it is kept
    std::optional<Timestamp> until = std::nullopt;  // retained so long, where that is told
  };
  struct Found {
    std::optional<std::uint64_t> bytes;  // where that is told
  };
  class Claim {
   public:
    Claim() = default;
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;
    virtual ~Claim() = default;
  };

  BackupStore() = default;
  BackupStore(const BackupStore&) = delete;
  BackupStore& operator=(const BackupStore&) = delete;
  virtual ~BackupStore() = default;

  virtual const std::string& place() const = 0;  // a directory, or a URL

  // Nothing where there are no folders; fine where it is there. The empty name is the root.
  virtual Status MakeFolder(const std::string& name) = 0;
  // What was put into the folder and removed from it stays so.
  virtual Status SyncFolder(const std::string& name) = 0;

  // Whole or not at all, and durable on return. Whoever calls it looks first, or has a name that
  // nobody else has: what is there already is refused only where that is one step. Errors:
  // kConflict "object_exists".
  virtual Status Put(const std::string& name, crypto::ByteView content) = 0;
  // The same in place of what is there, in one step: whoever reads meanwhile has the one or the
  // other.
  virtual Status Replace(const std::string& name, crypto::ByteView content) = 0;
  // Errors: kNotFound "object_missing"; kCorrupted "object_wrong": it is no content, or longer.
  virtual Result<crypto::Bytes> Get(const std::string& name, std::size_t limit) = 0;
  virtual Result<std::optional<Found>> Find(const std::string& name) = 0;
  Result<bool> Has(const std::string& name) {
    COFFER_ASSIGN(const auto found, Find(name));
    return found.has_value();
  }
  // All that is in the folder and in those within, until `each` returns false. Errors: kNotFound
  // "folder_missing"; kCorrupted "listing_malformed".
  virtual Status List(const std::string& folder, const std::function<bool(const Entry&)>& each) = 0;
  // Fine where it is not there.
  virtual Result<Removal> Remove(const std::string& name) = 0;

  // Only one process at a time writes, as long as it is held; where nobody can be kept out it is
  // empty. Errors: kConflict "repository_in_use".
  virtual Result<std::unique_ptr<Claim>> Take(const std::string& name) = 0;
};

}  // namespace coffer::vault
