// Reads the days anew that begin the periods of records, where a class counts from another field
// than the one that they were read from: opens each such record with its client's key, and stores
// its day with the version of the class that read it. In small steps, beside the requests. Where it
// has come to is what the rows say: a restart looks for those that are left.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vault/access/operations.h"
#include "vault/catalog/retention_dates.h"
#include "vault/catalog/stored_day.h"
#include "vault/deletion/retention_store.h"

namespace coffer::vault {

// A record as it is stored, with its document where the client's key opens it.
struct OpenedDocument {
  std::int64_t record = 0;
  std::uint64_t version = 0;
  std::string class_name;
  std::optional<std::string> document;
};
// Of those that are there yet; as many as fit into one step, `taken` of them. Not from the engine's
// thread.
Result<std::vector<OpenedDocument>> OpenDocuments(const Operations& operations,
                                                  std::span<const std::int64_t> records,
                                                  std::size_t& taken);

class RetentionDays {
 public:
  explicit RetentionDays(const Operations& operations) : operations_(operations) {}

  // Of so many records at most. True: there may be more to be read.
  Result<bool> Step(RetentionStore& store, std::size_t records);
  // Since the class changed that was changed last, all have been looked at.
  bool done() const { return done_; }

 private:
  void Follow(const Catalog& catalog);
  Status LookFor(RetentionStore& store, std::size_t records, std::vector<std::int64_t>& found);
  Status ReadAnew(std::span<const std::int64_t> records, std::size_t& taken);
  Status FinishRound();

  const Operations& operations_;
  std::shared_ptr<const Catalog> catalog_;
  RetentionDates dates_;
  std::size_t class_versions_ = 0;
  RetentionStore::Place position_;
  bool done_ = false;
  std::uint64_t read_ = 0, unreadable_ = 0;  // in this round
};

}  // namespace coffer::vault
