// The register of processing as it is stored: versions are added, and none is altered or removed,
// which triggers of the database refuse too.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crypto/hash.h"
#include "vault/base/ids.h"
#include "vault/base/timestamp.h"
#include "vault/oversight/processing_register.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {

// What was said of the processing.
struct ProcessingDocument {
  std::uint64_t version = 0;  // 0: nothing was
  std::string definition = "{}";
  crypto::Hash sha256{};
  Timestamp created;
  PrincipalId put_by;
  std::uint64_t seq = 0;  // of its entry in the log
};

struct PublishedProcessing {
  std::uint64_t version = 0;
  std::string register_json;  // whole; empty in lists
  crypto::Hash sha256{};
  ProcessingOrder order = ProcessingOrder::kGdpr;
  std::uint64_t missing = 0;  // how many things; 0: it is complete
  Timestamp published;
  PrincipalId published_by;
  std::uint64_t seq = 0;
};

class ProcessingStore {
 public:
  static Result<ProcessingStore> Open(Database& database);

  Status InsertDocument(const ProcessingDocument& document);
  // That version, or the newest. Errors of all that read a text: kCorrupted "storage_corrupted"
  // where it is not what its hash says.
  Result<std::optional<ProcessingDocument>> FindDocument(std::optional<std::uint64_t> version);

  Status Insert(const PublishedProcessing& published);
  Result<std::optional<PublishedProcessing>> Find(std::optional<std::uint64_t> version);
  // Versions before `before`, the newest first.
  Result<std::vector<PublishedProcessing>> List(std::int64_t before, std::size_t limit);

 private:
  Statement insert_document_, find_document_, insert_, find_, list_;
};

}  // namespace coffer::vault
